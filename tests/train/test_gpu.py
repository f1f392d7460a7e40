"""Training on a GPU: precision, compiled steps, deterministic resume, memory."""

import json
import re
import shutil
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import stage_files
from running import run, start
from stopping import EACH_STEP, kill_between_steps, stop_after_epochs
from tagalign import store
from tagalign.model.file import load_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def on_gpu(command, *system, **options):
    arguments = command(*system, **options)
    arguments[arguments.index("cpu")] = "cuda"
    return arguments


def capped(gigabytes):
    """The first lines of a process that has so much of the GPU's memory, whatever the card has."""
    total = torch.cuda.get_device_properties(0).total_memory
    return f"import torch; torch.cuda.set_per_process_memory_fraction({gigabytes * 1e9 / total})\n"


def last_validation(path):
    return load_model(path).history["validation_loss"][-3:].mean()


@pytest.mark.parametrize("system", ["w2v-128-4h", "w2v-128-4h, as released", "coala"])
def test_bfloat16_and_compiled_steps_reach_the_loss_of_float32(
    system, command, reference_train, tmp_path
):
    system, _, released = system.partition(", ")
    names = ("kl_epsilon", "nt_xent_epsilon") if released else ()
    epsilons = {name: reference_train[name] for name in names}
    ways = {
        "plain": {"precision": "float32", "compile": "never"},
        "other-seed": {"precision": "float32", "compile": "never"},
        "fast": {"precision": "auto", "compile": "auto"},
    }
    for name, train in ways.items():
        seed = ("--seed", 1 if name == "other-seed" else 0)
        train = train | epsilons | {"epochs": 24}
        wanted = on_gpu(command, system, output=f"{name}.h5", train=train, options=seed)
        result = run(wanted)
        assert result.returncode == 0, result.stderr
        assert "going on without compiling" not in result.stderr
    plain, other, fast = (last_validation(tmp_path / f"{name}.h5") for name in ways)
    assert abs(fast - plain) < 2 * max(abs(other - plain), 0.02 * plain)


@pytest.mark.parametrize("where", ["after an epoch", "between steps"])
def test_deterministic_training_resumes_bit_for_bit(where, command, tmp_path):
    # Only between steps do the GPU's random numbers matter: each epoch seeds them anew.
    train = {"deterministic": True, "epochs": 20}
    whole = run(on_gpu(command, output="whole.h5", train=train))
    assert whole.returncode == 0, whole.stderr
    history = tmp_path / "history.jsonl"
    between = where == "between steps"
    options = ("--history", history, *(EACH_STEP if between else ()))
    again = on_gpu(command, train=train, options=options)
    process = start(again)
    if between:
        kill_between_steps(process, history, tmp_path / "model.checkpoint")
    else:
        stop_after_epochs(process, history, signal.SIGKILL)
    process.communicate()
    result = run(again)
    assert result.returncode == 0, result.stderr
    assert re.search(f"resuming after epoch \\d+{', step' if between else ''}", result.stderr)
    with h5py.File(tmp_path / "whole.h5") as first, h5py.File(tmp_path / "model.h5") as second:
        for name in first["weights"]:
            assert np.array_equal(first["weights"][name], second["weights"][name]), name
    epochs = [json.loads(line)["epoch"] for line in history.read_text().splitlines()]
    assert epochs == list(range(1, 21))


@pytest.mark.parametrize("compile_steps", ["never", "auto"])
def test_a_batch_too_large_for_the_gpu_names_one_that_fits(
    compile_steps, command, prepared, tmp_path
):
    # The network fits into 2 GB many times over; a first layer's map of this batch takes as much.
    many = 16_384
    shutil.copy(prepared / "pairs.h5", tmp_path / "pairs.h5")
    with stage_files.edited(tmp_path / "pairs.h5") as file:
        repeat(file["train"], many)
    train = {"batch_size": many, "epochs": 1, "precision": "float32", "compile": compile_steps}
    arguments = on_gpu(command, "cnn", model={"channels": 128}, train=train)
    arguments[1] = tmp_path / "pairs.h5"
    result = run(arguments, python=("-c", f"{capped(2)}from tagalign.cli import main; main()"))
    assert result.returncode == 1
    found = re.search(
        rf"a batch of {many} does not fit into the memory of the GPU, one of (\d+) does",
        result.stderr.splitlines()[-1],
    )
    assert found, result.stderr

    train["batch_size"] = int(found[1])
    arguments = on_gpu(command, "cnn", model={"channels": 128}, train=train)
    arguments[1] = tmp_path / "pairs.h5"
    result = run(arguments, python=("-c", f"{capped(2)}from tagalign.cli import main; main()"))
    assert result.returncode == 0, result.stderr


def repeat(group, count):
    """Make `count` sounds of those of a training file, again and again."""
    ids = store.read_strings(group["id"])
    which = np.arange(count) % len(ids)
    offsets, values = group["tags/offsets"][()], group["tags/values"][()]
    rows = [values[offsets[index] : offsets[index + 1]] for index in which]
    made = {
        "patches": group["patches"][()][which],
        "tags/offsets": np.cumsum([0, *map(len, rows)]),
        "tags/values": np.concatenate(rows),
    }
    for name, data in made.items():
        del group[name]
        group[name] = data
    del group["id"]
    store.write_strings(group, "id", [ids[index] for index in which])


def test_the_whole_data_set_trains_within_8_gb():
    benchmarks = Path(__file__).parents[1] / "benchmarks"
    script = f"""{capped(8)}
import sys
sys.path.insert(0, {str(benchmarks)!r})
import train
train.train_whole("cuda", train.SIZES, 1)
"""
    result = run((), python=("-c", script))
    assert result.returncode == 0, result.stderr
