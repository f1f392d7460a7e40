"""Real sounds of the bundled corpus, and the settings of both presets."""

import numpy as np
import pytest
import soundfile

from tagalign.config import load as config

RATE = 22050  # Hz, the rate of the corpus and of the paper preset


@pytest.fixture
def paper(sections) -> dict:
    """The section `patches` of the paper preset."""
    return dict(sections["patches"])


@pytest.fixture
def reference(request) -> dict:
    """The section `patches` of the reference preset."""
    return config.load(request.config.rootpath / "config" / "reference.yaml")["patches"]


@pytest.fixture(scope="session")
def sound(corpus) -> np.ndarray:
    """A real sound of 5 s that changes over time: a baby cries."""
    return read(corpus, "101676_A.ogg", 5)


@pytest.fixture(scope="session")
def hit(corpus) -> np.ndarray:
    """A real sound shorter than a patch: a snare drum."""
    return read(corpus, "100059_drum_snare_soft.ogg", 0.05)


def read(corpus, name, at_least) -> np.ndarray:
    signal, rate = soundfile.read(corpus / "audio" / name, dtype="float32")
    assert rate == RATE
    assert len(signal) >= at_least * RATE
    return signal
