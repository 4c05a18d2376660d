"""Imports a user's own labelled images: `python -m stages.importing [options] FROM`.

No stage of the pipeline: what it writes is tracked by DVC as given, by `data/imported/files.dvc`.
"""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.scm import SCMError
from dvc.utils.serialize import modify_yaml

from nnlib.base.errors import UserError, shown
from nnlib.base.files import whole_folder
from nnlib.data.datasets import Dataset, is_noun
from nnlib.importing.importer import SHARE, Imported, Options, import_images, table, write_imported
from nnlib.importing.names import checked_name
from nnlib.importing.notes import counted
from nnlib.importing.pixels import LARGEST, Size, size_text
from stages.common import IMPORTED, PARAMS, exit_on_user_error
from stages.lock import only_one
from stages.params import MOST_SEED, Params, read_params
from stages.train import settings_of

TRACKED = IMPORTED.with_name(f"{IMPORTED.name}.dvc")
SMALLEST = 2  # pixels of a side
SHOWN = 4  # test samples that the report shows, if those of the parameters are not there
MANY = 100  # evaluations during a training
DIGITS = tuple("0123456789")
CHOICES = {  # of the variables that have some
    "BROKEN": ("skip",),
    "STROKES": ("1", "mnist", "0"),
    "INVERT": ("1", "0"),
    "REPLACE": ("1", "0"),
}


def main() -> None:
    """Read the command line and import."""
    parser = argparse.ArgumentParser(prog="python -m stages.importing", description=__doc__)
    parser.add_argument("source", metavar="FROM", help="a folder or a file; see importing.md")
    parser.add_argument("--size", help="HEIGHTxWIDTH that images are brought to")
    parser.add_argument("--shape", help="HEIGHTxWIDTH of images in rows of pixels")
    parser.add_argument("--label", help="the column of labels in CSV: its name, first or last")
    parser.add_argument("--title", help="the name of the data set; that of FROM if left out")
    parser.add_argument("--noun", help="what a class is called: item, or digit for 0 to 9")
    parser.add_argument("--share", default=SHARE, help="of the test set, if none")
    parser.add_argument("--seed", default=1, help="of the split and of the order")
    parser.add_argument("--broken", help="skip: leave out broken pictures")
    parser.add_argument("--strokes", help="1: of pen strokes; mnist: as MNIST's; 0: of others")
    parser.add_argument("--invert", help="1: the background is light")
    parser.add_argument("--replace", help="1: what was imported before")
    arguments = parser.parse_args()
    with exit_on_user_error():
        check_choices(arguments)
        with only_one("import"):
            run(arguments)


def check_choices(arguments: argparse.Namespace) -> None:
    """Turn the texts of the command line into what they stand for.

    Raises
    ------
    UserError
        If one is no choice: named as the variable of `make import`.
    """
    if arguments.noun and not is_noun(arguments.noun):
        raise _wrong("NOUN", arguments.noun, "letters, spaces and hyphens, as in flower")
    shares = "a number between 0 and 1, as in 0.2"
    arguments.share = _number("SHARE", arguments.share, float, shares)
    if not 0 < arguments.share < 1:
        raise _wrong("SHARE", arguments.share, shares)
    seeds = f"a whole number from 0 to {MOST_SEED}"
    arguments.seed = _number("SEED", arguments.seed, int, seeds)
    if not 0 <= arguments.seed <= MOST_SEED:
        raise _wrong("SEED", arguments.seed, seeds)
    arguments.shape = _size("SHAPE", arguments.shape)
    size = arguments.size = _size("SIZE", arguments.size)
    if size and not all(SMALLEST <= size[i] <= LARGEST[i] for i in (0, 1)):
        sizes = f"from {SMALLEST} x {SMALLEST} to {size_text(LARGEST)}"
        raise _wrong("SIZE", size_text(size), sizes)
    for name, choices in CHOICES.items():
        value = getattr(arguments, name.lower())
        if value not in {None, "", *choices}:
            raise _wrong(name, value, " or ".join(choices))
    arguments.invert = arguments.invert == "1"
    arguments.replace = arguments.replace == "1"


def _wrong(name: str, value: object, expected: str) -> UserError:
    return UserError(f"{name}: expected {expected}, not {shown(value)}")


def _number(name: str, value: str | float, kind: type[int] | type[float], expected: str) -> float:
    """A number that the user wrote, or one that is set if there is none."""
    try:
        return kind(value)
    except ValueError:
        raise _wrong(name, value, expected) from None


