"""The commands of the README files work: verbs, options and files, and what Snakemake plans."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click import Context

import tagalign
from small_model import write_users_files
from tagalign.cli import cli
from tiny_project import fresh  # noqa: F401

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = README + "".join(
    (ROOT / page).read_text() for page in ("config/README.md", "workflow/profiles/README.md")
)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)
# These need what a user installs first.
LATER = ("cluster-generic", "conda")


def commands(text, program):
    """Lines of a page that begin with a program, continued ones in one piece."""
    text = re.sub(r"\\\n\s*", "", text)
    lines = re.findall(rf"^ +({program} ?.*)$", text, re.M)
    found = [shlex.split(line, comments=True) for line in lines]
    found = [words for words in found if not set(LATER) & set(words)]
    assert found
    return found


@pytest.mark.parametrize("words", commands(README, "tagalign"), ids=" ".join)
def test_a_verb_takes_the_options_of_the_readme(words):
    """Parsed as the command line would be, without running the verb."""
    name, *arguments = words[1:]
    verb = cli.get_command(Context(cli), name)
    assert verb is not None, f"there is no verb {name}"
    verb.make_context(name, arguments)


@pytest.fixture(scope="module")
def users_files(corpus, tmp_path_factory):
    return write_users_files(tmp_path_factory.mktemp("user"), corpus)


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_the_python_of_the_readme_runs(users_files, monkeypatch, number):
    """Where a model, two sounds, and files that the verbs made of them lie."""
    monkeypatch.chdir(users_files)
    exec(compile(PYTHON[number], f"README.md, block {number}", "exec"), {})


def test_the_readme_shows_the_whole_interface():
    text = "".join(PYTHON)
    names = [name for name in tagalign.__all__ if name != "Embedder"]
    names += [name for name in vars(tagalign.Embedder) if not name.startswith("_")]
    shown = [name for name in names if f".{name}(" in text or f".{name} " in text]
    assert set(names) - set(shown) <= {"finish", "times"}


@pytest.mark.slow
@pytest.mark.parametrize("words", commands(PAGES, "snakemake"), ids=" ".join)
def test_snakemake_plans_what_the_readme_says(fresh, words):  # noqa: F811
    """A dry run of the command, in a project where nothing has run and a user has own sounds."""
    profiles = fresh.root / "workflow" / "profiles"
    shutil.copytree(profiles / "slurm", profiles / "mysite")
    (fresh.root / "workflow" / "resources").mkdir(exist_ok=True)
    corpus = "workflow/resources/demo-corpus"
    (fresh.root / corpus).symlink_to(ROOT / corpus)
    sounds = fresh.root / "my-sounds" / "dogs"
    sounds.mkdir(parents=True)
    for path in sorted((ROOT / corpus / "audio").iterdir())[:2]:
        (sounds / path.name).symlink_to(path)
    fresh.call("tagalign", "new", "my-sounds")
    (fresh.root / "mine.yaml").write_text((fresh.root / "my-sounds.yaml").read_text())
    done = fresh.call(*words, "--dry-run", *([] if "--cores" in words else ["--cores", "2"]))
    assert re.search(r"^total +\d+$", done.stdout, re.M)
