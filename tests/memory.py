"""The memory of a command, as Linux counts it."""

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

INTERVAL = 0.002  # seconds between two looks


class Peak(NamedTuple):
    """What a process held at most, in bytes, and how long it ran."""

    anonymous: int  # of its own: what the kernel cannot drop; as seen every `INTERVAL`
    resident: int  # that, and the pages of mapped files
    seconds: float


def measure(command: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> Peak:
    """Run a command to its end and watch its memory.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    anonymous = resident = 0
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            sizes = dict(re.findall(r"(RssAnon|VmHWM):\s+(\d+) kB", status.read_text()))
            if sizes:  # otherwise it has just ended
                anonymous = max(anonymous, 1024 * int(sizes["RssAnon"]))
                resident = max(resident, 1024 * int(sizes["VmHWM"]))
            time.sleep(INTERVAL)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Peak(anonymous, resident, time.perf_counter() - start)
