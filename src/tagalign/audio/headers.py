"""Containers whose header announces how many bytes of samples follow: WAV, AIFF, AU and so on."""

import math
import re
import struct
from collections.abc import Callable, Iterator

from tagalign.audio.parts import Part, check_tail, require, skip_tags
from tagalign.errors import AudioError

FORMS = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM")
CAF_CHUNKS = frozenset(
    b"desc data pakt kuki chan info free mark regn inst midi peak edct ovvw umid uuid".split()
)
PRINTABLE = rb"[ -~]{4}"  # names of chunks
STREAMED = 0x7FFF_0000  # sizes from here on are what encoders write when they cannot know
# Kinds whose header has no length, so that a cut cannot be seen.
ENDLESS = {"IRCAM": rb"\x64\xa3|\0.\xa3\x64", "PAF": rb" paf|fap ", "PVF": rb"PVF1\n"}


# Where the samples begin, where they end, or None if the header cannot tell, and where the
# container ends: what each function below finds for one kind of file.
Extent = tuple[int, int | None, int]


def header_parts(data: bytes) -> list[Part] | None:
    """The parts of a file with a header, or None if its first bytes are of no such kind.

    Raises
    ------
    AudioError
        Samples that the header announces are missing, or it announces far fewer than follow.
    """
    found = _kind(data, 0)
    if found is None:
        return None
    parts, start = [], 0
    while found is not None:
        kind, extent = found
        samples, stop, end = extent(data, start)
        if stop is None:  # written into a pipe: all that follows
            return [*parts, Part(start, len(data), kind, libsndfile=False)]
        require(data, samples, stop)
        parts.append(Part(start, end, kind))
        start = skip_tags(data, end)
        found = _kind(data, start)
        if found is None:
            check_tail(data, samples, end)
    return parts


def _kind(data: bytes, start: int) -> tuple[str, Callable] | None:
    """FFmpeg's name of the format that begins at `start`, and what finds its samples."""
    head, form = data[start : start + 4], data[start + 8 : start + 12]
    if head in (b"RIFF", b"RIFX", b"RF64", b"BW64") and form == b"WAVE":
        return "wav", _wave
    if head == b"FORM" and form in (b"AIFF", b"AIFC"):
        return "aiff", _aiff
    if head == b"FORM" and form in (b"8SVX", b"16SV"):
        return "iff", _svx
    if head == b"riff" and data[start + 24 : start + 28] == b"wave":
        return "w64", _w64
    if data.startswith(b"NIST_1A\n", start):
        return "nistsphere", _nist
    if data.startswith(b"Creative Voice File\x1a", start):
        return "voc", _voc
    if data.startswith(b"\xf0\x7e", start) and data[start + 3 : start + 4] == b"\x01":
        return "sds", _sds
    for name, signature in ENDLESS.items():
        if re.match(signature, data[start : start + 5], re.DOTALL):
            raise AudioError(
                f"a header of kind {name} does not say how long the sound is, so that a cut file"
                " looks whole; convert it to WAV or FLAC"
            )
    if head in (b".snd", b"dns."):
        return "au", _au
    return {b"caff": ("caf", _caf), b"2BIT": ("avr", _avr)}.get(head)


def _chunks(data: bytes, start: int, order: str) -> Iterator[tuple[bytes, int, int, int]]:
    """Name, first byte, size and end of each chunk of an IFF or RIFF file."""
    long = None  # the size of the samples in a file of more than 4 GB
    while re.fullmatch(PRINTABLE, data[start : start + 4]) and start + 8 <= len(data):
        name, (size,) = data[start : start + 4], struct.unpack_from(f"{order}I", data, start + 4)
        if name in FORMS:
            return  # the next of several files
        if name == b"ds64" and start + 24 <= len(data):
            (long,) = struct.unpack_from("<Q", data, start + 16)
        if name == b"data" and size == 0xFFFF_FFFF and long is not None:
            size = long
        stop = start + 8 + size
        padded = size % 2 and data[stop : stop + 4] not in FORMS  # some leave the padding out
        yield name, start + 8, size, stop + bool(padded)
        start = stop + bool(padded)


def _chunked(data: bytes, start: int, order: str, wanted: bytes) -> Extent:
    """Find the samples of an IFF or RIFF file in its chunk `wanted`."""
    samples, stop, end = None, 0, start
    for name, first, size, after in _chunks(data, start, order):
        if name == wanted and samples is None:
            rest = data[first : first + 4]
            if (size >= STREAMED and first + size > len(data)) or (
                size == 0 and rest and not re.fullmatch(PRINTABLE, rest)
            ):
                return first, None, len(data)
            samples, stop, end = first, first + size, after
        elif after <= len(data) + 1:  # no chunk, if it does not fit
            end = after
    if samples is None:
        raise AudioError(f"truncated or damaged: it has no chunk {wanted.decode()!r} of samples")
    return samples, stop, max(stop, min(end, len(data)))


