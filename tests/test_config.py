"""Configuration: defaults from the schema, and one clear line for each mistake."""

import pytest
import yaml
from click.testing import CliRunner

from tagalign import config
from tagalign.cli.options import config_options
from tagalign.errors import ConfigError

MINIMAL = {"run": "test", "source": {"kind": "folder"}}


def test_defaults_are_filled_at_every_depth():
    resolved = config.resolve(MINIMAL)
    assert resolved["train"]["batch_size"] == 128
    assert resolved["source"]["folder"]["tag_separator"] == " "
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
                assert child["additionalProperties"] is False, f"{path}{key}"
                walk(child, f"{path}{key}.")

    walk(config.schema(), "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trian": {}}, "unknown key 'trian'; did you mean 'train'?"),
        ({"train": {"learning_rat": 1}}, "'train.learning_rat'; did you mean 'learning_rate'?"),
        ({"train": {"epochs": "ten"}}, 'train.epochs = "ten": must be of type integer'),
        ({"train": {"batch_size": 1}}, "train.batch_size = 1: must be at least 2"),
        ({"train": {"optimizer": "lion"}}, "must be one of sgd, adam"),
        ({"train": None}, "train = null: must be of type object"),
        ({"tags": {"maximum_share": 0}}, "tags.maximum_share = 0: must be greater than 0"),
        ({"seeds": []}, "seeds = []: needs at least 1 entries"),
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
    @config_options("frames", "datasets.{task}")
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
