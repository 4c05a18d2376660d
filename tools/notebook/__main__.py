"""Executes the course and writes it as a notebook: `make notebook`."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import stages  # noqa: F401 - the kernel inherits what it sets, and rounds as the stages do

# isort: split
import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from stages.common import PARAMS, exit_on_user_error
from stages.git import git
from stages.lock import only_one

COURSE = Path(__file__).with_name("course.py")
NOTEBOOK = Path("reports/notebook.ipynb")
OF_WORKSPACE = Path("reports/notebook-workspace.ipynb")  # ignored by Git

# Without the versions that Jupyter would write, so that it is the same with each of them.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def main() -> None:
    """Write the notebook, or end with one line that says what the user can do."""
    with exit_on_user_error(), only_one("notebook"):
        write_notebook()


def write_notebook() -> None:
    """Execute the course and write it."""
    notebook = jupytext.read(COURSE, fmt="py:percent")
    del notebook.cells[0]  # the docstring of the file
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number}"  # otherwise random
    try:
        execute(notebook)
    except CellExecutionError as error:
        if error.ename != "UserError":
            raise
        sys.exit(f"error: {error.evalue}")
    notebook.metadata = nbformat.from_dict(METADATA)
    path = place()
    write_text(path, nbformat.writes(notebook) + "\n")
    print(f"{path} is written")


def place() -> Path:
    """Where the notebook goes: only one of the committed parameters replaces the committed one."""
    try:
        changed = git("diff", "--name-only", "HEAD", "--", str(PARAMS))
    except UserError:  # no Git or no repository, in which nothing is committed
        return NOTEBOOK
    if not changed:
        return NOTEBOOK
    print(f"{PARAMS} is not as committed, so {NOTEBOOK} is left as it is")
    return OF_WORKSPACE


def execute(notebook: nbformat.NotebookNode) -> None:
    """Run all cells in a kernel of their own, in this folder, and keep what they show.

    Raises
    ------
    CellExecutionError
        If a cell raises an error.
    """
    client = NotebookClient(
        notebook,
        kernel_name="python3",  # this Python
        resources={"metadata": {"path": Path.cwd()}},
        record_timing=False,
        coalesce_streams=True,  # what is printed comes in pieces, whose sizes depend on the time
        # otherwise the kernel warns that others on this machine could listen
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
    )
    # Without the user's settings and start-up files. What the kernel logs is of use only if it
    # dies: it may log an error of its own as it is shut down after one in a cell.
    with TemporaryDirectory() as folder, TemporaryFile() as log:
        try:
            client.execute(env=os.environ | {"IPYTHONDIR": folder}, stderr=log)
        except RuntimeError:  # nbclient's, also if it dies before it answers
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise


if __name__ == "__main__":
    main()
