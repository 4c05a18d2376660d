"""Stage 5: the confusion report."""

import pandas as pd

from nnlib.figures import draw_cards, draw_confusion, draw_training
from nnlib.metrics import confused_pairs, confusion_matrix, per_class
from nnlib.mnist import CLASSES, TEST_IMAGES, read_images
from nnlib.params import Params
from nnlib.predictions import read_predictions
from nnlib.report import DATA_SETS, render
from nnlib.tables import write_csv
from stages.common import FIGURES, PLOTS, PREDICTIONS, RAW, REPORTS, TRAINING, run, write_metrics


def analyse(params: Params) -> None:
    """Write the report with its figures and tables, the files for DVC's plots, and the metrics."""
    trained = read_predictions(PREDICTIONS / "test.csv")
    untrained = read_predictions(PREDICTIONS / "untrained.csv")
    history = pd.read_csv(TRAINING / "history.csv")
    data = DATA_SETS[params.data.source]

    confusion = confusion_matrix(trained["actual"], trained["predicted"], CLASSES)
    digits = per_class(confusion)
    pairs = confused_pairs(confusion)
    errors = int(pairs["count"].sum())
    samples = params.analyse.samples
    cards = trained.iloc[samples], untrained.iloc[samples]

    FIGURES.mkdir(parents=True, exist_ok=True)
    draw_confusion(FIGURES / "confusion.png", confusion, f"Confusion matrix, {data}, test set")
    draw_training(
        FIGURES / "training.png", pd.read_csv(TRAINING / "loss.csv"), history, f"Training on {data}"
    )
    draw_cards(FIGURES / "cards.png", read_images(RAW / TEST_IMAGES)[samples], *cards)

    counts = pd.DataFrame(confusion).rename_axis("actual").reset_index()
    write_csv(REPORTS / "confusion_matrix.csv", counts)
    report = render(
        "confusion.md",
        data=data,
        confusion=confusion.tolist(),
        digits=digits.to_dict("records"),
        pairs=pairs.head(params.analyse.pairs).to_dict("records"),
        samples=len(trained),
        errors=errors,
        history=history.to_dict("records"),
        cards=[
            {"trained": after, "untrained": before}
            for after, before in zip(*(card.to_dict("records") for card in cards), strict=True)
        ],
    )
    (REPORTS / "confusion.md").write_text(report, encoding="utf-8")

    # DVC embeds every column of a file that it plots
    PLOTS.mkdir(parents=True, exist_ok=True)
    write_csv(PLOTS / "confusion.csv", trained[["actual", "predicted"]])
    write_metrics(
        "analyse",
        params,
        {
            "errors": errors,
            "accuracy": float((trained["actual"] == trained["predicted"]).mean()),
            "macro_f1": float(digits["f1"].mean()),
            "recall": {f"digit_{digit}": value for digit, value in digits["recall"].items()},
            "precision": {f"digit_{digit}": value for digit, value in digits["precision"].items()},
        },
    )


if __name__ == "__main__":
    run(analyse)