def _wave(data: bytes, start: int) -> Extent:
    return _chunked(data, start + 12, ">" if data[start : start + 4] == b"RIFX" else "<", b"data")


def _aiff(data: bytes, start: int) -> Extent:
    return _chunked(data, start + 12, ">", b"SSND")


def _svx(data: bytes, start: int) -> Extent:
    return _chunked(data, start + 12, ">", b"BODY")


def _w64(data: bytes, start: int) -> Extent:
    position, found = start + 40, None
    while position + 24 <= len(data) and data[position : position + 4] != b"riff":
        (size,) = struct.unpack_from("<Q", data, position + 16)
        if data[position : position + 4] == b"data" and found is None:
            if size >= 2**62 or size <= 24:
                return position + 24, None, len(data)
            found = position + 24, position + size
        if size < 24 or (found and position > found[0] and position + size > len(data) + 8):
            break
        position += -(-size // 8) * 8
    if found is None:
        raise AudioError("truncated or damaged: it has no chunk 'data' of samples")
    if data[found[1] : found[1] + 4] == b"riff":  # the next of several files
        return (*found, found[1])
    return (*found, max(found[1], min(position, len(data))))


def _caf(data: bytes, start: int) -> Extent:
    position, found = start + 8, None
    while data[position : position + 4] in CAF_CHUNKS and position + 12 <= len(data):
        (size,) = struct.unpack_from(">q", data, position + 4)
        if data[position : position + 4] == b"data" and found is None:
            if size < 0:
                return position + 12, None, len(data)
            found = position + 12, position + 12 + size
        position += 12 + max(size, 0)
    if found is None:
        raise AudioError("truncated or damaged: it has no chunk 'data' of samples")
    # The table of packets may come last; without it nothing can be decoded.
    require(data, start, position)
    return (*found, max(found[1], min(position, len(data))))


def _au(data: bytes, start: int) -> Extent:
    order = ">" if data[start : start + 4] == b".snd" else "<"
    first, size = _unpack(f"{order}II", data, start + 4)
    samples = start + first
    if size == 0xFFFF_FFFF or (size == 0 and len(data) > samples):
        return samples, None, len(data)
    return samples, samples + size, samples + size


def _avr(data: bytes, start: int) -> Extent:
    channels = 2 if data[start + 12 : start + 14] == b"\xff\xff" else 1
    bits, frames = _unpack(">H", data, start + 14)[0], _unpack(">I", data, start + 26)[0]
    stop = start + 128 + frames * channels * bits // 8
    return start + 128, stop, stop


def _nist(data: bytes, start: int) -> Extent:
    header = data[start : start + 1024]
    size = re.match(rb"NIST_1A\n *(\d{1,6})\n", header)
    fields = dict(re.findall(rb"^(\w+) -i (\d{1,12})", header, re.MULTILINE))
    fields.setdefault(b"sample_n_bytes", b"1")  # libsndfile leaves it out for A-law and mu-law
    try:
        samples = start + int(size[1])
        count = math.prod(
            int(fields[name]) for name in (b"sample_count", b"channel_count", b"sample_n_bytes")
        )
    except (KeyError, TypeError):
        raise AudioError("truncated or damaged: its header does not say how long it is") from None
    return samples, samples + count, samples + count


def _voc(data: bytes, start: int) -> Extent:
    samples = position = start + _unpack("<H", data, start + 20)[0]
    while position < len(data) and 0 < data[position] <= 9:  # kinds of blocks
        position += 4 + int.from_bytes(data[position + 1 : position + 4], "little")
    return samples, position, position + (data[position : position + 1] == b"\0")


def _sds(data: bytes, start: int) -> Extent:
    low, middle, high = _unpack("3B", data, start + 10)
    words = low | middle << 7 | high << 14
    bits = data[start + 6]
    per_packet = 60 if bits < 15 else 40 if bits < 22 else 30
    stop = start + 21 + -(-words // per_packet) * 127
    return start + 21, stop, stop


def _unpack(layout: str, data: bytes, start: int) -> tuple:
    try:
        return struct.unpack_from(layout, data, start)
    except struct.error:
        raise AudioError("truncated: its header is cut") from None
