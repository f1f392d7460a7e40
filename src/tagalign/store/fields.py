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

`read` and `write` move whole files. Where memory demands a stream, the class gives methods of
its own on top of `StageFile.open` and `StageFile.create`, which give the HDF5 file and check it.

A shape is a line of sizes: numbers, or names, of which one name means one size throughout a
file. ``*`` stands for a size that differs from row to row (stored by `store.write_ragged`).
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import h5py
import numpy as np

from tagalign import store
from tagalign.errors import InputError


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a stage file.

    Attributes
    ----------
    dtype
        A NumPy type such as ``"float32"``, or ``"text"``; of attributes also ``"JSON"``; of the
        members of a group also ``"any"`` numbers of any shape.
    shape
        Sizes, such as ``"N n_mels n_frames"`` or, with rows of unequal length, ``"N *"``; empty
        for a single value.
    meaning
        One line for the table of files.
    unit
        Unit of the values, if they have one.
    kind
        ``"data set"``, ``"attribute"`` (of the root), ``"group"`` (data sets whose names are
        data as well), or ``"failures"`` (see `store.write_failures`).
    name
        Path within the file; the name in the class if empty.
    optional
        Whether a file may lack it; it reads as None, a group as an empty dict.
    """

    dtype: str
    shape: str
    meaning: str
    unit: str = ""
    kind: str = "data set"
    name: str = ""
    optional: bool = False

    def write(self, file: h5py.File, value) -> None:
        """Write `value` into an open file."""
        if self.kind == "attribute":
            file.attrs[self.name] = store.canonical(value) if self.dtype == "JSON" else value
        elif self.kind == "failures":
            store.write_failures(file, value)
        elif self.kind == "group":
            group = file.create_group(self.name)
            for name, member in value.items():
                dataclasses.replace(self, kind="data set", name=name).write(group, member)
        elif "*" in self.shape:
            store.write_ragged(file, self.name, value, None if self._is_text else self.dtype)
        elif self._is_text:
            store.write_strings(file, self.name, value)
        else:
            file[self.name] = np.asarray(value, None if self.dtype == "any" else self.dtype)

    def read(self, file: h5py.File) -> Any:
        """The value in an open file that was checked."""
        if not self._is_in(file):
            return {} if self.kind == "group" else None
        if self.kind == "attribute":
            value = file.attrs[self.name]
            if self.dtype == "JSON":
                return json.loads(value)
            return value.item() if isinstance(value, np.generic) else value
        if self.kind == "failures":
            return store.read_failures(file)
        if self.kind == "group":
            return {
                name: dataclasses.replace(self, kind="data set", name=name).read(file[self.name])
                for name in file[self.name]
            }
        if "*" in self.shape:
            return store.read_ragged(file[self.name])
        return store.read_strings(file[self.name]) if self._is_text else file[self.name][()]

    def check(self, file: h5py.File, sizes: dict[str, int]) -> str | None:
        """What is wrong with the field in a file, or None.

        `sizes` maps the names of sizes to what they were so far, and gains those of this field.
        """
        if not self._is_in(file):
            return None if self.optional else f"has no {self.kind} {self.name!r}"
        if self.kind == "attribute":
            value = file.attrs[self.name]
            if self.dtype not in ("text", "JSON"):
                return self._compare(np.asarray(value).dtype, np.shape(value), sizes)
            return None if isinstance(value, str) else f"has no text in attribute {self.name!r}"
        if self.kind == "group":
            return self._check_group(file[self.name], sizes)
        if self.kind == "failures":
            node = file[self.name]
            lengths = [store.text_shape(node.get(part)) for part in ("id", "reason")]
            if None in lengths or len(set(lengths)) > 1:
                return f"has no lists of ids and reasons of one length in {self.name!r}"
            return None
        return self._check_data(file[self.name], sizes)

    @property
    def _is_text(self) -> bool:
        return self.dtype == "text"

    def _is_in(self, file: h5py.File) -> bool:
        return self.name in (file.attrs if self.kind == "attribute" else file)

    def _check_group(self, group, sizes: dict[str, int]) -> str | None:
        if not isinstance(group, h5py.Group):
            return f"has no group {self.name!r}"
        for name, node in group.items():
            member = dataclasses.replace(self, kind="data set", name=f"{self.name}/{name}")
            wrong = member._check_data(node, sizes)
            if wrong:
                return wrong
        return None

    def _check_data(self, node, sizes: dict[str, int]) -> str | None:
        if "*" in self.shape:
            if not isinstance(node, h5py.Group) or not {"offsets", "values"} <= set(node):
                return f"has no rows of unequal length in {self.name!r}"
            offsets, values = node["offsets"], node["values"]
            if offsets.dtype.kind != "i" or offsets.ndim != 1 or not len(offsets):
                return f"has no offsets of rows in {self.name!r}"
            shape, dtype = store.text_shape(values), "text"
            if shape is None:
                shape, dtype = values.shape, values.dtype
            return self._compare(dtype, (len(offsets) - 1, *shape), sizes)
        shape, dtype = store.text_shape(node), "text"
        if shape is None:
            if not isinstance(node, h5py.Dataset):
                return f"has a group where the data set {self.name!r} should be"
            shape, dtype = node.shape, node.dtype
        return self._compare(dtype, shape, sizes)

    def _compare(self, dtype, shape: tuple[int, ...], sizes: dict[str, int]) -> str | None:
        if self.dtype == "any":
            return None
        if dtype != (self.dtype if self._is_text else np.dtype(self.dtype)):
            return f"has {dtype} in {self.name!r}, not {self.dtype}"
        names = self.shape.split()
        known = [int(n) if n.isdecimal() else sizes.get(n) for n in names]
        fits = [size in (None, found) for size, found in zip(known, shape, strict=False)]
        if len(names) != len(shape) or not all(fits):
            wanted = ", ".join(
                name if size is None or name.isdecimal() else f"{name} = {size}"
                for name, size in zip(names, known, strict=True)
            )
            return f"has {self.name!r} of shape {shape}, not ({wanted})"
        sizes |= {n: s for n, s in zip(names, shape, strict=True) if n.isidentifier()}
        return None


def field(dtype: str, shape: str, meaning: str, **options) -> Any:
    """Declare a field of a `StageFile`; see `Field` for the arguments."""
    declared = Field(dtype, shape, meaning, **options)
    if declared.optional:
        if declared.kind == "group":
            return dataclasses.field(default_factory=dict, metadata={"field": declared})
        return dataclasses.field(default=None, metadata={"field": declared})
    return dataclasses.field(metadata={"field": declared})


def attribute(dtype: str, meaning: str, shape: str = "", **options) -> Any:
    """Declare a root attribute of a `StageFile`."""
    return field(dtype, shape, meaning, kind="attribute", **options)


def failures(meaning: str) -> Any:
    """Declare the table of what was left out: a list of (id, reason)."""
    return field("text", "failures", meaning, kind="failures", name="failed")


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
        """Name in the class -> declaration, in the order of the class."""
        return {
            item.name: dataclasses.replace(declared, name=declared.name or item.name)
            for item in dataclasses.fields(cls)
            if (declared := item.metadata.get("field"))
        }

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
    def read(cls, path: str | os.PathLike) -> Self:
        """Read the whole file.

        Raises
        ------
        InputError
            As `open`.
        """
        with cls.open(path) as file:
            values = {name: declared.read(file) for name, declared in cls.fields().items()}
            return cls(config=store.attributes(file)["config"], **values)

    @classmethod
    def read_fields(cls, path: str | os.PathLike, *names: str) -> list:
        """Read some fields, by their names in the class.

        Raises
        ------
        InputError
            As `open`.
        """
        declared = cls.fields()
        with cls.open(path) as file:
            return [declared[name].read(file) for name in names]

    def write(self, path: str | os.PathLike, **options) -> None:
        """Write the whole file; see `store.create` for the options apart from ``config``."""
        with self.create(path, config=self.config, **options) as file:
            for name, declared in self.fields().items():
                value = getattr(self, name)
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
