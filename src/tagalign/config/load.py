"""Load and check configuration: one YAML file, one JSON Schema per section.

The schemas in ``tagalign/config/schemas`` hold the meaning, the type and the default of every key;
unknown keys are refused. A stage sees only the sections that it reads, so that changing a
key reruns those stages and no others.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from tagalign.config.explain import explain, no_task, problem
from tagalign.config.schema import child_schema, read_schema, section_schema
from tagalign.config.values import with_defaults
from tagalign.config.yaml_file import as_json, read_yaml
from tagalign.errors import ConfigError
from tagalign.sources import find_source


def load(path: str | os.PathLike) -> dict:
    """Read a configuration file, check it and fill in the defaults.

    Raises
    ------
    ConfigError
        The file cannot be read, a key is unknown or occurs twice, or a value has the wrong type
        or range.
    """
    return resolve(read_yaml(path) or {}, where=str(path))


def resolve(config: Mapping, where: str = "the configuration") -> dict:
    """Check a whole configuration and fill in the defaults; `where` names it in errors."""
    resolved = _resolve(config, read_schema(), where, "")
    unknown = [task for task in resolved["tasks"] if task not in resolved["datasets"]]
    if unknown:
        known = resolved["datasets"]
        raise problem(where, [f"tasks: {no_task(task, known)}" for task in unknown])
    return resolved


def sections(config: Mapping, *names: str) -> dict:
    """Pick sections of a resolved configuration; ``"datasets.esc10"`` goes one level down.

    Returns
    -------
    dict
        Section name -> its keys, the form in which a stage takes its configuration.
    """
    picked = {}
    for name in names:
        value = config
        for part in name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise ConfigError(f"the configuration has no section {name!r}")
            value = value[part]
        picked[name] = value
    return picked


def data_name(config: Mapping) -> str:
    """Name of the directory below ``data/``: `source.name`, or what stands for it.

    All runs from Freesound share what was downloaded, and so do those from COALA's files; a
    folder belongs to its run.
    """
    source = config["source"]
    if source["name"] is not None:
        return source["name"]
    own = find_source(source["kind"]).gives == "files"
    return config["run"] if own else source["kind"]


def merge(first: Mapping, second: Mapping) -> dict:
    """`first` with the keys of `second` on top, at every depth."""
    merged = dict(first)
    for key, value in second.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def flatten(config: Mapping) -> dict:
    """Dotted key -> value of a configuration, down to where the schema names no keys."""
    return dict(_leaves(config, read_schema(), ""))


def _leaves(config: Mapping, part: Mapping, prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in config.items():
        child = child_schema(part, key)
        if "properties" in child:
            yield from _leaves(value, child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def only_places(picked: Mapping) -> dict:
    """What `without_places` drops: paths, rates and the like, in the same form."""
    return {
        name: value
        for name, section in picked.items()
        if (value := _only_places(section, section_schema(name) or {})) not in ({}, None)
    }


def _only_places(value: object, part: Mapping) -> Any:
    if part.get("x-place"):
        return value
    if not isinstance(value, Mapping):
        return None
    found = {key: _only_places(item, child_schema(part, key)) for key, item in value.items()}
    return {key: item for key, item in found.items() if item not in ({}, None)}


def without_places(picked: Mapping) -> dict:
    """Drop every key that cannot change a result: paths, rates, downloads, hardware.

    Such keys bear ``x-place: true`` in their schema. What they point to may well matter; a
    stage records that as the hash of an input.

    Parameters
    ----------
    picked
        A whole configuration, or sections as `sections` returns them; names without a schema
        are kept as they are.
    """
    kept = {}
    for name, value in picked.items():
        part = section_schema(name) or {}
        if not part.get("x-place"):
            kept[name] = _without_places(value, part)
    return kept


def _without_places(value: object, part: Mapping) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_places(item, child)
        for key, item in value.items()
        if not (child := child_schema(part, key)).get("x-place")
    }


def resolve_sections(picked: Mapping, names: Iterable[str], where: str = "--params") -> dict:
    """Check the sections that a stage was given and fill in the defaults of the rest.

    Raises
    ------
    ConfigError
        A section is not one of `names`, or a value does not fit its schema.
    """
    names = list(names)
    for name in picked:
        if name not in names:
            raise ConfigError(
                f"{where}: this stage does not read section {name!r}, only {', '.join(names)}"
            )
    result, known = {}, read_schema()["properties"]["datasets"]["properties"]
    for name in names:
        room, _, task = name.partition(".")
        if room == "datasets" and task not in known and name not in picked:
            raise ConfigError(f"{where}: {no_task(task, known)}")
        part = section_schema(name)
        if part is None:
            raise ConfigError(f"{where}: there is no section {name!r}")
        result[name] = _resolve(picked.get(name, {}), part, where, name)
    return result


def _resolve(value: object, part: Mapping, where: str, prefix: str) -> Any:
    filled = with_defaults(as_json(value, where, prefix), part)
    errors = sorted(
        Draft202012Validator(part).iter_errors(filled), key=lambda error: list(map(str, error.path))
    )
    if errors:
        raise problem(where, [line for error in errors for line in explain(error, prefix)])
    return filled
