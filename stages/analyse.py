"""Stage 5: the confusion report."""

import pandas as pd

from nnlib.figures import draw_cards, draw_confusion, draw_training
from nnlib.metrics import confusion_matrix, per_class
from nnlib.mnist import CLASSES, TEST_IMAGES, read_images
from nnlib.params import Params
from nnlib.predictions import read_predictions
from nnlib.report import confusion_report
from nnlib.tables import write_csv
from stages.common import (
    FIGURES,
    PLOTS,
    PREDICTIONS,
    RAW,
    REPORTS,
    TRAINING,
    by_digit,
    run,
    write_metrics,
)


def analyse(params: Params) -> None:
    """Write the report with its figures and tables, the files for DVC's plots, and the metrics."""
    trained = read_predictions(PREDICTIONS / "test.csv")
    untrained = read_predictions(PREDICTIONS / "untrained.csv")
    loss = pd.read_csv(TRAINING / "loss.csv")
    history = pd.read_csv(TRAINING / "history.csv")
    images = read_images(RAW / TEST_IMAGES)
    confusion = confusion_matrix(trained["actual"], trained["predicted"], CLASSES)
    data = params.data.name
    samples = params.analyse.samples

    FIGURES.mkdir(parents=True, exist_ok=True)
    draw_confusion(FIGURES / "confusion.png", confusion, f"Confusion matrix, {data}, test set")
    draw_training(FIGURES / "training.png", loss, history, f"Training on {data}")
    draw_cards(
        FIGURES / "cards.png",
        images[samples],
        trained.iloc[samples],
        untrained.iloc[samples],
        f"Samples of {data}, test set",
    )
    report = confusion_report(
        data=data,
        confusion=confusion,
        trained=trained,
        untrained=untrained,
        history=history,
        iterations=len(loss),
        samples=samples,
        pairs=params.analyse.pairs,
    )
    (REPORTS / "confusion.md").write_text(report, encoding="utf-8", newline="\n")
    counts = pd.DataFrame(confusion).rename_axis("actual").reset_index()
    write_csv(REPORTS / "confusion_matrix.csv", counts)

    PLOTS.mkdir(parents=True, exist_ok=True)
    # DVC embeds every column of a file that it plots, so it gets one with no others
    write_csv(PLOTS / "confusion.csv", trained[["actual", "predicted"]])

    right = trained["actual"] == trained["predicted"]
    digits = per_class(confusion)
    write_metrics(
        "analyse",
        params,
        {
            "errors": int((~right).sum()),
            "accuracy": float(right.mean()),
            "macro_f1": float(digits["f1"].mean()),
            "recall": by_digit(digits["recall"]),
            "precision": by_digit(digits["precision"]),
        },
    )


if __name__ == "__main__":
    run(analyse)
