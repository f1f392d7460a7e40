"""What is wrong with a configuration, in words: file, key, value and what would be right."""

import difflib
import json
from collections.abc import Iterable, Mapping

from jsonschema import ValidationError

from tagalign.errors import ConfigError


def problem(where: str, found: list[str]) -> ConfigError:
    """One error for all that was found in `where`: a line where it is one thing, else a list."""
    if len(found) == 1:
        return ConfigError(f"{where}: {found[0]}")
    return ConfigError("\n  ".join([f"{where}: {len(found)} things to correct:", *found]))


def explain(error: ValidationError, prefix: str) -> list[str]:
    """A line for each thing that a failed check of the schema found; `prefix` names the section."""
    key = ".".join(filter(None, [prefix, *map(str, error.absolute_path)]))
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(error.instance) - set(known))
        return [_unknown(f"{key}.{name}" if key else name, name, known) for name in unknown]
    if error.validator == "required":
        known = error.schema["properties"]
        return [
            f"{key}.{name} is missing: {known[name]['description']}".removeprefix(".")
            for name in error.validator_value
            if name not in error.instance
        ]
    wanted = {
        "type": lambda: f"must be of type {_type(error.validator_value)}{_in_quotes(error)}",
        "enum": lambda: f"must be one of {', '.join(map(str, error.validator_value))}",
        "const": lambda: f"must be {error.validator_value}",
        "minimum": lambda: f"must be at least {error.validator_value}",
        "maximum": lambda: f"must be at most {error.validator_value}",
        "exclusiveMinimum": lambda: f"must be greater than {error.validator_value}",
        "exclusiveMaximum": lambda: f"must be less than {error.validator_value}",
        "minLength": lambda: f"needs at least {error.validator_value} characters",
        "minItems": lambda: f"needs at least {error.validator_value} entries",
        "multipleOf": lambda: f"must be a multiple of {error.validator_value}",
        "uniqueItems": lambda: "must not hold a value twice",
    }.get(error.validator, lambda: error.message)
    # A pattern says itself what it is for.
    said = error.schema.get("x-error") if error.validator == "pattern" else None
    return [f"{key} = {json.dumps(error.instance, ensure_ascii=False)}: {said or wanted()}"]


def no_task(name: str, known: Iterable[str]) -> str:
    """What to say of a task that is neither built in nor described in ``datasets``."""
    return (
        f"there is no task {name!r}; {nearest(name, known, 'tasks')}; sounds of your own are"
        f" described in datasets: {{{name}: {{csv: ...}}}}"
    )


def nearest(name: str, known: Iterable[str], of: str) -> str:
    """A remedy for a name that is not known: the nearest one, or all of them."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"{of}: {', '.join(known)}"


def _unknown(key: str, name: str, known: Mapping) -> str:
    first, _, rest = name.partition(".")
    if first in known and rest:
        return f"unknown key {key!r}; keys nest: write {first}: {{{rest.replace('.', ': {')}: ...}}"
    inside = [section for section, part in known.items() if name in part.get("properties", {})]
    if inside:
        written = " or ".join(f"{section}: {{{name}: ...}}" for section in inside)
        return f"unknown key {key!r}; did you mean {written}?"
    return f"unknown key {key!r}; {nearest(name, known, 'known keys')}"


def _type(value: str | Iterable[str]) -> str:
    return value if isinstance(value, str) else " or ".join(value)


def _in_quotes(error: ValidationError) -> str:
    """A hint where text that looks like a number or a truth value has lost its quotes."""
    wants_text = "string" in error.validator_value
    return (
        "; put it in quotes"
        if wants_text and isinstance(error.instance, bool | int | float)
        else ""
    )
