"""Mutated stage and model files, most of them sealed again as a stranger would seal them."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import stage_files
from small_model import write_model
from tagalign import store
from tagalign.errors import InputError
from tagalign.model.file import load_model

PROGRAM = Path(__file__).parents[1] / "support" / "mutated_files.py"


def make(kind, path):
    if kind == "model":
        return write_model(path, channels=1)
    if kind == "pairs":
        return stage_files.write_training_file(path, ["1", "2"], ["3"])
    return stage_files.write_catalogue(path, [{"id": str(n), "tags": ["a"]} for n in range(9)])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory needs /proc")
@pytest.mark.parametrize("kind", ["model", "pairs", "catalogue"])
def test_mutants_are_read_or_refused_in_one_line(kind, tmp_path, cases):
    path = make(kind, tmp_path / "file.h5")
    command = [sys.executable, PROGRAM, kind, path, *map(str, cases)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    count, accepted, refused = map(int, done.stdout.split())
    assert accepted + refused == count
    assert refused > count / 5


def external_data(file):
    del file["vocabulary/values"]
    file.create_dataset("vocabulary/values", (5,), "u1", external=[("/etc/passwd", 0, 5)])


def external_link(file):
    del file["weights"]
    file["weights"] = h5py.ExternalLink("other.h5", "/weights")


def virtual_data(file):
    del file["scaling/minimum"]
    layout = h5py.VirtualLayout((96,), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "values", (96,))
    file.create_virtual_dataset("scaling/minimum", layout)


def claimed_size(file):
    del file["weights/projection.weight"]
    file.create_dataset("weights/projection.weight", (10**7, 10**6), "f4", chunks=(1024, 1024))


def soft_link(file):
    del file["scaling/minimum"]
    file["scaling/minimum"] = h5py.SoftLink("/scaling/maximum")


def not_finite(file):
    file["weights/projection.weight"][0, 0] = np.nan


def a_billion_channels(file):
    file.attrs["network"] = file.attrs["network"].replace('"channels": 1,', '"channels": 1000000,')


def other_shape(file):
    del file["weights/projection.weight"]
    file["weights/projection.weight"] = np.zeros((3, 3), np.float32)


FOREIGN = {
    external_data: "lies in another file",
    external_link: "refers to another place",
    virtual_data: "lies in another file",
    soft_link: "refers to another place",
    claimed_size: "claims 40000000000000 bytes",
    not_finite: r"weights/projection\.weight holds values that are not finite",
    a_billion_channels: "network.channels is 1000000",
    other_shape: r"projection\.weight of shape .* has \(3, 3\)",
}


@pytest.mark.parametrize("change", FOREIGN, ids=lambda change: change.__name__)
def test_a_model_of_a_stranger_reads_no_other_file_and_claims_no_memory(change, tmp_path):
    path = write_model(tmp_path / "model.h5", channels=1)
    with stage_files.edited(path) as file:
        change(file)
    assert store.is_whole(path)
    with pytest.raises(InputError, match=FOREIGN[change]) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
