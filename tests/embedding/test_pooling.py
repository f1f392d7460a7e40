"""A clip's embedding: the mean over its patches, weighted by what is sound in them."""

import numpy as np
import pytest

from tagalign.audio.clips import cut_patches
from tagalign.config import load as config
from tagalign.embedding.pooling import PatchEmbeddings, patch_weights


@pytest.fixture(scope="module")
def sections():
    return config.resolve_sections({}, ["patches", "clips"])


def noise(columns, sections):
    """Noise that reaches into so many columns of the spectrogram."""
    samples = columns * sections["patches"]["hop_length"]
    return np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)


@pytest.mark.parametrize("columns", [24, 96, 120, 180])
def test_a_padded_tail_counts_for_the_columns_that_have_sound(columns, sections):
    patches = cut_patches(noise(columns, sections), sections["patches"], sections["clips"])
    weights = patch_weights(patches, sections["patches"], "sound")
    # The window of the column after the last one still sees half of it.
    assert weights.sum() * 96 == pytest.approx(columns + 1)
    assert weights[: columns // 96] == pytest.approx(1)
    assert patch_weights(patches, sections["patches"], "equal").tolist() == [1] * len(patches)


def test_silence_within_a_clip_counts_no_more_than_behind_it(sections):
    signal = np.concatenate([np.zeros(96 * 512, np.float32), noise(48, sections)])
    patches = cut_patches(signal, sections["patches"], sections["clips"])
    weights = patch_weights(patches, sections["patches"], "sound")
    assert weights == pytest.approx([0, 49 / 96], abs=1 / 96)


def test_the_mean_is_weighted_and_silence_alone_has_one_too():
    vectors = np.array([[0, 4], [4, 0]], np.float32)
    mean = PatchEmbeddings(vectors, np.array([0.75, 0.25])).mean()
    assert mean.dtype == np.float32
    assert mean.tolist() == [1, 3]
    assert PatchEmbeddings(vectors, np.zeros(2)).mean().tolist() == [2, 2]
