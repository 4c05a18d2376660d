"""The memory of a command, as Linux counts it."""

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

INTERVAL = 0.02  # seconds between two measurements


class Peak(NamedTuple):
    """What a process and its children held at most, in bytes, and how long it ran."""

    anonymous: int  # of their own: what the kernel cannot drop
    resident: int  # that, and the pages of mapped files
    seconds: float


def measure(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Peak:
    """Run a command to its end and watch its memory, of which shared pages count once.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    anonymous = resident = 0
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            sizes = [_proportional_set_size(pid) for pid in _with_children(process.pid)]
            anonymous = max(anonymous, sum(size["Pss_Anon"] for size in sizes))
            resident = max(resident, sum(size["Pss"] for size in sizes))
            time.sleep(INTERVAL)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Peak(anonymous, resident, time.perf_counter() - start)


def _with_children(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:  # it has just ended
        return []
    return [pid, *map(int, children.split())]


def _proportional_set_size(pid: int) -> dict[str, int]:
    """Bytes of a process, a page that n processes share as 1/n of one; 0 if it has just ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        text = ""
    sizes = re.findall(r"^(Pss|Pss_Anon):\s+(\d+) kB", text, re.MULTILINE)
    return {"Pss": 0, "Pss_Anon": 0} | {name: 1024 * int(size) for name, size in sizes}
