"""The configuration files are complete, the documentation is that of the schema."""

import pytest
import yaml

from tagalign.config import load as config
from tagalign.config.table import BEGIN, END, key_table, replace_table
from tiny_project import ROOT

NAMES = ("config", "reference", "demo")


def load(name):
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())


def keys(value, part, prefix=""):
    """Dotted names of all keys, down to where the schema names no keys."""
    for key, item in value.items():
        child = part["properties"][key]
        if "properties" in child:
            yield from keys(item, child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def schema_keys(part, prefix=""):
    for key, child in part["properties"].items():
        if "properties" in child:
            yield from schema_keys(child, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", child


@pytest.mark.parametrize("name", NAMES)
def test_complete_and_valid(name):
    given = load(name)
    assert sorted(keys(given, config.schema())) == sorted(
        k for k, _ in schema_keys(config.schema())
    )
    assert config.resolve(given) == given


def test_config_yaml_has_the_defaults():
    assert load("config") == config.resolve({"run": "paper", "source": {"kind": "freesound"}})


def value(settings, key):
    for part in key.split("."):
        settings = settings[part]
    return settings


@pytest.mark.parametrize(
    ("key", "part"),
    [
        (key, part)
        for key, part in schema_keys(config.schema())
        if "`reference`" in part["description"] or "(`reference` " in part["description"]
    ],
)
def test_reference_differs_where_the_schema_says_so(key, part):
    paper, reference = value(load("config"), key), value(load("reference"), key)
    if "`reference` true" in part["description"] and paper is True:
        return  # both have it; the text says nothing
    if reference == paper:
        assert key == "train.kl_reduction"  # one value serves both
        return
    told = part["description"].split("(`reference` ")
    if len(told) > 1:
        word = told[1].split(")")[0]
        assert yaml.safe_load(word) == reference or float(word) == reference


def test_reference_differs_nowhere_else():
    paper, reference = load("config"), load("reference")
    told = {
        key for key, part in schema_keys(config.schema()) if "`reference`" in part["description"]
    }
    differs = {
        key for key, _ in schema_keys(config.schema()) if value(paper, key) != value(reference, key)
    }
    assert differs - told == {"run"}


def test_key_table_is_that_of_the_schema():
    text = (ROOT / "config" / "README.md").read_text()
    assert BEGIN in text
    assert END in text
    assert replace_table(text) == text, "run `make docs`"
    for key, part in schema_keys(config.schema()):
        assert part.get("description"), f"{key} has no description"
    assert "`learning_rate`" in key_table()


def test_demo_covers_what_it_must():
    demo = load("demo")
    systems = demo["systems"]
    assert {"mfcc", "untrained"} <= set(systems)
    assert sum(name.endswith("h") for name in systems) >= 2
    assert sum(name.endswith("mean") for name in systems) >= 1


def test_paths_of_data_sets_are_places():
    """A path to the user's own copy reruns nothing when it changes."""
    for name, part in config.schema()["properties"]["datasets"]["properties"].items():
        for key, child in part["properties"].items():
            if key in ("path", "csv", "audio", "metadata", "list", "lists"):
                assert child.get("x-place"), f"datasets.{name}.{key}"
