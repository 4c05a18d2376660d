"""The report on two sets of predictions, in Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from experiments.compare.comparison import Comparison
from experiments.compare.figures import MOST_CLASSES, most_changed
from experiments.compare.seeds import Seeds
from experiments.compare.shared import Shared
from nnlib.analysis.analysis import GALLERY
from nnlib.data.datasets import Dataset
from nnlib.report import explorer
from nnlib.report.names import words_of
from nnlib.report.numerals import count, p_value, percent
from nnlib.report.templating import literal, render
from nnlib.stats.paired import MARGIN
from nnlib.stats.significance import ALPHA

GALLERIES = ("fixed", "broken", "otherwise_wrong")  # tables of samples of a Comparison
PICTURES = 8  # of a gallery
MOST_PAIRS = 5  # that are not collapsed
MOST_ROWS = 100  # of a collapsed table
WITHIN_MARGIN = f"equivalent within ±{100 * MARGIN:g} points"


def verdict(comparison: Comparison) -> str:
    """What became of the samples, and what the tests say of the accuracies."""
    fixed, broken, net = len(comparison.fixed), len(comparison.broken), comparison.net
    otherwise_wrong = len(comparison.otherwise_wrong)
    if fixed == broken == otherwise_wrong == 0:
        change = (
            f"Nothing changed: all {count(comparison.samples)} predictions are the same as before."
        )
    elif fixed == broken == 0:
        change = f"Nothing fixed or broken, but {count(otherwise_wrong)} wrong in another way."
    else:
        more = f"{count(abs(net))} {'more' if net > 0 else 'fewer'}" if net else "as many"
        chance = percent(comparison.p, 0 if comparison.p >= 0.1 else 2)
        change = (
            f"{count(fixed)} fixed, {count(broken)} broken: {more} of {count(comparison.samples)} "
            f"are right. By chance alone, a difference at least this large occurs in {chance} of "
            "cases (exact McNemar test)."
        )
    if comparison.p < ALPHA and not comparison.equivalence.holds:
        return change  # and so says that they differ
    return f"{change} {_equivalence_verdict(comparison)}"


def _equivalence_verdict(comparison: Comparison) -> str:
    differ = comparison.p < ALPHA
    if comparison.equivalence.holds:
        are = f"differ, but are {WITHIN_MARGIN}" if differ else f"are {WITHIN_MARGIN}"
        found = f"The accuracies of these two networks {are}"
    else:
        found = f"The accuracies are shown neither to differ nor to be {WITHIN_MARGIN}"
    return f"{found} ({_two_tests(comparison.equivalence.p)})."


def _two_tests(p: float) -> str:
    text = p_value(p)
    return f"two one-sided tests, p {text if text.startswith('<') else f'= {text}'}"


def seeds_verdict(seeds: Seeds) -> str:
    """Whether the difference holds across the seeds, in a sentence."""
    mean, low, high, p = seeds.difference
    change = (
        f"Over {len(seeds.runs)} seeds, the mean accuracy goes from {percent(seeds.mean_before)} "
        f"to {percent(seeds.mean_after)}: {100 * mean:+.2f} points"
    )
    if not seeds.difference.has_spread:
        return f"{change} with each of them, so there is no variation to test this against."
    verb = "is" if low > 0 or high < 0 else "is not"
    claim = (
        f"{change}, with a 95% interval of {100 * low:+.2f} to {100 * high:+.2f}; this {verb} "
        f"statistically significant (paired t test, p = {p:.2g})"
    )
    if seeds.equivalence_p < ALPHA:
        claim += f"; the mean accuracies are {WITHIN_MARGIN} ({_two_tests(seeds.equivalence_p)})"
    return f"{claim}."


def data_verdict(shared: Shared, training_labels: int | None) -> str:
    """How the data sets differ, and what is compared; nothing if they do not.

    Parameters
    ----------
    shared : Shared
    training_labels : int or None
        How many of them differ; None if the training images do.
    """
    sentences = []
    if not shared.is_all:
        n, relabelled = len(shared.t), shared.relabelled
        before, after = (
            f"{count(only)} only {when}" + (f" ({count(dropped)} dropped {other})" * bool(dropped))
            for only, when, dropped, other in (
                (shared.only_before, "before", shared.dropped_after, "after"),
                (shared.only_after, "after", shared.dropped_before, "before"),
            )
        )
        sentences.append(f"{count(n + relabelled)} test samples are in both; {before}, {after}.")
        if relabelled:
            have, are = ("has", "is") if relabelled == 1 else ("have", "are")
            sentences.append(
                f"{count(relabelled)} of them {have} another label after and {are} left out: "
                f"compared are the {count(n)} with the same label."
            )
    if training_labels != 0:
        also = "" if shared.is_all else " too"
        differ = f"The training sets differ{also}"
        if training_labels is not None:
            have, were = ("has", "was") if training_labels == 1 else ("have", "were")
            differ = (
                f"{count(training_labels)} of the training samples {have} another label{also}, or "
                f"{were} dropped"
            )
        sentences.append(f"{differ}, so what changed may be due to the data.")
    return " ".join(sentences)


def comparison_report(
    comparison: Comparison,
    shared: Shared,
    *,
    dataset: Dataset,
    data_verdict: str,
    before_label: str,
    after_label: str,
    parameters: Sequence[tuple[str, Any, Any]],
    commits: Sequence[dict[str, str]],
    seeds: Seeds | None,
    explored: Literal["before", "after"] | None,
    report_at: str | None = None,
) -> str:
    """Write the report.

    Parameters
    ----------
    comparison : Comparison
        Of the shared samples.
    shared : Shared
        Where these are in the two test sets.
    dataset : Dataset
        With the classes of both.
    data_verdict : str
        How the two differ in their data; empty if they do not.
    before_label, after_label : str
        What is compared.
    parameters : sequence of (name, before, after)
        Those that differ.
    commits : sequence of dict with `side`, `hash` and `subject`
        Those that only one of the two has.
    seeds : Seeds, optional
    explored : "before" or "after", optional
        Which of the two `explorer.html`, beside the report, shows. Without, nothing is linked
        there.
    report_at : str, optional
        An address of the report. With it, only the summary is written, which links there.

    Returns
    -------
    str, Markdown with links to `confusion.png` in `compare/`, beside it, and there to the pictures
    of the first `PICTURES` samples of each of the `GALLERIES`, such as `fixed-1.png`
    """

    def address(actual: int, predicted: int | None = None, index: int | None = None) -> str | None:
        """Where the explorer shows samples, by the numbers of their classes, if it does."""
        if explored is None:
            return None
        return explorer.address(
            actual=dataset.class_names[actual],
            predicted=None if predicted is None else dataset.class_names[predicted],
            index=index,
        )

    def gallery(samples: pd.DataFrame) -> list[dict[Any, Any]]:
        """The first samples, with their index in the later test set, and their addresses."""
        rows = shared.before if explored == "before" else shared.after
        return [
            {
                **sample,
                "index": int(shared.after[sample["index"]]),
                "address": address(
                    sample["actual"],
                    sample[f"predicted_{explored or 'after'}"],
                    int(rows[sample["index"]]),
                ),
            }
            for sample in samples.head(GALLERY).to_dict("records")
        ]

    names, shown_names = dataset.class_names, words_of(dataset).names

    return render(
        "report.md" if report_at is None else "summary.md",
        Path(__file__).parent,
        c=comparison,
        name=literal(dataset.name),
        names=[literal(name) for name in names],
        renamed=[
            (literal(shown_names[label]), literal(names[label]))
            for label in most_changed(comparison.confusion_change)
            if shown_names[label] != names[label]
        ],
        noun=literal(dataset.class_noun),
        nouns=literal(dataset.class_nouns),
        before_label=before_label,
        after_label=after_label,
        parameters=parameters,
        commits=commits,
        verdict=verdict(comparison),
        data_verdict=data_verdict,
        seeds=seeds,
        seeds_verdict=seeds and seeds_verdict(seeds),
        explored=explored,
        report_at=report_at,
        address=address,
        within_margin=WITHIN_MARGIN,
        most_pictures=PICTURES,
        most_pairs=MOST_PAIRS,
        most_rows=MOST_ROWS,
        most_classes=MOST_CLASSES,
        classes=comparison.by_class.to_dict("records"),
        pairs=comparison.pairs.to_dict("records"),
        switches=comparison.switches.to_dict("records"),
        **{name: gallery(getattr(comparison, name)) for name in GALLERIES},
    )
