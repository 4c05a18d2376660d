"""How a stage ends, and what its metrics may hold."""

import numpy as np
import pytest

from nnlib.errors import UserError
from stages.common import exit_on_user_error, write_metrics


def test_what_takes_more_memory_than_there_is_ends_without_a_traceback():
    with pytest.raises(SystemExit) as caught, exit_on_user_error():
        np.empty((10**14, 784), np.float32)  # more than any address space
    assert "error: not enough memory: Unable to allocate" in caught.value.code
    assert "params.yaml" in caught.value.code


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_metrics_that_json_cannot_hold_are_refused(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"reports/evaluate\.json cannot hold"):
        write_metrics("evaluate", "mnist", {"test": {"loss": value}})
    assert list(tmp_path.iterdir()) == []
