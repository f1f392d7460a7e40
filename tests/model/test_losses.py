"""The losses against double loops in float64, and at the ends of their range."""

import math

import pytest
import torch

from tagalign.model.losses import generalised_kl, nt_xent, tag_cross_entropy


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kl_by_loops(logits, target, epsilon):
    """Sum over columns, mean over bands and batch, one value after the other."""
    total = 0.0
    n, _, bands, columns = logits.shape
    for sound in range(n):
        for band in range(bands):
            for column in range(columns):
                x = target[sound, 0, band, column].item()
                y = 1 / (1 + math.exp(-logits[sound, 0, band, column].item()))
                ratio = math.log((x + epsilon) / (y + epsilon)) if x + epsilon else 0.0
                total += x * ratio - x + y
    return total / (n * bands)


@pytest.mark.parametrize("epsilon", [0.0, 1e-5])
def test_generalised_kl_equals_a_double_loop(epsilon):
    logits = numbers(3, 1, 4, 6)
    target = numbers(3, 1, 4, 6, seed=1).sigmoid()
    target[0, 0, 0, :3] = 0
    truth = kl_by_loops(logits, target, epsilon)
    assert generalised_kl(logits, target, epsilon).item() == pytest.approx(truth, rel=1e-5)
    assert generalised_kl(logits, target, epsilon, "mean").item() == pytest.approx(
        truth / 6, rel=1e-5
    )
    assert generalised_kl(logits, target, epsilon, "sum").item() == pytest.approx(
        truth * 4, rel=1e-5
    )


def test_generalised_kl_is_zero_where_equal_and_positive_elsewhere():
    logits = numbers(2, 1, 3, 3)
    assert generalised_kl(logits, logits.sigmoid()).item() == pytest.approx(0, abs=1e-6)
    assert generalised_kl(logits, (logits + 1).sigmoid()).item() > 0.01


@pytest.mark.parametrize("epsilon", [0.0, 1e-5])
def test_generalised_kl_is_finite_for_extreme_logits(epsilon):
    logits = torch.tensor([-1e4, -200.0, 0.0, 200.0, 1e4]).view(1, 1, 1, 5).requires_grad_()
    for target in (0.0, 0.5, 1.0):
        loss = generalised_kl(logits, torch.full_like(logits, target), epsilon)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.isfinite()
        assert gradient.isfinite().all()


def test_a_validation_value_below_zero_counts_as_zero():
    logits, target = numbers(1, 1, 2, 2), torch.tensor([[[[0.2, -0.1], [0.5, -3.0]]]])
    assert generalised_kl(logits, target) == generalised_kl(logits, target.clamp(min=0))


def nt_xent_by_loops(audio, tags, temperature, epsilon):
    vectors = [row.tolist() for row in torch.cat([audio, tags])]
    n = len(audio)

    def cosine(a, b):
        dot = sum(p * q for p, q in zip(a, b, strict=True))
        return dot / math.sqrt(sum(p * p for p in a) * sum(q * q for q in b))

    total = 0.0
    for i, own in enumerate(vectors):
        counterpart = math.exp(cosine(own, vectors[(i + n) % (2 * n)]) / temperature)
        everyone = sum(
            math.exp(cosine(own, other) / temperature) for j, other in enumerate(vectors) if j != i
        )
        total -= math.log(counterpart / everyone + epsilon)
    return total / (2 * n)


@pytest.mark.parametrize("epsilon", [0.0, 1e-5])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_nt_xent_equals_a_double_loop(temperature, epsilon):
    audio, tags = numbers(7, 5), numbers(7, 5, seed=1)
    truth = nt_xent_by_loops(audio, tags, temperature, epsilon)
    assert nt_xent(audio, tags, temperature, epsilon).item() == pytest.approx(truth, rel=1e-5)


def test_nt_xent_does_not_overflow_where_the_plain_form_does():
    audio = numbers(4, 3).float()
    temperature = 1e-3
    assert torch.exp(torch.tensor(1 / temperature)).isinf()
    vectors = torch.stack([audio, -audio]).requires_grad_()
    # The counterpart is the farthest of all: p underflows, -log(p) is about 2 / temperature.
    loss = nt_xent(vectors[0], vectors[1], temperature)
    (gradient,) = torch.autograd.grad(loss, vectors)
    assert 1000 < loss.item() <= 2001
    assert gradient.isfinite().all()
    assert nt_xent(audio, audio, temperature).item() == pytest.approx(0, abs=1e-6)


def test_tag_cross_entropy_equals_a_double_loop():
    logits, truth = numbers(3, 4), (numbers(3, 4, seed=1) > 0).double()
    total = 0.0
    for logit, wanted in zip(logits.flatten().tolist(), truth.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= wanted * math.log(p) + (1 - wanted) * math.log(1 - p)
    loss = tag_cross_entropy(logits, truth.float()).item()
    assert loss == pytest.approx(total / 12, rel=1e-5)
