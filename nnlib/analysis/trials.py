"""Trials: trainings with other settings, with the same seeds, tested on samples held out."""

from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nnlib.stats.paired import paired_t
from nnlib.stats.proportions import holm
from nnlib.stats.significance import ALPHA

Count = Annotated[int, Field(ge=0)]
Counts = Annotated[tuple[Count, ...], Field(min_length=2)]  # of each seed


class Trial(BaseModel):
    """Some settings that were changed, and what came of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: dict[str, float | str]  # by the name of the parameter
    errors: Counts


class Trials(BaseModel):
    """Trials that are compared with unchanged settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str  # the name of the data set
    settings: dict[str, Any]  # of the training, as they are unchanged
    samples: Annotated[int, Field(ge=1)]  # of the training set, the last ones, which are held out
    errors: Counts  # on these, with the settings unchanged
    trials: Annotated[tuple[Trial, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _have_the_same_seeds(self) -> Self:
        if {len(trial.errors) for trial in self.trials} != {len(self.errors)}:
            raise ValueError("Each trial should have as many seeds as the unchanged settings")
        return self


def compare_trials(trials: Trials) -> pd.DataFrame:
    """Compare each trial with the unchanged settings, by paired t tests over the seeds.

    Returns
    -------
    DataFrame with the columns `changes` (dict), `error` (the mean over the seeds, a share of the
    samples held out), `difference`, `low`, `high` (from that of the unchanged settings, with its
    95% interval), `p`, adjusted for all trials, and `sign` (-1 where the error is significantly
    lower, 1 where higher, otherwise 0), the lowest error first
    """
    before = np.array(trials.errors) / trials.samples
    rows = []
    for trial in trials.trials:
        errors = np.array(trial.errors) / trials.samples
        compared = paired_t(errors - before)
        row = {"changes": trial.changes, "error": errors.mean(), "difference": compared.mean}
        rows.append(row | {"low": compared.low, "high": compared.high, "p": compared.p})
    table = pd.DataFrame(rows)
    table["p"] = holm(table["p"])
    table["sign"] = np.where(table["p"] < ALPHA, np.sign(table["difference"]), 0).astype(int)
    return table.sort_values("error", kind="stable", ignore_index=True)
