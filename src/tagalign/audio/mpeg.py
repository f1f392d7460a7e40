"""MPEG audio: the frames of MP3 (and MP2) files and of AAC in ADTS, counted one by one."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from tagalign.audio.parts import TAGS, Part, check_tail, skip_tags
from tagalign.errors import AudioError

SEARCH = 2**16  # bytes behind the tags in which the first frame has to begin
SURE = 4  # frames in a row that are no accident
BITRATES = {  # kbit/s, by version and layer
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
SAMPLES = {(1, 1): 384, (1, 2): 1152, (1, 3): 1152, (2, 1): 384, (2, 2): 1152, (2, 3): 576}
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz
AAC_RATES = (
    *(96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000),
    *(12000, 11025, 8000, 7350),
)


def mpeg_parts(data: bytes) -> list[Part] | None:
    """The streams of an MP3, MP2 or ADTS file, or None if its first bytes are of no such kind.

    An information frame (Xing, Info) begins a stream, as does a change of the sample rate;
    files joined end to end are several streams. One that lacks frames that its information
    frame announces was cut in an editor if it ends with a whole frame; else it is truncated.

    Raises
    ------
    AudioError
        The last frame is cut, or bytes between frames belong to none.
    """
    start = skip_tags(data, 0)
    for length in (_adts_length, _mpeg_length):
        if _begins(data, start, length):
            return _streams(data, start, length)
    if start or data.startswith((b"\xff", b"\0")):
        for begin in range(start, min(start + SEARCH, len(data))):
            if data[begin] == 0xFF and _begins(data, begin, _mpeg_length, SURE):
                return _streams(data, begin, _mpeg_length)
    return None


@dataclass
class _Stream:
    start: int
    stop: int
    kind: int
    announced: int | None  # frames, without that of the information itself
    frames: int = 0

    def complete(self) -> bool:
        return self.announced is not None and self.frames > self.announced

    def part(self, data: bytes) -> Part:
        if self.kind < 0:  # ADTS
            samples = 1024 * self.frames
            rate = AAC_RATES[min((data[self.start + 2] >> 2) & 0xF, len(AAC_RATES) - 1)]
            return Part(self.start, self.stop, "aac", libsndfile=False, seconds=samples / rate)
        version, layer = _version(self.kind >> 8)
        seconds = SAMPLES[version, layer] / RATES[(self.kind >> 11) & 3][(self.kind >> 2) & 3]
        if self.announced == self.frames - 1:
            return Part(self.start, self.stop, "mp3")
        start, frames = self.start, self.frames
        if self.announced is not None:  # what it says is not true of this file any more
            start, frames = start + _mpeg_length(data, start), frames - 1
        return Part(start, self.stop, "mp3", libsndfile=False, seconds=frames * seconds)


def _streams(data: bytes, position: int, length: Callable) -> list[Part]:
    start = position
    streams: list[_Stream] = []
    cut = False
    while not cut:
        size = length(data, position)
        if not size:
            after = skip_tags(data, position)
            if after == position or not length(data, after):
                break
            position = after
            continue
        kind = _kind(data, position)
        announced = _announced(data, position) if kind >= 0 else None
        if not streams or announced is not None or kind != streams[-1].kind:
            streams.append(_Stream(position, position, kind, announced))
        cut = position + size > len(data)
        if not cut:
            position += size
            streams[-1].frames += 1
            streams[-1].stop = position
    last = streams[-1]
    if not last.complete():
        rest = data[position : position + 8]
        if cut or (rest.startswith(b"\xff") and len(rest) < 8):
            raise AudioError("truncated: the last frame is cut")
        if last.announced is not None and rest.strip(b"\0") and not rest.startswith(TAGS):
            raise AudioError("damaged: there are bytes between frames that belong to none")
    marks = re.compile(b"\xff").finditer(data, skip_tags(data, position))
    if any(_begins(data, mark.start(), length, SURE) for mark in marks):
        raise AudioError("damaged: there are bytes between frames that belong to none")
    check_tail(data, start, position)
    return [stream.part(data) for stream in streams if stream.frames]


def _begins(data: bytes, position: int, length: Callable, count: int = 2) -> bool:
    """Whether `count` frames follow each other at `position`, or fewer up to the end."""
    for index in range(count):
        size = length(data, position)
        if not size:
            return index > 0 and (position == len(data) or data.startswith(TAGS, position))
        position += size
        if position > len(data):
            return index > 0
    return True


def _lengths() -> list[int]:
    """Bytes of a frame by the second and third byte of its header; 0 is no frame."""
    lengths = [0] * 65536
    for head in range(0xE000, 0x10000):
        version, layer = _version(head >> 8)
        bitrate, rate = (head >> 4) & 0xF, (head >> 2) & 3
        sort = (head >> 11) & 3
        if sort == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
            continue
        unit = 4 if layer == 1 else 1
        bits = BITRATES[version, layer][bitrate - 1] * 1000
        samples = SAMPLES[version, layer] // 8 // unit
        lengths[head] = (samples * bits // RATES[sort][rate] + ((head >> 1) & 1)) * unit
    return lengths


def _version(second: int) -> tuple[int, int]:
    """MPEG version (2 also for 2.5) and layer by the second byte of a header."""
    return 1 if second & 0x18 == 0x18 else 2, 4 - ((second >> 1) & 3)


LENGTHS = _lengths()


def _mpeg_length(data: bytes, position: int) -> int:
    head = data[position : position + 4]
    return LENGTHS[head[1] << 8 | head[2]] if len(head) == 4 and head[0] == 0xFF else 0


def _adts_length(data: bytes, position: int) -> int:
    head = data[position : position + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


def _kind(data: bytes, position: int) -> int:
    """Version, layer and rate of a frame, -1 for ADTS."""
    second, third = data[position + 1], data[position + 2]
    return (second & 0x1E) << 8 | third & 0x0C if second & 6 else -1


def _announced(data: bytes, position: int) -> int | None:
    """Frames that an information frame announces; None if it is none or does not say."""
    mono, first = data[position + 3] & 0xC0 == 0xC0, data[position + 1] & 0x18 == 0x18
    name = position + ((21 if mono else 36) if first else (13 if mono else 21))
    if data[name : name + 4] not in (b"Xing", b"Info") or len(data) < name + 12:
        return None
    flags, frames = struct.unpack_from(">II", data, name + 4)
    return frames if flags & 1 else None
