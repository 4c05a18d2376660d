"""The report on two sets of predictions, in Markdown."""

from collections.abc import Sequence
from typing import Any

from nnlib.analysis.analysis import GALLERY
from nnlib.analysis.comparison import Comparison
from nnlib.analysis.seeds import Seeds
from nnlib.data.datasets import Dataset
from nnlib.report.numerals import count, percent
from nnlib.report.templating import literal, render


def verdict(comparison: Comparison) -> str:
    """What became of the samples, and how often chance does as much, in a sentence."""
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
    """Whether the difference holds across the seeds, in a sentence."""
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
    dataset: Dataset,
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
    dataset : Dataset
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
        dataset=dataset,
        names=[literal(name) for name in dataset.class_names],
        noun=dataset.class_noun,
        before_label=before_label,
        after_label=after_label,
        parameters=parameters,
        commits=commits,
        verdict=verdict(comparison),
        seeds=seeds,
        seeds_verdict=seeds and seeds_verdict(seeds),
        classes=comparison.by_class.to_dict("records"),
        **{
            name: getattr(comparison, name).head(GALLERY).to_dict("records")
            for name in ("fixed", "broken", "both_wrong")
        },
    )
