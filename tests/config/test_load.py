"""Configuration: defaults from the schema, and one clear line for each mistake."""

import datetime

import pytest
import yaml
from click.testing import CliRunner

from tagalign.cli.options import config_options
from tagalign.config import load as config
from tagalign.config.schema import read_schema
from tagalign.config.yaml_file import read_yaml
from tagalign.errors import ConfigError
from tagalign.store import canonical

MINIMAL = {"run": "test", "source": {"kind": "folder"}}


def test_defaults_are_filled_at_every_depth():
    resolved = config.resolve(MINIMAL)
    assert resolved["train"]["batch_size"] == 128
    assert resolved["source"]["folder"]["tag_separator"] == "auto"
    assert resolved["datasets"]["esc10"]["test_folds"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ({"kind": "freesound"}, "freesound"),
        ({"kind": "coala"}, "coala"),
        ({"kind": "folder"}, "mine"),
        ({"kind": "folder", "name": "shared-sounds"}, "shared-sounds"),
    ],
)
def test_data_of_one_source_never_lie_among_those_of_another(source, name):
    assert config.data_name(config.resolve({"run": "mine", "source": source})) == name


def test_resolving_twice_changes_nothing():
    resolved = config.resolve(MINIMAL)
    assert config.resolve(resolved) == resolved


def test_every_key_is_described_and_unknown_keys_are_refused():
    def walk(part, path):
        for key, child in part.get("properties", {}).items():
            assert child.get("description"), f"{path}{key} has no description"
            if child.get("type") == "object" and "properties" in child:
                others = child["additionalProperties"]
                assert others is False or (path, key) == ("", "datasets"), f"{path}{key}"
                walk(child, f"{path}{key}.")
        if isinstance(part.get("additionalProperties"), dict):
            walk(part["additionalProperties"], f"{path}NAME.")

    walk(read_schema(), "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trian": {}}, "unknown key 'trian'; did you mean 'train'?"),
        ({"train": {"learning_rat": 1}}, "'train.learning_rat'; did you mean 'learning_rate'?"),
        ({"epochs": 3}, "'epochs'; did you mean word2vec: {epochs: ...} or train: {epochs: ...}?"),
        ({"train.epochs": 3}, "'train.epochs'; keys nest: write train: {epochs: ...}"),
        ({"train": {"epochs": "ten"}}, 'train.epochs = "ten": must be of type integer'),
        ({"train": {"batch_size": 1}}, "train.batch_size = 1: must be at least 2"),
        ({"train": {"optimizer": "lion"}}, "must be one of sgd, adam"),
        ({"train": None}, "train = null: must be of type object"),
        ({"tags": {"maximum_share": 0}}, "tags.maximum_share = 0: must be greater than 0"),
        ({"seeds": []}, "seeds = []: needs at least 1 entries"),
        ({"seeds": [1.5]}, "seeds.0 = 1.5: must be of type integer"),
        ({5: {}}, "the key 5 is no text; put it in quotes"),
        ({"train": {True: 1}}, "train: the key True is no text; put it in quotes"),
        ({"tags": {"stop_words": {"a"}}}, "tags.stop_words is of type set; give text, a number"),
        (
            {"source": {"kind": "folder", "folder": {"tag_separator": ""}}},
            'source.folder.tag_separator = "": needs at least 1 characters',
        ),
        (
            {"source": {"kind": "freesound", "query": datetime.date(2020, 1, 31)}},
            "unknown key 'source.query'",
        ),
    ],
)
def test_a_mistake_is_one_line_with_key_value_and_file(tmp_path, change, message):
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(MINIMAL | change))
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    text = str(caught.value)
    assert message in text
    assert "my.yaml" in text
    assert "\n" not in text


def test_one_message_names_all_mistakes(tmp_path):
    path = tmp_path / "my.yaml"
    wrong = {"tasks": ["esc10"], "trian": {}, "train": {"epochs": "ten", "batch": 3}}
    path.write_text(yaml.safe_dump({"source": {"kind": "folder"}} | wrong))
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    first, *others = str(caught.value).splitlines()
    assert first == f"{path}: 4 things to correct:"
    assert sorted(others) == [
        "  run is missing: Name of the run; its files go to `results/<run>/`.",
        '  train.epochs = "ten": must be of type integer',
        "  unknown key 'train.batch'; did you mean 'batch_size'?",
        "  unknown key 'trian'; did you mean 'train'?",
    ]


@pytest.mark.parametrize("name", ["..", ".", "", ".hidden", "-x", "a/b", "a\n", "a b", "x" * 101])
def test_names_that_are_no_names_of_a_directory_are_refused(name):
    for given in (
        MINIMAL | {"run": name},
        MINIMAL | {"source": {"kind": "folder", "name": name}},
    ):
        with pytest.raises(ConfigError, match=r"(run|source\.name) = "):
            config.resolve(given)


@pytest.mark.parametrize("name", ["a", "2020-05.v2", "_x", "a..b"])
def test_names_of_runs(name):
    assert config.resolve(MINIMAL | {"run": name})["run"] == name


