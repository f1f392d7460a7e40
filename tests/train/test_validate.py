"""Retrieval of tags from audio, against counting by hand."""

import numpy as np
import pytest
import torch

from tagalign.config import load as config
from tagalign.model.network import Network
from tagalign.model.objective import Objective
from tagalign.model.systems import SYSTEMS
from tagalign.train.data import Pairs
from tagalign.train.validate import distinct_sets, group_weights, retrieval, validate


def test_sounds_with_the_same_tags_in_another_order_share_a_set():
    tags = torch.tensor([[1, 2, 9], [2, 1, 9], [3, 9, 9], [1, 2, 3], [3, 9, 9]])
    sets = distinct_sets(tags)
    assert sets[0] == sets[1]
    assert sets[2] == sets[4]
    assert len(sets.unique()) == 3


def test_recall_equals_counting_by_hand():
    generator = torch.Generator().manual_seed(0)
    audio, tags = (torch.randn(200, 6, generator=generator) for _ in range(2))
    sets = torch.randint(0, 50, (200,), generator=generator).unique(return_inverse=True)[1]
    first = {int(s): tags[i] for i, s in reversed(list(enumerate(sets)))}
    hits, reciprocal = {1: 0, 10: 0}, 0
    for row, own in zip(audio, sets.tolist(), strict=True):
        cosine = {
            s: float(torch.cosine_similarity(row, vector, dim=0)) for s, vector in first.items()
        }
        rank = 1 + sum(value > cosine[own] for value in cosine.values())
        for k in hits:
            hits[k] += rank <= k
        reciprocal += 1 / rank
    found = retrieval(audio, tags, sets)
    expected = {f"recall_at_{k}": n / 200 for k, n in hits.items()}
    assert found == pytest.approx(expected | {"mean_reciprocal_rank": reciprocal / 200})


def test_each_group_counts_once():
    """Ten clips of a recording that is found count no more than the one of another that is not."""
    audio, tags, sets = (
        torch.eye(4)[[0] * 10 + [1, 2]],
        torch.eye(4),
        torch.tensor([0] * 10 + [1, 2]),
    )
    tags = tags[[0] * 10 + [2, 1]]
    groups = ["a"] * 10 + ["b", "c"]
    assert retrieval(audio, tags, sets)["recall_at_1"] == pytest.approx(10 / 12)
    order = torch.tensor([11, *range(11)])
    weights = group_weights(groups, order)
    found = retrieval(audio[order], tags[order], sets[order], weights)
    assert found["recall_at_1"] == pytest.approx(1 / 3)


def test_recall_of_perfect_and_of_collapsed_embeddings():
    vectors = torch.eye(30)
    sets = torch.arange(30)
    assert retrieval(vectors, vectors, sets) == pytest.approx(
        {"recall_at_1": 1, "recall_at_10": 1, "mean_reciprocal_rank": 1}
    )
    alike = torch.ones(30, 4)
    found = retrieval(alike, alike, sets)
    assert (found["recall_at_1"], found["recall_at_10"]) == (0, 0)
    assert found["mean_reciprocal_rank"] == pytest.approx(1 / 30)


@pytest.fixture
def objective():
    sections = config.resolve_sections({"model": {"channels": 4}}, ["model", "train"])
    torch.manual_seed(0)
    system = SYSTEMS["w2v-128-mean"]
    network = Network(system, sections["model"], 32, 32, 9, torch.randn(9, 128))
    return Objective(network, system, sections["train"], 10)


def make_pairs(count):
    rng = np.random.default_rng(1)
    patches = torch.from_numpy(rng.random((count, 32, 32), np.float32)).half()
    return Pairs(
        [str(number) for number in range(count)],
        patches,
        torch.from_numpy(rng.integers(0, 9, (count, 3))).short(),
    )


def test_validation_is_the_mean_over_whole_batches_and_changes_nothing(objective):
    pairs = make_pairs(11)
    off = torch.autocast("cpu", enabled=False)
    before = {name: value.clone() for name, value in objective.state_dict().items()}
    record = validate(objective, pairs, 4, off)
    order = np.random.default_rng(0).permutation(11)
    objective.eval()
    with torch.no_grad():
        losses = [objective(*pairs.batch(torch.from_numpy(order[i : i + 4]))) for i in (0, 4)]
    mean = torch.stack(losses).mean(0)
    assert record["validation_reconstruction"] == pytest.approx(mean[0].item())
    assert record["validation_contrastive"] == pytest.approx(mean[1].item())
    assert record["validation_loss"] == pytest.approx(5 * mean[0].item() + 10 * mean[1].item())
    for name, value in objective.state_dict().items():
        assert torch.equal(value, before[name])


def test_few_sounds_make_one_batch_and_a_single_one_none(objective):
    off = torch.autocast("cpu", enabled=False)
    assert "validation_loss" in validate(objective, make_pairs(3), 128, off)
    assert validate(objective, make_pairs(1), 128, off) == {}
