"""Student's t distribution against SciPy."""

import numpy as np
import pytest
from scipy.stats import t as students_t

from nnlib.stats.students_t import students_t_95, students_t_two_sided


@pytest.mark.parametrize("df", [*range(1, 61), 500])
def test_probability_is_scipys_to_twelve_digits_however_small(df):
    values = np.concatenate([np.linspace(0, 8, 41), [0.999999, 1.000001], 10.0 ** np.arange(-3, 9)])
    found = [students_t_two_sided(value, df) for value in values]
    np.testing.assert_allclose(found, 2 * students_t.sf(values, df), rtol=1e-12, atol=1e-300)


def test_probability_at_the_ends():
    for df in (1, 2, 9):
        assert students_t_two_sided(0, df) == 1
        assert students_t_two_sided(-2.5, df) == students_t_two_sided(2.5, df)
        assert np.isnan(students_t_two_sided(np.nan, df))


def test_one_and_two_degrees_of_freedom_worked_by_hand():
    # df = 1 is Cauchy's distribution, 1 - 2 / pi arctan t; df = 2 has 1 - t / sqrt(2 + t^2)
    assert students_t_two_sided(1, 1) == pytest.approx(1 / 2, rel=1e-15)
    assert students_t_two_sided(3**0.5, 1) == pytest.approx(1 / 3, rel=1e-15)
    assert students_t_two_sided(2**0.5, 2) == pytest.approx(1 - 0.5**0.5, rel=1e-15)


def test_quantile_is_scipys():
    dfs = np.array([*range(1, 61), 500])
    found = [students_t_95(df) for df in dfs.tolist()]
    np.testing.assert_allclose(found, students_t.ppf(0.975, dfs), rtol=1e-11)
