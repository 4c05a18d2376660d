"""Compares two revisions, sample by sample: `python -m experiments.compare BASE [REV]`."""

import argparse
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.commands import exit_of_command, parse_with_seeds
from experiments.compare.comparison import Comparison, compare_predictions
from experiments.compare.figures import draw_confusion_change, picture
from experiments.compare.report import (
    GALLERIES,
    PICTURES,
    comparison_report,
    data_verdict,
    seeds_verdict,
    verdict,
)
from experiments.compare.seeds import seed_accuracies, summarise_seeds
from experiments.compare.shared import (
    Labelled,
    Shared,
    predictions_of_shared,
    shared_samples,
)
from experiments.compare.summary import add_to_summary, end_in_summary, report_address
from experiments.revisions import (
    Revision,
    changed_parameters,
    commits_between,
    open_revision,
)
from nnlib.analysis.predictions import Predictions
from nnlib.base.errors import UserError
from nnlib.base.files import whole_file, write_text
from nnlib.data.datasets import Dataset
from nnlib.report.explorer import packed, packed_probabilities
from nnlib.report.numerals import count
from nnlib.report.pages import page
from stages.common import REPORTS

FIGURES = REPORTS / "compare"


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(prog="python -m experiments.compare", description=__doc__)
    parser.add_argument("base", help="a commit, tag, branch or experiment, before the change")
    parser.add_argument("rev", nargs="?", help="the one after it; the workspace if left out")
    arguments = parse_with_seeds(parser, "train both with the seeds 1 to N")
    with (
        end_in_summary(),
        exit_of_command("comparison"),
        open_revision(arguments.base) as before,
        open_revision(arguments.rev) as after,
    ):
        compare(before, after, arguments.seeds)


def compare(before: Revision, after: Revision, seeds: int | None) -> None:
    """Write `reports/compare.md` and `reports/compare.html`, and print a summary.

    In a job on GitHub, also write the job's summary.
    """
    shared, comparison = compare_revisions(before, after)
    dataset = after.dataset.model_copy(update={"class_names": shared.class_names})
    of_data = data_verdict(shared, after.training_labels_that_differ(before))
    of_seeds = None
    if seeds is not None:
        numbers = range(1, seeds + 1)
        of_seeds = summarise_seeds(numbers, *seed_accuracies(before, after, shared, numbers))
    parameters = changed_parameters(before, after)
    report_of = partial(
        comparison_report,
        comparison,
        shared,
        dataset=dataset,
        data_verdict=of_data,
        before_label=before.label,
        after_label=after.label,
        parameters=parameters,
        commits=commits_between(before, after),
        seeds=of_seeds,
        explored=explored(before, after),
    )
    report = report_of()
    draw(comparison, after.test_images[shared.after], dataset)
    write_text(REPORTS / "compare.md", report)
    write_text(REPORTS / "compare.html", page(report, REPORTS))
    add_to_summary(report_of(report_at=report_address()))

    print(f"Before: {before.label}\nAfter:  {after.label}")
    for name, old, new in parameters:
        print(f"  {name}: {old} -> {new}")
    if of_data:
        print(of_data)
    print(verdict(comparison))
    if of_seeds:
        print(seeds_verdict(of_seeds))
    print("Report: reports/compare.html, reports/compare.md")


def compare_revisions(before: Revision, after: Revision) -> tuple[Shared, Comparison]:
    """Compare the predictions of two revisions on the test samples that both label alike.

    Raises
    ------
    UserError
        If there are none.
    """
    revisions = (before, after)
    shared = None
    if before.dataset.image_shape == after.dataset.image_shape:
        shared = shared_samples(
            *(
                Labelled(
                    each.test_images,
                    each.predictions.t,
                    each.dataset.class_names,
                    each.dropped_test_images,
                )
                for each in revisions
            )
        )
    if shared is None or len(shared.t) == 0:
        sets = " and ".join(
            f"{each.name} has {count(len(each.predictions))} samples of {each.dataset.name}"
            for each in revisions
        )
        why = "no image is in both test sets"
        if shared is None:
            why = "their images differ in size"
        elif shared.relabelled:
            why = "no image that is in both test sets has the same label"
        raise UserError(
            f"the data sets differ: {sets}, and {why}; only predictions of the same samples can be "
            "compared, so name revisions whose test sets share some"
        )
    return shared, compare_predictions(
        *(
            predictions_of_shared(each.predictions, each.dataset.class_names, rows, shared)
            for each, rows in zip(revisions, (shared.before, shared.after), strict=True)
        )
    )


def explored(before: Revision, after: Revision) -> Literal["before", "after"] | None:
    """Which of the two the explorer beside the report shows; the later one if both are the same.

    Its predictions tell, because it may be older than the workspace.
    """
    try:
        html = (REPORTS / "explorer.html").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    if is_explorer_of(html, after.predictions):
        return "after"
    return "before" if is_explorer_of(html, before.predictions) else None


def is_explorer_of(page: str, predictions: Predictions) -> bool:
    """Whether a page is an explorer of these predictions.

    Parameters
    ----------
    page : str
        HTML, as `nnlib.report.explorer.explorer` or any other program wrote it.
    predictions : Predictions
    """
    held = {
        "trained": packed_probabilities(predictions.y),
        "actual": packed(predictions.t, np.uint8),
    }
    return all(f'"{name}": "{array}"' in page for name, array in held.items())


def draw(comparison: Comparison, images: NDArray[np.uint8], dataset: Dataset) -> None:
    """Draw the figure of the report, and the pictures of its galleries."""
    draw_confusion_change(FIGURES, comparison.confusion_change, dataset)
    for name in GALLERIES:
        samples = getattr(comparison, name).head(PICTURES)
        for place, index in enumerate(samples["index"], start=1):
            with whole_file(FIGURES / f"{name}-{place}.png") as part:
                part.write_bytes(picture(images[index], dataset))


if __name__ == "__main__":
    main()
