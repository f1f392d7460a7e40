"""The JSON Schema (2020-12) of a configuration: one file per section, put together here."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parent / "schemas"


@functools.cache
def read_schema() -> dict:
    """The schema of a whole configuration, with the section schemas in their places."""
    whole = _read("config.schema.yaml")
    Draft202012Validator.check_schema(whole)
    return whole


def _read(name: str) -> dict:
    return _without_references(yaml.safe_load((SCHEMAS / name).read_text(encoding="utf-8")))


def _without_references(part: Any) -> Any:
    """`part` with each reference to a file replaced by what the file holds."""
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _read(part["$ref"])
    return {key: _without_references(value) for key, value in part.items()}


def section_schema(name: str) -> Mapping | None:
    """The schema of a section; ``"datasets.esc10"`` goes one level down. None: no such section."""
    part: Mapping = read_schema()
    for key in name.split("."):
        part = child_schema(part, key)
    return part or None


def child_schema(part: Mapping, key: str) -> Mapping:
    """What `part` wants of its key; empty where it wants nothing or does not know the key."""
    others = part.get("additionalProperties")
    return part.get("properties", {}).get(key) or (others if isinstance(others, Mapping) else {})


def types(part: Mapping) -> list[str]:
    """The JSON types that a value may have; empty where any will do."""
    kinds = part.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds
