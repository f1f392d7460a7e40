"""What a file of sound consists of: one or several streams, and how long each says it is.

libsndfile and FFmpeg decode what is there and do not tell what is missing, so the structure of
a file is read before it is decoded. A file that is cut or damaged has a reason; one that
is whole is a list of parts, more than one where files were joined or streams chained.
"""

import re
import struct
from dataclasses import dataclass

from tagalign.errors import AudioError

TAIL = 1024  # bytes of unknown kind that may follow a sound
TAIL_SHARE = 0.01  # or this share of it
TAGS = (b"TAG", b"ID3", b"APETAGEX")  # what taggers put around any file
ZEROS = re.compile(rb"\0*")


@dataclass(frozen=True)
class Part:
    """One stream of a sound file.

    Attributes
    ----------
    start, stop : int
        Its bytes in the file.
    ffmpeg : str
        FFmpeg's name of the format.
    libsndfile : bool
        Whether libsndfile is tried first.
    seconds : float or None
        How long it has to be, if that is known from its structure.
    """

    start: int
    stop: int
    ffmpeg: str
    libsndfile: bool = True
    seconds: float | None = None


def truncated(there: int, announced: int, unit: str = "bytes") -> AudioError:
    """The reason why a sound that lacks its end cannot be used."""
    share = 100 * max(there, 0) // announced
    return AudioError(f"truncated: {share}% of the announced {unit} are there")


def require(data: bytes, start: int, stop: int) -> None:
    """Raise the reason unless `data` reaches to `stop`; the samples begin at `start`."""
    if stop > len(data):
        raise truncated(len(data) - start, stop - start)


def check_tail(data: bytes, start: int, stop: int) -> None:
    """Raise a reason if much follows the samples, which lie from `start` to `stop`.

    Tags and zeros may; anything else says that the size in the header is an old one.
    """
    more = len(data) - skip_tags(data, stop)
    if more > max(TAIL, TAIL_SHARE * (stop - start)):
        raise AudioError(f"damaged: {more} bytes follow the {stop - start} that it announces")


def skip_tags(data: bytes, position: int) -> int:
    """Where the tags and zeros end that begin at `position`."""
    while position < len(data):
        before = position
        head = data[position : position + 32]
        if head.startswith(b"ID3") and len(head) >= 10:
            footer = 10 if head[5] & 0x10 else 0
            size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
            position += 10 + size + footer
        elif head.startswith(b"APETAGEX") and len(head) == 32:
            size, flags = struct.unpack_from("<I4xI", head, 12)
            position += 32 + (size if flags & 0x2000_0000 else 0)
        elif head.startswith(b"TAG+"):
            position += 227
        elif head.startswith(b"TAG"):
            position += 128
        else:
            position = ZEROS.match(data, position).end()
        if position == before:
            break
    return position
