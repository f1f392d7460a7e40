"""Declare what a stage file holds: a class per file, a line per field.

The class is the only place that knows the layout of its file. It lies in the room that makes
the file, documents the fields, writes them, and checks them when the file is read::

    @dataclasses.dataclass(kw_only=True)
    class WordVectors(StageFile, stage="word2vec", place="word2vec/DIM.h5"):
        "A vector for each tag of the vocabulary."

        vocabulary: list[str] = field("text", "C", "the tags")
        vectors: np.ndarray = field("float32", "C F_w", "word vectors")

    WordVectors(config=sections, vocabulary=words, vectors=vectors).write(path, inputs=...)
    found = WordVectors.read(path)
    [words] = WordVectors.read_fields(path, "vocabulary")

`read` and `write` move whole files. Where memory demands a stream, the class gives methods of
its own on top of `StageFile.open` and `StageFile.create`, which give the HDF5 file and check it.

A shape is a line of sizes: numbers, or names, of which one name means one size throughout a
file. ``*`` stands for a size that differs from row to row (stored by `store.write_ragged`).
"""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import h5py

from tagalign import store
from tagalign.errors import InputError, TagalignError
from tagalign.store.field import Field

UNREADABLE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)
"""What h5py, NumPy and the JSON parser raise for content that is not what it says."""


def field(dtype: str, shape: str, meaning: str, *, default: Any = None, **options: Any) -> Any:
    """Declare a field of a `StageFile`; see `Field` for the arguments.

    One that is optional, or that has a `default`, need not be given to the class.
    """
    declared = Field(dtype, shape, meaning, **options)
    metadata = {"field": declared}
    if declared.optional and declared.kind == "group":
        return dataclasses.field(default_factory=dict, metadata=metadata)
    if declared.optional or default is not None:
        return dataclasses.field(default=default, metadata=metadata)
    return dataclasses.field(metadata=metadata)


def attribute(dtype: str, meaning: str, shape: str = "", **options: Any) -> Any:
    """Declare an attribute of the root, or in a part of the part's group."""
    return field(dtype, shape, meaning, kind="attribute", **options)


def failures(meaning: str) -> Any:
    """Declare the table of what was left out: a list of (id, reason)."""
    return field("text", "failures", meaning, kind="failures", name="failed")


def part(kind: type, *, optional: bool = False) -> Any:
    """Declare a group that holds the fields of another dataclass.

    The size ``N`` counts the rows of each part by itself.
    """
    metadata = {"part": kind, "optional": optional}
    if optional:
        return dataclasses.field(default=None, metadata=metadata)
    return dataclasses.field(metadata=metadata)


def declared_fields(kind: Any, group: str = "", within: str = "") -> dict[str, Field]:
    """Name -> declaration of the fields of a dataclass, those of a part as ``part.name``.

    Parameters
    ----------
    kind
        The dataclass.
    group, within
        Group in which its fields lie, and the optional one among the groups above, if any.
    """
    found: dict[str, Field] = {}
    for item in dataclasses.fields(kind):
        if "field" in item.metadata:
            declared = item.metadata["field"]
            name = declared.name or item.name
            shape = declared.shape
            if group:
                name = f"{group}/{name}"
                shape = " ".join(f"N_{group}" if size == "N" else size for size in shape.split())
            found[item.name] = dataclasses.replace(declared, name=name, shape=shape, within=within)
        elif "part" in item.metadata:
            inside = within or (item.name if item.metadata["optional"] else "")
            inner = declared_fields(item.metadata["part"], item.name, inside)
            found |= {f"{item.name}.{name}": declared for name, declared in inner.items()}
    return found


