"""What a stage file holds and what made it, as text."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py

from tagalign import store
from tagalign.planning.run import Run, read_attributes


def describe(path: str | os.PathLike) -> str:
    """Attributes, contents and the chain of inputs back to the sources, for a terminal.

    Raises
    ------
    InputError
        The file is no stage file.
    """
    path = Path(path)
    found = read_attributes(path)
    lines = [str(path), f"  stage     {found.pop('stage')} (format {found.pop('format')})"]
    if "seed" in found:
        lines.append(f"  seed      {found.pop('seed')}")
    versions = found.pop("versions")
    lines.append("  versions  " + ", ".join(f"{name} {versions[name]}" for name in versions))
    lines.append("  config")
    lines += [f"    {key} = {value}" for key, value in _flat(found.pop("config"))] or ["    (none)"]
    inputs = found.pop("inputs")
    lines += [f"  {key:9} {_short(value)}" for key, value in sorted(found.items())]
    lines.append("  holds")
    lines += [f"    {line}" for line in _contents(path)]
    lines.append("  made from")
    run = Run.of(path)
    lines += [f"    {line}" for line in _chain(path, inputs, run, set())] or ["    (a source)"]
    if run is None and inputs:
        lines.append("  The file lies outside a run (results/RUN); its inputs are not looked for.")
    return "\n".join(lines)


def _chain(path: Path, inputs: Mapping, run: Run | None, seen: set) -> Iterator[str]:
    for role, wanted in inputs.items():
        source = run and run.find(role, wanted, path)
        where = source or ("not looked for" if run is None else "NOT FOUND: changed or removed")
        repeated = source in seen
        yield f"{role:12} {wanted[:12]}  {where}{' (see above)' if repeated else ''}"
        if run is not None and source in run.made and not repeated:
            seen.add(source)
            below = run.inputs_of(source)
            yield from (f"  {line}" for line in _chain(source, below, run, seen))


def _contents(path: Path) -> list[str]:
    lines = []
    with store.reopen(path) as file:

        def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if shape := store.text_shape(item):
                lines.append(f"{name:32} {shape!s:18} text")
            elif isinstance(item, h5py.Dataset) and not store.text_shape(item.parent):
                lines.append(f"{name:32} {item.shape!s:18} {item.dtype}")

        file.visititems(visit)
    return lines


def _flat(config: Mapping, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _short(value: object, most: int = 100) -> str:
    text = str(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
