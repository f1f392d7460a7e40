"""Reproduced, differs, inconclusive: how often each is said where the truth is known."""

import numpy as np
import pytest

from tagalign.report.contrasts import TITLES, contrasts_of, weights_of
from tagalign.report.results import Result
from tagalign.report.verdict import judge, seed_spread

SYSTEMS = [f"w2v-{width}-{tags}" for width in (128, 1152) for tags in ("1h", "4h", "mean")]
SETTINGS = {"confidence": 0.95, "significance": 0.05}
RUNS = 300


def result(system, scores, task="us8k", restart_deviation=0.003, restarts=10):
    """A result whose seeds have these scores, in [0, 1]."""
    random = np.random.default_rng([len(system), len(task)])
    noise = restart_deviation * random.normal(size=(len(scores), restarts))
    noise -= noise.mean(axis=1, keepdims=True)
    values = (np.asarray(scores)[:, None] + noise)[:, :, None]
    return Result(
        task=task,
        title=task,
        system=system,
        seeds=list(range(len(scores))),
        metrics={"accuracy": values},
        contribution=np.zeros((len(scores), 2)),
        confusion=None,
        clip_id=["a", "b"],
        fold=np.ones(2, int),
        recording=["a", "b"],
        classes=["x", "y"],
        tested=[1],
    )


def words(random, shift, seeds=3, deviation=0.005):
    """Verdicts of six systems that are `shift` off the paper's, whose runs vary as ours."""
    truth = {system: 0.7 + 0.01 * k for k, system in enumerate(SYSTEMS)}
    results = [
        result(name, truth[name] + shift + deviation * random.normal(size=seeds))
        for name in SYSTEMS
    ]
    spread = seed_spread(results)
    return [
        judge(
            each,
            truth[each.system] + deviation * random.normal(),
            spread,
            margin=0.02,
            confidence=0.95,
        ).word
        for each in results
    ]


@pytest.mark.parametrize("deviation", [0.003, 0.005, 0.01])
def test_ten_points_below_the_paper_is_never_reproduced(deviation):
    random = np.random.default_rng(0)
    said = [word for _ in range(RUNS) for word in words(random, -0.10, deviation=deviation)]
    assert said.count("reproduced") == 0
    assert said.count("differs") >= 0.99 * len(said)


def test_the_papers_own_system_is_reproduced_and_rarely_differs():
    random = np.random.default_rng(1)
    said = [word for _ in range(RUNS) for word in words(random, 0.0)]
    assert said.count("differs") <= 0.01 * len(said)
    assert said.count("reproduced") >= 0.6 * len(said)


def test_few_and_unsteady_runs_are_inconclusive_not_a_success():
    random = np.random.default_rng(2)
    said = [word for _ in range(RUNS) for word in words(random, 0.0, seeds=2, deviation=0.03)]
    assert said.count("inconclusive") >= 0.8 * len(said)


def test_one_seed_says_nothing():
    random = np.random.default_rng(3)
    assert set(words(random, -0.3, seeds=1)) == {"inconclusive"}


def test_the_interval_by_hand():
    results = [result("w2v-128-1h", [0.70, 0.72]), result("cnn", [0.50, 0.52])]
    found = judge(results[0], 0.69, seed_spread(results), margin=0.02, confidence=0.95)
    # Variance .0002 in each, two degrees of freedom: t = 4.303, error sqrt(.0002 * 1.5).
    half = 4.3027 * np.sqrt(0.0002 * 1.5)
    assert found.difference == pytest.approx(0.02)
    assert (found.low, found.high) == pytest.approx((0.02 - half, 0.02 + half), abs=1e-5)


def test_mfcc_varies_by_its_restarts():
    mfcc = result("mfcc", [0.65], restart_deviation=0.004)
    assert judge(mfcc, 0.65, seed_spread([mfcc]), margin=0.02, confidence=0.95).word == (
        "reproduced"
    )
    assert judge(mfcc, 0.50, seed_spread([mfcc]), margin=0.02, confidence=0.95).word == "differs"
    alone = result("mfcc", [0.65], restarts=1)
    assert judge(alone, 0.50, seed_spread([alone]), margin=0.02, confidence=0.95).word == (
        "inconclusive"
    )


def test_the_contrasts_are_pooled_over_the_other_factor():
    half = 1 / 2
    assert weights_of("heads", SYSTEMS) == {
        "w2v-128-4h": half,
        "w2v-128-1h": -half,
        "w2v-1152-4h": half,
        "w2v-1152-1h": -half,
    }
    attention = weights_of("attention", SYSTEMS)
    assert attention["w2v-128-mean"] == attention["w2v-1152-mean"] == -half
    assert attention["w2v-128-1h"] == half / 2
    for name in TITLES:
        assert sum(weights_of(name, SYSTEMS).values()) == pytest.approx(0)
    assert weights_of("heads", ["w2v-128-4h", "w2v-1152-1h"]) == {}
    assert set(weights_of("width", ["w2v-128-4h", "w2v-1152-4h", "cnn"])) == {
        "w2v-128-4h",
        "w2v-1152-4h",
    }


def simulate(effect):
    """How often each contrast is significant where attention is `effect` better than the mean."""
    random = np.random.default_rng(4)
    found = dict.fromkeys(TITLES.values(), 0)
    for _ in range(RUNS):
        results = [
            result(name, 0.6 + effect * (not name.endswith("mean")) + 0.005 * random.normal(size=3))
            for name in SYSTEMS
        ]
        for row in contrasts_of(results, SETTINGS).to_dict("records"):
            found[row["contrast"]] += row["significant"] == "yes"
    return {name: count / RUNS for name, count in found.items()}


def test_a_large_difference_is_found():
    found = simulate(0.10)
    assert found["attention against mean"] >= 0.95


def test_no_difference_is_rarely_flagged():
    # 5 % of any of the three; 300 runs give or take 1.3 %.
    found = simulate(0.0)
    assert sum(found.values()) <= 0.05 + 2 * 0.013


def test_contrasts_of_one_seed_have_no_p():
    results = [result(name, [0.6]) for name in SYSTEMS]
    table = contrasts_of(results, SETTINGS)
    assert table["p"].isna().all()
    assert set(table["significant"]) == {"unknown"}
