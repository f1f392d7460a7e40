"""Intervals and tests: known answers, coverage under the null, clusters."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from tagalign.errors import InputError
from tagalign.report import statistics
from tagalign.report.results import Result


def make_result(right, fold=None, recording=None, system="a", task="us8k"):
    """A result from ``right`` (seeds, repetitions, clips), 1 where a clip was right."""
    right = np.asarray(right)
    n = right.shape[2]
    fold = np.ones(n, int) if fold is None else np.asarray(fold)
    accuracy = np.stack([right[:, :, fold == f].mean(axis=2) for f in np.unique(fold)], axis=2)
    return Result(
        task=task,
        title=task,
        system=system,
        seeds=list(range(len(right))),
        metrics={"accuracy": accuracy},
        contribution=right.mean(axis=1),
        confusion=None,
        clip_id=[f"c{i}" for i in range(n)],
        fold=fold,
        recording=[f"r{i}" for i in range(n)] if recording is None else list(recording),
        classes=["x", "y"],
        tested=np.unique(fold).tolist(),
    )


def draw(random, seeds=1, repetitions=1, n=200, p=0.7):
    return (random.random((seeds, repetitions, n)) < p).astype(int)


def interval(result, **changes):
    return statistics.interval(result, **({"confidence": 0.95, "draws": 2000, "seed": 0} | changes))


def test_interval_of_independent_clips_is_binomial():
    right = np.zeros((1, 1, 400), int)
    right[..., :300] = 1
    low, high = interval(make_result(right), draws=20_000)
    half = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert low == pytest.approx(0.75 - half, abs=0.003)
    assert high == pytest.approx(0.75 + half, abs=0.003)


def test_clips_of_one_recording_widen_the_interval():
    right = np.repeat(draw(np.random.default_rng(0), n=50), 8, axis=2)
    alone, together = make_result(right), make_result(right, recording=np.arange(400) // 8)
    widths = [high - low for low, high in (interval(alone), interval(together))]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(8), rel=0.15)


def test_spread_of_seeds_widens_the_interval():
    random = np.random.default_rng(0)
    steady = np.repeat(draw(random, n=1000), 3, axis=0)
    shaky = np.concatenate([draw(random, n=1000, p=p) for p in (0.5, 0.7, 0.9)])
    (low, high), (lower, higher) = interval(make_result(steady)), interval(make_result(shaky))
    assert higher - lower > 2 * (high - low)


@pytest.mark.parametrize("seeds", [2, 3])
def test_interval_covers_the_truth_with_few_seeds(seeds):
    """Each pretraining has an accuracy of its own around 70 %, and all are tested on the same."""
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        right = [draw(random, n=1000, p=p)[0] for p in random.normal(0.7, 0.03, seeds)]
        low, high = interval(make_result(right), draws=400)
        covered += low <= 0.7 <= high
    assert covered >= 278, "at least 285 of 300, give or take 7"


def test_interval_covers_the_truth():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        low, high = interval(make_result(draw(random, n=150)), draws=400)
        covered += low <= 0.7 <= high
    assert 180 <= covered <= 199, "about 190 of 200 for a level of 95 %"


def test_same_seed_same_interval():
    result = make_result(draw(np.random.default_rng(0)))
    assert interval(result) == interval(result)
    assert interval(result) != interval(result, seed=1)


def test_fold_mean_not_pooled_mean():
    fold = np.array([1] * 10 + [2] * 90)
    right = (fold == 1).astype(int)[None, None]
    result = make_result(right, fold)
    assert result.mean == 0.5
    low, high = interval(result)
    assert low == pytest.approx(0.5)
    assert high == pytest.approx(0.5)


def test_paired_test_on_one_fold_is_the_paired_t_test():
    random = np.random.default_rng(3)
    a, b = draw(random, n=80, p=0.75), draw(random, n=80, p=0.6)
    ours = statistics.compare(make_result(a), make_result(b, system="b"))
    theirs = stats.ttest_rel(a[0, 0], b[0, 0])
    assert ours.difference == pytest.approx(a.mean() - b.mean())
    assert ours.p == pytest.approx(theirs.pvalue, rel=0.02)


def test_pairing_sees_what_two_intervals_hide():
    random = np.random.default_rng(0)
    easy = draw(random, n=500, p=0.6)
    better = easy.copy()
    better[0, 0, np.flatnonzero(easy[0, 0] == 0)[:12]] = 1
    a, b = make_result(better), make_result(easy, system="b")
    assert interval(a)[0] < interval(b)[1], "the intervals overlap"
    assert statistics.compare(a, b).p < 0.001


def test_equal_systems_are_equal():
    right = draw(np.random.default_rng(0))
    same = statistics.compare(make_result(right), make_result(right, system="b"))
    assert (same.difference, same.p) == (0, 1)


def test_systems_without_a_common_clip_cannot_be_compared():
    a = make_result(draw(np.random.default_rng(0)))
    b = dataclasses.replace(a, system="b", clip_id=[f"other{i}" for i in range(200)])
    with pytest.raises(InputError, match="a and b were tested on us8k with different clips"):
        statistics.compare(a, b)


def test_order_of_the_clips_does_not_matter():
    random = np.random.default_rng(0)
    a, b = make_result(draw(random)), make_result(draw(random, p=0.6), system="b")
    turned = random.permutation(200)
    c = dataclasses.replace(
        b,
        contribution=b.contribution[:, turned],
        clip_id=[b.clip_id[i] for i in turned],
        recording=[b.recording[i] for i in turned],
    )
    assert statistics.compare(a, b).p == pytest.approx(statistics.compare(a, c).p)


@pytest.mark.parametrize(("seeds", "clustered"), [(1, False), (1, True), (3, False)])
def test_false_alarms_are_as_rare_as_promised(seeds, clustered):
    """Systems of equal skill, whose runs and recordings vary, differ at 5 % in about 5 %."""
    random = np.random.default_rng(1)
    alarms, trials = 0, 400
    recording = np.arange(240) // 6 if clustered else np.arange(240)
    for _ in range(trials):
        results = []
        for system in ("a", "b"):
            skill = 0.7 + (0.05 * random.normal(size=(seeds, 1, 1)) if seeds > 1 else 0)
            luck = 0.2 * random.normal(size=recording.max() + 1)[recording] if clustered else 0
            right = (random.random((seeds, 1, 240)) < skill + luck).astype(int)
            results.append(make_result(right, recording=recording, system=system))
        alarms += statistics.compare(*results).p < 0.05
    assert 0.015 * trials <= alarms <= 0.085 * trials


def test_holm_by_hand():
    np.testing.assert_allclose(
        statistics.holm(np.array([0.04, 0.001, 0.03, 0.5])), [0.09, 0.004, 0.09, 0.5]
    )
    assert len(statistics.holm(np.array([]))) == 0


def test_only_systems_of_one_task_are_compared():
    random = np.random.default_rng(0)
    results = [
        make_result(draw(random), system=system, task=task)
        for task in ("us8k", "gtzan")
        for system in ("a", "b", "c")
    ]
    pairs = statistics.compare_all(results)
    assert len(pairs) == 6
    assert all(pair.p_holm >= pair.p for pair in pairs)


def test_one_pretraining_is_no_test_of_a_system():
    """Only MFCC has no noise of pretraining; pairs without a verdict do not count in Holm's."""
    random = np.random.default_rng(0)
    results = [
        make_result(draw(random, seeds=seeds, repetitions=3, p=p), system=system)
        for system, seeds, p in (("mfcc", 1, 0.5), ("cnn", 2, 0.7), ("coala", 1, 0.9))
    ]
    pairs = {(pair.system_a, pair.system_b): pair for pair in statistics.compare_all(results)}
    assert not pairs["mfcc", "cnn"].unknown
    assert pairs["mfcc", "cnn"].p_holm == pairs["mfcc", "cnn"].p
    for other in ("mfcc", "cnn"):
        assert pairs[other, "coala"].unknown
        assert pairs[other, "coala"].p_holm == 1
