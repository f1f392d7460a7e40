"""The torch engine against scikit-learn's MLPClassifier, on real sounds."""

import csv
import warnings
from itertools import chain

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tagalign.audio.decode import decode
from tagalign.audio.mel import LogMel
from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.evaluate.scores import Clips, score, standardise
from tagalign.evaluate.torch_mlp import class_scores, fit

FRONT_END = config.resolve_sections({}, ["patches"])["patches"]


def describe(paths) -> np.ndarray:
    """Mean and deviation over time of the log-mel bands of each sound: (n, 192)."""
    log_mel = LogMel(FRONT_END)
    rate = FRONT_END["sample_rate"]
    tracks = (log_mel(decode(path, rate)) for path in paths)
    return np.stack([np.concatenate([track.mean(1), track.std(1)]) for track in tracks])


def clips_of(rows, tested_folds) -> Clips:
    """Clips from (path, label, fold) rows."""
    paths, labels, folds = zip(*rows, strict=True)
    return Clips(
        embedding=describe(paths),
        scored=np.ones(len(rows), bool),
        labels=np.array(labels)[:, None] == np.unique(labels),
        fold=np.array(folds, int),
        tested_folds=tested_folds,
        fixed_split=False,
    )


@pytest.fixture(scope="module")
def bundled(corpus) -> Clips:
    """The ESC-10 clips of the bundled corpus: 187 in five folds."""
    with open(corpus / "sounds.csv", newline="") as file:
        sounds = [row for row in csv.DictReader(file) if row["fold"]]
    rows = [(corpus / "audio" / row["file"], row["label"], row["fold"]) for row in sounds]
    return clips_of(rows, [1, 2, 3, 4, 5])


@pytest.fixture(scope="module")
def esc10(shared) -> Clips:
    """All 400 clips of ESC-10, two folds of which are tested."""
    directory = shared / "data" / "esc10"
    with open(directory / "esc10.csv", newline="") as file:
        rows = [
            (directory / row["file"], row["label"], row["fold"]) for row in csv.DictReader(file)
        ]
    return clips_of(rows, [3, 5])


@pytest.fixture(scope="module")
def us8k(shared) -> Clips:
    """Folds 1 and 2 of UrbanSound8K, 1,761 clips."""
    paths = sorted((shared / "data" / "us8k").glob("fold*/*.ogg"))
    rows = [(path, path.name.split("-")[1], path.parent.name[4:]) for path in paths]
    return clips_of(rows, [1, 2])


def folds_of(clips: Clips, dtype=np.float32, train_sizes=()) -> list:
    """Each fold as (training set, labels, test set); sizes may be cut."""
    folds = []
    for i, fold in enumerate(clips.tested_folds):
        train, test = clips.fold != fold, clips.fold == fold
        train_x, test_x = standardise(clips.embedding[train], clips.embedding[test])
        size = slice(train_sizes[i] if train_sizes else None)
        folds.append((train_x[size].astype(dtype), clips.labels[train][size], test_x.astype(dtype)))
    return folds


def reference(fold, seed, hidden):
    """scikit-learn's own fit: predictions and the loss of each epoch."""
    train_x, labels, test_x = fold
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier = MLPClassifier((hidden,), random_state=seed).fit(train_x, labels.argmax(1))
        return classifier.predict(test_x), classifier.loss_curve_


def assert_same_course(folds, seeds, hidden) -> set[int]:
    """Every network takes scikit-learn's course, epoch by epoch; the numbers of epochs."""
    fits = fit(folds, seeds, hidden)
    for fold, repetitions in zip(folds, fits, strict=True):
        for seed, found in zip(seeds, repetitions, strict=True):
            predictions, losses = reference(fold, seed, hidden)
            assert len(found.losses) == len(losses)
            np.testing.assert_allclose(found.losses, losses, rtol=1e-9, atol=1e-12)
            np.testing.assert_array_equal(found.scores.argmax(1), predictions)
    return {len(found.losses) for repetitions in fits for found in repetitions}


def test_double_precision_gives_scikit_learns_training_epoch_by_epoch(bundled):
    # Sizes below, at and above the batch of 200 and without a common number of batches.
    twice = [
        (np.tile(x, (3, 1)), np.tile(y, (3, 1)), test)
        for x, y, test in folds_of(bundled, np.float64, [149, 60, 100, 140, 7])
    ]
    epochs = assert_same_course(twice, [0, 5], 24)
    assert min(epochs) < max(epochs) == 200, "some should stop before others"


