"""Ogg (RFC 3533): the pages of a file, whether each is there and undamaged, and its links.

libogg drops a page that is damaged or out of order without a word.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tagalign.audio.parts import Part
from tagalign.errors import AudioError

CONTINUED, FIRST = 0x01, 0x02  # bits of a page's header type
# The checksum of Ogg is that of zlib with the bits of each byte and of the sum reversed.
REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
LIBSNDFILE = (b"\x01vorbis", b"OpusHead")  # how the streams begin that libsndfile decodes


@dataclass(frozen=True)
class _Page:
    start: int
    stop: int
    kind: int
    serial: int
    number: int
    open: bool  # whether its last packet goes on in the next page
    head: bytes  # the first bytes of its content


def ogg_parts(data: bytes) -> list[Part] | None:
    """The links of an Ogg file, or None if it is none.

    Raises
    ------
    AudioError
        A page is cut, damaged or missing.
    """
    if not data.startswith(b"OggS"):
        return None
    links: list[list[_Page]] = []
    expected: dict[int, int] = {}  # stream -> number of its next page
    for page in _pages(data):
        if page.kind & FIRST:
            # Streams that begin together play together; a later one is the next link.
            if not links or not links[-1][-1].kind & FIRST:
                links.append([])
                expected.clear()
        elif page.serial not in expected:
            raise AudioError("damaged: an Ogg stream lacks its first page")
        elif page.number != expected[page.serial]:
            lost = page.number - expected[page.serial]
            raise AudioError(
                f"damaged: {lost} Ogg pages are missing"
                if lost > 0
                else "damaged: an Ogg page is out of order"
            )
        expected[page.serial] = (page.number + 1) % 2**32
        links[-1].append(page)
    if not links:
        raise AudioError("truncated: the first Ogg page is cut")
    if links[-1][-1].open:
        raise AudioError("truncated: the last Ogg page goes on where the file ends")
    return [_part(pages) for pages in links]


def _part(pages: list[_Page]) -> Part:
    alone = len({page.serial for page in pages}) == 1
    known = pages[0].head.startswith(LIBSNDFILE)
    return Part(pages[0].start, pages[-1].stop, "ogg", libsndfile=alone and known)


def _pages(data: bytes) -> Iterator[_Page]:
    position = 0
    while data.startswith(b"OggS", position):
        segments = position + 27
        if segments > len(data):
            raise AudioError("truncated: the last Ogg page is cut")
        if data[position + 4]:
            raise AudioError("not a readable sound (an Ogg page of an unknown version)")
        kind, serial, number, checksum, count = struct.unpack_from("<5xB8xIIIB", data, position)
        table = data[segments : segments + count]
        stop = segments + count + sum(table)
        if stop > len(data) or len(table) < count:
            raise AudioError("truncated: the last Ogg page is cut")
        page = data[position : position + 22] + bytes(4) + data[position + 26 : stop]
        if _checksum(page) != checksum:
            raise AudioError("damaged: an Ogg page does not have the sum that it says")
        head = data[segments + count : segments + count + 8]
        yield _Page(position, stop, kind, serial, number, table.endswith(b"\xff"), head)
        position = stop
    rest = data[position : position + 4]
    if rest and b"OggS".startswith(rest):
        raise AudioError("truncated: the last Ogg page is cut")
    if data.find(b"OggS", position) >= 0:
        raise AudioError("damaged: there are bytes between Ogg pages that belong to none")


def _checksum(page: bytes) -> int:
    # Begun with all bits set, zlib's sum begins with 0 inside, as Ogg's does.
    reflected = zlib.crc32(page.translate(REVERSED), 0xFFFF_FFFF) ^ 0xFFFF_FFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(REVERSED), "big")
