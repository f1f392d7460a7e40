"""Configuration files: YAML, but only what JSON can say as well.

The configuration travels as JSON, to the stages and into their files. YAML knows more: dates,
keys that are no text, keys that occur twice.
"""

import datetime
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from tagalign.errors import ConfigError


def read_yaml(path: str | os.PathLike):
    """What a YAML file holds.

    Raises
    ------
    ConfigError
        The file cannot be read, is no YAML in UTF-8, or has a key twice.
    """
    try:
        loader = _Loader(Path(path).read_text(encoding="utf-8"))
        loader.name = str(path)  # for the places in error messages
        return loader.get_single_data()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8 ({error}); save it as such") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2020-02-31
        problem = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid YAML: {problem}") from None


def as_json(value, where: str, key: str = ""):
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
        A key is no text, or a value is of a type that JSON lacks.
    """
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                of = f"{key}: " if key else ""
                raise ConfigError(f"{where}: {of}the key {name!r} is no text; put it in quotes")
        return {
            name: as_json(item, where, f"{key}.{name}" if key else name)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [as_json(item, where, f"{key}.{index}") for index, item in enumerate(value)]
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

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        lines = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and lines.setdefault(key.value, line) != line:
                raise ConfigError(
                    f"{self.name}, line {line}: the key {key.value!r} is in line"
                    f" {lines[key.value]} already; keep one of them"
                )
        return node
