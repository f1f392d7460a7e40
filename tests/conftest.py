"""Fixtures that all tests share: the bundled corpus and the optional shared material."""

from pathlib import Path

import pytest

from tagalign.config import load as config

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Directory of the bundled corpus: ``sounds.csv`` and ``audio/``."""
    return ROOT / "workflow" / "resources" / "demo-corpus"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Directory with further real material, beside the checkout; absent in most clones."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip(f"{path} is absent: this test reads real material that cannot be committed")
    return path


@pytest.fixture(scope="session")
def sections() -> dict:
    """All sections with their defaults: the paper preset."""
    return config.resolve({"run": "test", "source": {"kind": "folder"}})


# Whole runs, kills and schedulers: `make test-all` runs them. A file leaves this list when its slow
# tests have been seen to pass, and to fit into the time of `make test`.
WORKFLOW = ("kill", "module", "rerun", "slurm", "targets", "leaks", "provenance", "thousands")
LONG = (
    *("tests/end_to_end/", "tests/freesound/", "tests/fuzz/", "tests/slurm/"),
    *(f"tests/workflow/test_{name}" for name in WORKFLOW),
    *("tests/planning/", "tests/release/", "tests/tasks/", "tests/test_extending.py"),
    *("tests/test_readme.py", "tests/train/", "tests/benchmarks/", "tests/evaluate/"),
    *("tests/audio/", "tests/embedding/", "tests/pairs/"),
)


def pytest_collection_modifyitems(items):
    for item in items:
        kinds = {mark.name for mark in item.iter_markers()}
        if kinds & {"slow", "slurm"} and item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.long)
