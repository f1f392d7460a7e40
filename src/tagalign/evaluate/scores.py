"""Train and test classifiers on the embeddings of a task.

Conventions
-----------
Each tested fold is scored by a classifier trained on all other folds (on the training split
where the split is fixed). Embeddings are standardised with the mean and deviation of the
training clips. All is repeated from several seeds. A metric of a repetition is its mean over
the tested folds, as UrbanSound8K's authors ask.

A clip without an embedding (unreadable, no tags) is an error of every repetition, unless
``evaluate.unscored`` says to drop it, as the released code does.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tagalign.errors import InputError
from tagalign.evaluate import mlp, probes, torch_mlp
from tagalign.evaluate.metrics import metrics_for
from tagalign.parallel import ordered_map
from tagalign.progress import Progress
from tagalign.tasks.protocol import TRAIN


@dataclass
class Clips:
    """The clips of a task as evaluation needs them.

    Attributes
    ----------
    embedding : float32 [shape=(n, d)]
        Rows of clips without one are not used.
    scored : bool [shape=(n,)]
        Which clips have an embedding.
    labels : bool [shape=(n, C)]
        Classes of each clip.
    fold : int [shape=(n,)]
        Fold of each clip.
    tested_folds : list of int
        Folds to test.
    fixed_split : bool
        Train on the clips of fold `TRAIN` only.
    multi_label : bool
        Whether a clip may have several classes, or none.
    """

    embedding: np.ndarray
    scored: np.ndarray
    labels: np.ndarray
    fold: np.ndarray
    tested_folds: list[int]
    fixed_split: bool
    multi_label: bool = False


@dataclass
class Scores:
    """Class scores and metrics.

    Attributes
    ----------
    row : int [shape=(n_test,)]
        The test clips, by fold, as indices into the task's clips.
    class_scores : float32 [shape=(repetitions, n_test, C), range=[0, 1]]
        NaN for a clip without an embedding.
    metrics : dict
        Name of a metric -> float64 [shape=(repetitions, folds)], in [0, 1].
    """

    row: np.ndarray
    class_scores: np.ndarray
    metrics: dict[str, np.ndarray]


def score(clips: Clips, settings: dict, *, jobs: int = 1, device: str = "cpu") -> Scores:
    """Run all folds and repetitions.

    Parameters
    ----------
    clips
        Embeddings, labels and folds.
    settings
        Section ``evaluate`` of the configuration.
    jobs : int > 0
        Processes (scikit-learn) or threads (torch); the result does not depend on it.
    device
        ``"cpu"`` or ``"cuda"``, where the torch engine computes.

    Raises
    ------
    InputError
        A fold has nothing to train on or to test.
    """
    seeds = [settings["seed"] + repetition for repetition in range(settings["repetitions"])]
    if settings["classifier"] != "mlp":
        seeds = seeds[:1]  # nothing in it is drawn
    rows = _tested(clips, settings["unscored"])
    size = clips.labels.shape[1]
    whole = [np.full((len(seeds), len(test), size), np.nan, np.float32) for test in rows]
    folds = _folds(clips, rows)
    with Progress("evaluate", len(seeds) * len(rows), unit="fits") as progress:
        common = {"jobs": jobs, "advance": progress.update}
        if _with_torch(settings, clips):
            found = torch_mlp.class_scores(
                list(folds), seeds, settings["hidden"], device=device, **common
            )
        else:
            found = _with_sklearn(folds, seeds, settings, clips.multi_label, **common)
        for test, target, values in zip(rows, whole, found, strict=True):
            target[:, clips.scored[test]] = values
    return _scores(clips, rows, whole)


def score_directly(clips: Clips, class_scores: np.ndarray, unscored: str) -> Scores:
    """The metrics of class scores that no classifier made.

    Parameters
    ----------
    clips
        Labels and folds.
    class_scores
        Of all clips, float32 [shape=(n, C), range=[0, 1]]; rows without an embedding do not count.
    unscored
        ``"wrong"`` or ``"drop"``, what becomes of these.
    """
    rows = _tested(clips, unscored)
    known = np.where(clips.scored[:, None], class_scores, np.float32("nan"))
    return _scores(clips, rows, [known[None, test] for test in rows])


def _tested(clips: Clips, unscored: str) -> list[np.ndarray]:
    """The test clips of each fold."""
    rows = [np.flatnonzero(clips.fold == fold) for fold in clips.tested_folds]
    return [test[clips.scored[test]] for test in rows] if unscored == "drop" else rows


def _scores(clips: Clips, rows: list[np.ndarray], whole: list[np.ndarray]) -> Scores:
    """The metrics of class scores (repetitions, test clips, C) of each fold."""
    return Scores(
        row=np.concatenate(rows),
        class_scores=np.concatenate(whole, axis=1),
        metrics={
            metric.name: np.array(
                [
                    [metric.compute(clips.labels[test], repetition) for repetition in scores]
                    for test, scores in zip(rows, whole, strict=True)
                ]
            ).T
            for metric in metrics_for(clips.multi_label)
        },
    )


def _with_torch(settings: dict, clips: Clips) -> bool:
    """Whether the torch engine trains; multi-label tasks and probes are scikit-learn's."""
    return (
        settings["engine"] == "torch" and settings["classifier"] == "mlp" and not clips.multi_label
    )


