"""Write and read the HDF5 files between the stages.

A file appears only when it is whole: it is written under a temporary name beside its
destination and renamed at the end. Root attributes say what made it:

``stage``     name of the stage
``format``    version of the file layout (int)
``config``    the configuration sections that the stage read, less paths and hardware (JSON)
``inputs``    role -> SHA-256 of each input file (JSON)
``versions``  package -> version of what computed the content (JSON)
``seed``      the stage's random seed, where it has one

A file ends with a checksum over all of it (`tagalign.store.seal`), which `read` compares.
Neither times of day nor hosts nor paths go into a file, so equal inputs give equal bytes.
"""

import contextlib
import importlib.metadata
import io
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
import numpy.typing as npt

from tagalign import __version__
from tagalign.config.load import without_places
from tagalign.errors import InputError, TagalignError
from tagalign.store.seal import digest, is_whole, reseal, seal_of
from tagalign.store.strangers import suspicious

__all__ = ["digest", "is_whole", "reseal"]  # besides what is defined here

FORMAT = 3
REMAKE = "delete it and run snakemake, or the command that made it, again"
BLOCK = 2**16  # bytes of a list that are compressed together


def canonical(value: object) -> str:
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
        raise TagalignError(_blame(error, path, part)) from error
    finally:
        # Where even this fails, there is nothing to remove or no way to.
        with contextlib.suppress(OSError):
            part.unlink()


def _blame(error: OSError, path: Path, part: Path) -> str:
    """Say of an error in the making of `path` which file it came of."""
    ours = {os.fspath(file) for file in (path, part, *path.parents)}
    if error.filename is not None and os.fsdecode(error.filename) not in ours:
        return f"{os.fsdecode(error.filename)}: {error.strerror}; {path} is not made"
    if error.errno is None:  # HDF5's, while it read: those of writing are the system's
        return f"an input of {path} cannot be read ({error})"
    return f"cannot write {path}: {error.strerror or error}"


class _Target(io.FileIO):
    """A file for HDF5 to write to, which does not survive an error in the middle of its work.

    The first error is kept, and from then on every write is pretended, so that HDF5 closes its
    file in order and the error can be raised afterwards.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
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

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = super().readinto(view)
        view[count:] = bytes(len(view) - count)  # what was pretended
        return len(view)


@contextlib.contextmanager
def new_hdf5(path: str | os.PathLike) -> Iterator[h5py.File]:
    """A new HDF5 file at `path`, which is overwritten and sealed at the end.

    Raises
    ------
    OSError
        At the end of the block: the file could not be written (disk full).
    """
    with _Target(path, "w+") as target:
        try:
            with h5py.File(target, "w") as file:
                yield file
            target.seek(0, os.SEEK_END)
            target.write(seal_of(path))
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
        The file is missing, damaged or not HDF5, or was not made by `stage`.
    """
    stages = (stage,) if isinstance(stage, str) else stage
    try:
        whole = is_whole(path)
        if whole is False:
            raise damaged(path, "its checksum differs")
        file = reopen(path)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; run the stage that makes it first") from None
    except OSError as error:
        if error.errno is not None:  # the system's, and no fault of the file's content
            raise InputError(f"{path} cannot be read: {os.strerror(error.errno)}") from None
        raise InputError(
            f"{path} is not a readable HDF5 file ({error}); if a stage made it, make it again:"
            f" {REMAKE}"
        ) from None
    with file:
        made_by = _text(file, "stage")
        if stages is not None and made_by not in stages:
            wanted = " or ".join(map(repr, stages))
            raise InputError(
                f"{path} was made by stage {made_by!r}, but a file of stage {wanted} is needed"
            )
        if made_by is not None and file.attrs.get("format") != FORMAT:
            raise InputError(
                f"{path} has file format {file.attrs.get('format')}, this version of tagalign"
                f" reads {FORMAT}; {REMAKE}"
            )
        if made_by is not None and whole is None:
            raise damaged(path, "it ends without a checksum")
        if wrong := _suspicious(file):
            raise InputError(f"{path}: {wrong}; it was not made by tagalign: do not use it")
        yield file


def _text(file: h5py.File, name: str) -> str | None:
    """A root attribute, if there is one and it is text."""
    try:
        value = file.attrs.get(name)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError):
        return None
    return value if isinstance(value, str) else None


