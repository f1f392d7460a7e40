"""Decode encoded sounds of any format that libsndfile reads to mono signals at one rate."""

import io
import math
import os
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr

from tagalign.errors import InputError

BLOCK = 2**20  # sample frames decoded at once, so that long multichannel files stay small
COMPLETE = 0.99  # share of the announced samples below which a sound counts as truncated
# Full scale is 1. Float files of integers reach 32,768; what is 120 dB above full scale is no
# sound, and the power spectrum of still larger samples overflows 32-bit floats.
LOUDEST = 1e6
OGG_LAST_PAGE = 0x04  # bit of an Ogg page's header type
OGG_PAGE = 65_307  # bytes, the largest page there can be
RESAMPLERS = {"soxr_hq": "soxr", "kaiser_fast": "resampy"}  # and the package of each
STREAMED = 0x7FFF_0000  # sizes from here on are what encoders write when they cannot know


class AudioError(InputError):
    """A sound that cannot be used.

    Attributes
    ----------
    reason : str
        Why, without the name of the file, for the tables of failures.
    """

    def __init__(self, reason: str, path: str | os.PathLike | None = None):
        super().__init__(reason if path is None else f"{path}: {reason}")
        self.reason = reason


def audio_packages(resampler: str) -> tuple[str, ...]:
    """Packages whose version can change what is made of a sound, for `store.create`."""
    return ("librosa", "scipy", "soundfile", RESAMPLERS[resampler])


def decode(
    source: str | os.PathLike | bytes, sample_rate: int, resampler: str = "soxr_hq"
) -> np.ndarray:
    """Decode a sound, average its channels and resample it.

    Parameters
    ----------
    source
        A path, or the bytes of an encoded sound: wav, flac, ogg, mp3, aiff and so on.
    sample_rate : int > 0
        Rate of the result in Hz.
    resampler : {"soxr_hq", "kaiser_fast"}
        Resampler, see `resample`.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=float32], n >= 1
        The signal, full scale at +-1.

    Raises
    ------
    AudioError
        The sound is missing, of no known format, truncated, empty, not finite or far beyond
        full scale.
    """
    try:
        signal, rate = read_mono(source)
        return resample(signal, rate, sample_rate, resampler)
    except AudioError as error:
        raise AudioError(error.reason, None if isinstance(source, bytes) else source) from None


def read_mono(source: str | os.PathLike | bytes) -> tuple[np.ndarray, int]:
    """Decode a sound at its own rate and average its channels.

    Returns
    -------
    signal : np.ndarray [shape=(n,), dtype=float32], n >= 1
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        As for `decode`.
    """
    data = source if isinstance(source, bytes) else _read_bytes(source)
    if not data:
        raise AudioError("empty file")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            blocks = list(_mono_blocks(file))
            announced, rate, log = file.frames, file.samplerate, file.extra_info
    except soundfile.LibsndfileError as error:
        reason = error.error_string.removeprefix("Error : ").rstrip(".")
        raise AudioError(f"not a readable sound ({reason})") from None
    signal = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    share = _complete_share(data, signal.size, announced, log)
    if share < COMPLETE:
        raise AudioError(f"truncated: {share:.0%} of the announced samples are there")
    if data[:4] == b"OggS" and not _ends_ogg(data):
        raise AudioError("truncated: the last Ogg page is missing")
    _check_samples(signal)
    return signal, rate


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
        The samples have another shape or type, are none, not finite or far beyond full scale.

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
    with np.errstate(over="ignore"):  # what overflows float32 is refused below
        samples = samples.astype(np.float32)
    signal = _average(samples) if samples.ndim == 2 else samples
    _check_samples(signal)
    return resample(signal, int(rate), sample_rate, resampler)


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
    if rate == sample_rate:
        return signal
    length = math.ceil(signal.size * sample_rate / rate)
    if resampler == "soxr_hq":
        resampled = soxr.resample(signal, rate, sample_rate, quality="HQ")
    elif resampler == "kaiser_fast":
        import resampy  # compiles with numba, which takes seconds that soxr need not pay

        if signal.size * sample_rate < rate:
            raise AudioError("shorter than one sample at the analysis rate")
        resampled = resampy.resample(signal, rate, sample_rate, filter="kaiser_fast")
    else:
        raise ValueError(f"unknown resampler {resampler!r}")
    if resampled.size == length:
        return resampled
    # The resamplers round the length in their own ways; librosa's convention is the ceiling.
    exact = np.zeros(length, np.float32)
    exact[: resampled.size] = resampled[:length]
    return exact


def _read_bytes(path: str | os.PathLike) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise AudioError(f"cannot be opened ({error.strerror})") from None


def _mono_blocks(file: soundfile.SoundFile):
    while True:
        block = file.read(BLOCK, dtype="float32", always_2d=True)  # (n, channels)
        if not len(block):
            return
        yield _average(block)


def _average(channels: np.ndarray) -> np.ndarray:
    """Mean of the channels (n, channels) -> (n,), added up in their order."""
    mono = channels[:, 0].copy()
    for channel in range(1, channels.shape[1]):
        mono += channels[:, channel]
    mono /= channels.shape[1]
    return mono


def _check_samples(signal: np.ndarray) -> None:
    if not signal.size:
        raise AudioError("no samples")
    if not np.isfinite(signal).all():
        raise AudioError("samples that are not finite numbers")
    peak = np.abs(signal).max()
    if peak > LOUDEST:
        raise AudioError(f"samples far beyond full scale (up to {peak:.0e}, full scale is 1)")


def _complete_share(data: bytes, decoded: int, announced: int, log: str) -> float:
    """Share of the samples announced in the header that is there, as far as can be known."""
    # libsndfile cuts WAV and AIFF to what is there and says so only in its log.
    sizes = re.search(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    if sizes:
        said, real = map(int, sizes.groups())
        return real / said if 0 < said < STREAMED else 1.0
    # Without its information header the length of an MP3 is an estimate, not a promise.
    is_mp3 = data[:3] == b"ID3" or (data[0] == 0xFF and data[1:2] >= b"\xe0")
    if is_mp3 and not any(name in data[:BLOCK] for name in (b"Xing", b"Info")):
        return 1.0
    return decoded / announced if announced else 1.0


def _ends_ogg(data: bytes) -> bool:
    """Whether the last Ogg page is whole and marked as the last of its stream (RFC 3533)."""
    start = data.rfind(b"OggS", max(0, len(data) - OGG_PAGE))
    if start < 0 or start + 27 > len(data):
        return False
    segments = data[start + 27 : start + 27 + data[start + 26]]
    whole = start + 27 + data[start + 26] + sum(segments) <= len(data)
    return whole and bool(data[start + 5] & OGG_LAST_PAGE)
