"""What a long embedding has done so far, in a file that survives a kill at any moment.

Records are only ever appended, each with its length and CRC-32; where one is torn, it and what
follows is cut off, and the work goes on from there. The first record says what was asked for
(the model, the front end, the space): under other settings the journal starts anew.
"""

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tagalign.environment import lock
from tagalign.errors import TagalignError

HEADER = struct.Struct("<II")  # length and CRC-32 of the payload


class Journal:
    """Vectors of sounds, or why a sound has none.

    Parameters
    ----------
    path
        The file; made if need be.
    key
        What the vectors depend on (JSON). A journal with another key is begun anew.

    Raises
    ------
    TagalignError
        The file cannot be written, or another process is writing it.
    """

    def __init__(self, path: str | os.PathLike, key: Mapping):
        self.path = Path(path)
        self._entries: dict[str, dict] = {}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = open(self.path, "a+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise self._failed(error) from None
        try:
            lock(self._file, wait=False)
        except BlockingIOError:
            self._file.close()
            raise TagalignError(
                f"{self.path} is in use; another process is writing the same output"
            ) from None
        if self._read_all() != json.loads(json.dumps(key)):
            self._entries.clear()
            self._file.truncate(0)
            self._append(key)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, identifier: str, stamp: list[int], result: np.ndarray | str) -> None:
        """Append the vectors of a sound [shape=(k, size)], float32, or why it has none.

        Parameters
        ----------
        stamp
            Size and time of change of the file, to see later whether it is another one.
        """
        entry = {"id": identifier, "stamp": stamp}
        if isinstance(result, str):
            self._append(entry | {"reason": result})
        else:
            self._append(entry | {"shape": list(result.shape)}, np.float32(result).tobytes())

    def has(self, identifier: str, stamp: list[int]) -> bool:
        """Whether this sound is done, and its file is still the same."""
        return self._entries.get(identifier, {}).get("stamp") == stamp

    def outcome(self, identifier: str) -> int | str:
        """How many vectors a sound has, or why it has none."""
        entry = self._entries[identifier]
        return entry["reason"] if "reason" in entry else entry["shape"][0]

    def vectors(self, identifier: str) -> np.ndarray:
        """The vectors of a sound that has some [shape=(k, size)], float32."""
        entry = self._entries[identifier]
        self._file.seek(entry["at"])
        data = self._file.read(4 * entry["shape"][0] * entry["shape"][1])
        return np.frombuffer(data, np.float32).reshape(entry["shape"])

    def remove(self) -> None:
        """Delete the file: its content is elsewhere now."""
        self.path.unlink(missing_ok=True)

    def _append(self, entry: Mapping, data: bytes = b"") -> None:
        text = json.dumps(entry).encode() + b"\n"
        payload = text + data
        start = self._file.seek(0, os.SEEK_END)
        record = HEADER.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            written = self._file.write(record)
        except OSError as error:
            raise self._failed(error) from None
        if written != len(record):
            raise TagalignError(f"cannot write {self.path}: the disk is full")
        if "id" in entry:
            self._entries[entry["id"]] = {**entry, "at": start + HEADER.size + len(text)}

    def _read_all(self) -> dict | None:
        """Read the whole records, cut off what is torn; the key, or None in an empty file."""
        key, start = None, 0
        self._file.seek(0)
        while len(header := self._file.read(HEADER.size)) == HEADER.size:
            length, checksum = HEADER.unpack(header)
            payload = self._file.read(length)
            if len(payload) < length or zlib.crc32(payload) != checksum:
                break
            text, _, _ = payload.partition(b"\n")
            try:
                entry = json.loads(text)
                if key is None:
                    key = dict(entry)
                else:
                    place = start + HEADER.size + len(text) + 1
                    self._entries[entry["id"]] = entry | {"at": place}
            except (ValueError, TypeError, KeyError, RecursionError):
                break  # no record of ours, whatever its checksum says
            start += HEADER.size + length
        self._file.truncate(start)
        return key

    def _failed(self, error: OSError) -> TagalignError:
        return TagalignError(f"cannot write {self.path}: {error.strerror or error}")