@dataclasses.dataclass(kw_only=True)
class StageFile:
    """A file that a stage writes; its fields are declared by the classes below this one.

    Attributes
    ----------
    config
        The configuration sections that the stage read; see `store.create`.
    """

    stages: ClassVar[tuple[str, ...]]
    place: ClassVar[str]

    config: Mapping = dataclasses.field(default_factory=dict)

    def __init_subclass__(cls, *, stage: str | Sequence[str], place: str):
        """Declare a stage file.

        Parameters
        ----------
        stage
            The stage that writes it; the first of several unless `create` names another.
        place
            Where it lies in a run, for the table of files, such as ``"patches/SHARD.h5"``.
        """
        cls.stages = (stage,) if isinstance(stage, str) else tuple(stage)
        cls.place = place

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """Name -> declaration, in the order of the class; see `declared_fields`."""
        return declared_fields(cls)

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: str | os.PathLike) -> Iterator[h5py.File]:
        """Open a file and check its fields, for those who read it in parts.

        Raises
        ------
        InputError
            The file is missing, damaged or of another stage; a field is missing or has another
            type or shape than was declared.
        """
        with store.read(path, stage=cls.stages) as file:
            with _blaming(path):
                cls._check(file, path)
            yield file

    @classmethod
    @contextlib.contextmanager
    def create(
        cls, path: str | os.PathLike, *, stage: str | None = None, **options
    ) -> Iterator[h5py.File]:
        """Write a file in parts; see `store.create` for the options.

        Raises
        ------
        InputError
            What was written is not what is declared; there is no file then.
        """
        with store.create(path, stage=stage or cls.stages[0], **options) as file:
            yield file
            cls._check(file, path)

    @classmethod
    def read(cls, path: str | os.PathLike, *, without: Collection[str] = ()) -> Self:
        """Read the whole file.

        Parameters
        ----------
        path
            The file.
        without
            Optional fields that are left out, for those who do not need the large ones.

        Raises
        ------
        InputError
            As `open`.
        """
        with cls.open(path) as file, _blaming(path):
            values = {
                name: None if name in without else declared.read(file)
                for name, declared in cls.fields().items()
            }
            config = store.attributes(file)["config"]
            for item in dataclasses.fields(cls):
                if "part" in item.metadata:
                    inner = _take(values, f"{item.name}.")
                    there = item.name in file
                    values[item.name] = item.metadata["part"](**inner) if there else None
        return cls(config=config, **values)

    @classmethod
    def read_fields(cls, path: str | os.PathLike, *names: str) -> list:
        """Read some fields, by their names in the class; those of a part as ``part.name``.

        Raises
        ------
        InputError
            As `open`.
        """
        declared = cls.fields()
        with cls.open(path) as file, _blaming(path):
            return [declared[name].read(file) for name in names]

    def write(self, path: str | os.PathLike, **options: Any) -> None:
        """Write the whole file; see `store.create` for the options apart from ``config``."""
        with self.create(path, config=self.config, **options) as file:
            self.write_fields(file)

    def write_fields(self, file: h5py.File) -> None:
        """Write the fields that are not None into a new file, for those who stream the rest."""
        for name, declared in self.fields().items():
            value = functools.reduce(_get, name.split("."), self)
            if value is not None:
                declared.write(file, value)

    @classmethod
    def _check(cls, file: h5py.File, path: str | os.PathLike) -> None:
        sizes: dict[str, int] = {}
        for declared in cls.fields().values():
            wrong = declared.check(file, sizes)
            if wrong:
                raise InputError(
                    f"{path} {wrong}; make it again with `tagalign {file.attrs['stage']}`"
                )


@contextlib.contextmanager
def _blaming(path: str | os.PathLike) -> Iterator[None]:
    """Raise what a file's content causes as an error that names the file."""
    try:
        yield
    except TagalignError:
        raise
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise store.damaged(path, reason) from None


def _take(values: dict, prefix: str) -> dict:
    """Take the values whose names begin with `prefix` out of `values`, by the rest."""
    names = [name for name in values if name.startswith(prefix)]
    return {name.removeprefix(prefix): values.pop(name) for name in names}


def _get(value: Any, name: str) -> Any:
    return None if value is None else getattr(value, name)
