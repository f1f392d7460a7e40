"""The log-mel spectrogram against librosa."""

import librosa
import numpy as np
import pytest

from tagalign.audio import mel
from tagalign.audio.mel import LogMel


def librosa_mel(signal, settings):
    padding = {"zeros": "constant", "reflect": "reflect"}[settings["edge_padding"]]
    return librosa.feature.melspectrogram(
        y=signal.astype(np.float64),
        sr=settings["sample_rate"],
        n_fft=settings["n_fft"],
        hop_length=settings["hop_length"],
        n_mels=settings["n_mels"],
        power=settings["power"],
        window=settings["window"],
        pad_mode=padding,
        dtype=np.float64,
    )


@pytest.mark.parametrize("window", ["hamming", "hann"])
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("edge_padding", ["zeros", "reflect"])
@pytest.mark.parametrize("sample_rate", [22050, 22000])
def test_log_mel_equals_librosa(sound, hit, paper, window, power, edge_padding, sample_rate):
    settings = paper | {
        "window": window,
        "power": power,
        "edge_padding": edge_padding,
        "sample_rate": sample_rate,
    }
    for signal in (sound, hit):
        expected = librosa_mel(signal, settings)
        ours = LogMel(settings).mel(signal)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6 * expected.max())
        expected_log = np.log(expected + np.finfo(np.float32).eps)
        np.testing.assert_allclose(LogMel(settings)(signal), expected_log, atol=2e-3)


def test_other_sizes_equal_librosa(sound, paper):
    settings = paper | {"n_fft": 512, "hop_length": 200, "n_mels": 40}
    expected = librosa_mel(sound, settings)
    np.testing.assert_allclose(LogMel(settings).mel(sound), expected, rtol=1e-4, atol=1e-6)


def test_a_long_sound_is_the_same_in_parts(sound, paper, monkeypatch):
    whole = LogMel(paper)(sound)
    monkeypatch.setattr(mel, "FRAMES_AT_ONCE", 50)
    np.testing.assert_array_equal(LogMel(paper)(sound), whole)


def test_silence_is_the_logarithm_of_the_offset(paper):
    log_mel = LogMel(paper)(np.zeros(5000, np.float32))
    assert log_mel.shape == (96, 1 + 5000 // 512)
    np.testing.assert_allclose(log_mel, np.log(np.finfo(np.float32).eps), rtol=1e-6)


def test_a_single_sample_has_a_spectrogram(paper, reference):
    for settings in (paper, reference):
        log_mel = LogMel(settings)(np.ones(1, np.float32))
        assert log_mel.shape == (96, 1)
        assert np.isfinite(log_mel).all()
