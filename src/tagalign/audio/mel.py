"""Log-mel spectrograms with one STFT, for every window, power and padding of the presets."""

import functools
from collections.abc import Mapping

import numpy as np
import scipy.fft
import scipy.sparse

from tagalign.environment import ensure_numba_cache

FRAMES_AT_ONCE = 4096  # frames per FFT call: bounds the memory of long sounds


class LogMel:
    """The front end: a signal becomes the logarithm of its mel spectrogram.

    Frames are centred: frame `i` looks at the signal around sample ``i * hop_length``.

    Parameters
    ----------
    settings
        The section `patches` of the configuration; `sample_rate`, `window`, `n_fft`,
        `hop_length`, `n_mels`, `power`, `log_offset` and `edge_padding` are read.
    """

    def __init__(self, settings: Mapping):
        self.n_fft, self.hop_length = settings["n_fft"], settings["hop_length"]
        self.power, self.log_offset = settings["power"], settings["log_offset"]
        self.padding = {"zeros": "constant", "reflect": "reflect"}[settings["edge_padding"]]
        self.window = _window(settings["window"], self.n_fft)
        self.filters = _filters(settings["sample_rate"], self.n_fft, settings["n_mels"])

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        """Log-mel spectrogram of a signal.

        Parameters
        ----------
        signal : np.ndarray [shape=(n,), dtype=float32], n >= 1

        Returns
        -------
        np.ndarray [shape=(n_mels, 1 + n // hop_length), dtype=float32]
            Natural logarithm of the mel spectrogram plus `log_offset`.
        """
        return self.log(self.mel(signal))

    def mel(self, signal: np.ndarray) -> np.ndarray:
        """Mel spectrogram [shape=(n_mels, t), dtype=float32] before the logarithm."""
        padded = np.pad(np.asarray(signal, np.float32), self.n_fft // 2, mode=self.padding)
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop_length]
        parts = [
            self._mel_frames(frames[start : start + FRAMES_AT_ONCE])
            for start in range(0, len(frames), FRAMES_AT_ONCE)
        ]
        return np.concatenate(parts, axis=1)

    def log(self, mel: np.ndarray) -> np.ndarray:
        """Natural logarithm of a mel spectrogram plus the offset."""
        return np.log(mel + np.float32(self.log_offset))

    def _mel_frames(self, frames: np.ndarray) -> np.ndarray:
        spectrum = scipy.fft.rfft(frames * self.window)  # (t, bins), complex64
        magnitude = spectrum.real**2 + spectrum.imag**2
        if self.power == 1:
            np.sqrt(magnitude, out=magnitude)
        return self.filters @ magnitude.T  # (n_mels, t)


def _window(name: str, length: int) -> np.ndarray:
    """Periodic window, as an STFT wants it [shape=(length,), dtype=float32]."""
    offset = {"hamming": 0.54, "hann": 0.5}[name]
    phase = 2 * np.pi * np.arange(length) / length
    return (offset - (1 - offset) * np.cos(phase)).astype(np.float32)


@functools.cache
def _filters(sample_rate: int, n_fft: int, n_mels: int) -> scipy.sparse.csr_array:
    """Slaney's mel filters, area-normalised, from 0 Hz to half the rate [shape=(n_mels, bins)].

    A frequency bin lies in two filters at most. The sparse product is three times as fast as
    the dense one, and it gives the same bytes whatever the number of threads.
    """
    ensure_numba_cache()
    import librosa.filters  # importing librosa takes seconds

    return scipy.sparse.csr_array(librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels))
