"""Non-overlapping frames of a clip, as the text and as the released code cut them."""

import librosa
import numpy as np
import pytest

from tagalign.audio.clips import cut_patches
from tagalign.audio.mel import LogMel

SILENCE = np.log(np.finfo(np.float32).eps)


@pytest.fixture
def frames(sections) -> dict:
    return dict(sections["clips"])


def test_frames_are_the_spectrogram_cut_in_pieces(sound, paper, frames):
    cut = cut_patches(sound, paper, frames)
    whole = LogMel(paper)(sound)  # (96, 216)
    assert whole.shape[1] == 216
    assert cut.shape == (3, 96, 96)
    assert cut.dtype == np.float32
    joined = np.concatenate(list(cut), axis=1)
    np.testing.assert_allclose(joined[:, :216], whole, atol=1e-5)
    np.testing.assert_allclose(joined[:, 218:], SILENCE, rtol=1e-5)


def test_the_tail_is_dropped_where_the_config_says_so(sound, paper, frames):
    padded = cut_patches(sound, paper, frames)
    dropped = cut_patches(sound, paper, frames | {"tail": "drop"})
    np.testing.assert_array_equal(dropped, padded[:2])


@pytest.mark.parametrize("tail", ["pad", "drop"])
@pytest.mark.parametrize("samples", [1, 300, 95 * 512, 96 * 512 - 1])
def test_a_short_clip_has_one_frame(sound, paper, frames, tail, samples):
    assert cut_patches(sound[:samples], paper, frames | {"tail": tail}).shape == (1, 96, 96)


def test_one_frame_more_opens_a_second_piece(sound, paper, frames):
    assert len(cut_patches(sound[: 96 * 512], paper, frames)) == 2


def test_the_reference_gives_four_frames_of_every_clip_up_to_ten_seconds(sound, reference, frames):
    quiet = reference | {"noise": 0}
    released = frames | {"pad_to_seconds": 10, "tail": "drop"}
    clip = sound[: 4 * 22000]
    cut = cut_patches(clip, quiet, released)
    padded = np.concatenate([clip, np.zeros(10 * 22000 - len(clip), np.float32)])
    expected = librosa.feature.melspectrogram(
        y=padded, sr=22000, n_fft=1024, hop_length=512, n_mels=96, power=1.0, pad_mode="reflect"
    )
    expected = np.log(expected + np.finfo(np.float32).eps)
    expected = librosa.util.frame(expected, frame_length=96, hop_length=96)  # (mel, time, k)
    assert cut.shape == (4, 96, 96)
    np.testing.assert_allclose(cut, expected.transpose(2, 0, 1), atol=2e-3)


def test_the_reference_adds_the_same_noise_each_time(sound, reference, frames):
    released = frames | {"pad_to_seconds": 10, "tail": "drop"}
    first = cut_patches(sound, reference, released)
    np.testing.assert_array_equal(first, cut_patches(sound, reference, released))
    assert first.min() > SILENCE + 2  # no frame is without noise
    other = cut_patches(sound, reference | {"seed": 1}, released)
    assert not np.array_equal(first, other)
