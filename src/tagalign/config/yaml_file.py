"""Configuration files: YAML, but only what JSON can say as well.

The configuration travels as JSON, to the stages and into their files. YAML knows more: dates,
keys that are no text, keys that occur twice.
"""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tagalign.errors import ConfigError

DEPTH = 30  # levels of a configuration, which has five
VALUES = 200_000


def read_yaml(path: str | os.PathLike) -> Any:
    """What a YAML file holds.

    Raises
    ------
    ConfigError
        The file cannot be read, is no YAML in UTF-8, has a key twice, or its aliases refer to
        themselves or multiply.
    """
    try:
        loader = _Loader(Path(path).read_text(encoding="utf-8"))
        loader.name = str(path)  # for the places in error messages
        node = loader.get_single_node()
        if node is None:
            return None
        _measure(node, str(path))
        return loader.construct_document(node)
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply; {DEPTH} levels are the most") from None
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8 ({error}); save it as such") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2020-02-31
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid YAML: {problem}") from None


def _measure(root: yaml.Node, where: str) -> None:
    """Refuse aliases that refer to themselves or, nested, stand for too many values."""
    count, left = 0, [(root, 1)]
    while left:
        node, depth = left.pop()
        count += 1
        if depth > DEPTH or count > VALUES:
            raise _too_large(where)
        if isinstance(node, yaml.MappingNode):
            left += [(item, depth + 1) for pair in node.value for item in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += [(item, depth + 1) for item in node.value]


def _too_large(where: str) -> ConfigError:
    return ConfigError(
        f"{where} has more than {DEPTH} levels or {VALUES} values; remove nested or circular"
        " aliases (*name)"
    )


def as_json(
    value: object, where: str, key: str = "", _parents: int = 0, _count: list | None = None
) -> Any:
    """A copy of `value` that JSON can hold; dates become text, as ``2020-01-31``.

    Parameters
    ----------
    value
        What a YAML loader made, ours or Snakemake's.
    where, key
        Name of the configuration and of the value in it, for errors.

    Raises
    ------
    ConfigError
        A key is no text, a value is of a type that JSON lacks, or there are too many.
    """
    count = [0] if _count is None else _count
    count[0] += 1
    if _parents > DEPTH or count[0] > VALUES:
        raise _too_large(where)
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                of = f"{key}: " if key else ""
                raise ConfigError(f"{where}: {of}the key {name!r} is no text; put it in quotes")
        return {
            name: as_json(item, where, f"{key}.{name}" if key else name, _parents + 1, count)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            as_json(item, where, f"{key}.{index}", _parents + 1, count)
            for index, item in enumerate(value)
        ]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float):
        return value
    raise ConfigError(
        f"{where}: {key} is of type {type(value).__name__}; give text, a number, a list or a"
        " mapping"
    )


class _Loader(yaml.SafeLoader):
    """Refuses a key that occurs twice, of which YAML would keep the last."""

    def compose_mapping_node(self, anchor: dict) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and lines.setdefault(key.value, line) != line:
                raise ConfigError(
                    f"{self.name}, line {line}: the key {key.value!r} is in line"
                    f" {lines[key.value]} already; keep one of them"
                )
        return node
