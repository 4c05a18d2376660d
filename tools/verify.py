"""Rebuilds the last commit in a separate folder, and compares the results: `make verify`."""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from nnlib.base.errors import UserError
from stages import NOT_PROMISED, UNPINNED
from stages.common import IMPORTED, exit_on_user_error
from stages.git import git, git_bytes, own_repository
from stages.params import leaves

ROOT = Path(__file__).parents[1]
# Where the same bytes are not promised, a metric may differ by the larger of these: another kernel
# rounds differently, which changes about as much as another seed.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 0.1, 0.01


def main() -> None:
    """Exit with 0 if the last commit's results are rebuilt, otherwise with 1 and what differs."""
    with exit_on_user_error(), tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        git("clone", "--quiet", str(ROOT), str(clone))
        env = own_repository()
        mirror = env.get("MNIST_MIRROR")
        if mirror and Path(mirror).is_dir():
            env["MNIST_MIRROR"] = str(Path(mirror).resolve())  # the clone is another folder
        commands = [["dvc", "repro"]]
        if (clone / IMPORTED.with_suffix(".dvc")).exists():  # given, so in the cache or a remote
            where = ("--rev", "HEAD", str(ROOT), str(IMPORTED), "--out", str(IMPORTED))
            commands.insert(0, ["dvc", "get", *where])
        for command in commands:
            code = subprocess.run(command, cwd=clone, env=env, check=False).returncode
            if code:
                sys.exit(code)  # it has said why
        reason = "UNPINNED is set" if UNPINNED else NOT_PROMISED
        if reason is None:
            problems = differing_files(clone)
            done = "Compared byte by byte"
        else:
            print(f"The same bytes cannot be promised here: {reason}.")
            problems = differing_metrics(clone)
            done = (
                "Compared the metrics alone, to within "
                f"{RELATIVE_TOLERANCE:.0%} or {ABSOLUTE_TOLERANCE}"
            )
    for problem in problems:
        print(problem)
    print(f"{done}: {'different' if problems else 'the same'}.")
    sys.exit(1 if problems else 0)


def differing_files(clone: Path) -> list[str]:
    """The files that differ from the committed ones, each with its first difference."""
    listing = ("status", "--porcelain", "--untracked-files=all", "--no-renames", "-z")
    listed = git(*listing, folder=clone)
    problems = []
    for entry in listed.split("\0")[:-1]:
        name = entry[3:]
        path = clone / name
        rebuilt = path.read_bytes() if path.exists() else b""
        problems.append(f"{name}: {first_difference(committed(clone, name), rebuilt)}")
    return problems


def committed(clone: Path, name: str) -> bytes:
    """Content of a file in the last commit; empty if it is not there."""
    try:
        return git_bytes("cat-file", "blob", f"HEAD:{name}", folder=clone)
    except UserError:
        return b""


def first_difference(before: bytes, after: bytes) -> str:
    """Where two contents begin to differ."""
    if not before or not after:
        return "not committed" if not before else "not rebuilt"
    pairs = zip(before, after, strict=False)
    shorter = min(len(before), len(after))
    offset = next((i for i, (a, b) in enumerate(pairs) if a != b), shorter)
    if b"\0" in before:
        return f"differs from byte {offset} on"
    line = before[:offset].count(b"\n")
    a, b = (
        (content.split(b"\n")[line : line + 1] or [b""])[0].decode(errors="replace")
        for content in (before, after)
    )
    return f"line {line + 1} was {a!r}, is {b!r}"


def differing_metrics(clone: Path) -> list[str]:
    """The metrics that lie outside the tolerance."""
    problems = []
    for path in sorted(clone.glob("reports/*.json")):
        name = path.relative_to(clone).as_posix()
        old = dict(leaves(json.loads(committed(clone, name))))
        new = dict(leaves(json.loads(path.read_bytes())))
        problems += [
            f"{name}: {key} was {old.get(key)}, is {new.get(key)}"
            for key in sorted(old.keys() | new.keys())
            if not is_close(old.get(key), new.get(key))
        ]
    return problems


def is_close(old: object, new: object) -> bool:
    """Whether two metrics are the same to within the tolerance."""
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return old == new
    return math.isclose(old, new, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)


if __name__ == "__main__":
    main()
