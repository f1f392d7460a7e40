"""Files that only FFmpeg decodes: MP4, Matroska and WebM, WMA, TTA and WavPack.

FFmpeg takes what is there of a cut file, so the sizes of the outermost elements are added up here.
"""

import itertools
import struct

from tagalign.audio.parts import Part, check_tail, require, skip_tags
from tagalign.errors import AudioError

BOXES = frozenset(
    b"ftyp moov mdat wide free skip pnot meta moof mfra sidx ssix styp uuid pdin prft emsg udta"
    b"".split()
)
EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
ELEMENTS = {  # of a segment: void, sum, seek head, information, tracks, cues, tags, and so on
    *(EBML, SEGMENT, CLUSTER, 0xEC, 0xBF, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B),
    *(0x1254C367, 0x1941A469, 0x1043A770),
    *(0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF),  # of a cluster
}
ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
WAVPACK_INITIAL = 0x800  # flag of the first block of all channels


def ffmpeg_parts(data: bytes) -> list[Part] | None:
    """The parts of such a file, or None if it is none.

    Raises
    ------
    AudioError
        Its end is missing, or something else follows it.
    """
    if data[4:8] in BOXES:
        name, limits = "mov", _boxes(data)
    elif data.startswith(b"\x1a\x45\xdf\xa3"):
        name, limits = "matroska", _elements(data)
    elif data.startswith(ASF):
        name, limits = "asf", _asf(data)
    elif data.startswith(b"TTA1"):
        name, limits = "tta", _tta(data)
    elif data.startswith(b"wvpk"):
        name, limits = "wv", _wavpack(data)
    else:
        return None
    require(data, 0, limits[-1])
    check_tail(data, limits[-2], limits[-1])
    return [
        Part(start, min(stop, len(data)), name, libsndfile=False)
        for start, stop in itertools.pairwise(limits)
    ]


# Each of the following returns where the files begin that are joined in `data`, and at last where
# the end of the last one has to be.


def _boxes(data: bytes) -> list[int]:
    position, limits = 0, [0]
    while data[position + 4 : position + 8] in BOXES:
        (size,) = struct.unpack_from(">I", data, position)
        if position and data[position + 4 : position + 8] == b"ftyp":
            limits.append(position)
        if size == 1 and position + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, position + 8)
        if size < 8:  # 0: to the end of the file
            return [*limits, len(data)]
        position += size
    if not _is_cut(data, position, 8):
        return [*limits, position]
    raise AudioError("truncated: its last element is cut")


def _elements(data: bytes) -> list[int]:
    """Go through the segments and clusters of Matroska, down to the blocks (RFC 8794)."""
    position, stop = 0, 0
    while position < len(data):
        identifier, size, first = _element(data, position)
        if identifier not in ELEMENTS:
            break
        # The content of these is gone through as well, whether or not they tell their size.
        position = first
        if identifier in (SEGMENT, CLUSTER):
            stop = max(stop, first + (size or 0))
        elif size is None:
            raise AudioError("damaged: an element of Matroska does not tell its size")
        else:
            position += size
            stop = max(stop, position)
    return [0, stop]


def _element(data: bytes, position: int) -> tuple[int, int | None, int]:
    """Identifier, size if it is known, and first byte of the content of an EBML element."""
    width = 9 - data[position].bit_length()
    identifier = int.from_bytes(data[position : position + width], "big")
    position += width
    if position >= len(data):
        raise AudioError("truncated: its last element is cut")
    width = 9 - (data[position] or 1).bit_length()
    size = int.from_bytes(data[position : position + width], "big") & (1 << 7 * width) - 1
    return identifier, None if size == (1 << 7 * width) - 1 else size, position + width


def _asf(data: bytes) -> list[int]:
    found = data.find(ASF_PROPERTIES, 0, 2**16)
    if found < 0 or found + 92 > len(data):
        raise AudioError("truncated: its header is cut")
    (size,) = struct.unpack_from("<Q", data, found + 40)
    streamed = struct.unpack_from("<I", data, found + 88)[0] & 1
    return [0, len(data) if streamed else size]


def _tta(data: bytes) -> list[int]:
    limits = [0]
    while data.startswith(b"TTA1", limits[-1]):
        start = limits[-1]
        if len(data) < start + 22:
            raise AudioError("truncated: its header is cut")
        rate, samples = struct.unpack_from("<II", data, start + 10)
        frames = -(-samples // max(1, 256 * rate // 245))
        table = start + 22
        if len(data) < table + 4 * frames:
            raise AudioError("truncated: its header is cut")
        sizes = struct.unpack_from(f"<{frames}I", data, table)
        limits.append(skip_tags(data, table + 4 * frames + 4 + sum(sizes)))
    return limits


def _wavpack(data: bytes) -> list[int]:
    position, stop, limits = 0, 0, [0]
    while data.startswith(b"wvpk", position):
        if position + 32 > len(data):
            raise AudioError("truncated: its last block is cut")
        size, index, flags = struct.unpack_from("<4xI8xI4xI", data, position)
        if position and index == 0 and flags & WAVPACK_INITIAL:
            limits.append(position)
        stop = position + 8 + size
        position = skip_tags(data, stop)
    if _is_cut(data, position, 4):
        raise AudioError("truncated: its last block is cut")
    return [*limits, stop]


def _is_cut(data: bytes, position: int, length: int) -> bool:
    """Whether so few bytes are left that the beginning of the next element may be cut."""
    return 0 < len(data) - position < length and bool(data[position:].strip(b"\0"))
