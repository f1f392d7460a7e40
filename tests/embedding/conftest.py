"""A model, a folder of sounds, and the fixtures of `tiny_sets`."""

import numpy as np
import pytest
import soundfile

from small_model import write_model, write_users_files
from tiny_sets import run, server, tiny_counts  # noqa: F401

VOCABULARY = ("dog", "bark", "rain", "field-recording")


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model") / "0.h5", vocabulary=VOCABULARY)


@pytest.fixture
def sounds(corpus, tmp_path):
    """Sounds of one to three patches in two directories, and a text that pretends to be one."""
    directory = tmp_path / "sounds"
    (directory / "below").mkdir(parents=True)
    names = ["101676_A.ogg", "13116_elec_bell.ogg", "110389_A.ogg", "195341_ambi_drone.ogg"]
    for index, name in enumerate(names):
        target = directory / "below" / name if index > 1 else directory / name
        target.write_bytes((corpus / "audio" / name).read_bytes())
    signal, rate = soundfile.read(directory / names[0])
    soundfile.write(directory / "stereo.wav", np.stack([signal, signal], 1), rate)
    (directory / "readme.txt").write_text("no sound and no wish to be one")
    (directory / "text.wav").write_text("no sound")
    return directory


@pytest.fixture(scope="session")
def users_files(corpus, tmp_path_factory):
    """What the examples of the docstrings and the README name: a model, sounds, and their files."""
    return write_users_files(tmp_path_factory.mktemp("user"), corpus)
