"""Writes the reports as a website, in the folder `site`: `make site`."""

import shutil
import sys
from pathlib import Path

from nnlib.base.files import write_text
from nnlib.data.datasets import read_dataset
from nnlib.report.pages import page
from nnlib.report.templating import literal, render
from stages.common import RAW

REPORTS = Path("reports")
SITE = Path("site")
SWEEP = REPORTS / "sweeps/size-and-rate"
PAGES = {"confusion": REPORTS, "record": REPORTS, "sweep": SWEEP, "benchmark": REPORTS}


def main() -> None:
    """Write it anew: the Markdown reports as pages, the explorer, and the tables as they are."""
    if not (REPORTS / "explorer.html").exists():
        sys.exit(f"error: {REPORTS / 'explorer.html'} is missing; `make repro` writes it")
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir()
    for name, folder in PAGES.items():
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
        write_text(SITE / f"{name}.html", page(text, folder))
    template, dataset = Path(__file__).with_suffix(".md"), read_dataset(RAW)
    index = render(
        template.name,
        template.parent,
        name=literal(dataset.name),
        nouns=literal(dataset.class_nouns),
    )
    write_text(SITE / "index.html", page(index, REPORTS))
    for path in (REPORTS / "explorer.html", *REPORTS.glob("*.csv"), SWEEP / "sweep.csv"):
        shutil.copy(path, SITE)


if __name__ == "__main__":
    main()
