"""Does the trials that it is asked for: `python -m experiments.trials.trainer`.

It is a process of its own, so that NumPy is pinned before it is imported, whoever starts it, and so
that a crash ends nothing else. First it says in a line what it would train with. Then it reads
requests from its standard input, and answers each; both are JSON, a line each. It ends with its
input, and so with whoever started it, or when nobody has asked for long, as a sweep may be killed.
"""

import json
import os
import queue
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from experiments.trials.processes import train_and_keep
from experiments.trials.trial import (
    Trial,
    TrialData,
    code_digest,
    data_in,
    read_result,
    result_path,
    trial_digest,
)
from nnlib.base.errors import UserError
from nnlib.data.datasets import DATASETS
from stages import PINNED
from stages.params import Train

PATIENCE = 600  # seconds


def main() -> None:
    """Answer what is asked, until nobody asks."""
    say({"code": code_digest(), "pinned": PINNED})
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=listen, args=[requests], daemon=True).start()
    with suppress(queue.Empty):
        while True:
            say(answer(json.loads(requests.get(timeout=PATIENCE))))


def listen(requests: "queue.SimpleQueue[str]") -> None:
    """Pass requests on, and end the process with them, even during a training."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def say(message: dict[str, Any]) -> None:
    """Write a line."""
    print(json.dumps(message), flush=True)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Give what a trial leaves, which is trained unless it is known here already.

    Parameters
    ----------
    request : dict
        `source`, the data set; `raw`, the folder of its files; `scaling` and `train`, the trial;
        and `digest`, that of the trial, by which the result is to be known.

    Returns
    -------
    dict with either `result`, the text of the file that holds it, or `error`, the message of what
    the user can fix
    """
    trial = Trial(request["scaling"], Train.model_validate(request["train"]))
    data = _data(request["source"], Path(request["raw"]))
    digest = trial_digest(trial, data)
    if digest != request["digest"]:
        return {"error": "the code, the data or the way to compute is not that of the sweep"}
    try:
        if read_result(digest) is None:
            train_and_keep(trial, data)
    except UserError as error:
        return {"error": str(error)}
    return {"result": result_path(digest).read_text(encoding="utf-8")}


@cache
def _data(source: str, raw: Path) -> TrialData:
    return data_in(raw, DATASETS[source])


if __name__ == "__main__":
    main()
