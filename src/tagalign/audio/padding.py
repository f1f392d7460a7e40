"""Lengthen short sounds: silence, and the noise of the authors' release."""

import hashlib
from collections.abc import Mapping

import numpy as np


def pad_short(signal: np.ndarray, seconds: float, front_end: Mapping) -> np.ndarray:
    """Pad a short sound with zeros to `seconds`; add the front end's noise to all of it.

    As in the authors' release, a sound longer than `seconds` gets neither zeros nor noise.
    The noise is drawn from the seed and the signal itself, so that a sound gets the same
    noise whatever its neighbours, its shard or its file name.

    Parameters
    ----------
    signal : np.ndarray [shape=(n,), dtype=float32]
    seconds : float >= 0
        0 leaves the signal as it is.
    front_end
        The section `patches`; `sample_rate`, `noise` and `seed` are read.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32], m >= n
    """
    length = round(seconds * front_end["sample_rate"])
    if signal.size > length:
        return signal
    padded = pad_to(signal, length)
    if front_end["noise"] > 0:
        content = hashlib.blake2b(signal.tobytes(), digest_size=8).digest()
        generator = np.random.default_rng([front_end["seed"], int.from_bytes(content, "little")])
        padded += np.float32(front_end["noise"]) * generator.random(length, dtype=np.float32)
    return padded


def pad_to(signal: np.ndarray, length: int) -> np.ndarray:
    """A copy of the signal with zeros behind it, if it is shorter than `length` samples."""
    padded = np.zeros(max(length, signal.size), np.float32)
    padded[: signal.size] = signal
    return padded


def samples_for(columns: int, front_end: Mapping) -> int:
    """The shortest signal, in samples, that gives this number of centred columns."""
    return (columns - 1) * front_end["hop_length"]