def _size(name: str, text: str | None) -> Size | None:
    """Height and width, if they are given."""
    if not text:
        return None
    found = re.fullmatch("([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if found is None:
        raise _wrong(name, text, "HEIGHTxWIDTH, as in 28x28")
    return int(found[1]), int(found[2])


def run(arguments: argparse.Namespace) -> None:
    """Import, have DVC track the files, and set the parameters."""
    params = read_params(Params, PARAMS)
    path = Path(arguments.source).expanduser()
    whole = path.resolve()
    own_name = whole.name if whole.is_dir() else whole.stem
    title = checked_name(arguments.title or own_name, "name of the data set")
    check_nothing_is_lost(replace=arguments.replace)
    options = Options(
        size=arguments.size,
        shape=arguments.shape,
        label=arguments.label,
        invert=arguments.invert,
        skip_broken=arguments.broken == "skip",
        share=arguments.share,
        seed=arguments.seed,
    )
    with open_repo() as repo:
        imported = import_images(path, options)
        print(table(imported))
        dataset = describe(imported, title, arguments)
        with whole_folder(IMPORTED) as folder:
            write_imported(folder, imported, dataset)
        repo.add(str(IMPORTED))
    print(f"\nWritten to {IMPORTED}, which DVC tracks by {TRACKED}")
    set_params(params, imported)
    print("Next: make repro")


def describe(imported: Imported, title: str, arguments: argparse.Namespace) -> Dataset:
    """What is known of the data set: as the user says, or else as was said before."""
    dataset = imported.before or Dataset(
        name=title,
        class_names=imported.class_names,
        class_noun="digit" if imported.class_names == DIGITS else "item",
        image_shape=imported.image_shape,
        has_strokes=False,
        prepared_as_mnist=False,
    )
    said: dict[str, object] = {
        "class_names": imported.class_names,
        "image_shape": imported.image_shape,
        "inverted": dataset.inverted != arguments.invert,  # to invert twice changes nothing
    }
    if arguments.title:
        said["name"] = title
    if arguments.noun:
        said["class_noun"] = arguments.noun
    if arguments.strokes:
        said["has_strokes"] = arguments.strokes != "0"
        said["prepared_as_mnist"] = arguments.strokes == "mnist"
    return dataset.model_copy(update=said)


def check_nothing_is_lost(*, replace: bool) -> None:
    """Raise a UserError if there is an import that is not to be replaced."""
    if not replace and (IMPORTED.exists() or TRACKED.exists()):
        raise UserError(
            f"{IMPORTED} holds what was imported before: REPLACE=1 replaces it. Git and DVC keep "
            f"the earlier one if {TRACKED} is committed"
        )


@contextmanager
def open_repo() -> Iterator[Repo]:
    """The DVC repository, which no other command changes meanwhile.

    Raises
    ------
    UserError
        With what DVC says.
    """
    try:
        with Repo() as repo, lock_repo(repo):
            repo.index.check_graph()  # dvc.yaml may be broken
            yield repo
    except SCMError as error:
        raise UserError(
            "DVC expects a Git repository: run git init, or, to do without Git: dvc config --local "
            "core.no_scm true"
        ) from error
    except DvcException as error:
        raise UserError(" ".join(str(error).split())) from error


def set_params(params: Params, imported: Imported) -> None:
    """Let the pipeline run on what was imported, and say what else might be changed."""
    test, train = len(imported.test.labels), len(imported.train.labels)
    is_outside = max(params.analyse.samples) >= test
    _, first = np.unique(imported.test.labels, return_index=True)  # of each class
    samples = first[:SHOWN].tolist()
    with modify_yaml(PARAMS) as content:
        content["data"]["source"] = "imported"
        if is_outside:
            content["analyse"]["samples"][:] = samples
    print(f"Set in {PARAMS}: data.source: imported")
    if is_outside:
        shown = ", ".join(map(str, samples))
        size = counted(test, "sample")
        print(f"Set in {PARAMS}: analyse.samples: {shown}, as the test set has {size}")
    warn_of_corrections(params.data.corrections)
    section = params.train
    if section.validation >= train:
        print(
            f"Change in {PARAMS}: train.validation: it holds {section.validation:,} samples out, "
            f"but there are only {train:,} to train on"
        )
        return
    measured = settings_of(section).measured_epochs(train - section.validation)
    if len(measured) > MANY:
        print(
            f"Consider in {PARAMS}: train.evaluate_every: the training goes {measured[-1]:,} times "
            f"through so few samples, and evaluates the network {len(measured):,} times"
        )


def warn_of_corrections(path: str) -> None:
    """Say if there are corrections, which may be those of other data."""
    try:
        rows = len(pd.read_csv(path, dtype=str))
    except (OSError, ValueError):  # the pipeline says what is wrong with it
        return
    if rows:
        print(
            f"Change {path}, unless it is of this data set: it corrects {counted(rows, 'label')}; "
            f"or name another file in {PARAMS}: data.corrections"
        )


if __name__ == "__main__":
    main()
