"""How a stage ends."""

import numpy as np
import pytest

from stages.common import exit_on_user_error


def test_what_takes_more_memory_than_there_is_ends_without_a_traceback():
    with pytest.raises(SystemExit) as caught, exit_on_user_error():
        np.empty((10**14, 784), np.float32)  # more than any address space
    assert "error: not enough memory: Unable to allocate" in caught.value.code
    assert "params.yaml" in caught.value.code
