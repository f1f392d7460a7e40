"""Sizes and ranges of the convolutional encoder and decoder."""

import pytest
import torch

from tagalign.errors import ConfigError
from tagalign.model.audio import AudioDecoder, AudioEncoder
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS


def test_five_convolutions_leave_1152_values(settings):
    encoder = AudioEncoder(settings, 96, 96, layer_norm=True)
    sizes = []
    for block in encoder.blocks:
        block.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[1:]))
    embedding = encoder(torch.rand(2, 1, 96, 96))
    assert sizes == [(128, 48, 48), (128, 24, 24), (128, 12, 12), (128, 6, 6), (128, 3, 3)]
    assert embedding.shape == (2, 1152)
    assert embedding.mean(1).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert embedding.var(1, correction=0).tolist() == pytest.approx([1, 1], abs=1e-2)


def test_encoder_with_wide_projection_has_2_4_million_weights(settings):
    vectors = torch.zeros(10, 1152)
    network = Network(SYSTEMS["w2v-1152-1h"], settings, 96, 96, 10, vectors)
    count = sum(
        weight.numel()
        for part in (network.audio_encoder, network.projection)
        for weight in part.parameters()
    )
    # First convolution and four others with offsets, five batch norms, layer norm, projection.
    assert count == 2176 + 4 * (128 * 128 * 16 + 128) + 5 * 256 + 2304 + 1152 * 1152
    assert round(count / 1e6, 1) == 2.4


def test_decoder_mirrors_the_encoder(settings):
    decoder = AudioDecoder(settings, 96, 96).eval()
    assert decoder(torch.randn(2, 1152)).shape == (2, 1, 96, 96)


def test_output_of_the_text_never_falls_below_one_half(settings, reference):
    torch.manual_seed(0)
    embedding = torch.randn(4, 1152)
    as_text = AudioDecoder(settings | {"decoder_output": "relu"}, 96, 96)(embedding).sigmoid()
    as_released = AudioDecoder(reference, 96, 96)(embedding).sigmoid()
    assert as_text.min() == 0.5
    assert as_text.max() > 0.6
    assert as_released.min() < 0.4


def test_dropout_before_the_last_deconvolution_is_a_difference_of_the_presets(settings, reference):
    assert AudioDecoder(settings, 96, 96).output.before.p == 0.25
    assert AudioDecoder(reference, 96, 96).output.before.p == 0
    for preset in (settings, reference):
        assert [block.before.p for block in AudioDecoder(preset, 96, 96).blocks] == [0.25] * 4


def test_a_patch_that_cannot_be_halved_five_times_is_refused(settings):
    with pytest.raises(ConfigError, match=r"patches\.n_mels = 80.*multiple of 32"):
        AudioEncoder(settings, 80, 96, layer_norm=True)
