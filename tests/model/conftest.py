"""Settings and small networks for the tests of the model."""

import pytest
import torch

from tagalign.config import load as config

FRONT_END = {"n_mels": 32, "n_frames": 32}


@pytest.fixture
def settings() -> dict:
    """The section `model` of the preset `paper`: all defaults."""
    return config.resolve_sections({}, ["model"])["model"]


@pytest.fixture
def reference(request) -> dict:
    """The section `model` of the preset `reference`."""
    path = request.config.rootpath / "config" / "reference.yaml"
    return config.load(path)["model"]


@pytest.fixture
def word_vectors() -> torch.Tensor:
    """Vectors of 12 words, of size 16."""
    return torch.randn(12, 16, generator=torch.Generator().manual_seed(3))
