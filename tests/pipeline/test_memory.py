"""The memory of the stages, with sets large enough to tell which of them a stage holds whole."""

import platform
import sys

import pytest

from tests.conftest import SMALL
from tools.checkouts import STAGES, Checkout, copy_project
from tools.memory import measure

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        platform.system() != "Linux", reason="the Linux kernel tells a process's anonymous memory"
    ),
]

# Training samples: enough for a stage to run for many looks at its memory, and then another 17 MB
# of pixels, 69 MB of float32.
FEW, MANY = 8_000, 30_000
# Bytes. The sizes vary a little with the system, and those of analyse with how its processes happen
# to overlap.
GROWTH = dict.fromkeys(STAGES, 12e6) | {"analyse": 40e6}


@pytest.fixture(scope="module")
def anonymous(tmp_path_factory):
    """The most anonymous memory of each stage, for each number of training samples."""
    peaks = {}
    for samples in (FEW, MANY):
        checkout = Checkout(tmp_path_factory.mktemp("memory"), tmp_path_factory.mktemp("home"))
        copy_project(checkout.path)
        checkout.set_params(
            SMALL | {"data.synthetic.train": samples, "train.iterations": 300, "repeat.seeds": 2}
        )
        for stage in STAGES:
            command = [sys.executable, "-m", f"stages.{stage}"]
            peaks[stage, samples] = measure(command, checkout.path, checkout.env()).anonymous
    return peaks


@pytest.mark.parametrize("stage", STAGES)
def test_more_samples_take_no_more_memory(anonymous, stage):
    assert anonymous[stage, MANY] - anonymous[stage, FEW] < GROWTH[stage]
