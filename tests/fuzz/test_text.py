"""Text from users and servers: YAML, parameters, the memory of checksums, journals, lists."""

import json

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tagalign.cli import cli
from tagalign.config.yaml_file import as_json, read_yaml
from tagalign.embedding.journal import Journal
from tagalign.errors import ConfigError, InputError, TagalignError
from tagalign.planning.digests import digest_files
from tagalign.sources.id_list import read_ids
from tagalign.sources.tag_lists import split_tags

PIECES = st.sampled_from(
    (
        *("a", ": ", "- ", "\n", "  ", "&x ", "*x", "[", "]", "{", "}", "'", '"', "<<: "),
        *("|", ">", "#", "? ", "1e9", "2020-02-31", "\t", "\0", "é", "!!binary ", "~", "%"),
        *("\ud800", "!!python/x "),
    )
)
ODD_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_yaml(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        value = read_yaml(path)
        json.dumps(as_json(value, "any.yaml"))
    except ConfigError as error:
        if "\n" in str(error):
            raise


LOOP = "a: &x [*x]"
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize("text", [LOOP, LAUGHS, DEEP], ids=["loop", "laughs", "deep"])
def test_yaml_that_loops_or_multiplies_is_refused_at_once(tmp_path, text):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(ConfigError, match="levels"):
        read_yaml(tmp_path / "run.yaml")


@pytest.mark.parametrize("text", [LOOP, LAUGHS], ids=["loop", "laughs"])
def test_what_snakemake_read_is_refused_as_well(text):
    with pytest.raises(ConfigError, match="levels"):
        as_json(yaml.safe_load(text), "config")


@given(ODD_JSON.map(json.dumps) | st.lists(PIECES, max_size=20).map("".join))
def test_parameters(text):
    done = CliRunner().invoke(cli, ["tags", "none.h5", "--params", text, "-o", "x.h5"])
    assert done.exit_code != 0
    assert done.exception is None or isinstance(done.exception, (SystemExit, TagalignError))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"tags": ' + "9" * 5000 + "}"])
def test_parameters_beyond_the_parser(text):
    done = CliRunner().invoke(cli, ["tags", "none.h5", "--params", text, "-o", "x.h5"])
    assert isinstance(done.exception, (SystemExit, TagalignError)), done.exception


@given(st.binary(max_size=200) | ODD_JSON.map(lambda value: json.dumps(value).encode()))
def test_memory_of_checksums(tmp_path_factory, content):
    base = tmp_path_factory.getbasetemp()
    (base / "sound").write_bytes(b"x")
    (base / "sha256.json").write_bytes(content)
    found = digest_files([str(base / "sound")], base / "sha256.json")
    assert found[str(base / "sound")].startswith("2d711642b726b044")


@given(st.binary(max_size=300))
def test_journal(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "journal"
    path.write_bytes(content)
    with Journal(path, {"model": "m"}) as journal:
        journal.add("a", [1, 2, 3], "silent")
        assert journal.outcome("a") == "silent"


@given(st.binary(max_size=100) | ODD_JSON.map(lambda value: json.dumps(value).encode()))
def test_lists_of_ids(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "ids.json"
    path.write_bytes(content)
    try:
        assert all(isinstance(item, str) for item in read_ids(path, "source.exclude"))
    except InputError as error:
        if str(path) not in str(error):
            raise


@given(st.text() | st.lists(PIECES, max_size=20).map("".join))
def test_cells_of_tags(text):
    for mark in (" ", ",", ";", "json"):
        assert all(isinstance(tag, str) for tag in split_tags(text, mark))
