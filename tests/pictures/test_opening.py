"""Picture files of all kinds, and files that are none."""

import io
import os
import re
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from nnlib.base.errors import UserError
from nnlib.pictures.opening import UnreadableError, open_picture
from nnlib.pictures.preparation import prepare

GREY = np.full((60, 90), 220, np.uint8)
GREY[15:45, 30:36] = 20
GREY[15:19, 30:50] = 20  # so that it has an upper and a left side
PICTURE = Image.fromarray(GREY)
EXPECTED = prepare(GREY).image


def close_to_expected(pixels, most=0.1):
    image = prepare(pixels).image.astype(float)
    return np.abs(image - EXPECTED).sum() / (2 * EXPECTED.sum()) < most


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "gif", "webp"])
def test_the_usual_formats(tmp_path, suffix):
    PICTURE.convert("RGB").save(tmp_path / f"a.{suffix}")
    assert close_to_expected(open_picture(tmp_path / f"a.{suffix}"))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_the_modes(tmp_path, mode):
    PICTURE.convert(mode, dither=Image.Dither.NONE).save(tmp_path / "a.tif")
    assert close_to_expected(open_picture(tmp_path / "a.tif"))


def test_grey_of_16_bits(tmp_path):
    Image.fromarray(GREY.astype(np.uint16) * 16).save(tmp_path / "a.png")  # 12 bits of them used
    assert close_to_expected(open_picture(tmp_path / "a.png"))


def test_a_cmyk_jpeg(tmp_path):
    PICTURE.convert("CMYK").save(tmp_path / "a.jpg")
    assert close_to_expected(open_picture(tmp_path / "a.jpg"))


def test_a_palette_with_transparency(tmp_path):
    palette = Image.fromarray((GREY < 100).astype(np.uint8), "P")
    palette.putpalette([255, 0, 0, 0, 0, 0])
    palette.save(tmp_path / "a.png", transparency=0)
    pixels = open_picture(tmp_path / "a.png")
    assert pixels.shape == (60, 90, 4)
    assert close_to_expected(pixels)


# The operation that the camera's turn is undone with, by the EXIF orientation.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("orientation", TURNS)
def test_pictures_are_turned_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = PICTURE.transpose(TURNS[orientation])
    turned.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(open_picture(tmp_path / "a.png"), GREY)


def test_of_more_frames_the_first_is_taken(tmp_path):
    PICTURE.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("L", (90, 60))])
    assert close_to_expected(open_picture(tmp_path / "a.gif"))


def test_a_text_file_called_png(tmp_path):
    (tmp_path / "a.png").write_text("a digit\n")
    with pytest.raises(UserError, match=r"a\.png cannot be read: no picture that .*: save it as"):
        open_picture(tmp_path / "a.png")


def test_an_empty_file_and_a_missing_one(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(UserError, match="no picture that is known here"):
        open_picture(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"b\.png cannot be read: No such file"):
        open_picture(tmp_path / "b.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_file_that_is_cut_off(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (80, 80)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, {"jpg": "jpeg", "tif": "tiff"}.get(suffix, suffix))
    (tmp_path / f"a.{suffix}").write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    with pytest.raises(UserError, match="cannot be read"):
        open_picture(tmp_path / f"a.{suffix}")


def test_heic_says_what_to_do(tmp_path):
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    with pytest.raises(UserError, match=r"a HEIC picture: .*as JPEG"):
        open_picture(tmp_path / "IMG_1.HEIC")


def test_100_megapixels_are_refused_before_they_are_decoded(tmp_path):
    def chunk(name, data):
        crc = zlib.crc32(name + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + name + data + crc

    size = (10_000).to_bytes(4, "big")
    header = chunk(b"IHDR", size + size + bytes([8, 0, 0, 0, 0]))
    data = chunk(b"IDAT", zlib.compress(bytes(10_001) * 10_000, 1))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    tracemalloc.start()
    with pytest.raises(UserError, match=re.escape("more than 89 megapixels: save it smaller")):
        open_picture(tmp_path / "a.png")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_pixels_that_are_no_numbers(tmp_path):
    Image.fromarray(np.full((5, 5), np.nan, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match="not finite"):
        open_picture(tmp_path / "a.tif")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UnreadableError, match=r"a\.png cannot be read: no ordinary file$"):
        open_picture(tmp_path / "a.png")
