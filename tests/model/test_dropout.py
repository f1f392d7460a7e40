"""The fast dropout is dropout."""

import pytest
import torch

from tagalign.model.dropout import MapDropout


@pytest.fixture(params=[torch.contiguous_format, torch.channels_last])
def maps(request) -> torch.Tensor:
    values = torch.rand(16, 32, 24, 24, generator=torch.Generator().manual_seed(0)) + 1
    return values.to(memory_format=request.param)


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.99])
def test_values_are_dropped_with_the_probability_and_the_rest_scaled(maps, p):
    torch.manual_seed(0)
    result = MapDropout(p)(maps)
    kept = result != 0
    # Four standard deviations of a binomial share.
    assert (~kept).float().mean().item() == pytest.approx(
        p, abs=4 * (p * (1 - p) / maps.numel()) ** 0.5
    )
    torch.testing.assert_close(result[kept], maps[kept] / (1 - p))
    for axis in range(4):  # no row, column, channel or sound is treated apart
        others = [other for other in range(4) if other != axis]
        shares = (~kept).float().mean(others)
        count = maps.numel() / maps.shape[axis]
        assert (shares - p).abs().max() < 5 * (p * (1 - p) / count) ** 0.5


def test_gradient_passes_where_the_value_did(maps):
    maps.requires_grad_()
    result = MapDropout(0.25)(maps)
    result.sum().backward()
    torch.testing.assert_close(maps.grad, (result != 0) / 0.75)


def test_it_repeats_with_the_seed_and_rests_in_evaluation(maps):
    dropout = MapDropout(0.25)
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(dropout(maps))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert dropout.eval()(maps) is maps
    assert MapDropout(0)(maps) is maps
