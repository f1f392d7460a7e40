"""Folds, standardisation, metrics and unscored clips of the evaluation."""

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.evaluate import metrics, scores
from tagalign.evaluate.mlp import class_scores


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
    labels = np.eye(3, dtype=bool)[label]
    return scores.Clips(embedding, np.ones(n, bool), labels, fold, tested, fixed_split)


def predictions(result):
    """Predicted class of each repetition and test clip; -1 without an embedding."""
    return metrics.predicted_class(result.class_scores)


def truth(clips, result):
    return clips.labels[result.row].argmax(axis=1)


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
            label = clips.labels.argmax(axis=1)
            network.fit(x.astype(np.float32), label[train])
            predicted = network.predict(y.astype(np.float32))
            ours = predictions(result)[repetition, start : start + test.sum()]
            np.testing.assert_array_equal(ours, predicted)
            accuracy = result.metrics["accuracy"][repetition, j]
            assert accuracy == np.mean(predicted == label[test])
        np.testing.assert_array_equal(result.row[start : start + test.sum()], np.flatnonzero(test))
        start += test.sum()


def test_fixed_split_never_sees_validation():
    clips = make_clips(fixed_split=True)
    whole = scores.score(clips, settings(repetitions=1, hidden=8))
    assert len(whole.row) == 30
    clips.embedding[clips.fold == 1] = 1e6
    changed = scores.score(clips, settings(repetitions=1, hidden=8))
    np.testing.assert_array_equal(whole.class_scores, changed.class_scores)


@pytest.mark.parametrize("engine", ["sklearn", "torch"])
def test_jobs_do_not_change_the_result(engine):
    clips, same = make_clips(spread=3.0), settings(repetitions=3, hidden=8, engine=engine)
    one, two = (scores.score(clips, same, jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.class_scores, two.class_scores)


def test_repetitions_differ_and_repeat():
    clips = make_clips(spread=4.0)
    few, many = (scores.score(clips, settings(repetitions=n, hidden=8)) for n in (2, 4))
    np.testing.assert_array_equal(few.class_scores, many.class_scores[:2])
    assert (many.class_scores[0] != many.class_scores[1]).any()


def test_random_embeddings_are_at_chance():
    clips = make_clips(n=600)
    clips.embedding[:] = np.random.default_rng(1).normal(size=clips.embedding.shape)
    result = scores.score(clips, settings(repetitions=3, hidden=8))
    assert abs(result.metrics["accuracy"].mean() - 1 / 3) < 0.06


@pytest.mark.parametrize("engine", ["sklearn", "torch"])
def test_unscored_clips_count_as_wrong_or_are_left_out(engine):
    clips = make_clips(spread=0.1)
    clips.scored[[3, 10]] = False
    clips.embedding[[3, 10]] = np.nan
    wrong = scores.score(clips, settings(repetitions=2, hidden=8, engine=engine))
    assert wrong.class_scores.shape == (2, 90, 3)
    assert set(wrong.row[predictions(wrong)[0] == metrics.UNSCORED]) == {3, 10}
    drop = scores.score(clips, settings(repetitions=2, hidden=8, engine=engine, unscored="drop"))
    assert drop.class_scores.shape == (2, 88, 3)
    right = (predictions(wrong) == truth(clips, wrong)).sum()
    assert right == (predictions(drop) == truth(clips, drop)).sum() == 2 * 88


def test_fold_without_test_clip():
    clips = make_clips()
    clips.scored[clips.fold == 1] = False
    with pytest.raises(InputError, match="fold 1 has no clip that can be tested"):
        scores.score(clips, settings(repetitions=1))


def test_one_class_to_train_on():
    clips = make_clips()
    clips.scored[(clips.fold != 0) & ~clips.labels[:, 1]] = False
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


def test_class_scores_do_not_depend_on_the_other_seeds():
    clips = make_clips(spread=3.0)
    x, y = clips.embedding[:60], clips.labels[:60]
    together = class_scores(x, y, clips.embedding[60:], [1, 2, 3], 8)
    alone = class_scores(x, y, clips.embedding[60:], [3], 8)
    np.testing.assert_array_equal(together[2:], alone)


@pytest.mark.parametrize("classifier", ["linear", "knn"])
def test_probes_learn_what_is_easy_and_are_run_once(classifier):
    clips = make_clips(spread=0.3)
    result = scores.score(clips, settings(classifier=classifier, repetitions=5))
    assert result.class_scores.shape == (1, 90, 3)
    np.testing.assert_allclose(result.class_scores.sum(axis=2), 1, atol=1e-5)
    assert result.metrics["accuracy"].mean() == 1


def test_neighbours_are_those_of_the_cosine():
    clips = make_clips(spread=0.3)
    result = scores.score(clips, settings(classifier="knn", neighbours=1))
    assert set(np.unique(result.class_scores)) == {0, 1}


@pytest.mark.parametrize("engine", ["sklearn", "torch"])
@pytest.mark.parametrize("classifier", ["mlp", "linear", "knn"])
def test_several_labels_are_scored_by_their_ranking(classifier, engine):
    """Two independent labels, each along an axis of its own; some clips have none, some both."""
    random = np.random.default_rng(0)
    labels = random.random((120, 2)) < 0.4
    embedding = (labels + 0.1 * random.normal(size=(120, 2))).astype(np.float32)
    fold = np.arange(120) % 3
    clips = scores.Clips(embedding, np.ones(120, bool), labels, fold, [0, 1, 2], False, True)
    result = scores.score(
        clips, settings(classifier=classifier, engine=engine, repetitions=2, hidden=64)
    )
    assert list(result.metrics) == ["mean_average_precision", "macro_f1", "roc_auc"]
    assert result.metrics["mean_average_precision"].mean() > 0.97
    assert result.metrics["roc_auc"].mean() > 0.97
