"""Read score files and group them: one `Result` per task and system, over pretraining seeds."""

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tagalign.errors import InputError
from tagalign.evaluate.metrics import METRICS, Metric, predicted_class
from tagalign.evaluate.stage_files import ScoreFile
from tagalign.model.systems import SYSTEMS as TRAINED
from tagalign.tasks import MODULES

SYSTEMS = ("mfcc", "untrained", *(name for name in TRAINED if name != "untrained"))
TASKS = tuple(MODULES)
NOT_PRETRAINED = ("mfcc",)
JACKKNIFE_GROUPS = 50
"""Groups of recordings that are left out in turn, for metrics that are no mean over clips."""


@dataclass
class Result:
    """All scores of one system on one task.

    Attributes
    ----------
    seeds : list of int
        Pretraining seeds, k of them.
    metrics : dict
        Name of a metric -> float64 [shape=(k, repetitions, folds)], in [0, 1]; the headline
        first.
    contribution : float64 [shape=(k, n)]
        What each test clip adds to the headline, averaged over repetitions: the headline of a
        fold is the mean over its clips. Of a metric that is no mean over clips (mAP), the
        jackknife's pseudo-values of groups of recordings.
    confusion : int [shape=(C, C + 1)]
        Clips of each class by predicted class, over all seeds and repetitions; the last column
        counts those without a prediction. None for a multi-label task.
    clip_id : list of str
        The n test clips.
    fold : int [shape=(n,)]
        Their folds.
    recording : list of str
        What each was cut from, or what else makes clips alike, such as their instrument.
    classes : list of str
        Names of the classes.
    tested : list of int
        The tested folds, in the order of the metrics.
    missing : int
        Test clips that the data set lacks or that cannot be read.
    unscored : int
        Other test clips without an embedding.
    unscored_are : str
        ``"wrong"``: both are among the n clips, as errors; ``"drop"``: they are not.
    """

    task: str
    title: str
    system: str
    seeds: list[int]
    metrics: dict[str, np.ndarray]
    contribution: np.ndarray
    confusion: np.ndarray | None
    clip_id: list[str]
    fold: np.ndarray
    recording: list[str]
    classes: list[str]
    tested: list[int]
    missing: int = 0
    unscored: int = 0
    unscored_are: str = "wrong"

    @property
    def headline(self) -> Metric:
        """The metric that is compared and tested."""
        return METRICS[next(iter(self.metrics))]

    @property
    def values(self) -> np.ndarray:
        """The headline, float64 [shape=(k, repetitions, folds)]."""
        return self.metrics[self.headline.name]

    @property
    def mean(self) -> float:
        """Mean of the headline over seeds, repetitions and folds."""
        return float(self.values.mean())

    @property
    def one_run(self) -> bool:
        """Whether the variation between runs is unknown: of seeds, or else of restarts."""
        if self.system in NOT_PRETRAINED:
            return self.values.shape[1] < 2
        return len(self.seeds) < 2


def read_results(paths: Iterable[str | os.PathLike]) -> list[Result]:
    """Read score files; results come in the paper's order of tasks and systems.

    Raises
    ------
    InputError
        Files of one system and task do not fit together.
    """
    groups: dict[tuple[str, str], dict[int, _Seed]] = defaultdict(dict)
    for path in paths:
        file = ScoreFile.read(path)
        key, seed = (file.task, file.system), int(file.pretraining_seed)
        if seed in groups[key]:
            raise InputError(
                f"{path}: the scores of {file.system} on {file.task} from seed {seed} are given"
                " twice; name each file once"
            )
        groups[key][seed] = _Seed(path, file)
    order = sorted(groups, key=lambda key: (_rank(key[0], TASKS), _rank(key[1], SYSTEMS)))
    return [_join(groups[key]) for key in order]


def _rank(name: str, order: tuple[str, ...]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order)), name


class _Seed:
    """What is kept of the scores of one seed: class scores of all would not fit into memory."""

    def __init__(self, path: str | os.PathLike, file: ScoreFile):
        self.path, self.file = path, file
        self.contribution = contributions(file)
        self.confusion = None if file.multi_label else _count_confusions(file)
        self.shape = file.class_scores.shape
        file.class_scores = np.empty((0, 0, 0), np.float32)


def _join(by_seed: dict[int, _Seed]) -> Result:
    seeds = sorted(by_seed)
    every = [by_seed[seed] for seed in seeds]
    first = every[0]
    for other in every[1:]:
        same = other.shape == first.shape and other.file.clip_id == first.file.clip_id
        if not (
            same
            and np.array_equal(other.file.labels, first.file.labels)
            and np.array_equal(other.file.clip_fold, first.file.clip_fold)
            and other.file.metrics == first.file.metrics
        ):
            raise InputError(
                f"{other.path} and {first.path} score {first.file.system} on {first.file.task} with"
                " different clips, classes, folds or repetitions; evaluate both again"
            )
    file = first.file
    confusion = None if first.confusion is None else sum(one.confusion for one in every)
    return Result(
        task=file.task,
        title=file.title,
        system=file.system,
        seeds=seeds,
        metrics={
            name: np.stack([one.file.values[m] for one in every])
            for m, name in enumerate(file.metrics)
        },
        contribution=np.stack([one.contribution for one in every]),
        confusion=confusion,
        clip_id=file.clip_id,
        fold=file.clip_fold,
        recording=file.recording,
        classes=file.classes,
        tested=file.fold.tolist(),
        missing=max(int(one.file.missing) for one in every),
        unscored=max(int(one.file.unscored) for one in every),
        unscored_are=file.unscored_are,
    )


def _count_confusions(file: ScoreFile) -> np.ndarray:
    """Clips of each class by predicted class, over the repetitions, int [shape=(C, C + 1)]."""
    predicted = predicted_class(file.class_scores)  # (R, n)
    n = len(file.classes)
    counts = np.zeros((n, n + 1), np.int64)
    truth = np.broadcast_to(file.labels.argmax(axis=1), predicted.shape)
    np.add.at(counts, (truth, predicted), 1)  # -1 is the last column
    return counts


def contributions(file: ScoreFile) -> np.ndarray:
    """What each clip adds to the headline of its fold, float64 [shape=(n,)].

    For a metric that is no mean over clips, the recordings of a fold are dealt into at most
    `JACKKNIFE_GROUPS` groups, and each clip has the pseudo-value of its group,
    ``g * all - (g - 1) * without``, shifted so that the mean over clips is the metric (Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 11).
    """
    headline = METRICS[file.metrics[0]]
    if headline.per_clip is not None:
        each = [headline.per_clip(file.labels, scores) for scores in file.class_scores]
        return np.mean(each, axis=0)
    found = np.zeros(len(file.clip_id))
    for fold in np.unique(file.clip_fold):
        rows = np.flatnonzero(file.clip_fold == fold)
        _, recording = np.unique([file.recording[row] for row in rows], return_inverse=True)
        group = recording % JACKKNIFE_GROUPS
        g = len(np.unique(group))
        for scores in file.class_scores:
            whole = headline.compute(file.labels[rows], scores[rows])
            pseudo = np.full(len(rows), whole)
            for each in np.unique(group) if g > 1 else ():
                kept = rows[group != each]
                without = headline.compute(file.labels[kept], scores[kept])
                if np.isfinite(without):
                    pseudo[group == each] = g * whole - (g - 1) * without
            found[rows] += (pseudo - pseudo.mean() + whole) / len(file.class_scores)
    return found
