"""Decode one part of a sound file in mono blocks, with libsndfile or FFmpeg."""

import io
from collections.abc import Iterator

import numpy as np
import soundfile

from tagalign.audio.parts import Part
from tagalign.errors import AudioError

VALUES = 2**20  # samples of all channels that are decoded at once
COMPLETE = 0.99  # share of the announced samples below which a sound counts as truncated
CODEC = 0.1  # seconds by which codecs with delay differ from the sum of their frames
# FFmpeg's formats whose duration is written in the file, and not estimated from its size.
TIMED = ("asf", "flac", "mov", "tta", "wv")
PACKETS = (*TIMED, "matroska")  # formats of packets with a size; others end where the file ends


def mono_blocks(data: bytes, part: Part) -> Iterator[tuple[int, np.ndarray]]:
    """Decode a part and average its channels.

    Yields
    ------
    rate : int
        In Hz.
    block : np.ndarray [shape=(n,), dtype=float32], n >= 1

    Raises
    ------
    AudioError
        It cannot be decoded, or gives fewer samples than it announces.
    """
    whole = part.start == 0 and part.stop == len(data)
    source = io.BytesIO(data if whole else memoryview(data)[part.start : part.stop])
    blocks, reason = None, ""
    if part.libsndfile:
        try:
            blocks = _libsndfile(soundfile.SoundFile(source))
        except soundfile.LibsndfileError as error:
            reason = _words(error)
            source.seek(0)
    count, rate = 0, 1
    for rate, channels in blocks or _ffmpeg(source, part.ffmpeg, reason):
        count += len(channels)
        if len(channels):
            yield rate, average(channels)
    _require(count / rate, part.seconds)


def average(channels: np.ndarray) -> np.ndarray:
    """Mean of the channels [shape=(n, channels)] -> [shape=(n,)], added up in their order."""
    mono = channels[:, 0].copy()
    with np.errstate(invalid="ignore", over="ignore"):  # not finite: refused by who asks
        for channel in range(1, channels.shape[1]):
            mono += channels[:, channel]
    mono /= channels.shape[1]
    return mono


def _libsndfile(file: soundfile.SoundFile) -> Iterator[tuple[int, np.ndarray]]:
    with file:
        size, count = max(1, VALUES // file.channels), 0
        while True:
            try:
                block = file.read(size, dtype="float32", always_2d=True)  # (n, channels)
            except soundfile.LibsndfileError as error:
                raise AudioError(f"damaged or truncated ({_words(error)})") from None
            if not len(block):
                break
            count += len(block)
            yield file.samplerate, block
        if count < COMPLETE * file.frames:
            raise AudioError(_share(count, file.frames))


def _ffmpeg(source: io.BytesIO, name: str, reason: str) -> Iterator[tuple[int, np.ndarray]]:
    import av  # takes a moment that libsndfile need not pay

    try:
        # Given the format, FFmpeg opens nothing but these bytes: no playlist, no address.
        with av.open(source, format=name, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise AudioError("no stream of sound")
            stream = container.streams.best("audio") or container.streams.audio[0]
            seconds = None
            if name in TIMED and stream.duration and not container.streams.video:
                seconds = float(stream.duration * stream.time_base)
            count, rate = 0, 1
            for packet in container.demux(stream):
                if packet.is_corrupt and name in PACKETS:
                    raise AudioError("truncated or damaged: a packet is cut")
                for frame in packet.decode():
                    rate = frame.sample_rate
                    count += frame.samples
                    yield rate, _samples(frame)
            _require(count / rate, seconds)
    except av.FFmpegError as error:
        text = reason or f"{error.strerror or error}"
        raise AudioError(f"not a readable sound ({text})") from None


def _samples(frame) -> np.ndarray:
    """Samples of a frame of FFmpeg [shape=(n, channels), dtype=float32], full scale at +-1."""
    values = frame.to_ndarray()  # (channels, n), or (1, n * channels) where they take turns
    planar = frame.format.is_planar
    values = values.T if planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / 128
    if np.issubdtype(values.dtype, np.integer):
        return values.astype(np.float32) / -float(np.iinfo(values.dtype).min)
    return values.astype(np.float32)


def _require(seconds: float, announced: float | None) -> None:
    if announced and seconds < announced - max(CODEC, (1 - COMPLETE) * announced):
        raise AudioError(_share(seconds, announced))


def _share(there: float, announced: float) -> str:
    return f"truncated: {int(100 * there / announced)}% of the announced samples are there"


def _words(error: soundfile.LibsndfileError) -> str:
    return error.error_string.removeprefix("Error : ").rstrip(".")
