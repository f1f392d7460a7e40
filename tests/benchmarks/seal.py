"""What it costs a stage to compare the checksum of an input that it hashes and reads."""

import hashlib
import os
import tempfile
from pathlib import Path

import h5py
import numpy as np
from rows import Row, rates

from tagalign import store

MEGABYTES = 64


def run() -> list[Row]:
    """One file of random numbers, larger than what is always read again."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "file.h5"
        numbers = np.random.default_rng(0).random((MEGABYTES, 2**18), np.float32)
        with store.create(path, stage="pairs", config={}) as file:
            file["numbers"] = numbers

        def ours() -> int:
            os.utime(path)  # as a process that meets it for the first time
            store.digest(path)
            with store.read(path) as file:
                return len(file["numbers"][()])

        def plain() -> int:
            with open(path, "rb") as file:
                hashlib.file_digest(file, "sha256")
            with h5py.File(path, "r", locking=False) as file:
                return len(file["numbers"][()])

        one, base = rates(ours, plain)
    return [Row("hash and read an input, checksum compared", one, "MB/s", base, "not compared")]
