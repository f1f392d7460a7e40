"""The files of ``config/``: what is generated agrees with the schema, presets hold what differs."""

import re

import pytest
import yaml

from tagalign.config import load as config
from tagalign.config.paper import PAPER, paper_yaml
from tagalign.config.schema import read_schema
from tagalign.config.table import PRESETS, preset_table, replace_tables
from tiny_project import ROOT

CONFIG = ROOT / "config"


def given(name) -> dict:
    """What a file says, without the defaults."""
    return yaml.safe_load((CONFIG / f"{name}.yaml").read_text())


def test_the_generated_files_are_those_of_the_schema():
    assert (CONFIG / "config.yaml").read_text() == paper_yaml(), "run `make docs`"
    page = (CONFIG / "README.md").read_text()
    assert page == replace_tables(page, CONFIG), "run `make docs`"


def test_the_paper_is_complete():
    assert given("config") == config.resolve(PAPER) == config.load(CONFIG / "config.yaml")


@pytest.mark.parametrize("name", ["reference", "demo"])
def test_a_preset_holds_only_what_differs_from_the_defaults(name):
    required = {"run": "x", "source": {"kind": "freesound"}}
    defaults = config.flatten(config.resolve(required))
    same = {key for key, value in config.flatten(given(name)).items() if defaults.get(key) == value}
    assert same <= {"source.kind"}


def test_the_table_shows_each_key_in_which_a_preset_differs():
    presets = [config.flatten(config.load(CONFIG / name)) for name in PRESETS.values()]
    differing = {key for key in presets[0] if any(one[key] != presets[0][key] for one in presets)}
    shown = re.findall(r"^\| `(.*?)` \|", preset_table(CONFIG), re.M)
    own = [key for key in shown if key.startswith("datasets.esc10-demo.")]
    assert sorted(set(shown) - set(own)) == sorted(differing)
    assert own == [f"datasets.esc10-demo.{key}" for key in given("demo")["datasets"]["esc10-demo"]]


def test_demo_covers_what_it_must():
    demo = given("demo")
    systems = demo["systems"]
    assert {"mfcc", "untrained"} <= set(systems)
    assert sum(name.endswith("h") for name in systems) >= 2
    assert sum(name.endswith("mean") for name in systems) >= 1


def test_paths_of_data_sets_are_places():
    """A path to the user's own copy reruns nothing when it changes."""
    for name, part in read_schema()["properties"]["datasets"]["properties"].items():
        for key, child in part["properties"].items():
            if key in ("path", "csv", "audio", "metadata", "list", "lists"):
                assert child.get("x-place"), f"datasets.{name}.{key}"
