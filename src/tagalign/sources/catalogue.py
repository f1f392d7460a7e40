"""``catalogue.h5``: the sounds of a source, their tags and their shards."""

import dataclasses
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import h5py
import numpy as np

from tagalign import store
from tagalign.store.fields import StageFile, attribute, failures, field

CHUNK = 4096  # rows held in memory at once


@dataclasses.dataclass(kw_only=True)
class Catalogue(StageFile, stage="catalogue", place="catalogue.h5"):
    """The sounds of the source, sorted by shard and, within a shard, by id.

    Rows are streamed, since the paper starts from some 200,000 sounds.
    """

    shards: int = attribute("int64", "number of shards: one more than the largest in use")
    id: list[str] = field("text", "N", "name of the sound in its source")
    shard: np.ndarray = field("int32", "N", "number of the shard that it was dealt into")
    tags: list[list[str]] = field("text", "N *", "tags as the users wrote them")
    file: list[str] | None = field(
        "text", "N", "folder: file of the sound, empty if only its tags are known", optional=True
    )
    sha256: list[str] | None = field(
        "text", "N", "folder: SHA-256 of that file, 64 hexadecimal digits", optional=True
    )
    group: list[str] | None = field(
        "text", "N", "folder: what it has in common with others, as its recording", optional=True
    )
    name: list[str] = field("text", "N", "title of the sound")
    username: list[str] = field("text", "N", "its author")
    license: list[str] = field("text", "N", "its licence, on Freesound a URL")
    url: list[str] = field("text", "N", "its page")
    preview: list[str] | None = field("text", "N", "Freesound: URL of the preview", optional=True)
    md5: list[str] | None = field("text", "N", "Freesound: MD5 of the original", optional=True)
    type: list[str] | None = field("text", "N", "Freesound: type of the original", optional=True)
    created: list[str] | None = field("text", "N", "Freesound: when it was shared", optional=True)
    duration: np.ndarray | None = field(
        "float64", "N", "Freesound: its length", unit="s", optional=True
    )
    samplerate: np.ndarray | None = field(
        "int32", "N", "Freesound: sample rate of the original", unit="Hz", optional=True
    )
    channels: np.ndarray | None = field(
        "int32", "N", "Freesound: channels of the original", optional=True
    )
    tag_separator: str | None = attribute(
        "text", "folder: what separates the tags of its CSV", optional=True
    )
    columns: dict[str, np.ndarray] = field(
        "text", "N", "folder: the other columns of its CSV", kind="group", optional=True
    )
    failed: list[tuple[str, str]] = failures("sounds that were left out, and why")

    @classmethod
    def write_rows(
        cls,
        path: str | os.PathLike,
        rows: Iterable[Mapping],
        *,
        names: Sequence[str],
        failed: Sequence[tuple[str, str]],
        config: Mapping,
        inputs: Mapping[str, str | os.PathLike] | None = None,
        tag_separator: str | None = None,
    ) -> int:
        """Write a catalogue row by row.

        Parameters
        ----------
        rows
            Sorted by shard and id: mappings with ``id``, ``shard``, ``tags`` (list of str) and
            `names`.
        names
            The other columns: fields of a catalogue, or ``columns/NAME`` for text that is
            carried along.
        failed
            (id, reason) of the sounds that were left out.
        config, inputs
            As for `store.create`.
        tag_separator
            See the field.

        Returns
        -------
        int
            Number of rows.
        """
        declared = cls.fields()
        dtypes = {
            name: declared[name].dtype if name in declared else "text"
            for name in ["id", "shard", *names]
        }
        count, shards = 0, 0
        with cls.create(path, config=config, inputs=inputs) as file:
            for name, dtype in dtypes.items():
                if dtype == "text":
                    store.create_strings(file, name)
                else:
                    store.create_growing(file, name, dtype)
            store.create_strings(file, "tags/values")
            store.append(store.create_growing(file, "tags/offsets", "int64"), [0])
            for chunk in _chunks(rows, CHUNK):
                _append(file, chunk, dtypes)
                count, shards = count + len(chunk), chunk[-1]["shard"] + 1
            file.attrs["shards"] = shards
            if tag_separator is not None:
                file.attrs["tag_separator"] = tag_separator
            store.write_failures(file, failed)
        return count

    @classmethod
    def iterate(cls, path: str | os.PathLike, *names: str) -> Iterator[tuple[str, ...]]:
        """Yield the values of some text columns row by row, without reading all at once."""
        with cls.open(path) as file:
            for first in range(0, store.count_strings(file["id"]), CHUNK):
                rows = slice(first, first + CHUNK)
                yield from zip(
                    *(store.read_strings(file[name], rows) for name in names), strict=True
                )


def _append(file: h5py.File, chunk: Sequence[Mapping], dtypes: Mapping[str, str]) -> None:
    """Add rows to a catalogue."""
    for name, dtype in dtypes.items():
        add = store.append_strings if dtype == "text" else store.append
        add(file[name], [row[name] for row in chunk])
    ends = np.cumsum([len(row["tags"]) for row in chunk])
    store.append(file["tags/offsets"], file["tags/offsets"][-1] + ends)
    store.append_strings(file["tags/values"], [tag for row in chunk for tag in row["tags"]])


def _chunks(rows: Iterable[Mapping], size: int) -> Iterator[list[Mapping]]:
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
