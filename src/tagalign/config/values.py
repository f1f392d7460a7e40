"""From what was written to the values that the schema wants: defaults, numbers, text."""

import re
from collections.abc import Mapping
from typing import Any

from tagalign.config.schema import child_schema, read_schema, types

# A number with an exponent, which YAML 1.1 takes for text unless it has a point and a sign.
EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")
TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def with_defaults(value: Any, part: Mapping) -> Any:
    """Copy `value` with the schema's defaults where a key is absent, at every depth.

    Numbers such as ``1e-3``, which YAML 1.1 reads as text, become numbers. Whole numbers that are
    written as floats become integers, so that 4.0 and 4 are one value.
    """
    if isinstance(value, list):
        return [with_defaults(item, part.get("items", {})) for item in value]
    wanted = types(part)
    if isinstance(value, str) and {"number", "integer"} & set(wanted) and EXPONENT.fullmatch(value):
        value = float(value)
    if isinstance(value, float) and value.is_integer() and "integer" in wanted:
        return int(value)
    if not isinstance(value, Mapping):
        return value
    filled = {key: with_defaults(item, child_schema(part, key)) for key, item in value.items()}
    for key, child in part.get("properties", {}).items():
        if key in filled:
            continue
        if "default" in child:
            filled[key] = with_defaults(child["default"], child)
        elif child.get("type") == "object":
            filled[key] = with_defaults({}, child)
    return filled


def typed(given: Mapping) -> dict:
    """A configuration whose values are text, given the types that the schema wants.

    Inside braces and brackets of ``--config``, Snakemake leaves every value as the text that was
    written. What should be text stays as it is: ``","``, ``"#"`` and ``"no"`` too. Outside them it
    makes numbers of whole numbers, even in quotes; where text is wanted they are text again.
    """
    return _typed(given, read_schema())


def _typed(value: Any, part: Mapping) -> Any:
    if isinstance(value, Mapping):
        return {key: _typed(item, child_schema(part, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, part.get("items", {})) for item in value]
    wanted = types(part)
    if type(value) is int and "string" in wanted:
        return str(value)
    if not isinstance(value, str):
        return value
    for choice in part.get("enum", []):
        if str(choice) == value:
            return choice
    if "null" in wanted and value in ("null", "~"):
        return None
    if "string" in wanted:
        return value
    if "boolean" in wanted and value.lower() in TRUTH:
        return TRUTH[value.lower()]
    for number in (int, float) if {"integer", "number"} & set(wanted) else ():
        try:
            return number(value)
        except ValueError:
            continue
    return value
