"""``config/config.yaml``, the paper: every key with its meaning, from the schema.

``python -m tagalign.config.paper config/config.yaml`` writes it.
"""

import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from tagalign.config import load as config
from tagalign.config.schema import read_schema

PAPER = {
    "run": "paper",
    "source": {"kind": "freesound"},
    # Sizes of the paper are what they are; those of another collection are limits.
    "tags": {"exact_vocabulary": True},
    "train": {"exact_batch": True},
}
"""What the paper says beyond the defaults."""

HEAD = """\
# The paper: its text where it speaks, common sense where it does not. Every key.
# Generated from the schema by `make docs`: do not edit. A file of your own needs only the keys that
# differ: `snakemake --configfile yours.yaml`.
"""
WIDTH = 100


def paper_yaml() -> str:
    """The text of the file."""
    settings = config.resolve(PAPER)
    return HEAD + "\n".join(_lines(settings, read_schema(), depth=0)) + "\n"


def _lines(settings: Mapping, part: Mapping, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, child in part["properties"].items():
        section = "properties" in child
        if section and depth == 0:
            yield ""
        comment = textwrap.wrap(child["description"], WIDTH - len(indent) - 2)
        yield from (f"{indent}# {line}" for line in comment)
        if section:
            yield f"{indent}{key}:"
            yield from _lines(settings[key], child, depth + 1)
        else:
            yield f"{indent}{key}: {_value(settings[key])}"


def _value(value: object) -> str:
    """A value in one line of YAML."""
    # Only a scalar at the top is followed by the end of a document.
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").rstrip("\n")


def main() -> None:
    """Write the files named on the command line."""
    for name in sys.argv[1:]:
        Path(name).write_text(paper_yaml())


if __name__ == "__main__":
    main()
