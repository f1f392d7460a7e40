"""Resample a signal in blocks, so that a long one needs no memory at its own rate."""

import math
from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from tagalign.environment import ensure_numba_cache
from tagalign.errors import AudioError

RESAMPLERS = {"soxr_hq": "soxr", "kaiser_fast": "resampy"}  # and the package of each
BLOCK = 2**22  # samples that resampy is given at once
REACH = 64  # samples at the lower of both rates, several times the half width of its filter


def resample(
    signal: np.ndarray, rate: int, sample_rate: int, resampler: str = "soxr_hq"
) -> np.ndarray:
    """Resample a mono signal from `rate` to `sample_rate`, both in Hz.

    Parameters
    ----------
    resampler : {"soxr_hq", "kaiser_fast"}
        ``soxr_hq`` is the fast and clean default; ``kaiser_fast`` is resampy's filter of
        that name, which the authors' release used through librosa.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32], m >= 1
    """
    return resample_blocks([signal], rate, sample_rate, resampler)


def resample_blocks(
    blocks: Iterable[np.ndarray], rate: int, sample_rate: int, resampler: str
) -> np.ndarray:
    """As `resample`, for a signal that comes in blocks [shape=(n,), dtype=float32]."""
    size = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal size
        for block in blocks:
            size += len(block)
            yield block

    if rate == sample_rate:
        parts = list(counted())
    elif resampler == "soxr_hq":
        parts = list(_soxr(counted(), rate, sample_rate))
    elif resampler == "kaiser_fast":
        parts = list(_kaiser(counted(), rate, sample_rate))
    else:
        raise ValueError(f"unknown resampler {resampler!r}")
    length = math.ceil(size * sample_rate / rate)
    if len(parts) == 1 and parts[0].size == length:
        return parts[0]
    # The resamplers round the length in their own ways; librosa's convention is the ceiling.
    exact = np.zeros(length, np.float32)
    start = 0
    for part in parts:
        part = part[: length - start]
        exact[start : start + part.size] = part
        start += part.size
    return exact


def _soxr(blocks: Iterable[np.ndarray], rate: int, sample_rate: int) -> Iterator[np.ndarray]:
    stream = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _kaiser(blocks: Iterable[np.ndarray], rate: int, sample_rate: int) -> Iterator[np.ndarray]:
    r"""Resample overlapping stretches and keep the middle of each.

        [ before |      kept      | after ]
                          [ before |      kept      | after ]

    They begin where a sample of the result falls on one of the signal, so the filter meets
    the same phases as in one go.
    """
    ensure_numba_cache()
    import resampy  # compiles with numba, which takes seconds that soxr need not pay

    common = math.gcd(rate, sample_rate)
    step, result = rate // common, sample_rate // common  # samples in and out that fall together
    margin = -(-REACH * max(rate, sample_rate) // sample_rate // step) + 1  # in steps
    kept = max(1, BLOCK // step)

    def work(signal: np.ndarray) -> np.ndarray:
        return resampy.resample(signal, rate, sample_rate, filter="kaiser_fast")

    waiting, before = np.zeros(0, np.float32), 0  # what is not used up; steps in front of it
    for block in blocks:
        waiting = np.concatenate([waiting, block])
        while len(waiting) > (before + kept + margin) * step:
            stretch = work(waiting[: (before + kept + margin) * step])
            yield stretch[before * result : (before + kept) * result].copy()
            forward = before + kept - margin
            if forward > 0:
                waiting, before = waiting[forward * step :], margin
            else:
                before += kept
    if not before and waiting.size * sample_rate < rate:
        raise AudioError("shorter than one sample at the analysis rate")
    yield work(waiting)[before * result :]