def test_sizes_that_no_network_takes_are_refused():
    with pytest.raises(ConfigError, match=r"patches\.n_frames = 100: must be a multiple of 32"):
        config.resolve(MINIMAL | {"patches": {"n_frames": 100}})
    with pytest.raises(ConfigError, match=r"tags\.vocabulary_size = 40000: must be at most 32767"):
        config.resolve(MINIMAL | {"tags": {"vocabulary_size": 40000}})


def test_broken_or_absent_files(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: No such file"):
        config.load(tmp_path / "absent.yaml")
    (tmp_path / "broken.yaml").write_text("run: [")
    with pytest.raises(ConfigError, match=r"broken\.yaml is not valid YAML") as caught:
        config.load(tmp_path / "broken.yaml")
    assert "\n" not in str(caught.value)
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(ConfigError, match=r"list\.yaml"):
        config.load(tmp_path / "list.yaml")


def test_keys_that_occur_twice_are_refused_with_their_lines(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("run: x\ntrain:\n  epochs: 3\n  epochs: 4\n")
    message = r"my\.yaml, line 4: the key 'epochs' is in line 3 already; keep one of them"
    with pytest.raises(ConfigError, match=message):
        config.load(path)
    path.write_text("a: &a {x: 1}\nb: {<<: *a, x: 2}\n")
    assert read_yaml(path)["b"] == {"x": 2}, "a merged key may be overridden"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("run: caf\xe9\n".encode("latin-1"), r"my\.yaml is not text in UTF-8 .*; save it as such"),
        (b"run: 2020-02-31\n", r"my\.yaml is not valid YAML: day "),
    ],
    ids=["latin-1", "no such day"],
)
def test_other_files_that_are_no_configuration(tmp_path, content, message):
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        config.load(path)
    assert "\n" not in str(caught.value)


def test_dates_need_no_quotes(tmp_path):
    wanted = {"run": "x", "source": {"kind": "freesound"}}
    quoted = wanted | {
        "source": {"kind": "freesound", "freesound": {"created_before": "2020-01-31"}}
    }
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(quoted).replace("'", ""))
    assert isinstance(
        yaml.safe_load(path.read_text())["source"]["freesound"]["created_before"], datetime.date
    )
    assert config.load(path) == config.resolve(quoted)
    # Snakemake reads the file itself.
    assert config.resolve(yaml.safe_load(path.read_text())) == config.resolve(quoted)


def test_whole_numbers_may_be_written_as_floats():
    given = {
        "seeds": [0.0, 1],
        "train": {"batch_size": 4.0, "temperature": 1.0},
        "datasets": {"us8k": {"test_folds": [2.0]}},
    }
    resolved = config.resolve(MINIMAL | given)
    assert canonical(resolved["seeds"]) == "[0, 1]"
    assert canonical(resolved["train"]["batch_size"]) == "4"
    assert canonical(resolved["train"]["temperature"]) == "1.0"
    assert canonical(resolved["datasets"]["us8k"]["test_folds"]) == "[2]"
    section = config.resolve_sections({"train": {"batch_size": 4.0}}, ["train"])["train"]
    assert isinstance(section["batch_size"], int)


def test_a_stage_gets_only_its_sections():
    resolved = config.resolve(MINIMAL)
    picked = config.sections(resolved, "tags", "datasets.esc10")
    assert set(picked) == {"tags", "datasets.esc10"}
    assert config.resolve_sections(picked, ["tags", "datasets.esc10"]) == picked
    with pytest.raises(ConfigError, match="does not read section 'train'"):
        config.resolve_sections({"train": {}}, ["tags"])
    with pytest.raises(ConfigError, match="no section 'datasets.nothing'"):
        config.sections(resolved, "datasets.nothing")
    with pytest.raises(ConfigError, match=r"unknown key 'tags\.x'"):
        config.resolve_sections({"tags": {"x": 1}}, ["tags"])


def test_config_and_params_give_a_command_the_same_sections(tmp_path):
    import click

    @click.command()
    @click.option("--task")
    @config_options("clips", "datasets.{task}")
    def command(task, sections):
        click.echo(sections["datasets.esc10"]["test_folds"])

    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(MINIMAL | {"datasets": {"esc10": {"test_folds": [5]}}}))
    run = CliRunner().invoke
    from_file = run(command, ["--task", "esc10", "--config", str(path)])
    from_json = run(
        command, ["--task", "esc10", "--params", '{"datasets.esc10": {"test_folds": [5]}}']
    )
    assert from_file.output == from_json.output == "[5]\n"
    both = run(command, ["--task", "esc10", "--config", str(path), "--params", "{}"])
    assert both.exit_code == 2
    broken = run(command, ["--task", "esc10", "--params", "{"])
    assert isinstance(broken.exception, ConfigError)
    assert "not valid JSON" in str(broken.exception)
    for text in ("[1]", "3", "null"):
        wrong = run(command, ["--task", "esc10", "--params", text])
        assert isinstance(wrong.exception, ConfigError)
        assert f"must be a JSON object that maps sections to their keys, not {text}" in str(
            wrong.exception
        )
