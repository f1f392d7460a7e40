"""Zero-shot scores beside the supervised ones."""

import pandas as pd

from tagalign.report.results import Result
from tagalign.report.statistics import interval
from tagalign.report.table import markdown


def zeroshot_of(results: list[Result], supervised: list[Result], settings: dict) -> pd.DataFrame:
    """Make the table; values are in per cent.

    Parameters
    ----------
    results, supervised
        What `tagalign.report.results.read_results` gives for files of the stages ``zeroshot``
        and ``evaluate``.
    settings
        Section ``report`` of the configuration.

    Returns
    -------
    DataFrame
        Columns: system, task, metric, pretraining_seeds, clips, zero_shot, low, high (the
        interval), chance (of accuracy: one divided by the number of classes; of mAP the share of
        the clips that are of a class, on average), supervised.
    """
    trained = {(result.task, result.system): result.mean for result in supervised}
    rows = []
    for result in results:
        low, high = interval(
            result,
            confidence=settings["confidence"],
            draws=settings["draws"],
            seed=settings["seed"],
        )
        beside = trained.get((result.task, result.system))
        rows.append(
            {
                "system": result.system,
                "task": result.task,
                "metric": result.headline.name,
                "pretraining_seeds": len(result.seeds),
                "clips": len(result.clip_id),
                "zero_shot": round(100 * result.mean, 2),
                "low": round(100 * low, 2),
                "high": round(100 * high, 2),
                "chance": round(100 / len(result.classes), 2)
                if result.confusion is not None
                else None,
                "supervised": None if beside is None else round(100 * beside, 2),
            }
        )
    return pd.DataFrame(rows)


def section(table: pd.DataFrame) -> str:
    """The text of the report."""
    shown = pd.DataFrame(
        {
            "Task": table["task"],
            "System": table["system"],
            "Zero-shot": table["zero_shot"].map("{:.1f}".format),
            "Interval": [
                f"{low:.1f} to {high:.1f}"
                for low, high in zip(table["low"], table["high"], strict=True)
            ],
            "Chance": table["chance"].map(lambda x: "-" if pd.isna(x) else f"{x:.1f}"),
            "Supervised": table["supervised"].map(lambda x: "-" if pd.isna(x) else f"{x:.1f}"),
        }
    )
    return "\n\n".join(
        [
            "## Zero-shot: classified by tags alone",
            markdown(shown),
            "No classifier is trained: a clip is of the class whose tag set comes nearest to its"
            " aligned embedding. Intervals are as above; supervised is the score of the classifier"
            " trained on the same embeddings. In `zeroshot.csv` as numbers.",
        ]
    )
