"""``patches/SHARD.h5``: the log-mel patches of a shard."""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from tagalign import store
from tagalign.store.fields import StageFile, failures, field


@dataclasses.dataclass(kw_only=True)
class PatchShard(StageFile, stage="patches", place="patches/SHARD.h5"):
    """The log-mel patch of maximum energy of each sound of a shard, not scaled."""

    id: list[str] = field("text", "N", "sounds that have a patch")
    log_mel: np.ndarray | None = field(
        "float32", "N n_mels n_frames", "the patch of each", unit="natural logarithm of power"
    )
    duration: np.ndarray = field("float64", "N", "length of the whole sound", unit="s")
    failed: list[tuple[str, str]] = failures(
        "sounds that were not downloaded, or are unreadable, truncated or silent, and why"
    )

    @property
    def front_end(self) -> dict:
        """The configuration section ``patches``: how sounds were turned into patches."""
        return self.config["patches"]

    @classmethod
    def write_rows(
        cls,
        path: str | os.PathLike,
        rows: Iterable[tuple[str, np.ndarray, float]],
        *,
        most: int,
        failed: Sequence[tuple[str, str]],
        settings: Mapping,
        inputs: Mapping[str, str | os.PathLike],
        packages: Sequence[str],
    ) -> None:
        """Write a shard with one patch in memory at a time.

        Parameters
        ----------
        rows
            Id, patch [shape=(n_mels, n_frames)] and duration in seconds of each sound.
        most
            No more rows than this come.
        failed
            (id, reason) of the others; looked at when `rows` have ended.
        settings
            The configuration section ``patches``.
        inputs, packages
            As for `store.create`.
        """
        shape = (settings["n_mels"], settings["n_frames"])
        with cls.create(
            path, config={"patches": settings}, inputs=inputs, packages=packages
        ) as file:
            log_mel = file.create_dataset(
                "log_mel", (0, *shape), np.float32, maxshape=(most, *shape), chunks=(1, *shape)
            )
            ids, durations = [], []
            for identifier, patch, duration in rows:
                log_mel.resize(len(ids) + 1, axis=0)
                log_mel[len(ids)] = patch
                ids.append(identifier)
                durations.append(duration)
            store.write_strings(file, "id", ids)
            file["duration"] = np.array(durations, np.float64)
            store.write_failures(file, failed)

    @classmethod
    def blocks(cls, path: str | os.PathLike, size: int) -> Iterator[np.ndarray]:
        """Yield the patches `size` at a time [shape=(n, n_mels, n_frames)]."""
        with cls.open(path) as file:
            for start in range(0, len(file["log_mel"]), size):
                yield file["log_mel"][start : start + size]
