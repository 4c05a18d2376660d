"""How accurate a network is by the labels as given, by the corrected ones, and without these."""

from typing import NamedTuple

import pandas as pd

from nnlib.data.corrections import DROPPED


class Accuracy(NamedTuple):
    """How many of some samples are classified correctly."""

    right: int
    samples: int

    @property
    def share(self) -> float | None:
        """The accuracy; None without samples."""
        return self.right / self.samples if self.samples else None


class Accuracies(NamedTuple):
    """The accuracy of one network on the same set, by different labels."""

    as_given: Accuracy  # by the published labels; the dropped samples are among them
    corrected: Accuracy  # by the corrected labels, without the dropped samples
    without_corrected: Accuracy  # neither dropped nor relabelled samples are among them


def accuracies(corrected: Accuracy, corrections: pd.DataFrame) -> Accuracies:
    """The accuracies by other labels than the corrected ones.

    Parameters
    ----------
    corrected : Accuracy
        By the corrected labels.
    corrections : DataFrame
        Those of this set, with the columns `given`, `label` and `predicted`, as numbers of classes;
        `label` may be `nnlib.data.corrections.DROPPED`.
    """
    predicted = corrections["predicted"]
    relabelled = Accuracy(
        int((predicted == corrections["label"]).sum()),  # no class is DROPPED
        int((corrections["label"] != DROPPED).sum()),
    )
    rest = Accuracy(corrected.right - relabelled.right, corrected.samples - relabelled.samples)
    right_as_given = int((predicted == corrections["given"]).sum())
    as_given = Accuracy(rest.right + right_as_given, rest.samples + len(corrections))
    return Accuracies(as_given, corrected, rest)
