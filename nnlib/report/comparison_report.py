"""The report on two sets of predictions, in Markdown."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from nnlib.analysis.analysis import GALLERY
from nnlib.analysis.comparison import Comparison
from nnlib.analysis.paired import PairedT, paired_t
from nnlib.report.numerals import count, percent
from nnlib.report.templating import render


class SeedRun(NamedTuple):
    """Test accuracies of two trainings with the same seed."""

    seed: int
    before: float
    after: float


class Seeds(NamedTuple):
    """Test accuracies of trainings with several seeds, before and after a change."""

    runs: list[SeedRun]
    mean_before: float
    mean_after: float
    std_before: float  # of the sample, with N - 1
    std_after: float
    std_difference: float
    difference: PairedT  # of the accuracies, after less before


def summarise_seeds(seeds: Sequence[int], before: ArrayLike, after: ArrayLike) -> Seeds:
    """Summarise the accuracies of trainings with several seeds.

    Parameters
    ----------
    seeds : sequence of int, at least two
    before, after : array_like of float of shape (N,)
        Test accuracies, by seed.

    Returns
    -------
    Seeds
    """
    before, after = np.asarray(before, float), np.asarray(after, float)
    # accuracies are shares of the samples: differences that are equal are to stay so
    differences = np.round(after - before, 12)
    return Seeds(
        runs=[SeedRun(*run) for run in zip(seeds, before.tolist(), after.tolist(), strict=True)],
        mean_before=float(before.mean()),
        mean_after=float(after.mean()),
        std_before=float(before.std(ddof=1)),
        std_after=float(after.std(ddof=1)),
        std_difference=float(differences.std(ddof=1)),
        difference=paired_t(differences),
    )


def verdict(comparison: Comparison) -> str:
    """What became of the samples, and whether chance would do as much, in a sentence."""
    fixed, broken, net = len(comparison.fixed), len(comparison.broken), comparison.net
    if fixed == broken == 0:
        return f"Nothing changed: all {count(comparison.samples)} samples are as right as before."
    more = f"{count(abs(net))} {'more' if net > 0 else 'fewer'}" if net else "as many"
    return (
        f"{count(fixed)} fixed, {count(broken)} broken: {more} right of "
        f"{count(comparison.samples)}; a difference this large or larger happens by chance in "
        f"{percent(comparison.p, 0 if comparison.p >= 0.1 else 2)} of cases (McNemar exact)."
    )


def seeds_verdict(seeds: Seeds) -> str:
    """Whether the difference stays over the seeds, in a sentence."""
    mean, low, high, p = seeds.difference
    change = (
        f"Over {len(seeds.runs)} seeds the accuracy goes from {percent(seeds.mean_before)} to "
        f"{percent(seeds.mean_after)}: {100 * mean:+.2f} points"
    )
    if not seeds.difference.has_spread:
        return f"{change} with each of them, which leaves no spread to test this against."
    luck = "more than" if low > 0 or high < 0 else "which may as well be"
    return (
        f"{change}, with a 95 % interval of {100 * low:+.2f} to {100 * high:+.2f} (paired t test, "
        f"p = {p:.2g}), {luck} the luck of the seeds."
    )


def comparison_report(
    comparison: Comparison,
    *,
    data: str,
    before_label: str,
    after_label: str,
    parameters: Sequence[tuple[str, Any, Any]],
    commits: Sequence[dict[str, str]],
    seeds: Seeds | None,
) -> str:
    """Write the report.

    Parameters
    ----------
    comparison : Comparison
    data : str
        Name of the data set.
    before_label, after_label : str
        What is compared.
    parameters : sequence of (name, before, after)
        Those that differ.
    commits : sequence of dict with `side`, `hash` and `subject`
        Those that only one of the two has.
    seeds : Seeds, optional

    Returns
    -------
    str, Markdown with links to the figures in `compare/`, beside it
    """
    return render(
        "comparison.md",
        c=comparison,
        data=data,
        before_label=before_label,
        after_label=after_label,
        parameters=parameters,
        commits=commits,
        verdict=verdict(comparison),
        seeds=seeds,
        seeds_verdict=seeds and seeds_verdict(seeds),
        digits=comparison.digits.to_dict("records"),
        **{
            name: getattr(comparison, name).head(GALLERY).to_dict("records")
            for name in ("fixed", "broken", "both_wrong")
        },
    )
