"""The 120 MFCC statistics against librosa and a direct computation."""

import librosa
import numpy as np
import pytest

from tagalign.audio.mfcc import mfcc_statistics


def slope(track, order):
    """Savitzky-Golay differences of width 5 by least squares, edges repeated."""
    padded = np.pad(track, ((0, 0), (2, 2)), mode="edge")
    basis = np.vander(np.arange(-2, 3), order + 1, increasing=True)
    weights = np.linalg.pinv(basis)[order] * (1 if order == 1 else 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=1)
    return windows @ weights


@pytest.mark.parametrize("sample_rate", [22050, 22000])
@pytest.mark.parametrize(
    ("spread", "statistic"), [("standard_deviation", np.std), ("variance", np.var)]
)
def test_statistics_equal_a_direct_computation(sound, sample_rate, spread, statistic):
    mfcc = librosa.feature.mfcc(y=sound, sr=sample_rate, n_mfcc=20).astype(np.float64)
    tracks = [mfcc, slope(mfcc, 1), slope(mfcc, 2)]
    expected = [value for track in tracks for value in (track.mean(1), statistic(track, 1))]
    ours = mfcc_statistics(sound, sample_rate, spread)
    assert ours.shape == (120,)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, np.concatenate(expected), rtol=1e-4, atol=2e-3)


def test_the_released_statistics(sound):
    """As the authors' script computes them, through librosa alone."""
    mfcc = librosa.feature.mfcc(y=sound, sr=22000)
    expected = []
    for track in (
        mfcc,
        librosa.feature.delta(mfcc, width=5, mode="nearest"),
        librosa.feature.delta(mfcc, order=2, width=5, mode="nearest"),
    ):
        expected += [np.mean(track, axis=1), np.var(track, axis=1)]
    ours = mfcc_statistics(sound, 22000, "variance")
    np.testing.assert_allclose(ours, np.concatenate(expected), rtol=1e-5, atol=1e-5)


def test_the_released_edges_are_those_of_librosa_0_7(sound):
    """Its STFT reflected the signal at its edges; do that by hand."""
    padded = np.pad(sound, 1024, mode="reflect")
    mel = librosa.feature.melspectrogram(y=padded, sr=22000, center=False)
    mfcc = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=20)
    ours = mfcc_statistics(sound, 22000, "variance", "reflect")
    np.testing.assert_allclose(ours[:20], mfcc.mean(axis=1), rtol=1e-4, atol=1e-3)
    assert not np.allclose(ours[:20], mfcc_statistics(sound, 22000, "variance")[:20], rtol=1e-4)


@pytest.mark.parametrize("samples", [1, 500, 2047])
@pytest.mark.filterwarnings("error")
def test_the_shortest_clips_have_statistics(sound, samples):
    assert np.isfinite(mfcc_statistics(sound[:samples], 22050)).all()
