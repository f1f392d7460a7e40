"""What the paper claims of its systems, as three planned contrasts for each task.

attention
    Attention (one and four heads) against the mean of the word vectors, over both widths.
heads
    Four heads against one, over both widths.
width
    1152 dimensions against 128, over all tag encoders.

Each is a weighted sum of the systems' scores. Its variance is that between pretraining seeds,
pooled over the systems of the task: the test set is the same for all. The p values of a task are
corrected by Holm's procedure within this family of three.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from tagalign.report.results import Result
from tagalign.report.statistics import holm
from tagalign.report.verdict import run_scores, seed_spread

WIDTHS, ENCODERS = ("128", "1152"), ("1h", "4h", "mean")
TITLES = {
    "attention": "attention against mean",
    "heads": "four heads against one",
    "width": "1152 dimensions against 128",
}
COLUMNS = [
    *("task", "contrast", "systems", "seeds", "effect", "low", "high", "p", "p_holm", "significant")
]


@dataclass(frozen=True)
class Contrast:
    """One contrast on one task; `effect`, `low` and `high` are in [0, 1].

    `p` is None where the variation between seeds is unknown.
    """

    task: str
    name: str
    systems: int
    seeds: int
    effect: float
    low: float | None = None
    high: float | None = None
    p: float | None = None


def weights_of(name: str, there: Sequence[str]) -> dict[str, float]:
    """Weight of each system in a contrast, over the levels of the other factor that are there.

    Empty where a contrast cannot be formed.
    """
    cells = {(width, encoder) for width in WIDTHS for encoder in ENCODERS}
    cells = {cell for cell in cells if "w2v-{}-{}".format(*cell) in there}
    found: dict[tuple[str, str], float] = {}
    if name == "width":
        levels = [e for e in ENCODERS if {("128", e), ("1152", e)} <= cells]
        for encoder in levels:
            found |= {("1152", encoder): 1 / len(levels), ("128", encoder): -1 / len(levels)}
    elif name == "heads":
        levels = [w for w in WIDTHS if {(w, "1h"), (w, "4h")} <= cells]
        for width in levels:
            found |= {(width, "4h"): 1 / len(levels), (width, "1h"): -1 / len(levels)}
    else:
        for width in WIDTHS:
            attention = [e for e in ("1h", "4h") if (width, e) in cells]
            if attention and (width, "mean") in cells:
                found |= {(width, e): 1 / len(attention) for e in attention}
                found[width, "mean"] = -1.0
        used = len({width for width, _ in found})
        found = {cell: weight / used for cell, weight in found.items()}
    return {"w2v-{}-{}".format(*cell): weight for cell, weight in found.items()}


def contrast(name: str, results: Sequence[Result], confidence: float) -> Contrast | None:
    """One contrast of the results of one task, or None where systems are missing."""
    of = {result.system: result for result in results}
    weights = weights_of(name, list(of))
    if not weights:
        return None
    means = {system: float(run_scores(of[system]).mean()) for system in weights}
    seeds = [len(of[system].seeds) for system in weights]
    effect = sum(weight * means[system] for system, weight in weights.items())
    found = Contrast(results[0].task, name, len(weights), min(seeds), effect)
    spread = seed_spread(results)
    if spread.freedom < 1 or spread.variance == 0:
        return found
    parts = [weight**2 / len(of[system].seeds) for system, weight in weights.items()]
    error = float(np.sqrt(spread.variance * sum(parts)))
    half = float(stats.t.ppf((1 + confidence) / 2, spread.freedom)) * error
    p = float(2 * stats.t.sf(abs(effect) / error, spread.freedom))
    return Contrast(
        found.task, name, len(weights), min(seeds), effect, effect - half, effect + half, p
    )


def contrasts_of(results: Sequence[Result], settings: dict) -> pd.DataFrame:
    """The planned contrasts of all tasks, in points.

    Parameters
    ----------
    results
        Scores of any systems and tasks.
    settings
        Section ``report`` of the configuration.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: significant is "yes", "no", or "unknown" where no system has two seeds.
    """
    rows: list[dict] = []
    for task in dict.fromkeys(result.task for result in results):
        ours = [result for result in results if result.task == task]
        found = [contrast(name, ours, settings["confidence"]) for name in TITLES]
        there = [each for each in found if each is not None]
        tested = [each for each in there if each.p is not None]
        corrected = dict(
            zip(
                (each.name for each in tested),
                holm(np.array([each.p for each in tested], float)),
                strict=True,
            )
        )
        for each in there:
            p = corrected.get(each.name)
            significant = "unknown"
            if p is not None:
                significant = "yes" if p < settings["significance"] else "no"
            rows.append(
                {
                    "task": task,
                    "contrast": TITLES[each.name],
                    "systems": each.systems,
                    "seeds": each.seeds,
                    "effect": _points(each.effect),
                    "low": _points(each.low),
                    "high": _points(each.high),
                    "p": None if each.p is None else float(f"{each.p:.3g}"),
                    "p_holm": None if p is None else float(f"{p:.3g}"),
                    "significant": significant,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _points(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)
