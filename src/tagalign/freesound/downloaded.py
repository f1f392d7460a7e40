"""What was downloaded of a shard: while it is under way, and since it was finished."""

import sqlite3
from urllib.parse import urlsplit

import h5py
import numpy as np

from tagalign.freesound.file import AudioShard


class Downloaded:
    """Sounds of a shard that were downloaded, by id and name of the preview's file.

    Parameters
    ----------
    table
        The database of the download under way.
    file
        The shard as it was finished before, if it was; see `AudioShard.open`.

    Attributes
    ----------
    failed : dict
        Id -> reason of the sounds that `file` lacks.
    """

    def __init__(self, table: sqlite3.Connection, file: h5py.File | None):
        self.table, self.file = table, file
        self.rows, self.failed = {}, {}
        self.table.execute(
            "CREATE TABLE IF NOT EXISTS sound"
            " (id TEXT, name TEXT, audio BLOB, PRIMARY KEY (id, name))"
        )
        if file is not None:
            fields = AudioShard.fields()
            names = map(preview_name, fields["preview"].read(file))
            keys = zip(fields["id"].read(file), names, strict=True)
            self.rows = {key: row for row, key in enumerate(keys)}
            self.failed = dict(fields["failed"].read(file))

    def keys(self) -> set[tuple[str, str]]:
        """(id, name) of the sounds that are here."""
        return {*self.table.execute("SELECT id, name FROM sound"), *self.rows}

    def add(self, key: tuple[str, str], audio: bytes) -> None:
        """Keep a sound."""
        self.table.execute("INSERT OR REPLACE INTO sound VALUES (?, ?, ?)", (*key, audio))

    def audio(self, key: tuple[str, str]) -> np.ndarray:
        """Encoded bytes of a sound. [shape=(n,), dtype=uint8]"""
        if key in self.rows:
            return AudioShard.sound(self.file, self.rows[key])
        (audio,) = self.table.execute(
            "SELECT audio FROM sound WHERE id = ? AND name = ?", key
        ).fetchone()
        return np.frombuffer(audio, np.uint8)

    def size(self, key: tuple[str, str]) -> int:
        """Number of encoded bytes of a sound."""
        if key in self.rows:
            return AudioShard.size(self.file, self.rows[key])
        return self.table.execute(
            "SELECT length(audio) FROM sound WHERE id = ? AND name = ?", key
        ).fetchone()[0]


def preview_name(url: str) -> str:
    """Name of the preview's file, which stays when the host or its folders change."""
    try:
        return urlsplit(url).path.rpartition("/")[2]
    except ValueError:  # a catalogue from before addresses were checked
        return url
