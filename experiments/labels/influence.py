"""What the first suspects of the training set did: `python -m experiments.labels.influence`."""

import argparse

import numpy as np
import pandas as pd

from experiments.commands import exit_of_command, seeds_from
from experiments.data import data_of_params, only_one_trains
from experiments.labels.influence_report import (
    FIGURE,
    draw_influence,
    influence_report,
    influence_table,
)
from experiments.labels.leave_one_out import (
    CHOOSING,
    SEEDS,
    SUSPECTS,
    Influence,
    control_rows,
    leave_each_out,
    summarise_influence,
)
from experiments.labels.published import Labels, read_labels_of
from experiments.trials import TrialData
from nnlib.base.errors import UserError
from nnlib.base.files import write_text
from nnlib.base.tables import no_formula, write_report_csv
from nnlib.data.corrections import PARTS
from nnlib.data.datasets import Dataset, open_set
from stages.common import PARAMS, REPORTS
from stages.params import MOST_SEEDS, Params, read_params

LIST = REPORTS / "labels.csv"  # which experiments.labels writes
DIGITS = 6  # of losses, in nats
TABLE, REPORT = REPORTS / "labels-influence.csv", REPORTS / "labels-influence.md"


def main() -> None:
    """Read the command line, leave out each of the first suspects, and report."""
    parser = argparse.ArgumentParser(prog="python -m experiments.labels.influence")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="of each sample")
    seeds = parser.parse_args().seeds
    if not CHOOSING < seeds <= MOST_SEEDS:
        parser.error(
            f"--seeds: at least {CHOOSING + 1}, as {CHOOSING} only choose, and at most {MOST_SEEDS}"
        )
    with exit_of_command("labels"), only_one_trains():
        params = read_params(Params, PARAMS)
        numbers = seeds_from(params, seeds)
        with data_of_params(params.data) as data:
            labels = read_labels_of(data)
            suspects = read_suspects(data.dataset, labels)
            indices = labels.indices("train")
            rows = np.searchsorted(indices, suspects["index"])
            controls = control_rows(len(indices), rows)
            of_suspects, of_controls = (
                summarise_influence(leave_each_out(each, numbers, params, data))
                for each in (rows, controls)
            )
            report(of_suspects, of_controls, suspects, data, labels)
    print(f"Report: {REPORT}, {TABLE}")


def read_suspects(dataset: Dataset, labels: Labels) -> pd.DataFrame:
    """The first suspects of the training set, on the list: `index`, `label` and `suggested`.

    Raises
    ------
    UserError
        If there is no list, if it is of other labels, or has no suspect of the training set.
    """
    columns = ["set", "index", "label", "suggested"]
    try:
        table = pd.read_csv(LIST, dtype=str, keep_default_na=False)
        table = table.loc[table["set"] == "train", columns[1:]].head(SUSPECTS)
        indices = table["index"].astype(int)
    except FileNotFoundError as error:
        raise UserError(f"{LIST} is missing: `make labels` writes it") from error
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{LIST} cannot be read: {error}; `make labels` writes it anew") from error
    if table.empty:
        raise UserError(f"{LIST} has no suspect of the training set: none is to be left out")
    as_listed = {str(no_formula(name)): name for name in dataset.class_names}
    names = table[["label", "suggested"]].map(lambda name: as_listed.get(name, name))
    of_train = np.array(dataset.class_names)[labels.in_force["train"]]
    if not (
        np.isin(indices, labels.indices("train")).all()
        and (of_train[indices] == names["label"]).all()
    ):
        raise UserError(f"{LIST} is of other labels than these: `make labels` writes it anew")
    return names.assign(index=indices)


def report(
    suspects: Influence, controls: Influence, samples: pd.DataFrame, data: TrialData, labels: Labels
) -> None:
    """Write the table, the picture and the report."""
    dataset = data.dataset
    names = np.array(dataset.class_names)
    test = pd.DataFrame(
        {
            "index": labels.indices("test"),
            "label": names[labels.in_force["test"][labels.indices("test")]],
        }
    )
    table = influence_table(suspects, samples, test)
    train_images, test_images = (open_set(data.raw, dataset, part)[0].read() for part in PARTS)
    write_report_csv(TABLE, table.round(DIGITS))
    draw_influence(REPORTS / FIGURE, table, train_images, test_images, dataset)
    write_text(REPORT, influence_report(suspects, controls, table, dataset))


if __name__ == "__main__":
    main()
