"""The tag encoders against direct implementations, one sound at a time."""

import json

import numpy as np
import pytest
import torch

from tagalign.model.tags import (
    AttentionTagEncoder,
    MeanTagEncoder,
    MultiHotTagEncoder,
    multi_hot,
)

PADDING = 12
SETS = [[3], [0, 5, 7], [11, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]


def rows(sets, length=10, padding=PADDING):
    return torch.tensor([tags + [padding] * (length - len(tags)) for tags in sets])


def weights(module):
    return {name: value.double().numpy() for name, value in module.state_dict().items()}


def layer_norm(x, gain, offset, eps):
    return (x - x.mean()) / np.sqrt(x.var() + eps) * gain + offset


def attend(vectors, present, weight, heads, settings):
    """Attention over one set in float64: a loop over heads, queries and keys."""
    width = vectors.shape[1]
    total = np.zeros(width)
    for position, vector in enumerate(vectors):
        if not present[position] and settings["padded_queries"] == "masked":
            continue
        mixed = []
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            query = weight["query.weight"][part] @ vector
            scores = np.array(
                [query @ (weight["key.weight"][part] @ other) for other in vectors[present]]
            ) / np.sqrt(width)
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            values = [weight["value.weight"][part] @ other for other in vectors[present]]
            mixed.append(sum(s * v for s, v in zip(shares, values, strict=True)))
        total += weight["output.weight"] @ np.concatenate(mixed)
    eps = settings["layer_norm_eps"]
    return layer_norm(total, weight["layer_norm.weight"], weight["layer_norm.bias"], eps)


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("queries", ["masked", "summed"])
def test_attention_equals_a_direct_implementation(settings, word_vectors, heads, queries):
    settings["padded_queries"] = queries
    torch.manual_seed(0)
    encoder = AttentionTagEncoder(settings, word_vectors, heads).eval()
    padded = np.vstack([word_vectors.double().numpy(), np.zeros(16)])
    results = encoder(rows(SETS)).detach().numpy()
    for tags, result in zip(rows(SETS).numpy(), results, strict=True):
        truth = attend(padded[tags], tags < PADDING, weights(encoder), heads, settings)
        np.testing.assert_allclose(result, truth, atol=2e-5)


def test_every_head_has_the_full_width(settings, word_vectors):
    encoder = AttentionTagEncoder(settings, word_vectors, heads=4)
    assert encoder.query.weight.shape == (4 * 16, 16)
    assert encoder.output.weight.shape == (16, 4 * 16)


@pytest.mark.parametrize("kind", ["attention", "mean", "multi_hot"])
def test_order_and_padding_of_a_set_do_not_matter(settings, word_vectors, kind):
    torch.manual_seed(0)
    encoder = {
        "attention": lambda: AttentionTagEncoder(settings, word_vectors, 4),
        "mean": lambda: MeanTagEncoder(settings, word_vectors),
        "multi_hot": lambda: MultiHotTagEncoder(settings, PADDING, 16),
    }[kind]().eval()
    with torch.no_grad():
        given = encoder(rows([[1, 5, 9]]))
        for other in (rows([[9, 1, 5]]), rows([[5, 9, 1]], length=3)):
            torch.testing.assert_close(encoder(other), given, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(encoder(rows([[1, 5]])), given, atol=1e-2)


def test_padded_queries_change_the_released_encoder(settings, reference, shared):
    """The published weights on the published US8K tags (paper.md: cosine .96 mean, .60 worst)."""
    folder = shared / "reference"
    released = torch.load(
        folder / "ae_w2v_128_selfatt_c_1h" / "tag_encoder_att_epoch_200.pt",
        map_location="cpu",
        weights_only=True,
    )
    state = {
        "query.weight": released["w_qs.weight"],
        "key.weight": released["w_ks.weight"],
        "value.weight": released["w_vs.weight"],
        "output.weight": released["fc.weight"],
        "layer_norm.weight": released["layer_norm.weight"],
        "layer_norm.bias": released["layer_norm.bias"],
    }
    # The released padding index is 0 and its vector zero; ours is the last.
    vectors = released["embeddings.weight"][1:]
    names = json.loads((folder / "id2token_top_1000.json").read_text())
    index = {name: int(number) for number, name in names.items()}
    raw = json.loads((folder / "us8k_tags_preprocessed.json").read_text())
    known = [sorted({index[tag] for tag in tags if tag in index})[:10] for tags in raw.values()]
    sets = rows([tags for tags in known if tags], padding=len(vectors))
    phi = []
    for queries in ("masked", "summed"):
        encoder = AttentionTagEncoder(reference | {"padded_queries": queries}, vectors, 1)
        encoder.load_state_dict(state)
        phi.append(encoder.eval()(sets).detach())
    cosine = torch.cosine_similarity(*phi)
    assert cosine.mean().item() == pytest.approx(0.96, abs=0.01)
    assert cosine.min().item() == pytest.approx(0.60, abs=0.05)


def test_an_untrained_mean_is_the_plain_average(settings, word_vectors):
    encoder = MeanTagEncoder(settings | {"mean_encoder": "average"}, word_vectors).train()
    assert list(encoder.parameters()) == []
    for tags, result in zip(SETS, encoder(rows(SETS)), strict=True):
        torch.testing.assert_close(result, word_vectors[tags].mean(0))


def test_a_trained_mean_is_mapped_and_normalised(reference, word_vectors):
    torch.manual_seed(0)
    encoder = MeanTagEncoder(reference, word_vectors).eval()
    weight = weights(encoder)
    for tags, result in zip(SETS, encoder(rows(SETS)).detach().numpy(), strict=True):
        mean = np.mean(
            [weight["map.weight"] @ word_vectors[tag].double().numpy() for tag in tags], 0
        )
        truth = layer_norm(mean, weight["layer_norm.weight"], weight["layer_norm.bias"], 1e-6)
        np.testing.assert_allclose(result, truth, atol=2e-5)
    assert encoder.dropout.p == 0.1


def test_word_vectors_are_frozen(settings, word_vectors):
    encoder = AttentionTagEncoder(settings, word_vectors, 1)
    assert not any(weight.shape == (13, 16) for weight in encoder.parameters())


def test_multi_hot_marks_the_tags_and_no_padding():
    hot = multi_hot(rows([[0, 5], [11]], length=3), PADDING)
    assert hot.sum(1).tolist() == [2, 1]
    assert hot[0].nonzero().flatten().tolist() == [0, 5]
    assert hot[1].nonzero().flatten().tolist() == [11]
    assert hot.shape == (2, 12)
