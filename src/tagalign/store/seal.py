"""A checksum at the end of a file, by which a single changed byte is found.

A sealed file ends with `MARK` and the SHA-256 of all bytes before it. HDF5 ignores what follows
its own end. HDF5's checksums (Fletcher32) would protect data sets, but neither the attributes
nor the text in them.

Stages record the SHA-256 of each input. One pass over the file gives that and the seal, and a
large file that was found whole is not read for its seal again by the same process.
"""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

MARK = b"\ntagalign sha256\n"
SIZE = len(MARK) + hashlib.sha256().digest_size
BLOCK = 2**20
LARGE = 2**24  # bytes; smaller files are quick to read again

_known: dict[tuple, tuple[str, bool | None]] = {}


def seal_of(path: str | os.PathLike) -> bytes:
    """What to append to a file that is complete."""
    with open(path, "rb") as file:
        return MARK + hashlib.file_digest(file, "sha256").digest()


def reseal(path: str | os.PathLike) -> None:
    """Seal a file again after a change in place; for tests and repairs."""
    with open(path, "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        if end >= SIZE:
            file.seek(-SIZE, os.SEEK_END)
            if file.read(len(MARK)) == MARK:
                file.truncate(end - SIZE)
    seal = seal_of(path)
    with open(path, "ab") as file:
        file.write(seal)


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    return _digest_and_state(path)[0]


def is_whole(source: str | os.PathLike | BinaryIO) -> bool | None:
    """Whether a file is as it was when it was sealed; None if it has no seal."""
    if isinstance(source, str | os.PathLike):
        return _digest_and_state(source)[1]
    place = source.tell()
    try:
        return _hash(source)[1]
    finally:
        source.seek(place)


def _digest_and_state(path: str | os.PathLike) -> tuple[str, bool | None]:
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        key = (str(Path(path).absolute()), found.st_ino, found.st_size, found.st_mtime_ns)
        if key not in _known:
            result = _hash(file)
            if found.st_size < LARGE:
                return result
            _known[key] = result
        return _known[key]


def _hash(file: BinaryIO) -> tuple[str, bool | None]:
    """SHA-256 of everything, and whether that of the content is the one in the seal."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    content = hashlib.sha256()
    left = max(end - SIZE, 0)
    while left and (block := file.read(min(left, BLOCK))):
        content.update(block)
        left -= len(block)
    whole, tail = content.copy(), file.read()
    whole.update(tail)
    sealed = len(tail) == SIZE and tail.startswith(MARK)
    return whole.hexdigest(), content.digest() == tail[len(MARK) :] if sealed else None
