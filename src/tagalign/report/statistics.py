"""Intervals and paired tests for the headline metric of a task.

Conventions
-----------
The headline of a system (accuracy; mAP for several labels) is a mean over the tested folds,
averaged over repetitions and pretraining seeds. Three things make it vary:

- which clips happen to be in the test set: clips of one recording are alike, so recordings
  are drawn, not clips;
- pretraining: the spread over the seeds;
- the classifier: the spread over its repetitions, which counts where there is one seed only.

References: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (interval, ch. 13);
Holm, "A simple sequentially rejective multiple test procedure", 1979.
"""

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tagalign.errors import InputError
from tagalign.report.results import Result

DRAWS_AT_ONCE = 250


@dataclass(frozen=True)
class Comparison:
    """Two systems on one task; `difference` is that of their accuracies, a minus b.

    With `unknown` the variation of one of them is unknown (one pretraining seed, one restart
    without pretraining, or a single recording): `p` is then about these two runs, not about the
    systems, and tables leave it out.
    """

    task: str
    title: str
    system_a: str
    system_b: str
    difference: float
    standard_error: float
    p: float
    p_holm: float = 1.0
    unknown: bool = False


def interval(result: Result, *, confidence: float, draws: int, seed: int) -> tuple[float, float]:
    """Percentile interval of the accuracy: bootstrap over recordings, Student's t over runs.

    Parameters
    ----------
    result
        The scores of a system on a task.
    confidence : float in (0, 1)
        Level, such as 0.95.
    draws : int > 0
        Bootstrap samples.
    seed : int
        Seed of the draws; equal for all systems, so that they see the same samples.

    Returns
    -------
    (float, float)
        Lower and upper end, in [0, 1].
    """
    random = np.random.default_rng(seed)
    samples = _clip_samples(result, random, draws) + _run_samples(result, random, draws)
    tail = (1 - confidence) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))


def _clip_samples(result: Result, random: np.random.Generator, draws: int) -> np.ndarray:
    """Accuracies of test sets whose recordings are drawn with replacement."""
    names, recording = np.unique(result.recording, return_inverse=True)
    folds, fold = np.unique(result.fold, return_inverse=True)
    right = np.zeros((len(names), len(folds)))
    count = np.zeros_like(right)
    np.add.at(right, (recording, fold), result.contribution.mean(axis=0))
    np.add.at(count, (recording, fold), 1)
    samples = []
    for start in range(0, draws, DRAWS_AT_ONCE):
        size = min(DRAWS_AT_ONCE, draws - start)
        drawn = random.integers(0, len(names), (size, len(names)))
        cell = np.arange(size)[:, None] * len(names) + drawn
        times = np.bincount(cell.ravel(), minlength=size * len(names)).reshape(size, -1)
        total = times @ count  # (draws, folds)
        with np.errstate(invalid="ignore"):
            samples.append(np.nanmean(times @ right / total, axis=1))
    return np.concatenate(samples)


def _run_samples(result: Result, random: np.random.Generator, draws: int) -> np.ndarray:
    """Deviations of the mean over runs (seeds, or repetitions of a single seed)."""
    runs = _runs(result)
    k = len(runs)
    if k < 2:
        return np.zeros(draws)
    # Drawing from two or three seeds would hardly vary: their mean follows Student's t.
    return random.standard_t(k - 1, draws) * np.sqrt(runs.var(ddof=1) / k)


def _runs(result: Result) -> np.ndarray:
    """Accuracy of each run: of each seed, or of each repetition of a single seed."""
    per_repetition = result.values.mean(axis=2)  # (k, repetitions)
    return per_repetition.mean(axis=1) if len(per_repetition) > 1 else per_repetition[0]


def compare(a: Result, b: Result) -> Comparison:
    """Paired test of two systems on the clips that both were tested on.

    The difference of the accuracies over its standard error follows Student's t, with
    Welch's degrees of freedom. The variance is that of the paired differences, summed by
    recording, plus that of the runs of each system.

    Raises
    ------
    InputError
        They were tested on different clips.
    """
    common = sorted(set(a.clip_id) & set(b.clip_id))
    if not common:
        raise InputError(
            f"{a.system} and {b.system} were tested on {a.task} with different clips; evaluate"
            " both on one task file"
        )
    row_a, row_b = ({clip: row for row, clip in enumerate(x.clip_id)} for x in (a, b))
    pick_a, pick_b = [row_a[clip] for clip in common], [row_b[clip] for clip in common]
    paired = a.contribution.mean(axis=0)[pick_a] - b.contribution.mean(axis=0)[pick_b]
    recording = [a.recording[row] for row in pick_a]
    difference, over_recordings = _mean_over_folds(paired, a.fold[pick_a], recording)
    parts = [over_recordings]
    unknown = a.one_run or b.one_run or len(set(recording)) < 2
    for result in (a, b):
        runs = _runs(result)
        if len(runs) > 1:
            parts.append((runs.var(ddof=1) / len(runs), len(runs) - 1))
    error, p = _t_test(difference, parts)
    p = 1.0 if len(set(recording)) < 2 else p
    return Comparison(a.task, a.title, a.system, b.system, difference, error, p, unknown=unknown)


def _mean_over_folds(values, fold, recording) -> tuple[float, tuple[float, int]]:
    """Mean over folds of the mean over clips; its variance over recordings, and the freedom."""
    folds, fold = np.unique(fold, return_inverse=True)
    size = np.bincount(fold)
    fold_mean = np.bincount(fold, values) / size
    residual = (values - fold_mean[fold]) / (size[fold] * len(folds))
    _, recording = np.unique(recording, return_inverse=True)
    sums = np.bincount(recording, residual)
    variance = len(sums) / max(len(sums) - 1, 1) * np.sum(sums**2)
    return float(fold_mean.mean()), (float(variance), len(sums) - 1)


def _t_test(difference: float, parts: list[tuple[float, int]]) -> tuple[float, float]:
    """Standard error and p value from (variance, degrees of freedom) of independent parts."""
    variance = sum(value for value, _ in parts)
    error = float(np.sqrt(variance))
    if error == 0:
        return error, 1.0 if difference == 0 else 0.0
    freedom = variance**2 / sum(value**2 / max(degrees, 1) for value, degrees in parts)
    return error, float(2 * stats.t.sf(abs(difference) / error, freedom))


def compare_all(results: list[Result]) -> list[Comparison]:
    """Compare every pair of systems on every task.

    Holm's correction is over the pairs of a task that say something of the systems; the others
    keep a p_holm of 1.
    """
    pairs = [compare(a, b) for a, b in itertools.combinations(results, 2) if a.task == b.task]
    for task in dict.fromkeys(pair.task for pair in pairs):
        tested = [i for i, pair in enumerate(pairs) if pair.task == task and not pair.unknown]
        corrected = holm(np.array([pairs[i].p for i in tested]))
        for i, p in zip(tested, corrected, strict=True):
            pairs[i] = dataclasses.replace(pairs[i], p_holm=float(p))
    return pairs


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction: p values that bound the family-wise error."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1) if len(p) else scaled
    return corrected
