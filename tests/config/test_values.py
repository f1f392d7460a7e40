"""Text becomes the value that the user wrote: of Snakemake's ``--config``, and in YAML files."""

import pytest
import yaml
from snakemake.cli import parse_config

from tagalign.config import load as config
from tagalign.config.values import typed
from tagalign.errors import ConfigError

MINIMAL = {"run": "test", "source": {"kind": "folder"}}


def from_command_line(*entries):
    """What ``--config`` makes of a minimal file."""
    return config.resolve(config.merge(MINIMAL, typed(parse_config(entries))))


@pytest.mark.parametrize(
    ("written", "separator"),
    [
        ('","', ","),
        ('"|"', "|"),
        ("'#'", "#"),
        ('":"', ":"),
        ('": "', ": "),
        ('";"', ";"),
        ("no", "no"),
        ('"null"', "null"),
        ('"1"', "1"),
        ('"{}"', "{}"),
        ('"it\'s"', "it's"),
    ],
)
def test_text_on_the_command_line_is_what_was_written(written, separator):
    settings = from_command_line(f"source={{folder: {{tag_separator: {written}}}}}")
    assert settings["source"]["folder"]["tag_separator"] == separator


@pytest.mark.parametrize(
    ("entry", "key", "value"),
    [
        ("train={epochs: 20}", "train.epochs", 20),
        ("train={learning_rate: 1e-3}", "train.learning_rate", 0.001),
        ("tags={stop_words: no}", "tags.stop_words", False),
        ("tags={stop_words: True}", "tags.stop_words", True),
        ("patches={power: 1}", "patches.power", 1),
        ("seeds=[3, 4]", "seeds", [3, 4]),
        ("datasets={us8k: {test_folds: [1, 2]}}", "datasets.us8k.test_folds", [1, 2]),
        ("datasets={us8k: {test_folds: null}}", "datasets.us8k.test_folds", None),
        ("pairs={validation_ids: null}", "pairs.validation_ids", None),
        (
            "source={freesound: {filter: 'tag:\"dog\" duration:[0 TO 10]'}}",
            "source.freesound.filter",
            'tag:"dog" duration:[0 TO 10]',
        ),
        (
            "source={freesound: {created_before: 2020-01-31}}",
            "source.freesound.created_before",
            "2020-01-31",
        ),
        (
            "source={folder: {drop: {label: ['a, b', \"c: d\"]}}}",
            "source.folder.drop",
            {"label": ["a, b", "c: d"]},
        ),
        ("run=2020", "run", "2020"),
    ],
)
def test_other_values_get_the_type_of_their_key(entry, key, value):
    found = config.flatten(from_command_line(entry))[key]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("source={folder: {tag_separator: |}}", "source = "),  # not YAML: the braces are text
        ("train={epochs: many}", 'train.epochs = "many": must be of type integer'),
        ("train=adam", 'train = "adam": must be of type object'),
        ("epochs=3", "unknown key 'epochs'; did you mean word2vec: {epochs: ...} or train:"),
        ("run=1.5", "run = 1.5: must be of type string; put it in quotes"),
    ],
)
def test_a_wrong_value_on_the_command_line_is_one_line(entry, message):
    with pytest.raises(ConfigError) as caught:
        from_command_line(entry)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", "+1e-3", "1.0e-3", ".001", "0.001"])
def test_numbers_with_an_exponent_are_numbers_in_a_file(tmp_path, text):
    path = tmp_path / "my.yaml"
    path.write_text(f"run: x\nsource: {{kind: folder}}\ntrain: {{learning_rate: {text}}}\n")
    assert config.load(path)["train"]["learning_rate"] == 0.001
    # Snakemake reads the file itself.
    assert config.resolve(yaml.safe_load(path.read_text()))["train"]["learning_rate"] == 0.001


def test_text_in_quotes_is_no_number():
    with pytest.raises(ConfigError, match=r'train\.epochs = "3": must be of type integer'):
        config.resolve(MINIMAL | {"train": {"epochs": "3"}})