def test_two_classes_share_one_logistic_unit(bundled):
    folds = [
        (x, np.stack([y[:, :5].any(1), y[:, 5:].any(1)], axis=1), test)
        for x, y, test in folds_of(bundled, np.float64)[:2]
    ]
    assert_same_course(folds, [3], 16)


def test_a_fold_may_lack_classes(bundled):
    complete, other = folds_of(bundled, np.float64)[:2]
    kept = ~other[1][:, 2]
    folds = [complete, (other[0][kept], other[1][kept], other[2])]
    assert_same_course(folds, [0], 16)
    whole, lacking = class_scores(folds, [0], 16)
    assert (lacking[:, :, 2] == 0).all()
    assert (whole[:, :, 2] > 0).any()


def test_score_gives_the_same_with_either_engine(bundled):
    settings = config.resolve_sections({}, ["evaluate"])["evaluate"] | {"repetitions": 2}
    ours = score(bundled, settings | {"engine": "torch"})
    theirs = score(bundled, settings | {"engine": "sklearn"})
    # Single precision: a clip on the border between two classes may fall to either side.
    differ = ours.class_scores.argmax(2) != theirs.class_scores.argmax(2)
    assert np.mean(differ) < 0.01
    ours, theirs = ours.metrics["accuracy"].mean(), theirs.metrics["accuracy"].mean()
    assert abs(ours - theirs) <= 0.005
    assert theirs > 0.5


def test_the_result_does_not_depend_on_jobs(bundled):
    folds = folds_of(bundled)
    together = fit(folds, [0, 1, 2], 64)
    for jobs in (1, 3):
        again = fit(folds, [0, 1, 2], 64, jobs=jobs)
        for a, b in zip(chain(*together), chain(*again), strict=True):
            assert a.losses == b.losses
            np.testing.assert_array_equal(a.scores, b.scores)


def test_networks_do_not_influence_each_other(bundled):
    folds = folds_of(bundled, np.float64)
    together = fit(folds, [0, 1, 2], 64)[1][2]
    alone = fit(folds[1:2], [2], 64)[0][0]
    # The last bits differ: matrix products of other shapes sum in another order.
    np.testing.assert_allclose(alone.losses, together.losses, rtol=1e-12)
    np.testing.assert_allclose(alone.scores, together.scores, atol=1e-6)


def test_the_number_of_threads_of_the_caller_is_kept(bundled):
    before = torch.get_num_threads()
    fit(folds_of(bundled, train_sizes=[40] * 5), [0], 4, jobs=2)
    assert torch.get_num_threads() == before


def test_progress_counts_every_network(bundled):
    counted = []
    class_scores(folds_of(bundled, train_sizes=[40] * 5), [0, 1, 2], 4, advance=counted.append)
    assert sum(counted) == 15


def test_weights_that_are_not_finite_are_an_error(bundled):
    train_x, labels, test_x = folds_of(bundled)[0]
    train_x[20, 30] = np.nan
    with pytest.raises(InputError, match="seed 7 has weights that are not finite"):
        class_scores([(train_x, labels, test_x)], [7], 8)


def assert_equal_within_half_a_point(clips: Clips, device="cpu"):
    """Ten repetitions of the protocol: mean of the paired differences in accuracy."""
    folds, seeds = folds_of(clips), list(range(10))
    ours = class_scores(folds, seeds, 256, device=device)
    differences = []
    for fold, scores, tested in zip(folds, ours, clips.tested_folds, strict=True):
        predicted = scores.argmax(2)
        truth = clips.labels[clips.fold == tested].argmax(1)
        theirs = np.stack([reference(fold, seed, 256)[0] for seed in seeds])
        differences.append(100 * ((predicted == truth).mean(1) - (theirs == truth).mean(1)))
        print(f"fold {tested}: {100 * (theirs == truth).mean():.2f} %", differences[-1])
    assert abs(np.mean(differences)) <= 0.5
    # Rounding can carry a clip over the border between two classes; in small sets it weighs.
    two_clips = 200 / np.isin(clips.fold, clips.tested_folds).sum()
    assert np.abs(np.mean(differences, axis=0)).max() <= max(0.5, two_clips), "each repetition"


@pytest.mark.slow
def test_esc10_scores_as_with_scikit_learn(esc10):
    assert_equal_within_half_a_point(esc10)


@pytest.mark.slow
def test_us8k_scores_as_with_scikit_learn(us8k):
    assert_equal_within_half_a_point(us8k)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_scores_as_scikit_learn(bundled):
    assert_equal_within_half_a_point(bundled, device="cuda")
