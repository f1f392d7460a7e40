"""Every metric against scikit-learn's, and clips without an embedding."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from tagalign.evaluate.metrics import METRICS, macro_f1, metrics_for, predicted_class

N, C = 40, 5


def one_label(random):
    labels = np.eye(C, dtype=bool)[random.integers(0, C, N)]
    return labels, random.dirichlet(np.ones(C), N).astype(np.float32)


def many_labels(random):
    return random.random((N, C)) < 0.4, random.random((N, C)).astype(np.float32)


@pytest.mark.parametrize("seed", range(10))
def test_one_label_per_clip(seed):
    labels, scores = one_label(np.random.default_rng(seed))
    truth, found = labels.argmax(1), scores.argmax(1)
    there = labels.any(0)
    expected = {
        "accuracy": np.mean(truth == found),
        "macro_f1": f1_score(truth, found, average="macro", zero_division=0),
        "mean_average_precision": average_precision_score(
            labels[:, there], scores[:, there], average="macro"
        ),
        "roc_auc": roc_auc_score(labels[:, there], scores[:, there], average="macro"),
    }
    found = {metric.name: metric.compute(labels, scores) for metric in metrics_for(False)}
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_several_labels_per_clip(seed):
    labels, scores = many_labels(np.random.default_rng(seed))
    expected = {
        "macro_f1": f1_score(labels, scores > 0.5, average="macro"),
        "mean_average_precision": average_precision_score(labels, scores, average="macro"),
        "roc_auc": roc_auc_score(labels, scores, average="macro"),
    }
    found = {metric.name: metric.compute(labels, scores) for metric in metrics_for(True)}
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_an_unscored_clip_counts_as_an_error(name):
    labels = np.eye(2, dtype=bool)[np.arange(20) % 2]
    scores = labels.astype(np.float32)
    assert METRICS[name].compute(labels, scores) == 1
    scores[3] = np.nan
    assert METRICS[name].compute(labels, scores) < 1
    assert predicted_class(scores)[3] == -1


def test_macro_f1_counts_an_unscored_clip_as_missed():
    labels = np.eye(2, dtype=bool)[[0, 0, 1, 1]]
    scores = labels.astype(np.float32)
    scores[1] = np.nan
    assert macro_f1(labels, scores) == pytest.approx((2 / 3 + 1) / 2)


def test_the_mean_over_clips_is_the_metric():
    labels, scores = one_label(np.random.default_rng(0))
    for metric in METRICS.values():
        if metric.per_clip is not None:
            mean = metric.per_clip(labels, scores).mean()
            assert mean == pytest.approx(metric.compute(labels, scores))
