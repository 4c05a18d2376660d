"""The learning rate of each update."""

import math

import pytest

from nnlib.base.errors import UserError
from nnlib.network.schedules import learning_rates


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"name": "constant"}, [0.4] * 6),
        ({"name": "constant", "warmup": 4}, [0.1, 0.2, 0.3, 0.4, 0.4, 0.4]),
        ({"name": "constant", "warmup": 12}, [0.4 * i / 12 for i in range(1, 7)]),
        ({"name": "step", "every": 2, "factor": 0.5}, [0.4, 0.4, 0.2, 0.2, 0.1, 0.1]),
        ({"name": "step", "every": 2, "factor": 0.5, "warmup": 2}, [0.2, 0.4, 0.4, 0.4, 0.2, 0.2]),
        ({"name": "cosine"}, [0.2 + 0.2 * math.cos(math.radians(30 * i)) for i in range(6)]),
        ({"name": "cosine", "warmup": 2}, [0.2, 0.4, 0.4, 0.2 + 0.2 * 0.5**0.5, 0.2]),
    ],
)
def test_the_rate_of_each_update(schedule, expected):
    rates = list(learning_rates(0.4, 6, **schedule))
    assert len(rates) == 6
    assert rates[: len(expected)] == pytest.approx(expected)


def test_a_constant_rate_is_the_rate_itself():
    assert set(learning_rates(0.1, 3, name="constant", warmup=0)) == {0.1}


def test_a_rate_that_overflows_is_said():
    rates = learning_rates(1e-300, 600, name="step", warmup=3, every=10, factor=1e6)
    # the 52nd power of a million exceeds the largest float, 1.8e308
    with pytest.raises(
        UserError, match=r"overflows after 523 updates, .* by 1e\+06; take a smaller"
    ):
        list(rates)
