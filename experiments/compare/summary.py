"""The summary of a job on GitHub, which shows what a pull request changes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnlib.report.templating import literal


def add_to_summary(text: str) -> None:
    """Add Markdown to the summary of the job; elsewhere than on GitHub there is none."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(text)


def report_address() -> str:
    """Where the report is: among the artifacts of the workflow's run, or on this machine."""
    if run := os.environ.get("GITHUB_RUN_ID"):
        repository = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
        return f"{repository}/actions/runs/{run}#artifacts"
    return "reports/compare.html"


@contextmanager
def end_in_summary() -> Iterator[None]:
    """Say in the summary too why the command ends, if it ends with a message."""
    try:
        yield
    except SystemExit as end:
        if isinstance(end.code, str):
            add_to_summary(f"# Not compared\n\n{literal(end.code)}\n")
        raise
