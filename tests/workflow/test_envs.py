"""The conda environments have the package's own pins, and all that their stages import."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tagalign.planning.code import closure
from tiny_project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = {
    re.split(r"[<>=~!]", line)[0]
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["reference"]]
}
CONSTRAINTS = [
    line
    for line in (ROOT / "envs" / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
]
PINS = dict(line.split("==") for line in CONSTRAINTS)
MODULES = {"sklearn": "scikit-learn", "yaml": "PyYAML"}
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))


def packages(name: str) -> dict[str, str]:
    """Package -> version in an environment."""
    content = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    (pip,) = (entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict))
    return dict(line.split("==") for line in pip)


def verbs_of(name: str) -> set[str]:
    """Verbs that rules with this environment call."""
    verbs = set()
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"\n\s*(?:rule|checkpoint) ", path.read_text())[1:]:
            if f"envs/{name}.yaml" in rule:
                verbs |= set(re.findall(r"{params.tagalign} ([a-z0-9-]+) ", rule))
    return verbs


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_pins_are_those_of_the_package(name):
    found = packages(name)
    assert found == {package: PINS[package] for package in found}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_everything_that_the_stages_import_is_there(name):
    verbs = verbs_of(name)
    assert verbs
    verbs = [f"tagalign.cli.{verb.replace('-', '_')}" for verb in verbs]
    # The package itself imports only when one of its names is used.
    modules = closure(verbs, without=["tagalign"])
    imported = set()
    for module in modules:
        for node in ast.walk(ast.parse(Path(importlib.util.find_spec(module).origin).read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    wanted = {MODULES.get(module, module) for module in imported}
    assert wanted & DEPENDENCIES <= set(packages(name))


def test_every_environment_is_used():
    assert all(verbs_of(name) for name in ENVIRONMENTS)
