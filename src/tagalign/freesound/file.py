"""``audio/SHARD.h5``: the encoded sounds of a shard as they were downloaded."""

import dataclasses
import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import h5py
import numpy as np

from tagalign import store
from tagalign.store.fields import StageFile, failures, field


@dataclasses.dataclass(kw_only=True)
class AudioShard(StageFile, stage="audio", place="audio/SHARD.h5"):
    """The encoded previews of one shard, in the order of the catalogue."""

    id: list[str] = field("text", "N", "sounds that were downloaded")
    preview: list[str] = field("text", "N", "URL that each came from")
    audio: list[np.ndarray] = field(
        "uint8", "N *", "the encoded sound as it came: Ogg Vorbis or MP3", unit="bytes"
    )
    failed: list[tuple[str, str]] = failures("sounds that could not be downloaded, and why")

    @classmethod
    def write_sounds(
        cls,
        path: str | os.PathLike,
        previews: Mapping[str, str],
        sizes: Sequence[int],
        sounds: Iterable[np.ndarray],
        *,
        failed: Sequence[tuple[str, str]],
        config: Mapping,
        inputs: Mapping[str, str | os.PathLike],
    ) -> None:
        """Write a shard with one sound in memory at a time.

        Parameters
        ----------
        previews
            Id -> URL of the preview of each sound.
        sizes, sounds
            Number of bytes and the bytes of each.
        failed
            (id, reason) of the others.
        config, inputs
            As for `store.create`.
        """
        offsets = np.cumsum([0, *sizes]).astype(np.int64)
        with cls.create(path, config=config, inputs=inputs, packages=["soundfile"]) as file:
            store.write_strings(file, "id", list(previews))
            store.write_strings(file, "preview", list(previews.values()))
            file["audio/offsets"] = offsets
            values = file.create_dataset("audio/values", (int(offsets[-1]),), np.uint8)
            for sound, start, stop in zip(sounds, offsets[:-1], offsets[1:], strict=True):
                values[start:stop] = sound
            store.write_failures(file, failed)

    @staticmethod
    def sound(file: h5py.File, row: int) -> np.ndarray:
        """Encoded bytes of a sound in an open file. [shape=(n,), dtype=uint8]"""
        start, stop = file["audio/offsets"][row : row + 2]
        return file["audio/values"][start:stop]

    @staticmethod
    def size(file: h5py.File, row: int) -> int:
        """Number of encoded bytes of a sound in an open file."""
        start, stop = file["audio/offsets"][row : row + 2]
        return int(stop - start)

    @classmethod
    def readers(cls, path: str | os.PathLike) -> dict[str, Callable[[], bytes]]:
        """Id -> a function that reads its bytes, which can be handed to another process."""
        with cls.open(path) as file:
            ids = store.read_strings(file["id"])
            offsets = file["audio/offsets"][()].tolist()
        return {
            identifier: functools.partial(_read_bytes, path, *offsets[row : row + 2])
            for row, identifier in enumerate(ids)
        }


def _read_bytes(path: str | os.PathLike, start: int, stop: int) -> bytes:
    with store.reopen(path) as file:
        return file["audio/values"][start:stop].tobytes()
