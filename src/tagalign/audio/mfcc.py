"""The MFCC baseline: 120 statistics of a clip."""

import numpy as np

from tagalign.environment import ensure_numba_cache

COEFFICIENTS = 20
DELTA_WIDTH = 5  # columns, as in the authors' release
N_FFT = 2048  # samples, librosa's default for MFCC
PADDING = {"zeros": "constant", "reflect": "reflect"}  # the names that librosa gives them


def mfcc_statistics(
    signal: np.ndarray,
    sample_rate: int,
    spread: str = "standard_deviation",
    edge_padding: str = "zeros",
) -> np.ndarray:
    """Mean and spread over time of 20 MFCC and their first and second differences.

    Parameters
    ----------
    signal : np.ndarray [shape=(n,), dtype=float32], n >= 1
        Mono.
    sample_rate : int > 0
        In Hz.
    spread : {"standard_deviation", "variance"}
        The paper says standard deviation, the authors' release takes the variance.
    edge_padding : {"zeros", "reflect"}
        What lies outside the signal; librosa 0.7, which the authors used, reflected it.

    Returns
    -------
    np.ndarray [shape=(120,), dtype=float32]
        Mean and spread of the coefficients, then of their first, then second differences.
    """
    ensure_numba_cache()
    import librosa  # takes seconds

    if signal.size < N_FFT:
        signal = np.pad(signal, (0, N_FFT - signal.size))
    mfcc = librosa.feature.mfcc(
        y=signal, sr=sample_rate, n_mfcc=COEFFICIENTS, n_fft=N_FFT, pad_mode=PADDING[edge_padding]
    )
    tracks = [mfcc]  # each (20, time)
    for order in (1, 2):
        # "nearest" also works where there are fewer columns than the width of the difference.
        tracks.append(librosa.feature.delta(mfcc, width=DELTA_WIDTH, order=order, mode="nearest"))
    deviation = {"standard_deviation": np.std, "variance": np.var}[spread]
    parts = [statistic(track, axis=1) for track in tracks for statistic in (np.mean, deviation)]
    return np.concatenate(parts).astype(np.float32)
