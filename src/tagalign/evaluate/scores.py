"""Stage `evaluate`: train and test classifiers on the embeddings of a task.

Conventions
-----------
Each tested fold is predicted by a classifier trained on all other folds (on the training
split where the split is fixed). Embeddings are standardised with the mean and deviation of
the training clips. All is repeated from several seeds. The accuracy of a repetition is the
mean over the tested folds, as UrbanSound8K's authors ask.

A clip without an embedding (unreadable, no tags) is an error of every repetition, unless
``evaluate.unscored`` says to drop it, as the released code does.

Metrics
-------
accuracy
    Share of the test clips that are predicted rightly.
macro F1
    Mean over the classes of ``2 TP / (2 TP + FP + FN)``.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tagalign.errors import InputError
from tagalign.evaluate import mlp, torch_mlp
from tagalign.parallel import ordered_map
from tagalign.progress import Progress
from tagalign.tasks.protocol import TRAIN

UNSCORED = -1
"""Prediction of a clip that has no embedding."""


@dataclass
class Clips:
    """The clips of a task as evaluation needs them.

    Attributes
    ----------
    embedding : float32 [shape=(n, d)]
        Rows of clips without one are not used.
    scored : bool [shape=(n,)]
        Which clips have an embedding.
    label, fold : int [shape=(n,)]
        Class and fold of each clip.
    tested_folds : list of int
        Folds to test.
    fixed_split : bool
        Train on the clips of fold `TRAIN` only.
    """

    embedding: np.ndarray
    scored: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    tested_folds: list[int]
    fixed_split: bool


@dataclass
class Scores:
    """Predictions and scores.

    Attributes
    ----------
    row : int [shape=(n_test,)]
        The test clips, by fold, as indices into the task's clips.
    predictions : int [shape=(repetitions, n_test)]
        Predicted classes, `UNSCORED` for a clip without embedding.
    accuracy, macro_f1 : float64 [shape=(repetitions, folds)]
        Scores of each fold, in [0, 1].
    """

    row: np.ndarray
    predictions: np.ndarray
    accuracy: np.ndarray
    macro_f1: np.ndarray


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
    rows = [np.flatnonzero(clips.fold == fold) for fold in clips.tested_folds]
    if settings["unscored"] == "drop":
        rows = [test[clips.scored[test]] for test in rows]
    predictions = [np.full((len(seeds), len(test)), UNSCORED, np.int16) for test in rows]
    folds = _folds(clips, rows)
    with Progress("evaluate", len(seeds) * len(rows), unit="fits") as progress:
        common = {"jobs": jobs, "advance": progress.update}
        if settings["engine"] == "torch":
            found = torch_mlp.fit_predict(
                list(folds), seeds, settings["hidden"], device=device, **common
            )
        else:
            found = _with_sklearn(folds, seeds, settings["hidden"], **common)
        for test, target, values in zip(rows, predictions, found, strict=True):
            target[:, clips.scored[test]] = values
    pairs = [(clips.label[test], target) for test, target in zip(rows, predictions, strict=True)]
    return Scores(
        row=np.concatenate(rows),
        predictions=np.concatenate(predictions, axis=1),
        accuracy=np.array([accuracy(truth, found) for truth, found in pairs]).T,
        macro_f1=np.array(
            [[macro_f1(truth, repetition) for repetition in found] for truth, found in pairs]
        ).T,
    )


def _with_sklearn(
    folds: Iterable, seeds: list[int], hidden: int, *, jobs: int, advance: Callable[[int], None]
) -> Iterator[np.ndarray]:
    """Predictions (repetitions, scored test clips) of one fold after the other."""
    # Parts of the seeds, so that few folds still keep all processes busy.
    parts = [part.tolist() for part in np.array_split(seeds, min(jobs, len(seeds)))]
    work = ((*fold, part) for fold in folds for part in parts)
    results = ordered_map(functools.partial(_fit_predict, hidden=hidden), work, jobs)
    while found := list(itertools.islice(results, len(parts))):
        advance(len(seeds))
        yield np.concatenate(found)


def _fit_predict(work, *, hidden: int) -> np.ndarray:
    return mlp.fit_predict(*work, hidden)


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
        if len(np.unique(clips.label[train])) < 2:
            raise InputError(
                f"the clips to train on for fold {fold} are of fewer than two classes; a"
                " classifier cannot be trained"
            )
        train_x, test_x = standardise(clips.embedding[train], clips.embedding[test])
        yield train_x, clips.label[train], test_x


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


def accuracy(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Share of right predictions along the last axis, in [0, 1]."""
    return (predicted == truth).mean(axis=-1)


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean F1 over the classes that occur in `truth` or `predicted`, in [0, 1]."""
    classes = np.union1d(truth, predicted[predicted != UNSCORED])
    right = truth == predicted
    per_class = [
        2 * np.sum(right & (truth == k)) / (np.sum(truth == k) + np.sum(predicted == k))
        for k in classes
    ]
    return float(np.mean(per_class))
