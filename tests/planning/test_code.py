"""The code of a stage is what it imports, directly or through others."""

import subprocess
import sys

import pytest

from tagalign.cli import GROUPS
from tagalign.errors import InputError
from tagalign.planning.code import PACKAGE, WITHOUT_EFFECT, code_files

STAGES = list(GROUPS["Stages, in the order in which they run"])


def names(verb):
    return {str(path.relative_to(PACKAGE)) for path in code_files(verb)}


def test_imports_inside_functions_and_through_others_count():
    assert {
        "cli/tags.py",
        "cli/options.py",
        "store/__init__.py",
        "config/load.py",
        "tags/lemma.py",
    } <= names("tags")


def test_what_a_stage_does_not_use_is_left_out():
    assert not any(name.startswith(("model/", "train/", "audio/")) for name in names("tags"))
    assert not any(name.startswith("tags/") for name in names("evaluate"))


def test_messages_and_the_list_of_verbs_are_left_out():
    for verb in STAGES:
        assert not {"__init__.py", "errors.py", "progress.py", "cli/__init__.py"} & names(verb)


def test_resources_that_the_code_names_count():
    assert "resources/nltk_data/corpora/wordnet.zip" in names("tags")
    assert "resources/nltk_data/corpora/wordnet.zip" not in names("train")


def test_unknown_verb():
    with pytest.raises(InputError, match="'toast'"):
        code_files("toast")


@pytest.mark.parametrize("verb", STAGES)
def test_every_module_that_importing_the_verb_loads_is_there(verb):
    module = f"tagalign.cli.{verb.replace('-', '_')}"
    script = f"import sys, {module}; print(*(m for m in sys.modules if m.startswith('tagalign')))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    expected = {name.replace(".", "/") for name in loaded if name not in WITHOUT_EFFECT}
    found = {name.removesuffix(".py").removesuffix("/__init__") for name in names(verb)}
    assert {name.removeprefix("tagalign/") for name in expected} <= found
