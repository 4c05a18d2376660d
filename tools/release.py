"""Releases the model of the last commit, as a tag that DVC finds: `make release VERSION=v1.0.0`.

Its card, reports/model_card.md, is of the same commit, as the pipeline writes both.
"""

import argparse
import json
import re
import subprocess
from pathlib import Path

import yaml

from nnlib.base.errors import UserError, shown
from stages.common import MODELS, REPORTS, exit_on_user_error
from stages.git import git, own_repository

PIPELINE = Path("dvc.yaml")
MODEL, CARD = MODELS / "trained.npz", REPORTS / "model_card.md"
NUMBER = r"(0|[1-9]\d*)"
VERSION = rf"v{NUMBER}\.{NUMBER}\.{NUMBER}"  # https://semver.org, with DVC's "v" in front


def main() -> None:
    """Read the command line and release, or say in one line why not, with nothing changed."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("version", help="three numbers: v1.0.0")
    version = parser.parse_args().version
    with exit_on_user_error():
        tag = f"{artifact()}@{version}"
        check(version, tag)
        git("tag", "--annotate", "--message", version, tag)  # DVC finds no other tags
    print(f"{tag} is {MODEL} of this commit, with {CARD}.")
    print("To publish it: dvc push, if there is a remote of DVC; then git push --follow-tags")


def artifact() -> str:
    """What dvc.yaml calls the model."""
    artifacts = yaml.safe_load(PIPELINE.read_text(encoding="utf-8")).get("artifacts", {})
    for name, entry in artifacts.items():
        if entry["path"] == MODEL.as_posix():
            return str(name)
    raise UserError(f"{PIPELINE} has no artifact with the path {MODEL}")


def check(version: str, tag: str) -> None:
    """Raise a UserError if the last commit is not to be released as this version."""
    if not re.fullmatch(VERSION, version):
        raise UserError(f"{shown(version)} is no version: name three numbers, as in v1.0.0")
    if git("for-each-ref", f"refs/tags/{tag}"):
        raise UserError(f"{tag} has been released already: name another version")
    if changed := git("status", "--porcelain"):
        first = changed.splitlines()[0][3:]
        raise UserError(f"{first} is not committed: commit or remove what `git status` lists")
    if stale := stale_stages():
        raise UserError(
            f"the results of the last commit are out of date, or not here: {', '.join(stale)}; run "
            "`dvc pull` if a remote has them, or else `dvc repro`, and commit what it changes"
        )


def stale_stages() -> list[str]:
    """What DVC finds changed: stages and files that it tracks.

    Raises
    ------
    UserError
        With what DVC says, if it fails.
    """
    command = ["dvc", "status", "--json"]
    done = subprocess.run(
        command, env=own_repository(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise UserError(f"DVC says: {' '.join(done.stderr.split())}")
    return list(json.loads(done.stdout))


if __name__ == "__main__":
    main()
