"""Write and read the HDF5 files between the stages.

A file appears only when it is whole: it is written under a temporary name beside its
destination and renamed at the end. Root attributes say what made it:

``stage``     name of the stage
``format``    version of the file layout (int)
``config``    the configuration sections that the stage read, less paths and hardware (JSON)
``inputs``    role -> SHA-256 of each input file (JSON)
``versions``  package -> version of what computed the content (JSON)
``seed``      the stage's random seed, where it has one

Neither times of day nor hosts nor paths go into a file, so equal inputs give equal bytes.
"""

import contextlib
import hashlib
import importlib.metadata
import io
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import h5py
import numpy as np

from tagalign import __version__
from tagalign.config.load import without_places
from tagalign.errors import InputError, TagalignError

FORMAT = 1
CHUNK = 4096  # values that are compressed together


def digest(path: str | os.PathLike) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value) -> str:
    """JSON with sorted keys: equal values give equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends without an error.

    Raises
    ------
    TagalignError
        The file could not be written (disk full, no permission).
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise TagalignError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        # Where even this fails, there is nothing to remove or no way to.
        with contextlib.suppress(OSError):
            part.unlink()


class _Target(io.FileIO):
    """A file for HDF5 to write to, which does not survive an error in the middle of its work.

    The first error is kept, and from then on every write is pretended, so that HDF5 closes its
    file in order and the error can be raised afterwards.
    """

    error: OSError | None = None

    def write(self, data) -> int:
        left = memoryview(data).cast("B")
        while left and self.error is None:
            try:
                left = left[super().write(left) :]
            except OSError as error:
                self.error = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        if self.error is None:
            try:
                return super().truncate(size)
            except OSError as error:
                self.error = error
        return self.tell() if size is None else size

    def readinto(self, buffer) -> int:
        view = memoryview(buffer).cast("B")
        count = super().readinto(view)
        view[count:] = bytes(len(view) - count)  # what was pretended
        return len(view)


@contextlib.contextmanager
def new_hdf5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """A new HDF5 file at `path`, which is overwritten.

    Raises
    ------
    OSError
        At the end of the block: the file could not be written (disk full).
    """
    with _Target(path, "w+") as target:
        try:
            with h5py.File(target, "w") as file:
                yield file
        except Exception:
            if target.error is None:
                raise
        if target.error is not None:
            raise target.error


@contextlib.contextmanager
def create(
    path: str | os.PathLike,
    *,
    stage: str,
    config: Mapping,
    inputs: Mapping[str, str | os.PathLike] | None = None,
    seed: int | None = None,
    packages: Sequence[str] = (),
    versions: bool = True,
) -> Iterator[h5py.File]:
    """Open a new stage file for writing; it appears at `path` when the block ends.

    Parameters
    ----------
    path
        Where the whole file appears.
    stage
        The stage that writes it.
    config
        The configuration sections that the stage read.
    inputs
        Role -> path of every input file; only their SHA-256 is kept.
    seed
        The random seed of the stage, if it has one.
    packages
        Distributions whose version can change the content, such as ``"librosa"``.
    versions
        Whether to record versions; not where equal content must give equal bytes for ever.

    Raises
    ------
    TagalignError
        The file could not be written (disk full, no permission).
    """
    recorded = {}
    if versions:
        recorded["tagalign"] = __version__
        for name in ("h5py", "numpy", *packages):
            recorded[name] = importlib.metadata.version(name)
    hashes = {role: digest(file) for role, file in sorted((inputs or {}).items())}
    with replacing(path) as part, new_hdf5(part) as file:
        file.attrs["stage"] = stage
        file.attrs["format"] = FORMAT
        file.attrs["config"] = canonical(without_places(config))
        file.attrs["inputs"] = canonical(hashes)
        file.attrs["versions"] = canonical(recorded)
        if seed is not None:
            file.attrs["seed"] = seed
        yield file


@contextlib.contextmanager
def read(
    path: str | os.PathLike | BinaryIO, *, stage: str | Sequence[str] | None = None
) -> Iterator[h5py.File]:
    """Open a stage file for reading.

    Parameters
    ----------
    stage
        The stage that must have made it, or several of which one must have.

    Raises
    ------
    InputError
        The file is missing, is not HDF5, or was not made by `stage`.
    """
    stages = (stage,) if isinstance(stage, str) else stage
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; run the stage that makes it first") from None
    except OSError as error:
        raise InputError(f"{path} is not a readable HDF5 file ({error}); make it again") from None
    with file:
        made_by = file.attrs.get("stage")
        if stages is not None and made_by not in stages:
            wanted = " or ".join(map(repr, stages))
            raise InputError(
                f"{path} was made by stage {made_by!r}, but a file of stage {wanted} is needed"
            )
        if made_by is not None and file.attrs.get("format") != FORMAT:
            raise InputError(
                f"{path} has file format {file.attrs.get('format')}, this version of tagalign"
                f" reads {FORMAT}; make it again"
            )
        yield file


def reopen(path: str | os.PathLike) -> h5py.File:
    """Open a file again that was checked by `read` just before, to read a part of it."""
    return h5py.File(path, "r")


def attributes(file: h5py.File) -> dict:
    """The root attributes of a stage file as Python values (JSON ones decoded)."""
    values = {}
    for key, value in file.attrs.items():
        values[key] = json.loads(value) if key in ("config", "inputs", "versions") else value
    return values


def write_strings(group: h5py.Group, name: str, values: Sequence[str]) -> h5py.Dataset:
    """Write a list of strings as a UTF-8 dataset of fixed width."""
    encoded = [value.encode() for value in values]
    width = max(map(len, encoded), default=0) or 1
    dtype = h5py.string_dtype("utf-8", width)
    return group.create_dataset(name, data=np.array(encoded, dtype=dtype))


def create_strings(group: h5py.Group, name: str, count: int, width: int) -> h5py.Dataset:
    """Make room for `count` strings of at most `width` bytes, for `put_strings`."""
    # All are as wide as the longest; compression takes the padding away again.
    return create_compressed(group, name, count, h5py.string_dtype("utf-8", width))


def create_compressed(group: h5py.Group, name: str, count: int, dtype) -> h5py.Dataset:
    """Make room for `count` values that are written in parts."""
    options = {"chunks": (min(count, CHUNK),), "compression": "gzip"} if count else {}
    return group.create_dataset(name, (count,), dtype, **options)


def put_strings(dataset: h5py.Dataset, first: int, values: Sequence[str]) -> None:
    """Write strings from row `first` on into what `create_strings` made."""
    if values:
        encoded = [value.encode() for value in values]
        dataset[first : first + len(values)] = np.array(encoded, dataset.dtype)


def read_strings(dataset: h5py.Dataset, rows=()) -> list[str]:
    """Read what `write_strings` or `put_strings` wrote, all of it or a slice or array of rows."""
    return [value.decode() for value in dataset[rows]]


def text_shape(node) -> tuple[int, ...] | None:
    """Shape of what `write_strings` wrote, or None if `node` is anything else."""
    if isinstance(node, h5py.Dataset) and h5py.check_string_dtype(node.dtype) is not None:
        return node.shape
    return None


def write_ragged(group: h5py.Group, name: str, rows: Sequence[Sequence], dtype=None) -> None:
    """Write rows of unequal length as ``name/values`` and ``name/offsets``.

    Row `i` is ``values[offsets[i]:offsets[i + 1]]``. Without `dtype` the rows hold strings.
    """
    target = group.create_group(name)
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    target["offsets"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if dtype is None:
        write_strings(target, "values", [value for row in rows for value in row])
    else:
        flat = [np.asarray(row, dtype) for row in rows if len(row)]
        target["values"] = np.concatenate(flat) if flat else np.zeros(0, dtype)


def read_ragged(group: h5py.Group) -> list:
    """Read what `write_ragged` wrote: a list of lists of strings, or of arrays."""
    offsets, values = group["offsets"][()], group["values"]
    is_text = h5py.check_string_dtype(values.dtype) is not None
    flat = read_strings(values) if is_text else values[()]
    return [flat[start:stop] for start, stop in itertools.pairwise(offsets)]


def write_failures(group: h5py.Group, failures: Sequence[tuple[str, str]]) -> None:
    """Write the sounds that were left out as ``failed/id`` and ``failed/reason``."""
    failed = group.create_group("failed")
    write_strings(failed, "id", [identifier for identifier, _ in failures])
    write_strings(failed, "reason", [reason for _, reason in failures])


def read_failures(group: h5py.Group) -> list[tuple[str, str]]:
    """Read what `write_failures` wrote: (id, reason) of each sound that was left out."""
    failed = group["failed"]
    return list(zip(read_strings(failed["id"]), read_strings(failed["reason"]), strict=True))
