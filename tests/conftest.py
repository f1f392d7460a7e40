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
