"""The readers, fed with anything: either images come out, or the project's own error."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nnlib.base.errors import UserError
from nnlib.importing.importer import Options, import_images
from tests.importing.conftest import write_csv, write_idx

IMAGES = np.random.default_rng(0).integers(256, size=(6, 4, 4), dtype=np.uint8)
LABELS = np.arange(6) % 2


def idx(folder):
    write_idx(folder / "train-images-idx3-ubyte", IMAGES)
    write_idx(folder / "train-labels-idx1-ubyte.gz", LABELS, packed=True)


def npz(folder):
    np.savez(folder / "a.npz", x=IMAGES, y=LABELS)


def packed_npz(folder):
    np.savez_compressed(folder / "a.npz", x=IMAGES / 255, y=LABELS.astype(str))


def table(folder):
    rows = np.column_stack([LABELS, IMAGES.reshape(6, -1)]).tolist()
    write_csv(folder / "a.csv", rows, ["label", *(f"p{i}" for i in range(16))])


def pictures(folder):
    for name, kinds in (("cat", ("png", "jpg", "gif")), ("dog", ("tif", "bmp", "webp"))):
        (folder / name).mkdir()
        for image, kind in zip(IMAGES, kinds, strict=False):
            Image.fromarray(image).save(folder / name / f"1.{kind}")


def names(folder):
    npz(folder)
    (folder / "classes.txt").write_text("cat\ndog\n")


@pytest.mark.parametrize("write", [idx, npz, packed_npz, table, pictures, names])
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)
@given(data=st.data())
def test_whatever_is_in_the_files_it_is_imported_or_refused(tmp_path_factory, write, data):
    folder = tmp_path_factory.mktemp("fuzz")
    write(folder)
    path = data.draw(st.sampled_from(sorted(folder.rglob("*.*"))))
    content = path.read_bytes()
    is_packed = content[:2] == b"\x1f\x8b" and data.draw(st.booleans())
    if is_packed:
        content = gzip.decompress(content)
    start = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, 12))
    pieces = st.sampled_from([b",", b"\n", b'"', b"-1", b"nan", b"1e9", b"\xff" * 4, b"\0" * 4])
    new = data.draw(st.one_of(pieces, st.binary(max_size=12)))
    content = content[:start] + new + content[start + length :]
    path.write_bytes(gzip.compress(content) if is_packed else content)
    refusal = ""
    try:
        imported = import_images(folder, Options(skip_broken=data.draw(st.booleans())))
    except UserError as error:
        refusal = str(error)
    else:
        for samples in (imported.train, imported.test):
            assert samples.images.dtype == np.uint8
            assert len(samples.images) == len(samples.labels) == len(samples.origins) > 0
            assert samples.labels.max() < len(imported.class_names)
    assert "\n" not in refusal
