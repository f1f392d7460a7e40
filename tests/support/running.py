"""How the tests of training run verbs, in this process and in one of their own."""

import json
import subprocess
import sys

from tagalign.cli import cli

# Small patches of 100 real sounds: a step takes milliseconds.
SMALL = {"n_mels": 32, "n_frames": 32}
NARROW = {"channels": 8, "tag_hidden": 16}
TRAIN = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 16, "epochs": 6}


def call(*arguments) -> None:
    """Run a verb in this process; its error, if any, is the caller's."""
    cli.main([str(argument) for argument in arguments], standalone_mode=False)


def training(
    prepared, folder, system="w2v-128-4h", output="model.h5", train=None, model=None, options=()
):
    """The command line of a training of the small data; it writes into `folder`."""
    sections = {"model": NARROW | (model or {}), "train": TRAIN | (train or {})}
    words = prepared / ("1152.h5" if "1152" in system else "128.h5")
    return [
        *("train", prepared / "pairs.h5", "--word2vec", words, "--system", system),
        *("--params", json.dumps(sections), "--device", "cpu", "-o", folder / output),
        *options,
    ]


def start(command, python=("-m", "tagalign"), **options) -> subprocess.Popen:
    """Start a verb as a process of its own."""
    return subprocess.Popen(
        [sys.executable, *python, *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(command, **options) -> subprocess.CompletedProcess:
    """Run a verb as a process of its own."""
    process = start(command, **options)
    _, errors = process.communicate(timeout=300)
    return subprocess.CompletedProcess(command, process.returncode, stderr=errors)
