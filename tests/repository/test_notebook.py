"""The notebook: its source, how it is executed, and what is committed."""

import base64
import json
import re
import sys

import pandas as pd
import pytest

from nnlib.data.datasets import MNIST, write_dataset
from tests.conftest import needs_promise
from tools.checkouts import ROOT

COURSE = ROOT / "tools/notebook/course.py"
NOTEBOOK = "reports/notebook.ipynb"
MAKE = (sys.executable, "-m", "tools.notebook")


@pytest.fixture(scope="module")
def made(request, tmp_path_factory):
    """A copy of the checkout `rebuilt` with the notebook of its drawn digits."""
    pytest.importorskip("nbclient", reason="nbclient is not installed: `make .venv/notebook`")
    rebuilt = request.getfixturevalue("rebuilt")
    checkout = rebuilt.copy_to(tmp_path_factory.mktemp("made") / "checkout")
    (checkout.path / NOTEBOOK).unlink()
    checkout.run(*MAKE)
    return checkout


@pytest.fixture(params=["committed", "made"])
def notebook(request):
    root = ROOT if request.param == "committed" else request.getfixturevalue("made").path
    return json.loads((root / NOTEBOOK).read_text(encoding="utf-8"))


def outputs(notebook):
    return [output for cell in notebook["cells"] for output in cell.get("outputs", [])]


def text_of(notebook):
    """All that is shown, but for the pictures."""
    return "\n".join(
        "".join(part)
        for output in outputs(notebook)
        for part in (
            output.get("text", ""),
            *(data for kind, data in output.get("data", {}).items() if kind.startswith("text/")),
        )
    )


def pictures(notebook):
    """The PNG files that are shown."""
    shown = (output.get("data", {}).get("image/png") for output in outputs(notebook))
    return [base64.b64decode(picture) for picture in shown if picture]


@pytest.fixture(scope="module")
def course():
    """The cells of the source, but for its docstring: the kind and the text of each."""
    jupytext = pytest.importorskip(
        "jupytext", reason="jupytext is not installed: `make .venv/notebook`"
    )
    cells = jupytext.read(COURSE, fmt="py:percent").cells[1:]
    return [(cell.cell_type, cell.source) for cell in cells]


def test_it_has_the_cells_of_its_source(notebook, course):
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]] == course


def test_its_texts_are_comments():
    """Anything else in a text would be code that never runs."""
    _, *cells = COURSE.read_text(encoding="utf-8").split("\n# %%")
    texts = [cell.splitlines()[1:] for cell in cells if cell.startswith(" [markdown]")]
    assert len(texts) > 10
    assert all(line == "" or line.startswith("#") for text in texts for line in text)


def test_all_cells_are_executed_in_their_order(notebook):
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def test_it_holds_no_machine_and_no_time(notebook):
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
    }
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    text = text_of(notebook)
    assert not re.search(r"/(tmp|home|root|work|usr|Users|var)/|0x[0-9a-f]{6}", text)
    assert not re.search(r"\d\d:\d\d|20\d\d-\d\d|\d ?m?s\b", text)


def test_it_shows_no_warnings_or_errors(notebook):
    kinds = {(output["output_type"], output.get("name", "")) for output in outputs(notebook)}
    assert kinds == {("stream", "stdout"), ("display_data", "")}


def test_its_texts_hold_no_results(course):
    """Only a cell can show a result, so that none is out of date."""
    for kind, source in course:
        if kind == "markdown":
            text = re.sub(r"https://\S+|95%", "", source)
            assert not re.search(r"\d\.\d|\d ?%", text), text


def test_the_evidence_is_exact(notebook):
    """With the blank picture, it explains the ratio in the table of predictions."""
    text = text_of(notebook)
    (total,) = re.findall(r"^blank and evidence +(\S+)$", text, flags=re.MULTILINE)
    (expected,) = re.findall(r"^log of the ratio +(\S+),", text, flags=re.MULTILINE)
    assert float(total) == pytest.approx(float(expected), abs=0.002)


def test_it_is_about_the_committed_run(committed_params):
    notebook = json.loads((ROOT / NOTEBOOK).read_text(encoding="utf-8"))
    metrics = json.loads((ROOT / "reports/evaluate.json").read_text())
    accuracy = f"{100 * metrics['test']['accuracy']:.2f}%"
    assert f"the network classifies {accuracy} of 10,000 test samples correctly" in text_of(
        notebook
    )
    cards = (ROOT / "reports/figures/cards.png").read_bytes()
    assert cards in pictures(notebook)


def test_the_exercises_are_answered_from_the_run(made):
    notebook = json.loads((made.path / NOTEBOOK).read_text(encoding="utf-8"))
    text = text_of(notebook)
    assert (made.path / "reports/figures/cards.png").read_bytes() in pictures(notebook)
    predictions = pd.read_csv(made.path / "data/predictions/test.csv")
    for index in (45, 11):  # analyse.samples
        actual = predictions["actual"][index]
        y = predictions.loc[index, "p0":]
        assert re.search(rf"Sample {index} is a {actual}\. .*{100 * y[f'p{actual}']:.2f}%", text)


@needs_promise
@pytest.mark.long
def test_it_is_the_same_bytes_each_time(made):
    before = (made.path / NOTEBOOK).read_bytes()
    made.run(*MAKE)
    assert (made.path / NOTEBOOK).read_bytes() == before


@pytest.mark.slow
def test_other_parameters_leave_the_committed_notebook_alone(made):
    before = (made.path / NOTEBOOK).read_bytes()
    params = (made.path / "params.yaml").read_bytes()
    made.set_params({"analyse.samples": [3]})
    try:
        said = made.run(*MAKE)
        assert made.run("git", "status", "--porcelain", "reports/notebook-workspace.ipynb") == ""
    finally:
        (made.path / "params.yaml").write_bytes(params)
    assert said == (
        "params.yaml is not as committed, so reports/notebook.ipynb is left as it is\n"
        "reports/notebook-workspace.ipynb is written\n"
    )
    assert (made.path / NOTEBOOK).read_bytes() == before
    other = json.loads((made.path / "reports/notebook-workspace.ipynb").read_text(encoding="utf-8"))
    assert re.search(r"Sample 3 is a \d\.", text_of(other))


@pytest.mark.slow
def test_without_the_pipelines_results_it_says_so(made, checkout):
    (checkout.path / "reports/explorer.html").unlink()
    before = (checkout.path / NOTEBOOK).read_bytes()
    output = checkout.run(*MAKE, ok=False)
    assert output == (
        "error: reports/explorer.html is missing: run `dvc repro` first, or `make repro`\n"
    )
    assert (checkout.path / NOTEBOOK).read_bytes() == before


@pytest.mark.slow
@pytest.mark.usefixtures("made")  # skips without Jupyter
@pytest.mark.parametrize(
    "changes",
    [
        {"image_shape": (8, 8)},
        {"class_names": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")},
    ],
)
def test_on_other_data_it_says_what_it_is_about(checkout, changes):
    (checkout.path / "data/raw/dataset.json").unlink()
    other = MNIST.model_copy(update={"name": "others' images", **changes})
    write_dataset(checkout.path / "data/raw", other)
    before = (checkout.path / NOTEBOOK).read_bytes()
    assert checkout.run(*MAKE, ok=False) == (
        "error: this course is about the digits 0 to 9 in 28 x 28 pixels, and data/raw has others' "
        "images: set data.source in params.yaml to mnist or synthetic, and run `dvc repro`\n"
    )
    assert (checkout.path / NOTEBOOK).read_bytes() == before
