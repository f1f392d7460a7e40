"""No sound takes the machine: memory and time depend on limits, not on what a header says."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tagalign.audio import decode as module
from tagalign.audio.decode import read_file, read_sound, reason_of
from tagalign.errors import AudioError

MEMORY = 2**30  # bytes of address space on top of what the libraries take
CHILD = """
import resource, sys, soundfile, av, soxr, numpy as np
from tagalign.audio.decode import read_sound
from tagalign.errors import AudioError
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {memory},) * 2)
try:
    print(f"{{read_sound(sys.argv[1], 22050).seconds:.3f}}")
except AudioError as error:
    print(error.reason)
"""


def write_silence(path: Path, seconds: float, rate: int, channels: int = 1, **form) -> Path:
    with soundfile.SoundFile(path, "w", rate, channels, **form) as file:
        block = np.zeros((rate * 60, channels), np.int16)
        left = round(seconds * rate)
        while left > 0:
            file.write(block[:left])
            left -= len(block)
    return path


def in_little_memory(path: Path) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(memory=MEMORY), str(path)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_flac_that_expands_to_more_than_an_hour(tmp_path):
    path = write_silence(tmp_path / "a.flac", 2 * 3600, 48000, format="FLAC")
    assert path.stat().st_size < 2**21
    assert in_little_memory(path) == "longer than 3600 s (patches.max_seconds)"


@pytest.mark.slow
def test_an_hour_at_96_khz_needs_no_memory_at_that_rate(tmp_path):
    path = write_silence(tmp_path / "a.flac", 3600, 96000, 2, format="FLAC")
    assert in_little_memory(path) == "3600.000"


def test_many_channels_are_decoded_in_small_blocks(tmp_path):
    path = write_silence(tmp_path / "a.wav", 1, 48000, 500, subtype="PCM_16")
    assert in_little_memory(path) == "1.000"


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_a_rate_that_no_sound_has(rate):
    target = io.BytesIO()
    soundfile.write(target, np.zeros(30_000, np.int16), 8000, format="WAV")
    data = bytearray(target.getvalue())
    data[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(AudioError, match=f"a sample rate of {rate} Hz; sounds have 1000 to 768000"):
        read_sound(bytes(data), 22050)


@pytest.mark.parametrize("rate", [1000, 768_000])
def test_the_lowest_and_the_highest_rate(rate):
    target = io.BytesIO()
    soundfile.write(target, np.ones(rate, np.int16), rate, format="WAV")
    assert len(read_sound(target.getvalue(), 22050).signal) == 22050


def test_the_limit_is_a_setting():
    target = io.BytesIO()
    soundfile.write(target, np.ones(16000, np.int16), 8000, format="WAV")
    assert read_sound(target.getvalue(), 22050, max_seconds=2).seconds == 2
    with pytest.raises(AudioError, match=r"longer than 1.5 s \(patches.max_seconds\)"):
        read_sound(target.getvalue(), 22050, max_seconds=1.5)


def test_only_files_of_some_size_are_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", Path("/dev/zero")):
        with pytest.raises(AudioError, match="not a file, but a directory, a pipe or a device"):
            read_file(path)
    for path in (tmp_path, tmp_path / "a\0b.wav", tmp_path / "absent.wav"):
        with pytest.raises(AudioError):
            read_file(path)
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    (tmp_path / "large.wav").write_bytes(bytes(2**20 + 1))
    with pytest.raises(AudioError, match="larger than 1 MB"):
        read_file(tmp_path / "large.wav")


def test_every_error_has_a_reason_of_one_line():
    assert reason_of(AudioError("silent", "a.wav")) == "silent"
    assert reason_of(MemoryError()) == "it needs more memory than there is"
    assert reason_of(ValueError("two\nlines")) == "ValueError: two lines"


def test_a_name_of_any_bytes_is_read(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    soundfile.write(bytes(path), np.ones(8000, np.int16), 8000)
    assert read_sound(path, 8000).seconds == 1
    with pytest.raises(AudioError) as caught:
        read_sound(tmp_path / os.fsdecode(b"\xff.wav"), 8000)
    assert caught.value.reason == "cannot be opened (No such file or directory)"
