"""Pictures of one's own on the command line: the table, the page, and what cannot be read."""

import base64
import io
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from experiments.predict.__main__ import main, text_of
from experiments.predict.answers import COLUMNS, UNLIKE, answer, reasons
from experiments.predict.network import read_trained
from experiments.predict.pictures import Seen, find_pictures
from experiments.predict.report import MOST
from nnlib.base.errors import UserError
from nnlib.data.corrections import APPLIED, no_corrections, write_corrections
from nnlib.data.datasets import SYNTHETIC, TEST, TRAIN, Dataset, write_dataset
from nnlib.data.encoding import Encoding
from nnlib.data.idx import write_idx
from nnlib.data.samples import Samples
from nnlib.data.synthetic import draw_images, draw_labels
from nnlib.pictures.preparation import NOTHING, SEVERAL
from nnlib.training.fit import Settings, fit
from tests.markdown import EVIL
from tests.pictures.photographs import KINDS, photograph_file

TRAINING, TESTING = 1500, 300


def write_project(folder, dataset, images, labels):
    """What the stages write of a data set, as far as the command reads it."""
    raw = folder / "data/raw"
    raw.mkdir(parents=True)
    write_dataset(raw, dataset)
    for files, rows in ((TRAIN, slice(TRAINING)), (TEST, slice(TRAINING, None))):
        write_idx(raw / files.images, images[rows])
        write_idx(raw / files.labels, labels[rows])
    encoding = Encoding(scaling="unit", pixel_mean=0, pixel_std=1, class_names=dataset.class_names)
    settings = Settings(
        hidden_size=30,
        weight_init="he",
        iterations=0,
        epochs=8,
        batch_size=50,
        learning_rate=0.003,
        seed=1,
        activation="relu",
        optimizer={"name": "adam"},
    )
    samples = Samples(encoding.inputs(images[:TRAINING]), labels[:TRAINING])
    network = fit(settings, samples, encoding).trained
    (folder / "data/normalized").mkdir()
    write_corrections(folder / "data/normalized" / APPLIED, no_corrections(), dataset.class_names)
    (folder / "data/models").mkdir()
    network.save(folder / "data/models/trained.npz")
    return folder


@pytest.fixture(scope="module")
def digits():
    rng = np.random.default_rng(2)
    labels = draw_labels(TRAINING + TESTING, rng)
    return np.concatenate(list(draw_images(labels, rng))), labels


