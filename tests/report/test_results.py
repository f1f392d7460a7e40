"""What a clip adds to the headline: for metrics that are means over clips, and others."""

import dataclasses

import numpy as np
import pytest

from tagalign.evaluate.metrics import metrics_for
from tagalign.evaluate.stage_files import ScoreFile
from tagalign.report.results import contributions, read_results


def score_file(labels, scores, *, multi_label, recordings=None):
    n = len(labels)
    metrics = metrics_for(multi_label)
    return ScoreFile(
        system="w2v-128-4h",
        pretraining_seed=0,
        task="birds",
        title="Birds",
        multi_label=np.bool_(multi_label),
        unscored_are="wrong",
        missing=0,
        unscored=0,
        fold=np.array([1]),
        metrics=[metric.name for metric in metrics],
        values=np.array([[[metric.compute(labels, one)] for one in scores] for metric in metrics]),
        clip_id=[f"c{i}" for i in range(n)],
        clip_fold=np.ones(n, np.int32),
        recording=recordings or [f"r{i}" for i in range(n)],
        classes=[f"class {k}" for k in range(labels.shape[1])],
        labels=labels,
        class_scores=scores,
        failed=[],
    )


def draw(multi_label, n=120):
    random = np.random.default_rng(0)
    labels = random.random((n, 3)) < 0.4
    if not multi_label:
        labels = np.eye(3, dtype=bool)[random.integers(0, 3, n)]
    scores = (0.4 * labels + 0.6 * random.random((4, n, 3))).astype(np.float32)
    return labels, scores


@pytest.mark.parametrize("multi_label", [False, True])
def test_the_mean_over_clips_is_the_headline(multi_label):
    file = score_file(*draw(multi_label), multi_label=multi_label)
    assert contributions(file).mean() == pytest.approx(file.values[0].mean())


def test_pseudo_values_spread_as_the_bootstrap_of_average_precision():
    labels, scores = draw(True)
    file = score_file(labels, scores[:1], multi_label=True)
    values = contributions(file)
    groups = np.arange(120) % 50
    means = [values[groups == g].mean() for g in range(50)]
    ours = np.std(means, ddof=1) / np.sqrt(50)
    random = np.random.default_rng(1)
    metric = metrics_for(True)[0]
    drawn = [random.integers(0, 120, 120) for _ in range(300)]
    theirs = np.std([metric.compute(labels[rows], scores[0][rows]) for rows in drawn])
    assert ours == pytest.approx(theirs, rel=0.35)


def test_confusion_counts_unscored_clips_in_the_last_column(tmp_path):
    labels, scores = draw(False)
    scores[:, :5] = np.nan
    file = score_file(labels, scores, multi_label=False)
    file.write(tmp_path / "s.h5")
    (result,) = read_results([tmp_path / "s.h5"])
    assert result.confusion.shape == (3, 4)
    assert result.confusion[:, 3].sum() == 4 * 5
    np.testing.assert_array_equal(result.confusion.sum(axis=1), 4 * labels.sum(axis=0))
    assert result.mean == pytest.approx(result.contribution.mean())


def test_several_labels_have_no_confusion_matrix(tmp_path):
    file = score_file(*draw(True), multi_label=True)
    for seed in (0, 1):
        dataclasses.replace(file, pretraining_seed=seed).write(tmp_path / f"{seed}.h5")
    (result,) = read_results([tmp_path / "0.h5", tmp_path / "1.h5"])
    assert result.confusion is None
    assert (result.seeds, result.headline.title) == ([0, 1], "mAP")
