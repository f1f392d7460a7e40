"""Decode encoded sounds of any format that libsndfile or FFmpeg reads to mono signals at one rate.

A sound is decoded whole or there is a reason. It is decoded and resampled in blocks, so that
the memory it takes depends on its file and its duration, both limited, and not on its header.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tagalign.audio.blocks import average, mono_blocks
from tagalign.audio.boxes import ffmpeg_parts
from tagalign.audio.flac import flac_parts
from tagalign.audio.headers import header_parts
from tagalign.audio.mpeg import mpeg_parts
from tagalign.audio.ogg import ogg_parts
from tagalign.audio.parts import Part
from tagalign.audio.resample import RESAMPLERS, resample, resample_blocks
from tagalign.errors import AudioError

MAX_SECONDS = 3600  # the default of patches.max_seconds
MAX_BYTES = 2**30  # of an encoded sound: an hour of 24-bit stereo at 48 kHz
RATES = (1_000, 768_000)  # Hz, lowest and highest rate of a sound
# 12 dB above full scale, which is 1. Decoders of lossy formats overshoot by less; what is louder
# is not what players play: mostly integers that were stored as floats.
LOUDEST = 4.0


@dataclass(frozen=True)
class Sound:
    """A decoded sound.

    Attributes
    ----------
    signal : np.ndarray [shape=(n,), dtype=float32], n >= 1
        Mono, at the rate that was asked for, full scale at +-1.
    seconds : float
        Duration.
    span : float
        Difference of the largest and the smallest sample before resampling.
    """

    signal: np.ndarray
    seconds: float
    span: float


def audio_packages(resampler: str) -> tuple[str, ...]:
    """Packages whose version can change what is made of a sound, for `store.create`."""
    return ("av", "librosa", "scipy", "soundfile", RESAMPLERS[resampler])


def decode(
    source: str | os.PathLike | bytes,
    sample_rate: int,
    resampler: str = "soxr_hq",
    max_seconds: float = MAX_SECONDS,
) -> np.ndarray:
    """Signal of a sound [shape=(n,), dtype=float32], n >= 1: see `read_sound`."""
    return read_sound(source, sample_rate, resampler, max_seconds).signal


def read_sound(
    source: str | os.PathLike | bytes,
    sample_rate: int,
    resampler: str = "soxr_hq",
    max_seconds: float = MAX_SECONDS,
) -> Sound:
    """Decode a sound, average its channels and resample it.

    Parameters
    ----------
    source
        A path, or the bytes of an encoded sound: wav, flac, ogg, mp3, m4a and so on.
    sample_rate : int > 0
        Rate of the result in Hz.
    resampler : {"soxr_hq", "kaiser_fast"}
        Resampler, see `resample`.
    max_seconds : float > 0
        The longest duration that is decoded.

    Raises
    ------
    AudioError
        The sound is missing, of no known format, truncated or damaged, empty, not finite, far
        above full scale, too long, or has a rate that no sound has.
    """
    try:
        blocks = _checked(source if isinstance(source, bytes) else read_file(source), max_seconds)
        low, high, seconds, parts = np.inf, -np.inf, 0.0, []

        def measured(run: Iterator[tuple[int, np.ndarray]], rate: int) -> Iterator[np.ndarray]:
            nonlocal low, high, seconds
            for _, block in run:
                low, high = min(low, block.min()), max(high, block.max())
                seconds += len(block) / rate
                yield block

        # Links of a chain may differ in their rate.
        for rate, run in itertools.groupby(blocks, key=lambda pair: pair[0]):
            parts.append(resample_blocks(measured(run, rate), rate, sample_rate, resampler))
    except AudioError as error:
        raise AudioError(error.reason, None if isinstance(source, bytes) else source) from None
    signal = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return Sound(signal, seconds, float(high - low))


def check(data: bytes) -> None:
    """Decode a sound to its end, however long, and keep nothing.

    Raises
    ------
    AudioError
        As for `read_sound`.
    """
    for _ in _checked(data, np.inf):
        pass


def from_samples(
    samples: np.ndarray, rate: int, sample_rate: int, resampler: str = "soxr_hq"
) -> np.ndarray:
    """As `decode`, for samples in memory: the same bits as the file that holds them.

    Parameters
    ----------
    samples : np.ndarray [shape=(n,) or (n, channels)]
        As soundfile reads them: floats with full scale at +-1, or signed integers.
    rate : int > 0
        Of `samples`, in Hz.
    sample_rate, resampler
        As for `decode`.

    Returns
    -------
    np.ndarray [shape=(m,), dtype=float32], m >= 1

    Raises
    ------
    AudioError
        The samples have another shape or type, are none, not finite or far above full scale.

    Examples
    --------
    >>> import numpy as np
    >>> from_samples(np.array([0, 16384], np.int16), 8000, 8000)
    array([0. , 0.5], dtype=float32)
    """
    if samples.ndim not in (1, 2) or (samples.ndim == 2 and samples.shape[0] < samples.shape[1]):
        raise AudioError(
            f"samples of shape {samples.shape}; give (samples,) or (samples, channels)"
        )
    if np.issubdtype(samples.dtype, np.signedinteger):
        samples = samples / -float(np.iinfo(samples.dtype).min)
    elif not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"samples of type {samples.dtype}; give floats or signed integers")
    if not rate > 0 or rate != int(rate):
        raise AudioError(f"a rate of {rate} Hz; give a whole number above 0")
    if not samples.size:
        raise AudioError("no samples")
    with np.errstate(over="ignore"):  # what overflows float32 is refused below
        samples = samples.astype(np.float32)
    signal = average(samples) if samples.ndim == 2 else samples
    _check_rate(int(rate))
    _check_level(signal)
    return resample(signal, int(rate), sample_rate, resampler)


def read_file(path: str | os.PathLike) -> bytes:
    """The bytes of a sound file.

    Raises
    ------
    AudioError
        It cannot be opened, is no regular file, or is too large.
    """
    try:
        # Opening a pipe would wait for someone to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise AudioError("not a file, but a directory, a pipe or a device")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise AudioError(f"cannot be opened ({error.strerror})") from None
    except ValueError as error:  # a name with a zero byte
        raise AudioError(f"cannot be opened ({error})") from None
    if len(data) > MAX_BYTES:
        raise AudioError(f"larger than {MAX_BYTES // 2**20} MB")
    return data


def reason_of(error: Exception) -> str:
    """Why a sound cannot be used, in one line, for any error that came of it."""
    if isinstance(error, AudioError):
        return error.reason
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _checked(data: bytes, max_seconds: float) -> Iterator[tuple[int, np.ndarray]]:
    """Rate and mono block after block of all parts of a sound."""
    seconds = 0.0
    for part in _parts(data):
        for rate, block in mono_blocks(data, part):
            _check_rate(rate)
            seconds += len(block) / rate
            if seconds > max_seconds:
                raise AudioError(f"longer than {max_seconds:g} s (patches.max_seconds)")
            _check_level(block)
            yield rate, block
    if not seconds:
        raise AudioError("no samples")


def _parts(data: bytes) -> list[Part]:
    if not data:
        raise AudioError("empty file")
    for parts_of in (ogg_parts, header_parts, flac_parts, ffmpeg_parts, mpeg_parts):
        parts = parts_of(data)
        if parts is not None:
            return parts
    raise AudioError("not a readable sound (its content is of no known format)")


def _check_rate(rate: int) -> None:
    lowest, highest = RATES
    if not lowest <= rate <= highest:
        raise AudioError(f"a sample rate of {rate} Hz; sounds have {lowest} to {highest} Hz")


def _check_level(block: np.ndarray) -> None:
    peak = max(block.max(), -block.min())
    if not np.isfinite(peak):
        raise AudioError("samples that are not finite numbers")
    if peak > LOUDEST:
        raise AudioError(
            f"samples far above full scale (up to {peak:.4g}, full scale is 1), as where integers"
            " are stored as floats; scale them"
        )
