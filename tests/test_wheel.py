"""The package as `pip install tagalign` brings it: a wheel, used away from the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Directory into which the wheel was unpacked, without its dependencies."""
    base = tmp_path_factory.mktemp("wheel")
    source = base / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", source / "src", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", base, source], check=True)
    (wheel,) = base.glob("tagalign-*.whl")
    target = base / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", target, wheel], check=True)
    return target


def call(installed, *arguments, cwd):
    return subprocess.run(
        [sys.executable, "-P", "-m", "tagalign", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.slow
def test_the_command_works_from_a_wheel(installed, tmp_path):
    # Schemas, stop words and WordNet must have come along.
    said = call(installed, "clean", "dogs, the, field-recording", cwd=tmp_path).stdout
    assert "dog" in said
    where = "import tagalign, pathlib; print(pathlib.Path(tagalign.__file__).parent)"
    found = subprocess.run(
        [sys.executable, "-P", "-c", where],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(found) == installed / "tagalign"


@pytest.mark.slow
def test_every_data_file_is_in_the_wheel(installed):
    ours = data_files(ROOT / "src" / "tagalign")
    assert "config/schemas/config.schema.yaml" in ours
    assert ours == data_files(installed / "tagalign")


def data_files(package: Path) -> set[str]:
    found = [path for path in package.rglob("*") if "__pycache__" not in path.parts]
    return {path.relative_to(package).as_posix() for path in found if path.is_file()}
