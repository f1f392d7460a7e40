"""One field of a stage file: how it is written, read and checked."""

import dataclasses
import json
from collections.abc import Mapping, MutableMapping
from typing import Any

import h5py
import numpy as np

from tagalign import store


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
        ``"data set"``, ``"attribute"``, ``"group"`` (data sets whose names are data as well), or
        ``"failures"`` (see `store.write_failures`).
    name
        Path within the file; the name in the class if empty.
    optional
        Whether a file may lack it; it reads as None, a group as an empty dict.
    within
        Optional group in which it lies.
    """

    dtype: str
    shape: str
    meaning: str
    unit: str = ""
    kind: str = "data set"
    name: str = ""
    optional: bool = False
    within: str = ""

    def write(self, file: h5py.File, value) -> None:
        """Write `value` into an open file."""
        if self.kind == "attribute":
            group, _, key = self.name.rpartition("/")
            attributes = (file.require_group(group) if group else file).attrs
            attributes[key] = store.canonical(value) if self.dtype == "JSON" else value
        elif self.kind == "failures":
            store.write_failures(file, value)
        elif self.kind == "group":
            group = file.create_group(self.name)
            for name, member in value.items():
                self._member(name, isinstance(member, Mapping)).write(group, member)
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
            attributes, key = self._attributes(file)
            value = attributes[key]
            if self.dtype == "JSON":
                return json.loads(value)
            return value.item() if isinstance(value, np.generic) else value
        if self.kind == "failures":
            return store.read_failures(file)
        if self.kind == "group":
            group = file[self.name]
            return {
                name: self._member(name, self._nests(group[name])).read(group) for name in group
            }
        if "*" in self.shape:
            return store.read_ragged(file[self.name])
        if self._is_text:
            return store.read_strings(file[self.name])
        return np.asarray(file[self.name][()])

    def check(self, file: h5py.File, sizes: dict[str, int]) -> str | None:
        """What is wrong with the field in a file, or None.

        `sizes` maps the names of sizes to what they were so far, and gains those of this field.
        """
        if not self._is_in(file):
            lacking = self.optional or (self.within and self.within not in file)
            return None if lacking else f"has no {self.kind} {self.name!r}"
        if self.kind == "attribute":
            attributes, key = self._attributes(file)
            value = attributes[key]
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

    def _member(self, name: str, nests: bool) -> "Field":
        """The same field for a member of a group, which may be a group of its own."""
        return dataclasses.replace(self, name=name, kind="group" if nests else "data set")

    def _nests(self, node) -> bool:
        return isinstance(node, h5py.Group) and not self._is_text

    def _is_in(self, file: h5py.File) -> bool:
        if self.kind != "attribute":
            return self.name in file
        attributes, key = self._attributes(file)
        return key in attributes

    def _attributes(self, file: h5py.File) -> tuple[MutableMapping, str]:
        """The attributes of the group that the name begins with, and its end."""
        group, _, key = self.name.rpartition("/")
        node = file.get(group) if group else file
        return ({} if node is None else node.attrs), key

    def _check_group(self, group, sizes: dict[str, int]) -> str | None:
        if not isinstance(group, h5py.Group):
            return f"has no group {self.name!r}"
        for name, node in group.items():
            nests = self._nests(node)
            member = self._member(f"{self.name}/{name}", nests)
            check = member._check_group if nests else member._check_data
            wrong = check(node, sizes)
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
                if not isinstance(values, h5py.Dataset):
                    return f"has no rows of unequal length in {self.name!r}"
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