@pytest.fixture(scope="module")
def made(tmp_path_factory, digits):
    return write_project(tmp_path_factory.mktemp("made") / "project", SYNTHETIC, *digits)


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A folder with a trained network, to work in."""
    shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def predict(monkeypatch, capsys):
    """Runs the command; returns the table that it writes, and what it prints."""

    def predict(*arguments, ok=True):
        monkeypatch.setattr(sys, "argv", ["predict", *map(str, arguments)])
        error = ""
        if ok:
            main()
        else:
            with pytest.raises(SystemExit) as caught:
                main()
            error = str(caught.value.code)  # a text, which Python prints, and exits with 1
        table = None
        if Path("reports/pictures.csv").exists():
            table = pd.read_csv("reports/pictures.csv", dtype=str, keep_default_na=False)
            for name in ("confidence", "second_confidence"):
                table[name] = pd.to_numeric(table[name])
        return table, capsys.readouterr().out + error

    return predict


@pytest.fixture(scope="module")
def one():
    """A small picture of a 1."""
    pixels = np.full((60, 60), 240, np.uint8)
    pixels[10:50, 28:33] = 20
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def on_paper(digits):
    """Photographs of the first 12 test samples, and their labels."""
    rng = np.random.default_rng(4)
    images, labels = (array[TRAINING : TRAINING + 12] for array in digits)
    return [photograph_file(image, KINDS["plain"], rng) for image in images], labels


def sections(page):
    return re.split(r"<h2", page)[1:]


def images_in(section):
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', section)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(image)))) for image in found]


def test_digits_on_paper_get_their_classes(project, predict, on_paper):
    photos, labels = on_paper
    (project / "photos").mkdir()
    for i, photo in enumerate(photos, start=1):  # 2 comes before 10
        (project / f"photos/{i}.jpg").write_bytes(photo)
    table, said = predict("photos")
    assert list(table.columns) == COLUMNS
    assert list(table["file"]) == [f"photos/{i}.jpg" for i in range(1, 13)]
    assert (table["class"] == labels.astype(str)).sum() >= 11
    assert (table["confidence"] > table["second_confidence"]).all()
    assert (table["class"] != table["second"]).all()
    lines = said.splitlines()
    assert re.fullmatch(r"file +class +confidence +second +second confidence +warning", lines[0])
    first = table.iloc[0]
    assert re.match(
        rf"photos/1.jpg +{first['class']} +[\d.> ]+% +{first['second']} +[\d.< ]+%", lines[1]
    )
    assert "Report: reports/pictures.html, reports/pictures.csv" in said
    page = (project / "reports/pictures.html").read_text()
    assert len(sections(page)) == 12
    of_class = 0
    for section, row in zip(sections(page), table.itertuples(), strict=True):
        assert row.file in section
        assert f"<strong>{row[2]}</strong> at " in section
        assert f"evidence for {row[2]} against {row.second}" in section
        # five steps, and five neighbours each by pixels and by activations
        images = images_in(section)
        assert len(images) == 15
        for image in (*images[2:4], *images[5:]):  # strokes are dark on white
            assert image[0, 0] > 250
            assert image.min() < 50
        near = re.findall(r'alt="training sample"> (\d)<', section)
        assert len(near) == 10
        of_class += near.count(row[2])
    assert of_class > 90  # of the 120 nearest training samples
    assert "http" not in page.replace("http-equiv", "")


NAMES = ["a  b.png", "=1+1.png", "@x.png", "a|b.png", "<b>bold<b>.png", "![a](x).png", "日本語.png"]
NAMES += ["a,b.png", '"q".png', "a\nb.png", "$(touch made).png", "`x`.png", "-rf.png"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_evil(project, predict, one):
    (project / "in").mkdir()
    for name in [*NAMES, os.fsdecode(b"\xff.png")]:
        one.save(project / "in" / name)
    table, said = predict("in")
    assert set(table["file"]) == {f"in/{name}" for name in NAMES} | {"in/\\udcff.png"}
    assert (table["class"] == "1").all()
    assert len(said.splitlines()) == len(NAMES) + 3  # a line each
    page = (project / "reports/pictures.html").read_text()
    assert len(sections(page)) == len(NAMES) + 1
    assert "<b>" not in page
    assert "in/&lt;b&gt;bold&lt;b&gt;.png" in page
    assert "![a](x).png" in page
    os.chdir("in")
    shutil.copytree("../data", "data")
    table, _ = predict("=1+1.png", "a  b.png", "--", "-rf.png")
    assert list(table["file"]) == ["'=1+1.png", "a  b.png", "'-rf.png"]  # no formula


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(project, predict, on_paper):
    folder = project / "in"
    folder.mkdir()
    (folder / "1.png").write_text("a digit\n")
    (folder / "2.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    (folder / "3.jpg").write_bytes(on_paper[0][0][:300])
    (folder / "4.jpg").write_bytes(on_paper[0][0])
    Image.new("L", (300, 200), 230).save(folder / "5.png")
    Image.new("1", (10_000, 10_000)).save(folder / "6.png")
    (folder / "notes.txt").write_text("not called a picture")
    table, said = predict("in")
    assert list(table["file"]) == [
        *("in/1.png", "in/2.HEIC", "in/3.jpg", "in/4.jpg", "in/5.png", "in/6.png")
    ]
    assert list(table["class"] != "") == [False, False, False, True, False, False]
    assert list(table["confidence"].isna()) == list(table["class"] == "")
    warned = list(table["warning"])
    assert "save it as JPEG or PNG" in warned[0]
    assert "HEIC" in warned[1]
    assert warned[3] == ""
    assert warned[4] == NOTHING
    assert "89 megapixels" in warned[5]
    assert all(text in said for text in warned)
    page = (project / "reports/pictures.html").read_text()
    assert "6 pictures, of which 4 cannot be read; 5 with a warning." in page
    shown = [section.count("data:image/png;base64,") for section in sections(page)]
    assert shown == [0, 0, 0, 15, 1, 0]


def test_without_any_that_can_be_read_it_fails(project, predict):
    (project / "in").mkdir()
    for name in ("1.png", "2.png"):
        (project / "in" / name).write_text("a digit\n")
    table, said = predict("in", ok=False)
    assert "error: none of the 2 pictures can be read: the column" in said
    assert len(table) == 2  # written all the same
    _, said = predict("in/1.png", ok=False)
    assert "error: the picture cannot be read: the column" in said
    Image.new("L", (300, 200), 230).save(project / "blank.png")
    table, _ = predict("blank.png")  # which can
    assert list(table["class"]) == [""]


def test_why_pictures_are_classified_so(project, digits):
    trained = read_trained(None)
    pictures = [
        Seen("broken", is_read=False, image=None, warnings=("broken",), steps=None),
        *(Seen("a", True, image, (), None) for image in digits[0][TRAINING : TRAINING + 4]),
    ]
    answers = answer(pictures, trained)
    assert answers.places.tolist() == [1, 2, 3, 4]
    why = reasons(answers, trained, 3)
    x, blank = (
        trained.inputs(images) for images in (answers.images[:3], np.zeros((1, 28, 28), np.uint8))
    )
    (z, y), (_, of_blank) = trained.network.forward(x), trained.network.forward(blank)
    for row in range(3):
        second, first = np.argsort(y[row])[-2:]
        assert answers.order[row, :2].tolist() == [first, second]
        expected = np.log(y[row] / of_blank[0])  # differ as logits do
        assert why.evidence[row].sum() == pytest.approx(
            expected[first] - expected[second], abs=1e-4
        )
    training = trained.inputs(trained.images)
    for space, points, others in (
        ("pixels", x, training),
        ("activations", z, trained.network.forward(training)[0]),
    ):
        distances = np.linalg.norm(points[:, np.newaxis] - others, axis=2)
        assert np.array_equal(why.neighbours[space], distances.argsort(axis=1)[:, :5])


def test_warnings(project, predict, digits):
    two = np.full((200, 300), 240, np.uint8)
    for left in (40, 180):
        two[60:144, left : left + 84] -= digits[0][0].repeat(3, 0).repeat(3, 1) // 4 * 3
    Image.fromarray(two).save(project / "two.png")
    square = np.full((200, 200), 240, np.uint8)
    square[60:140, 60:140] = 20
    square[80:120, 80:120] = 240
    Image.fromarray(square).save(project / "square.png")
    table, _ = predict("two.png", "square.png")
    assert SEVERAL in table["warning"][0]
    assert UNLIKE in table["warning"][1]


def test_more_pictures_than_the_page_shows(project, predict, monkeypatch, one):
    monkeypatch.setattr("experiments.predict.__main__.MOST", 3)
    monkeypatch.setattr("experiments.predict.report.MOST", 3)
    monkeypatch.setattr("experiments.predict.__main__.MOST_LINES", 4)
    (project / "in").mkdir()
    for i in range(6):
        one.save(project / f"in/{i}.png")
    table, said = predict("in")
    assert len(table) == 6
    assert "... and 2 more" in said
    page = (project / "reports/pictures.html").read_text()
    assert len(sections(page)) == 3
    assert "This page shows the first 3; all are in <code>pictures.csv</code>." in page
    assert MOST <= 200


def test_images_that_are_not_prepared_as_mnists_are_scaled(tmp_path, monkeypatch, predict):
    found = load_digits()
    images = np.rint(found.images * 255 / 16).astype(np.uint8)
    dataset = Dataset(
        name="8 x 8",
        class_names=EVIL[:10],
        class_noun="digit",
        image_shape=(8, 8),
        has_strokes=True,
        prepared_as_mnist=False,
    )
    write_project(tmp_path / "project", dataset, images, found.target.astype(np.uint8))
    monkeypatch.chdir(tmp_path / "project")
    for i, image in enumerate(images[TRAINING : TRAINING + 10]):
        Image.fromarray(image.repeat(12, 0).repeat(12, 1)).save(f"{i}.png")
    table, _ = predict(*(f"{i}.png" for i in range(10)))
    trained = read_trained(None)
    y = trained.network.predict(trained.inputs(images[TRAINING : TRAINING + 10]))
    names = [EVIL[label] for label in y.argmax(axis=1)]
    # with an apostrophe, what a spreadsheet would run
    assert [name.removeprefix("'") for name in table["class"]] == names
    np.testing.assert_allclose(table["confidence"], y.max(axis=1), rtol=1e-5)
    page = (tmp_path / "project/reports/pictures.html").read_text()
    assert "is only scaled to 8 x 8 pixels" in page
    assert "<b>" not in page
    assert sections(page)[0].count("data:image/png;base64,") == 3 + 10


def test_which_pictures_are_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/10.png", "in/2.JPG", "in/sub/1.webp", "in/.hidden.png", "in/a.txt", "a b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    (tmp_path / "in/sub/back").symlink_to(tmp_path / "in")  # has no end

    def found(*arguments):
        return [path.as_posix() for path in find_pictures(arguments)]

    inside = ["in/2.JPG", "in/10.png", "in/sub/1.webp"]
    assert found("in") == found("in/") == inside
    assert found("a b.png") == ["a b.png"]
    assert found("'a b.png' in/") == ["a b.png", *inside]
    assert found("in", "in/a.txt") == [*inside, "in/a.txt"]  # what is named is tried
    with pytest.raises(UserError, match=r"^a does not exist; .* needs quotes, as in PICTURES="):
        found("a b.png in")
    with pytest.raises(UserError, match=r"^it's\.png does not exist, nor can it be split: "):
        found("it's.png")
    with pytest.raises(UserError, match=r"^no picture is named; for example: "):
        found(" ")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"^empty holds no picture: expected .*heic"):
        found("empty")


def test_wide_characters_take_two_places():
    rows = [("日本.png", "7", 0.5, "1", 0.25, ""), ("a.png", "8", 1.0, np.nan, np.nan, "b")]
    head, first, second = text_of(pd.DataFrame(rows, columns=COLUMNS)).splitlines()
    assert head.startswith("file      class  ")
    assert first == "日本.png  7      50.00%      1       25.00%"
    assert second == f"a.png     8      100.00%{' ' * 32}b"


def test_without_a_network(project, predict, on_paper):
    (project / "1.jpg").write_bytes(on_paper[0][0])
    (project / "data/models/trained.npz").unlink()
    _, said = predict("1.jpg", ok=False)
    assert re.match(r"error: data/models/trained.npz .*; `dvc repro` rebuilds it", said)
    assert not (project / "reports/pictures.csv").exists()
    write_dataset(project / "data/raw", SYNTHETIC.model_copy(update={"image_shape": (8, 8)}))
    _, said = predict("1.jpg", ok=False)
    assert "`dvc repro` rebuilds it" in said
    shutil.rmtree(project / "data")
    _, said = predict("1.jpg", ok=False)
    assert re.match(r"error: data/raw/dataset.json .*; `dvc repro` rebuilds it", said)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")  # of a library that DVC uses
def test_in_a_checkout_with_the_network_of_an_experiment(
    experiment, tmp_path, on_paper, predict, monkeypatch
):
    checkout = experiment.copy_to(tmp_path / "checkout")
    monkeypatch.chdir(checkout.path)
    monkeypatch.setenv("HOME", str(checkout.home))
    (checkout.path / "1.jpg").write_bytes(on_paper[0][0])
    before = checkout.run("git", "status", "--porcelain")
    here, _ = predict("1.jpg")
    committed, _ = predict("--model", "HEAD", "1.jpg")
    page = (checkout.path / "reports/pictures.html").read_text()
    assert re.search(r"The network is of HEAD \(\w+, as it is rebuilt\)", page)
    fast, _ = predict("--model", "fast", "1.jpg")
    assert fast.equals(here)  # as the experiment is in the workspace
    assert not committed.equals(here)
    assert checkout.run("git", "status", "--porcelain") == before
    (checkout.path / "reports/pictures.csv").unlink()
    _, said = predict("--model", "none", "1.jpg", ok=False)
    assert "error: none is neither a commit, a tag nor a branch" in said
