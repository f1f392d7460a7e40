"""A model with random weights whose file is like that of a trained one."""

from pathlib import Path

import numpy as np
import soundfile
import torch
from click.testing import CliRunner

from tagalign.cli import cli
from tagalign.config import load as config
from tagalign.model.file import Model
from tagalign.model.network import Network
from tagalign.model.systems import SYSTEMS
from tagalign.pairs.scaling import Scaling

SECTIONS = config.resolve_sections({}, ["patches", "tags", "clips", "model"])


def write_model(
    path: Path,
    system: str = "w2v-128-4h",
    vocabulary: tuple[str, ...] = ("dog", "bark", "rain"),
    channels: int = 8,
    **front_end,
) -> Path:
    """Write a model file; `front_end` are values of the section `patches`."""
    torch.manual_seed(1)
    described, settings = SYSTEMS[system], SECTIONS["model"] | {"channels": channels}
    vectors = torch.randn(len(vocabulary), described.width) if described.width else None
    network = Network(described, settings, 96, 96, len(vocabulary), vectors)
    network.audio_encoder(torch.rand(8, 1, 96, 96))  # batch norm has seen something
    model = Model(
        system=described,
        network=network,
        settings=settings,
        vocabulary=list(vocabulary),
        front_end=SECTIONS["patches"] | front_end,
        cleaning=SECTIONS["tags"],
        scaling=Scaling(np.full(96, -16, np.float32), np.full(96, 5, np.float32), "band", "both"),
        tags_per_sound=10,
    )
    model.save(path, stage="train", config={}, inputs={})
    return path


def write_users_files(directory: Path, corpus: Path) -> Path:
    """What the examples of docstrings and README name: a model, sounds, and files of them."""
    write_model(directory / "model.h5", channels=128)
    for name, source in (("dog", "101676_A"), ("rain", "110389_A")):
        signal, rate = soundfile.read(corpus / "audio" / f"{source}.ogg")
        soundfile.write(directory / f"{name}.wav", signal[: 4 * rate], rate)
    sounds = [directory / "dog.wav", directory / "rain.wav"]
    for verb, output in (("embed", "embeddings.h5"), ("index", "index.h5")):
        arguments = [verb, directory / "model.h5", *sounds, "-o", directory / output]
        done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert done.exit_code == 0, done.output
    return directory
