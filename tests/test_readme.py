"""The commands of the README exist: their verbs, options and files of the project."""

import re
import shlex
from pathlib import Path

import pytest
from click import Context

from tagalign.cli import cli

ROOT = Path(__file__).parents[1]
LINES = re.findall(
    r"^    ((?:snakemake|tagalign|make) ?.*)$", (ROOT / "README.md").read_text(), re.M
)


def words_of(prefix):
    lines = [shlex.split(line, comments=True) for line in LINES if line.startswith(prefix)]
    assert lines
    return lines


@pytest.mark.parametrize("words", words_of("tagalign"), ids=" ".join)
def test_a_verb_takes_the_options_of_the_readme(words):
    """Parsed as the command line would be, without running the verb."""
    name, *arguments = words[1:]
    verb = cli.get_command(Context(cli), name)
    assert verb is not None, f"there is no verb {name}"
    verb.make_context(name, arguments)


@pytest.mark.parametrize("words", words_of("snakemake"), ids=" ".join)
def test_files_that_a_command_names_are_there(words):
    named = [word for word in words if word.startswith(("config/", "workflow/"))]
    assert all((ROOT / name).exists() for name in named)