def _suspicious(file: h5py.File) -> str | None:
    try:
        return suspicious(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        return " ".join(str(error).split())


def damaged(path: str | os.PathLike | BinaryIO, what: str) -> InputError:
    """The error that names a damaged file, and what to do about it."""
    return InputError(f"{path} is damaged ({what}); {REMAKE}")


def stage_of(path: str | os.PathLike) -> str | None:
    """Name of the stage that made a file, for those who take files of several.

    Raises
    ------
    InputError
        As `read`.
    """
    with read(path) as file:
        return _text(file, "stage")


def reopen(path: str | os.PathLike) -> h5py.File:
    """Open a file again that was checked by `read` just before, to read a part of it."""
    # Files appear whole and never change, so that no lock is needed; NFS often has none.
    return h5py.File(path, "r", locking=False)


def attributes(file: h5py.File) -> dict:
    """The root attributes of a stage file as Python values (JSON ones decoded)."""
    values = {}
    for key, value in file.attrs.items():
        values[key] = json.loads(value) if key in ("config", "inputs", "versions") else value
    return values


def write_strings(group: h5py.Group, name: str, values: Sequence[str]) -> h5py.Group:
    """Write a list of strings, each of which costs its own length.

    String `i` is the UTF-8 text ``name/values[offsets[i]:offsets[i + 1]]``. File names that are
    no UTF-8 keep their bytes, as `os.fsencode` does.
    """
    encoded = _encode(values)
    target = _text_group(group, name)
    _write_array(target, "values", np.frombuffer(b"".join(encoded), np.uint8))
    _write_array(target, "offsets", _offsets(encoded))
    return target


def create_strings(group: h5py.Group, name: str) -> h5py.Group:
    """An empty list of strings for `append_strings`, with the layout of `write_strings`."""
    target = _text_group(group, name)
    create_growing(target, "values", np.uint8)
    append(create_growing(target, "offsets", np.int64), [0])
    return target


def append_strings(strings: h5py.Group, values: Sequence[str]) -> None:
    """Add strings to what `create_strings` made."""
    encoded = _encode(values)
    last = strings["offsets"][-1]
    append(strings["values"], np.frombuffer(b"".join(encoded), np.uint8))
    append(strings["offsets"], last + _offsets(encoded)[1:])


def create_growing(group: h5py.Group, name: str, dtype: npt.DTypeLike) -> h5py.Dataset:
    """An empty list of numbers for `append`."""
    return group.create_dataset(name, (0,), maxshape=(None,), **_compressed(dtype))


def append(dataset: h5py.Dataset, values: Sequence | np.ndarray) -> None:
    """Add numbers to what `create_growing` made."""
    count = len(dataset)
    dataset.resize(count + len(values), axis=0)
    dataset[count:] = values


def count_strings(strings: h5py.Group) -> int:
    """How many strings `write_strings` wrote."""
    return len(strings["offsets"]) - 1


def text_shape(node: h5py.Dataset | h5py.Group) -> tuple[int, ...] | None:
    """Shape of what `write_strings` wrote, or None if `node` is anything else."""
    if not isinstance(node, h5py.Group) or node.attrs.get("encoding") != "utf-8":
        return None
    for name, dtype in (("values", np.uint8), ("offsets", np.int64)):
        inner = node.get(name)
        if not isinstance(inner, h5py.Dataset) or inner.ndim != 1 or inner.dtype != dtype:
            return None
    return (count_strings(node),) if len(node["offsets"]) else None


def read_strings(strings: h5py.Group, rows: slice = slice(None)) -> list[str]:
    """Read what `write_strings` wrote, or some consecutive rows of it.

    Raises
    ------
    InputError
        It is damaged.
    """
    start, stop, _ = rows.indices(count_strings(strings))
    offsets = strings["offsets"][start : max(start, stop) + 1].astype(np.int64)
    if offsets[0] < 0 or (np.diff(offsets) < 0).any() or offsets[-1] > len(strings["values"]):
        raise damaged(strings.file.filename, f"the text in {strings.name}")
    text = strings["values"][offsets[0] : offsets[-1]].tobytes()
    bounds = itertools.pairwise((offsets - offsets[0]).tolist())
    return [text[first:last].decode(errors="surrogateescape") for first, last in bounds]


def write_ragged(
    group: h5py.Group, name: str, rows: Sequence[Sequence], dtype: npt.DTypeLike | None = None
) -> None:
    """Write rows of unequal length as ``name/values`` and ``name/offsets``.

    Row `i` is ``values[offsets[i]:offsets[i + 1]]``. Without `dtype` the rows hold strings.
    """
    target = group.create_group(name)
    target["offsets"] = _offsets(rows)
    if dtype is None:
        write_strings(target, "values", [value for row in rows for value in row])
    else:
        flat = [np.asarray(row, dtype) for row in rows if len(row)]
        target["values"] = np.concatenate(flat) if flat else np.zeros(0, dtype)


def read_ragged(group: h5py.Group) -> list:
    """Read what `write_ragged` wrote: a list of lists of strings, or of arrays."""
    offsets, values = group["offsets"][()], group["values"]
    flat = read_strings(values) if text_shape(values) else values[()]
    return [flat[start:stop] for start, stop in itertools.pairwise(offsets)]


def _text_group(group: h5py.Group, name: str) -> h5py.Group:
    target = group.create_group(name)
    target.attrs["encoding"] = "utf-8"
    return target


def _encode(values: Sequence[str]) -> list[bytes]:
    return [value.encode(errors="surrogateescape") for value in values]


def _offsets(rows: Sequence[Sequence]) -> np.ndarray:
    """Where each row begins in all of them joined, and where the last one ends."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _write_array(group: h5py.Group, name: str, values: np.ndarray) -> None:
    # Chunks have an index of 2 kB, more than compression would gain for less than a chunk.
    options = _compressed(values.dtype) if values.nbytes > BLOCK else {}
    group.create_dataset(name, data=values, **options)


def _compressed(dtype: npt.DTypeLike) -> dict:
    dtype = np.dtype(dtype)
    chunks = (BLOCK // dtype.itemsize,)
    return {"dtype": dtype, "chunks": chunks, "compression": "gzip", "shuffle": True}


def write_failures(group: h5py.Group, failures: Sequence[tuple[str, str]]) -> None:
    """Write the sounds that were left out as ``failed/id`` and ``failed/reason``."""
    failed = group.create_group("failed")
    write_strings(failed, "id", [identifier for identifier, _ in failures])
    write_strings(failed, "reason", [reason for _, reason in failures])


def read_failures(group: h5py.Group) -> list[tuple[str, str]]:
    """Read what `write_failures` wrote: (id, reason) of each sound that was left out."""
    failed = group["failed"]
    return list(zip(read_strings(failed["id"]), read_strings(failed["reason"]), strict=True))