def _with_sklearn(
    folds: Iterable,
    seeds: list[int],
    settings: dict,
    multi_label: bool,
    *,
    jobs: int,
    advance: Callable[[int], None],
) -> Iterator[np.ndarray]:
    """Class scores (repetitions, scored test clips, C) of one fold after the other."""
    # Parts of the seeds, so that few folds still keep all processes busy.
    parts = [part.tolist() for part in np.array_split(seeds, min(jobs, len(seeds)))]
    work = ((*fold, part) for fold in folds for part in parts)
    classify = functools.partial(_classify, settings=settings, multi_label=multi_label)
    results = ordered_map(classify, work, jobs)
    while found := list(itertools.islice(results, len(parts))):
        advance(len(seeds))
        yield np.concatenate(found)


def _classify(work, *, settings: dict, multi_label: bool) -> np.ndarray:
    train_x, labels, test_x = work[:3]
    if settings["classifier"] == "linear":
        return probes.linear(train_x, labels, test_x, multi_label=multi_label)[None]
    if settings["classifier"] == "knn":
        return probes.nearest(train_x, labels, test_x, neighbours=settings["neighbours"])[None]
    return mlp.class_scores(*work, settings["hidden"], multi_label=multi_label)


def _folds(clips: Clips, rows: list[np.ndarray]) -> Iterator[tuple[np.ndarray, ...]]:
    """Standardised training vectors, their labels, and test vectors of each fold.

    Folds come one after the other, so that few are in memory at once.
    """
    for fold, test in zip(clips.tested_folds, rows, strict=True):
        train = clips.fold == TRAIN if clips.fixed_split else clips.fold != fold
        train = np.flatnonzero(train & clips.scored)
        test = test[clips.scored[test]]
        if not len(test):
            raise InputError(f"fold {fold} has no clip that can be tested; see failed/ of the task")
        present = clips.labels[train].any(axis=0).sum()
        if present < (1 if clips.multi_label else 2):
            raise InputError(
                f"the clips to train on for fold {fold} are of fewer than two classes; a"
                " classifier cannot be trained"
            )
        train_x, test_x = standardise(clips.embedding[train], clips.embedding[test])
        yield train_x, clips.labels[train], test_x


def standardise(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale both by the mean and standard deviation of `train`, per column.

    A column that is constant in `train` is only shifted.
    """
    mean = train.mean(axis=0, dtype=np.float64)
    deviation = train.std(axis=0, dtype=np.float64)
    # Rounding leaves a constant column with a deviation of the order of its last bit.
    constant = deviation <= 1e-7 * np.abs(mean)
    deviation = np.where(constant, 1, deviation)
    return tuple(((x - mean) / deviation).astype(np.float32) for x in (train, test))
