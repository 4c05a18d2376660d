"""Pictures of every kind, in folders of every kind."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from nnlib.base.errors import UserError
from nnlib.importing.importer import Options, import_images
from tests.importing.conftest import write_picture

BLANK = np.zeros((8, 8), np.uint8)
# The upper left corner is lit, the rest is dark.
CORNER = BLANK.copy()
CORNER[:3, :2] = 200


def write_classes(folder, **images):
    """A folder for each class, with its image and some others, so that there is a test set."""
    rng = np.random.default_rng(0)
    for name, image in images.items():
        write_picture(folder / "train" / name / "0.png", image)
        write_picture(folder / "test" / name / "1.png", rng.integers(256, size=image.shape))


@pytest.fixture
def folder(tmp_path):
    """Two classes with a training and a test sample each, into which a test puts what it tests."""
    write_classes(tmp_path, cat=np.full((8, 8), 250), dog=CORNER)
    return tmp_path


def read(folder, name, **options):
    """The training image that comes from a file, and all that was noted."""
    imported = import_images(folder, Options(**options))
    image = imported.train.images[imported.train.origins.index(name)]
    return image, [": ".join(row) for row in imported.notes.rows()]


def add(folder, picture, name="2.png", **options):
    path = folder / "train/cat" / name
    picture.save(path, **options)
    return f"train/cat/{name}"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("2.png", {}),
        ("2.PNG", {}),
        ("2.bmp", {}),
        ("2.tif", {}),
        ("2.tiff", {"compression": "tiff_lzw"}),
        ("2.gif", {}),
        ("2.webp", {"lossless": True}),
        ("2.jpg", {"quality": 100, "subsampling": 0}),
    ],
)
def test_each_format_is_read(folder, name, options):
    picture = Image.fromarray(CORNER)
    image, notes = read(folder, add(folder, picture, name, **options))
    tolerance = 3 if name.endswith("jpg") else 0
    assert np.abs(image.astype(int) - CORNER).max() <= tolerance
    assert not any("left out" in note for note in notes)


def test_of_an_animation_the_first_frame_is_taken(folder):
    frames = [Image.fromarray(image) for image in (CORNER, 255 - CORNER)]
    added = add(folder, frames[0], "2.gif", save_all=True, append_images=frames[1:])
    image, notes = read(folder, added)
    np.testing.assert_array_equal(image, CORNER)
    assert "changed: 1 picture of several frames: the first was taken" in notes


def test_colours_become_grey_as_television_has_them(folder):
    colours = np.zeros((8, 8, 3), np.uint8)
    colours[0, 0], colours[0, 1], colours[0, 2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    image, notes = read(folder, add(folder, Image.fromarray(colours)))
    # 0.299, 0.587 and 0.114 of 255
    np.testing.assert_array_equal(image[0, :4], [76, 150, 29, 0])
    assert "changed: 1 picture became grey" in notes


def test_one_bit_is_black_and_white(folder):
    image, _ = read(folder, add(folder, Image.fromarray(CORNER > 0)))
    np.testing.assert_array_equal(image, np.where(CORNER > 0, 255, 0))


def test_a_palette_is_looked_up(folder):
    picture = Image.fromarray((CORNER > 0).astype(np.uint8), "L").convert("P")
    picture.putpalette([0, 0, 0, 200, 200, 200] + [9] * 750)
    picture.putdata((CORNER > 0).astype(np.uint8).ravel().tolist())
    image, _ = read(folder, add(folder, picture))
    np.testing.assert_array_equal(image, CORNER)


@pytest.mark.parametrize(("name", "tolerance"), [("2.tif", 0), ("2.jpg", 3)])
def test_cmyk_is_turned_into_light(folder, name, tolerance):
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[..., 3] = 255 - CORNER  # black ink where it is dark
    picture = Image.fromarray(ink, "CMYK")
    options = {"quality": 100} if tolerance else {}
    image, _ = read(folder, add(folder, picture, name, **options))
    assert np.abs(image.astype(int) - CORNER).max() <= tolerance


def test_sixteen_bits_are_mapped_by_the_range_of_all(folder):
    faint = CORNER.astype(np.uint16) * 10  # up to 2,000, of 4,095 by the next picture
    add(folder, Image.fromarray(faint))
    full = np.full((8, 8), 4095, np.uint16)
    add(folder, Image.fromarray(full), "3.png")
    image, notes = read(folder, "train/cat/2.png")
    np.testing.assert_array_equal(image, np.rint(faint / 4095 * 255))
    assert "changed: 2 pictures of more than 8 bits: pixels 0 to 4095 became 0 to 255" in notes
    image, _ = read(folder, "train/dog/0.png")  # which has 8 bits
    np.testing.assert_array_equal(image, CORNER)


def test_pictures_of_0_and_1_become_visible(tmp_path):
    write_classes(tmp_path, cat=np.ones((8, 8)), dog=(CORNER > 0))
    for path in tmp_path.rglob("1.png"):
        write_picture(path, np.eye(8))
    image, notes = read(tmp_path, "train/dog/0.png")
    np.testing.assert_array_equal(image, np.where(CORNER > 0, 255, 0))
    assert any("pixels 0 to 1 became 0 to 255" in note for note in notes)


def refusal(folder):
    with pytest.raises(UserError) as caught:
        import_images(folder, Options())
    return str(caught.value)


def test_floats_of_0_to_1_beside_whole_numbers_of_16_bits_are_refused(folder):
    add(folder, Image.fromarray(np.eye(8, dtype=np.float32)), "2.tif")
    read(folder, "train/cat/2.tif")  # alone, they are of no harm to those of 8 bits
    add(folder, Image.fromarray(np.eye(8, dtype=np.uint16) * 65535), "3.png")
    text = refusal(folder)
    assert "0 to 1 in pictures of floats of the train set" in text
    assert "0 to 65535 in pictures of more than 8 bits of the train set" in text


def test_a_test_set_of_0_and_1_beside_a_training_set_of_0_to_255_is_refused(folder):
    for path in folder.glob("test/*/1.png"):
        write_picture(path, np.eye(8))
    text = refusal(folder)
    assert "0 to 250 in pictures of the train set, 0 to 1 in pictures of the test set" in text


def test_pictures_of_one_row_of_heights_are_said_in_the_singular(tmp_path):
    write_classes(tmp_path, cat=np.full((9, 8), 255), dog=np.full((7, 8), 255))
    notes = read(tmp_path, "train/cat/0.png")[1]
    assert any("2 sizes, heights 7 to 9 and width 8 pixels; 2 images of " in n for n in notes)


def transparent(colour):
    """A drawing of one colour on a transparent background."""
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = np.where(CORNER > 0, 255, 0)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("colour", [0, 40, 255])
@pytest.mark.parametrize("invert", [False, True])
def test_a_drawing_on_a_transparent_background_does_not_vanish(folder, colour, invert):
    image, notes = read(folder, add(folder, transparent(colour)), invert=invert)
    is_inverted = invert or colour < 64
    ink = 255 - colour if is_inverted else colour
    np.testing.assert_array_equal(image, np.where(CORNER > 0, ink, 0))
    assert any("transparent background, which became 0" in note for note in notes)


def test_a_drawing_of_dark_and_light_ink_is_not_inverted(folder):
    pixels = np.asarray(transparent(10)).copy()
    pixels[:2, 0, :3] = 200
    image, _ = read(folder, add(folder, Image.fromarray(pixels)))
    expected = np.where(CORNER > 0, 10, 0)
    expected[:2, 0] = 200
    np.testing.assert_array_equal(image, expected)


def test_what_is_hidden_by_transparency_stays_hidden(folder):
    pixels = np.full((8, 8, 4), 255, np.uint8)
    pixels[..., 3] = CORNER  # 200 of 255 opaque
    image, _ = read(folder, add(folder, Image.fromarray(pixels)))
    np.testing.assert_array_equal(image, CORNER)


def test_a_transparent_colour_of_a_palette_is_background(folder):
    picture = Image.fromarray(CORNER).convert("P")
    image, notes = read(
        folder, add(folder, picture, "2.gif", transparency=picture.getpixel((7, 7)))
    )
    np.testing.assert_array_equal(image, CORNER)
    assert any("transparent background" in note for note in notes)


def test_an_opaque_picture_with_an_alpha_channel_is_an_ordinary_one(folder):
    picture = Image.fromarray(CORNER).convert("RGBA")
    image, notes = read(folder, add(folder, picture))
    np.testing.assert_array_equal(image, CORNER)
    assert not any("transparent" in note for note in notes)


@pytest.mark.parametrize("name", ["2.jpg", "2.png", "2.webp", "2.tif"])
def test_a_picture_is_turned_as_its_exif_data_say(folder, name):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    options = {"2.jpg": {"quality": 100}, "2.webp": {"lossless": True}}.get(name, {})
    picture = Image.fromarray(np.rot90(CORNER))  # counterclockwise
    image, _ = read(folder, add(folder, picture, name, exif=exif, **options))
    assert np.abs(image.astype(int) - CORNER).max() <= 3


def test_turned_pictures_have_the_size_that_they_are_seen_in(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            path = write_picture(tmp_path / part / name / "1.png", np.ones((40, 24)))
            Image.new("L", (40, 24)).save(path.with_name("2.jpg"), exif=exif)
    imported = import_images(tmp_path, Options())
    assert imported.image_shape == (40, 24)
    assert ("found", "all images are 40 x 24 pixels (height x width)") in imported.notes.rows()


def test_a_picture_of_100_megapixels_is_refused_before_it_is_decoded(folder, monkeypatch):
    # a header alone, which says 10,000 x 10,000
    path = folder / "train/cat/2.bmp"
    Image.new("1", (10_000, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[22:26] = (10_000).to_bytes(4, "little")
    path.write_bytes(content)
    decoded = []
    load = ImageFile.ImageFile.load

    def note(image):
        decoded.append(Path(image.filename).name)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", note)
    with warnings.catch_warnings():  # of which pytest would make errors
        warnings.simplefilter("ignore")
        with pytest.raises(UserError, match=r"2\.bmp \(more than 89 megapixels\).*BROKEN=skip"):
            import_images(folder, Options())
    assert set(decoded) == {"0.png", "1.png"}


def truncate(path):
    path.write_bytes(path.read_bytes()[:-300])


@pytest.fixture
def broken(folder):
    """A folder with a JPEG that is cut off and a text that calls itself a PNG."""
    rng = np.random.default_rng(0)
    path = write_picture(folder / "train/dog/cut.jpg", rng.integers(256, size=(32, 32)))
    truncate(path)
    (folder / "train/cat/no.png").write_text("no picture")
    return folder


def test_broken_pictures_are_named(broken):
    with pytest.raises(UserError) as caught:
        import_images(broken, Options())
    text = str(caught.value)
    assert text.startswith("2 pictures of ")
    assert "train/dog/cut.jpg (image file is truncated" in text
    assert "train/cat/no.png (no picture that is known here)" in text
    assert "BROKEN=skip" in text


def test_broken_pictures_are_left_out_by_choice(broken):
    imported = import_images(broken, Options(skip_broken=True, size=(8, 8)))
    assert sorted(imported.train.origins) == ["train/cat/0.png", "train/dog/0.png"]
    for origin, image in zip(imported.train.origins, imported.train.images, strict=True):
        np.testing.assert_array_equal(image, CORNER if "dog" in origin else np.full((8, 8), 250))
    (text,) = [text for kind, text in imported.notes.rows() if kind == "left out"]
    assert text.startswith("2 broken pictures: ")


def test_a_set_of_nothing_but_broken_pictures_is_refused(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_text("no picture")
    with pytest.raises(UserError, match="none of the 2 pictures"):
        import_images(tmp_path, Options(skip_broken=True))


def test_no_warning_of_pillow_reaches_the_user(folder):
    broken = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\x1a"
    added = add(folder, Image.fromarray(CORNER), "2.jpg", quality=100, exif=broken)
    with pytest.warns(UserWarning, match="Corrupt EXIF"), Image.open(folder / added) as picture:
        picture.getexif()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import_images(folder, Options())
    assert caught == []


def test_pictures_of_several_sizes_are_fitted_into_28_by_28(tmp_path):
    write_classes(tmp_path, cat=np.full((40, 20), 255), dog=np.full((30, 30), 255))
    image, notes = read(tmp_path, "train/cat/0.png")
    assert image.shape == (28, 28)
    # 40 x 20 becomes 28 x 14, with 7 columns of background on either side
    np.testing.assert_array_equal(image[:, 7:21], np.full((28, 14), 255))
    assert not image[:, :7].any()
    assert not image[:, 21:].any()
    assert any("2 sizes, heights 30 to 40 and widths 20 to 30" in note for note in notes)
    assert any("brought to 28 x 28" in note for note in notes)


def test_a_size_is_height_by_width(tmp_path):
    write_classes(tmp_path, cat=np.full((40, 20), 255), dog=np.full((30, 30), 255))
    image, _ = read(tmp_path, "train/dog/0.png", size=(20, 10))
    # the square becomes 10 x 10, with 5 rows of background above and below
    np.testing.assert_array_equal(image[:, 0] > 0, [*[False] * 5, *[True] * 10, *[False] * 5])


@pytest.mark.parametrize(
    ("shape", "expected"), [((64, 64), (64, 64)), ((40, 24), (40, 24)), ((65, 64), (28, 28))]
)
def test_one_size_up_to_64_by_64_is_kept(tmp_path, shape, expected):
    write_classes(tmp_path, cat=np.full(shape, 255), dog=np.full(shape, 99))
    assert import_images(tmp_path, Options()).image_shape == expected


def test_a_large_photo_is_shrunk_without_aliasing(tmp_path):
    stripes = np.zeros((560, 560), np.uint8)
    stripes[::2] = 255
    write_classes(tmp_path, cat=stripes, dog=stripes.T)
    for path in tmp_path.rglob("0.png"):
        picture = Image.open(path)
        path.unlink()
        picture.save(path.with_suffix(".jpg"), quality=95)
    image, _ = read(tmp_path, "train/cat/0.jpg")
    assert np.abs(image.astype(int) - 127).max() < 20  # every pixel is the mean of the stripes


def test_light_ink_up_to_the_border_is_no_light_background(tmp_path):
    inside = np.zeros((8, 8))
    inside[1:-1, 1:-1] = 255  # more than half of the pixels
    write_classes(tmp_path, cat=inside, dog=inside)
    for path in tmp_path.rglob("1.png"):
        write_picture(path, inside)
    assert not any("borders" in note for note in read(tmp_path, "train/cat/0.png")[1])


def test_noise_is_no_light_background(tmp_path):
    noise = np.random.default_rng(1).integers(256, size=(40, 40))
    write_classes(tmp_path, cat=noise, dog=noise.T)
    assert not any("borders" in note for note in read(tmp_path, "train/cat/0.png")[1])


def test_what_is_put_around_pictures_hides_no_light_background(tmp_path):
    write_classes(tmp_path, cat=np.full((90, 30), 240), dog=np.full((31, 88), 240))
    for path in tmp_path.rglob("1.png"):
        write_picture(path, np.full((88, 31), 240))
    _, notes = read(tmp_path, "train/cat/0.png")
    assert any("the pixels at the borders have a mean of 2" in note for note in notes)
    _, notes = read(tmp_path, "train/cat/0.png", invert=True)
    assert not any("borders" in note for note in notes)


def test_a_light_background_is_said_and_can_be_inverted(tmp_path):
    write_classes(tmp_path, cat=255 - CORNER, dog=np.full((8, 8), 255))
    for path in tmp_path.rglob("1.png"):
        write_picture(path, np.full((8, 8), 230))
    image, notes = read(tmp_path, "train/cat/0.png")
    np.testing.assert_array_equal(image, 255 - CORNER)
    assert any(note.startswith("look at: the pixels at the borders have a mean") for note in notes)
    image, notes = read(tmp_path, "train/cat/0.png", invert=True)
    np.testing.assert_array_equal(image, CORNER)
    assert not any("borders" in note for note in notes)
