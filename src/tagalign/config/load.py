"""Load and check configuration: one YAML file, one JSON Schema per section.

The schemas in ``tagalign/config/schemas`` hold the meaning, the type and the default of every key;
unknown keys are refused. A stage sees only the sections that it reads, so that changing a
key reruns those stages and no others.
"""

import difflib
import functools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from tagalign.config.yaml_file import as_json, read_yaml
from tagalign.errors import ConfigError

SCHEMAS = Path(__file__).parent / "schemas"


@functools.cache
def schema() -> dict:
    """The JSON Schema (2020-12) of a whole configuration, section schemas put in place."""
    whole = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
    for key, value in whole["properties"].items():
        if "$ref" in value:
            whole["properties"][key] = yaml.safe_load((SCHEMAS / value["$ref"]).read_text())
    Draft202012Validator.check_schema(whole)
    return whole


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
    return _resolve(config, schema(), where, "")


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
    return config["run"] if source["kind"] == "folder" else source["kind"]


def merge(first: Mapping, second: Mapping) -> dict:
    """`first` with the keys of `second` on top, at every depth."""
    merged = dict(first)
    for key, value in second.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def flatten(config: Mapping) -> dict:
    """Dotted key -> value of a configuration, down to where the schema names no keys."""
    return dict(_leaves(config, schema(), ""))


def _leaves(config: Mapping, part: Mapping, prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in config.items():
        child = part["properties"][key]
        if "properties" in child:
            yield from _leaves(value, child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def only_places(picked: Mapping) -> dict:
    """What `without_places` drops: paths, rates and the like, in the same form."""
    return {
        name: value
        for name, section in picked.items()
        if (value := _only_places(section, _section_schema(name) or {})) not in ({}, None)
    }


def _only_places(value, part: Mapping):
    if part.get("x-place"):
        return value
    if not isinstance(value, Mapping):
        return None
    properties = part.get("properties", {})
    found = {key: _only_places(item, properties.get(key, {})) for key, item in value.items()}
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
        part = _section_schema(name) or {}
        if not part.get("x-place"):
            kept[name] = _without_places(value, part)
    return kept


def _without_places(value, part: Mapping):
    if not isinstance(value, Mapping):
        return value
    properties = part.get("properties", {})
    return {
        key: _without_places(item, properties.get(key, {}))
        for key, item in value.items()
        if not properties.get(key, {}).get("x-place")
    }


def _section_schema(name: str) -> Mapping | None:
    """The schema of a section; ``"datasets.esc10"`` goes one level down."""
    part = schema()
    for step in name.split("."):
        part = part.get("properties", {}).get(step)
        if part is None:
            return None
    return part


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
    result = {}
    for name in names:
        part = _section_schema(name)
        if part is None:
            raise ConfigError(f"{where}: there is no section {name!r}")
        result[name] = _resolve(picked.get(name, {}), part, where, name)
    return result


def _resolve(value, part: Mapping, where: str, prefix: str):
    filled = _with_defaults(as_json(value, where, prefix), part)
    errors = sorted(
        Draft202012Validator(part).iter_errors(filled), key=lambda error: list(error.path)
    )
    if errors:
        raise ConfigError(_explain(errors[0], where, prefix))
    return filled


def _with_defaults(value, part: Mapping):
    """Copy `value` with the schema's defaults where a key is absent, at every depth.

    Whole numbers that are written as floats become integers, so that 4.0 and 4 are one value.
    """
    if isinstance(value, list):
        return [_with_defaults(item, part.get("items", {})) for item in value]
    if isinstance(value, float) and value.is_integer() and "integer" in _types(part):
        return int(value)
    if not isinstance(value, Mapping):
        return value
    filled = dict(value)
    for key, child in part.get("properties", {}).items():
        if key in filled:
            filled[key] = _with_defaults(filled[key], child)
        elif "default" in child:
            filled[key] = _with_defaults(child["default"], child)
        elif child.get("type") == "object":
            filled[key] = _with_defaults({}, child)
    return filled


def _types(part: Mapping) -> list[str]:
    kinds = part.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _explain(error, where: str, prefix: str) -> str:
    """One line that names the file, the key, the value and what would be right."""
    key = ".".join(filter(None, [prefix, *map(str, error.absolute_path)]))
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))[0]
        name = f"{key}.{unknown}" if key else unknown
        near = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return f"{where}: unknown key {name!r}; {hint}"
    if error.validator == "required":
        return f"{where}: {key or 'the file'}: {error.message}"
    wanted = {
        "type": lambda: f"must be of type {error.validator_value}",
        "enum": lambda: f"must be one of {', '.join(map(str, error.validator_value))}",
        "const": lambda: f"must be {error.validator_value}",
        "minimum": lambda: f"must be at least {error.validator_value}",
        "maximum": lambda: f"must be at most {error.validator_value}",
        "exclusiveMinimum": lambda: f"must be greater than {error.validator_value}",
        "exclusiveMaximum": lambda: f"must be less than {error.validator_value}",
        "minLength": lambda: f"needs at least {error.validator_value} characters",
        "minItems": lambda: f"needs at least {error.validator_value} entries",
    }.get(error.validator, lambda: error.message)
    return f"{where}: {key} = {json.dumps(error.instance)}: {wanted()}"
