"""FLAC (RFC 9639): where each of several joined files begins, and whether it ends whole."""

from tagalign.audio.parts import Part
from tagalign.errors import AudioError

MARK = b"fLaC\0\0\0\x22"  # the marker and the header of the first block, which has 34 bytes
LONGEST = 2**17  # bytes in which the last frame is looked for


def flac_parts(data: bytes) -> list[Part] | None:
    """The streams of a FLAC file, or None if it is none.

    Raises
    ------
    AudioError
        The end of a stream whose header does not tell its length is cut.
    """
    start = 0
    if data.startswith(b"ID3") and len(data) > 10:
        start = 10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9])
    if not data.startswith(b"fLaC", start):
        return None
    starts = [start]
    while (start := data.find(MARK, start + 4)) > 0:
        starts.append(start)
    return [_part(data, *limits) for limits in zip(starts, [*starts[1:], len(data)], strict=True)]


def _part(data: bytes, start: int, stop: int) -> Part:
    information = data[start + 8 : start + 42]
    if len(information) < 34:
        raise AudioError("truncated: its header is cut")
    rate = int.from_bytes(information[10:13], "big") >> 4
    total = int.from_bytes(information[13:18], "big") & (2**36 - 1)
    if total:
        return Part(start, stop, "flac", seconds=total / max(rate, 1))
    if not _ends_whole(data[max(start + 42, stop - LONGEST) : stop]):
        raise AudioError("truncated: the last frame is cut")
    return Part(start, stop, "flac", libsndfile=False)


def _ends_whole(end: bytes) -> bool:
    """Whether the bytes from some frame's first one on have the sum of whole frames."""
    if end[-128:].startswith(b"TAG"):
        end = end[:-128]
    # The sum over a frame and the sum that it ends with is 0. A false start is as good as
    # certain to give another sum.
    position = len(end)
    while (position := end.rfind(b"\xff", 0, position)) >= 0:
        if end[position + 1 : position + 2] in (b"\xf8", b"\xf9") and not _sum(end[position:]):
            return True
    return False


def _sum(frame: bytes) -> int:
    value = 0
    for byte in frame:
        value = (value << 8 & 0xFFFF) ^ TABLE[value >> 8 ^ byte]
    return value


def _table() -> list[int]:
    """The sums of single bytes, of the polynomial x^16 + x^15 + x^2 + 1."""
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x8005 if value & 0x8000 else value << 1) & 0xFFFF
        table.append(value)
    return table


TABLE = _table()
