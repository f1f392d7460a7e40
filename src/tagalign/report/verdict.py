"""Is a published score reproduced? The difference, its interval, and one of three words.

Both scores are of one test set, so which recordings are in it adds no variation to their
difference. What does is pretraining, on both sides: the paper's score is of a single pretraining.
Its variance is pooled over the trained systems of a task, whose seeds differ alike; the restarts
of the classifier are in it, since each seed's score is a mean over them. For MFCC, which has no
pretraining, it is that of the restarts.

The interval is Student's t with the pooled degrees of freedom. The score is *reproduced* if the
interval lies within the margin (key ``report.margin``), it *differs* if the interval lies outside
of it, and the comparison is *inconclusive* if it crosses the margin's border.

Source: Schuirmann, "A comparison of the two one-sided tests procedure ...", 1987 (equivalence).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tagalign.report.results import NOT_PRETRAINED, Result

PUBLISHED_RESTARTS = 10
"""Restarts of the classifier behind each published score."""


@dataclass(frozen=True)
class Spread:
    """Variance of the score of one run, in [0, 1] squared, and its degrees of freedom."""

    variance: float
    freedom: int


@dataclass(frozen=True)
class Verdict:
    """A difference (ours minus the published score) in [0, 1], and what it says.

    `low` and `high` are None where the variation is unknown.
    """

    difference: float
    low: float | None
    high: float | None
    word: str


def run_scores(result: Result) -> np.ndarray:
    """Score of each run: of each seed, or without pretraining of each restart; [0, 1]."""
    per_restart = result.values.mean(axis=2)  # (seeds, restarts)
    return per_restart.ravel() if result.system in NOT_PRETRAINED else per_restart.mean(axis=1)


def seed_spread(results: Sequence[Result]) -> Spread:
    """Pool the variance between seeds over the trained systems of one task."""
    runs = [run_scores(result) for result in results if result.system not in NOT_PRETRAINED]
    freedom = sum(len(values) - 1 for values in runs)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in runs)
    return Spread(squares / freedom if freedom else 0.0, freedom)


def judge(
    result: Result, published: float, spread: Spread, *, margin: float, confidence: float
) -> Verdict:
    """Compare a score with the published one.

    Parameters
    ----------
    result
        Our scores.
    published : float
        The published score, in [0, 1].
    spread
        As `seed_spread` gives it for the task.
    margin : float > 0
        Differences up to this do not matter, in [0, 1].
    confidence : float in (0, 1)
        Level of the interval.
    """
    runs = run_scores(result)
    difference = float(runs.mean() - published)
    theirs = 1.0
    if result.system in NOT_PRETRAINED:
        variance = float(runs.var(ddof=1)) if len(runs) > 1 else 0.0
        spread, theirs = Spread(variance, len(runs) - 1), 1 / PUBLISHED_RESTARTS
    if spread.freedom < 1:
        return Verdict(difference, None, None, "inconclusive")
    error = np.sqrt(spread.variance * (1 / len(runs) + theirs))
    half = float(stats.t.ppf((1 + confidence) / 2, spread.freedom) * error)
    low, high = difference - half, difference + half
    if -margin <= low and high <= margin:
        word = "reproduced"
    elif low > margin or high < -margin:
        word = "differs"
    else:
        word = "inconclusive"
    return Verdict(difference, low, high, word)
