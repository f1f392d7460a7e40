"""Write ``catalogue.h5``: the sounds of a source, their tags and their shards.

Rows are sorted by shard and, within a shard, by id (as text). They are streamed, since the
paper starts from some 200,000 sounds.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import h5py
import numpy as np

from tagalign import store

CHUNK = 4096  # rows held in memory at once

Rows = Callable[[], Iterator[Mapping]]


def write_catalogue(
    path: str | os.PathLike,
    rows: Rows,
    *,
    columns: Mapping[str, type],
    failures: Sequence[tuple[str, str]],
    config: Mapping,
    inputs: Mapping[str, str | os.PathLike] | None = None,
) -> int:
    """Write a catalogue from rows that can be iterated twice.

    Parameters
    ----------
    rows
        Gives a fresh iterator over the rows, sorted by shard and id: mappings with ``id``,
        ``shard``, ``tags`` (list of str) and the columns.
    columns
        Column -> ``str``, ``int`` (stored as int32) or ``float`` (stored as float64).
    failures
        (id, reason) of the sounds that were left out.

    Returns
    -------
    int
        Number of rows.
    """
    columns = {"id": str, **columns}
    count, tag_count, widths, shards = _measure(rows(), columns)
    with store.create(
        path, stage="catalogue", config=config, inputs=inputs, packages=()
    ) as catalogue:
        catalogue.attrs["shards"] = shards
        numbers = {int: np.dtype("i4"), float: np.dtype("f8")}
        for name, kind in {**columns, "shard": int}.items():
            dtype = numbers.get(kind) or h5py.string_dtype("utf-8", widths[name])
            _dataset(catalogue, name, count, dtype)
        _dataset(catalogue, "tags/values", tag_count, h5py.string_dtype("utf-8", widths["tags"]))
        _dataset(catalogue, "tags/offsets", count + 1, np.dtype("i8"))
        first = first_tag = 0
        for chunk in _chunks(rows(), CHUNK):
            span = slice(first, first + len(chunk))
            for name, kind in columns.items():
                values = [row[name] for row in chunk]
                catalogue[name][span] = _encode(values, catalogue[name]) if kind is str else values
            catalogue["shard"][span] = [row["shard"] for row in chunk]
            tags = [tag for row in chunk for tag in row["tags"]]
            if tags:
                catalogue["tags/values"][first_tag : first_tag + len(tags)] = _encode(
                    tags, catalogue["tags/values"]
                )
            lengths = np.cumsum([len(row["tags"]) for row in chunk])
            catalogue["tags/offsets"][first + 1 : span.stop + 1] = first_tag + lengths
            first, first_tag = span.stop, first_tag + len(tags)
        store.write_failures(catalogue, failures)
    return count


def _measure(rows: Iterable[Mapping], columns: Mapping[str, type]):
    """Number of rows and of tags, width of each text column in bytes, number of shards."""
    texts = [name for name, kind in columns.items() if kind is str]
    widths = dict.fromkeys([*texts, "tags"], 1)
    count = tags = shards = 0
    for row in rows:
        count += 1
        tags += len(row["tags"])
        shards = max(shards, row["shard"] + 1)
        for name in texts:
            widths[name] = max(widths[name], len(row[name].encode()))
        for tag in row["tags"]:
            widths["tags"] = max(widths["tags"], len(tag.encode()))
    return count, tags, widths, shards


def _dataset(file: h5py.File, name: str, size: int, dtype) -> None:
    # Texts are as wide as the longest of the column; compression takes the padding away again.
    options = {"chunks": (min(size, CHUNK),), "compression": "gzip"} if size else {}
    file.create_dataset(name, (size,), dtype, **options)


def _encode(values: Sequence[str], target: h5py.Dataset) -> np.ndarray:
    return np.array([value.encode() for value in values], target.dtype)


def _chunks(rows: Iterator[Mapping], size: int) -> Iterator[list[Mapping]]:
    while chunk := list(itertools.islice(rows, size)):
        yield chunk
