"""A picture becomes the same image whether it is imported to train on, or classified."""

import numpy as np
import pytest
from PIL import Image

from experiments.predict.pictures import look_at
from nnlib.data.datasets import MNIST
from nnlib.importing.importer import Options, import_images

SIZE = (20, 24)
DATASET = MNIST.model_copy(update={"image_shape": SIZE, "prepared_as_mnist": False})


def colours(height, width, channels):
    """Smooth noise, so that JPEG changes little."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (4, 5, channels)).astype(np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)


def drawing(value):
    """A ring of one grey value on a transparent background, with soft edges."""
    y, x = np.mgrid[:61, :47]
    opaque = np.clip(255 - 40 * abs(np.hypot(y - 30, x - 23) - 15), 0, 255)
    return Image.fromarray(np.dstack([np.full((61, 47, 3), value), opaque]).astype(np.uint8))


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return {"exif": exif}


PICTURES = {
    "transparent.png": (colours(70, 90, 4), {}),
    "light_drawing.png": (drawing(230), {}),
    "dark_drawing.png": (drawing(20), {}),
    "palette.gif": (Image.fromarray(np.eye(30, dtype=np.uint8), "P"), {"transparency": 0}),
    "colours.png": (colours(70, 90, 3), {}),
    "grey.png": (colours(70, 90, 3).convert("L"), {}),
    "small.png": (colours(9, 5, 3), {}),
    "row.png": (colours(1, 30, 3), {}),
    "same_size.png": (colours(*SIZE, 3), {}),
    "photo.jpg": (colours(900, 1300, 3), {}),  # decoded at a lower resolution
    "turned.jpg": (colours(50, 90, 3), turned()),
    "print.jpg": (colours(50, 90, 4).convert("RGB").convert("CMYK"), {}),
}


@pytest.mark.parametrize("inverted", [False, True])
def test_an_imported_picture_is_classified_as_it_was_trained_on(tmp_path, inverted):
    for i, (name, (picture, options)) in enumerate(PICTURES.items()):
        path = tmp_path / "ab"[i % 2] / name
        path.parent.mkdir(exist_ok=True)
        picture.save(path, **options)
    imported = import_images(tmp_path, Options(size=SIZE, invert=inverted))
    images = {
        name: image
        for samples in (imported.train, imported.test)
        for name, image in zip(samples.origins, samples.images, strict=True)
    }
    assert len(images) == len(PICTURES)
    dataset = DATASET.model_copy(update={"inverted": inverted})
    for name, image in images.items():
        seen = look_at(tmp_path / name, dataset, with_steps=False)
        np.testing.assert_array_equal(seen.image, image, err_msg=name)
        assert image.max() > image.min(), name
