"""Folds, standardisation, metrics and unscored clips of the evaluation."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.evaluate import scores
from tagalign.evaluate.mlp import fit_predict


def settings(**values):
    return config.resolve_sections({"evaluate": values}, ["evaluate"])["evaluate"]


def make_clips(n=90, folds=3, seed=0, spread=1.0, fixed_split=False):
    """Three classes whose embeddings lie around three points."""
    random = np.random.default_rng(seed)
    label = np.arange(n) % 3
    centres = random.normal(size=(3, 12))
    embedding = (centres[label] + spread * random.normal(size=(n, 12))).astype(np.float32)
    fold = random.permutation(np.arange(n) % folds)
    tested = [2] if fixed_split else list(range(folds))
    return scores.Clips(embedding, np.ones(n, bool), label, fold, tested, fixed_split)


def test_each_fold_is_what_scikit_learn_gives_by_hand():
    clips = make_clips(spread=2.0)
    result = scores.score(clips, settings(repetitions=2, hidden=16, seed=5))
    start = 0
    for j, fold in enumerate(clips.tested_folds):
        train, test = clips.fold != fold, clips.fold == fold
        scaler = StandardScaler().fit(clips.embedding[train].astype(np.float64))
        x, y = (scaler.transform(clips.embedding[part]) for part in (train, test))
        for repetition in range(2):
            network = MLPClassifier((16,), random_state=5 + repetition)
            network.fit(x.astype(np.float32), clips.label[train])
            predicted = network.predict(y.astype(np.float32))
            ours = result.predictions[repetition, start : start + test.sum()]
            np.testing.assert_array_equal(ours, predicted)
            assert result.accuracy[repetition, j] == np.mean(predicted == clips.label[test])
        np.testing.assert_array_equal(result.row[start : start + test.sum()], np.flatnonzero(test))
        start += test.sum()


def test_fixed_split_never_sees_validation():
    clips = make_clips(fixed_split=True)
    whole = scores.score(clips, settings(repetitions=1, hidden=8))
    assert len(whole.row) == 30
    clips.embedding[clips.fold == 1] = 1e6
    changed = scores.score(clips, settings(repetitions=1, hidden=8))
    np.testing.assert_array_equal(whole.predictions, changed.predictions)


@pytest.mark.parametrize("engine", ["sklearn", "torch"])
def test_jobs_do_not_change_the_result(engine):
    clips, same = make_clips(spread=3.0), settings(repetitions=3, hidden=8, engine=engine)
    one, two = (scores.score(clips, same, jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.predictions, two.predictions)


def test_repetitions_differ_and_repeat():
    clips = make_clips(spread=4.0)
    few, many = (scores.score(clips, settings(repetitions=n, hidden=8)) for n in (2, 4))
    np.testing.assert_array_equal(few.predictions, many.predictions[:2])
    assert (many.predictions[0] != many.predictions[1]).any()


def test_random_embeddings_are_at_chance():
    clips = make_clips(n=600)
    clips.embedding[:] = np.random.default_rng(1).normal(size=clips.embedding.shape)
    result = scores.score(clips, settings(repetitions=3, hidden=8))
    assert abs(result.accuracy.mean() - 1 / 3) < 0.06


@pytest.mark.parametrize("engine", ["sklearn", "torch"])
def test_unscored_clips_count_as_wrong_or_are_left_out(engine):
    clips = make_clips(spread=0.1)
    clips.scored[[3, 10]] = False
    clips.embedding[[3, 10]] = np.nan
    wrong = scores.score(clips, settings(repetitions=2, hidden=8, engine=engine))
    assert wrong.predictions.shape == (2, 90)
    assert set(wrong.row[wrong.predictions[0] == scores.UNSCORED]) == {3, 10}
    drop = scores.score(clips, settings(repetitions=2, hidden=8, engine=engine, unscored="drop"))
    assert drop.predictions.shape == (2, 88)
    right = (wrong.predictions == clips.label[wrong.row]).sum()
    assert right == (drop.predictions == clips.label[drop.row]).sum() == 2 * 88


def test_fold_without_test_clip():
    clips = make_clips()
    clips.scored[clips.fold == 1] = False
    with pytest.raises(InputError, match="fold 1 has no clip that can be tested"):
        scores.score(clips, settings(repetitions=1))


def test_one_class_to_train_on():
    clips = make_clips()
    clips.scored[(clips.fold != 0) & (clips.label != 1)] = False
    with pytest.raises(InputError, match="fold 0 are of fewer than two classes"):
        scores.score(clips, settings(repetitions=1))


def test_standardise_uses_training_statistics_only():
    random = np.random.default_rng(0)
    train = random.normal(3, 5, (50, 4)).astype(np.float32)
    train[:, 2] = 0.1
    test = random.normal(-2, 1, (9, 4)).astype(np.float32)
    x, y = scores.standardise(train, test)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0), [1, 1, 0, 1], atol=1e-6)
    expected = StandardScaler().fit(train.astype(np.float64)).transform(test.astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_macro_f1_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    for _ in range(20):
        truth, found = random.integers(0, 5, 40), random.integers(0, 6, 40)
        expected = f1_score(truth, found, average="macro", zero_division=0)
        assert scores.macro_f1(truth, found) == pytest.approx(expected, abs=1e-12)


def test_macro_f1_counts_an_unscored_clip_as_missed():
    truth, found = np.array([0, 0, 1, 1]), np.array([0, -1, 1, 1])
    assert scores.macro_f1(truth, found) == pytest.approx((2 / 3 + 1) / 2)


def test_fit_predict_does_not_depend_on_the_other_seeds():
    clips = make_clips(spread=3.0)
    x, y = clips.embedding[:60], clips.label[:60]
    together = fit_predict(x, y, clips.embedding[60:], [1, 2, 3], 8)
    alone = fit_predict(x, y, clips.embedding[60:], [3], 8)
    np.testing.assert_array_equal(together[2:], alone)
