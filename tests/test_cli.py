"""The command line as a whole: help for every verb, mistakes in one line."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tagalign.cli import GROUPS, cli

VERBS = [verb for verbs in GROUPS.values() for verb in verbs]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "tagalign", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_teaches(verb):
    result = CliRunner().invoke(cli, [verb, "--help"], prog_name="tagalign")
    assert result.exit_code == 0, result.output
    assert len(result.output) > 300
    assert "tagalign " + verb in result.output


def test_help_does_not_load_the_heavy_libraries():
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from tagalign.cli import GROUPS, cli\n"
        "for verb in [v for g in GROUPS.values() for v in g]:\n"
        "    CliRunner().invoke(cli, [verb, '--help'])\n"
        "print(sorted({'torch', 'librosa', 'gensim', 'sklearn', 'pandas'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_a_mistake_ends_in_one_line_and_exit_status_1(tmp_path):
    result = run("tags", tmp_path / "absent.h5", "-o", tmp_path / "tags.h5")
    assert result.returncode == 1
    assert result.stderr.startswith("tagalign: ")
    assert result.stderr.count("\n") == 1
    assert "absent.h5 does not exist" in result.stderr
    assert not (tmp_path / "tags.h5").exists()


def test_an_unknown_verb_is_refused():
    result = run("tarin")
    assert result.returncode == 2
    assert "there is no verb 'tarin'; did you mean 'train'?" in result.stderr


def test_quiet_shows_no_progress_and_verbose_where_an_error_comes_from(tmp_path, corpus):
    folder = {"csv": str(corpus / "sounds.csv"), "audio": str(corpus / "audio")}
    source = {"kind": "folder", "folder": folder | {"id_column": "freesound_id"}}
    command = ["catalogue", "--params", json.dumps({"source": source}), "-o", tmp_path / "c.h5"]
    assert "catalogue: 327/327 sounds (100 %)" in run(*command).stderr
    assert "100 %" not in run("--quiet", *command).stderr
    wrong = ["tags", tmp_path / "absent.h5", "-o", tmp_path / "tags.h5"]
    assert "Traceback" not in run(*wrong).stderr
    told = run("--verbose", *wrong)
    assert "Traceback" in told.stderr
    assert "absent.h5 does not exist" in told.stderr.splitlines()[-1]


def test_a_directory_of_an_output_is_made(tmp_path, corpus):
    done = run("new", corpus / "audio", "--csv", corpus / "sounds.csv", "-o", tmp_path / "a/b.yaml")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a" / "b.yaml").is_file()
