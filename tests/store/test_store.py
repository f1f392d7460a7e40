"""Stage files: whole or absent, the same bytes for the same content, clear refusals."""

import errno
import io
import os
import subprocess
import sys
import time
import tracemalloc

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stage_files
from tagalign import store
from tagalign.errors import InputError, TagalignError


def write(path, value=1.0, **options):
    with store.create(path, stage="tags", config={"b": 1, "a": 2}, **options) as file:
        file["x"] = np.full(10, value)
        store.write_strings(file, "id", ["1", "naïve", "日本"])
        store.write_ragged(file, "tags", [["dog", "bark"], [], ["Ω"]])
        store.write_ragged(file, "numbers", [[1, 2], [], [3]], np.int32)
        store.write_failures(file, [("7", "silent")])


def test_round_trip(tmp_path):
    write(tmp_path / "a.h5")
    with store.read(tmp_path / "a.h5", stage="tags") as file:
        assert store.read_strings(file["id"]) == ["1", "naïve", "日本"]
        assert store.read_ragged(file["tags"]) == [["dog", "bark"], [], ["Ω"]]
        assert [row.tolist() for row in store.read_ragged(file["numbers"])] == [[1, 2], [], [3]]
        assert store.read_failures(file) == [("7", "silent")]


def test_empty_lists_round_trip(tmp_path):
    with store.create(tmp_path / "a.h5", stage="tags", config={}) as file:
        store.write_strings(file, "id", [])
        store.write_ragged(file, "tags", [])
        store.write_ragged(file, "numbers", [], np.int32)
        store.write_failures(file, [])
    with store.read(tmp_path / "a.h5") as file:
        assert store.read_strings(file["id"]) == []
        assert store.read_ragged(file["tags"]) == []
        assert store.read_ragged(file["numbers"]) == []
        assert store.read_failures(file) == []


@settings(deadline=None, max_examples=30)
@given(
    values=st.lists(st.text(st.characters(codec="utf-8"))), cut=st.integers(0, 9), data=st.data()
)
def test_any_strings_round_trip_whole_and_in_parts(tmp_path_factory, values, cut, data):
    path = tmp_path_factory.mktemp("any") / "a.h5"
    with store.new_hdf5(path) as file:
        store.write_strings(file, "whole", values)
        grown = store.create_strings(file, "grown")
        for part in (values[:cut], [], values[cut:]):
            store.append_strings(grown, part)
    rows = slice(data.draw(st.integers(0, 10)), data.draw(st.integers(0, 10)))
    with h5py.File(path) as file:
        for name in ("whole", "grown"):
            assert store.text_shape(file[name]) == (len(values),)
            assert store.count_strings(file[name]) == len(values)
            assert store.read_strings(file[name]) == values
            assert store.read_strings(file[name], rows) == values[rows]


def test_file_names_that_are_no_utf8_keep_their_bytes(tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    with store.new_hdf5(tmp_path / "a.h5") as file:
        store.write_strings(file, "file", [name])
        assert os.fsencode(store.read_strings(file["file"])[0]) == b"caf\xe9.wav"


def test_a_long_text_costs_its_length_and_not_that_of_all_others(tmp_path):
    random = np.random.default_rng(0)
    long = bytes(random.integers(33, 127, 100_000, np.uint8)).decode()
    values = [f"sound {number}" for number in range(3000)]
    values[7] = long
    with store.new_hdf5(tmp_path / "whole.h5") as file:
        store.write_strings(file, "text", values)
    with store.new_hdf5(tmp_path / "grown.h5") as file:
        strings = store.create_strings(file, "text")
        for first in range(0, 3000, 100):
            store.append_strings(strings, values[first : first + 100])
    for path in tmp_path.iterdir():
        assert path.stat().st_size < 200_000
        tracemalloc.start()
        with h5py.File(path) as file:
            assert store.read_strings(file["text"]) == values
        assert tracemalloc.get_traced_memory()[1] < 5e6
        tracemalloc.stop()


@pytest.mark.parametrize("offsets", [[0, 5, 3], [-1, 2, 3], [0, 2, 9]])
def test_offsets_that_cannot_be_are_refused(tmp_path, offsets):
    with store.new_hdf5(tmp_path / "a.h5") as file:
        store.write_strings(file, "id", ["ab", "c"])
        file["id/offsets"][...] = offsets
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(InputError, match=r"a\.h5 is damaged"):
        store.read_strings(file["id"])


def test_same_content_gives_same_bytes(tmp_path):
    write(tmp_path / "a.h5", seed=3)
    time.sleep(1.1)  # a time of day in the file would show
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere" / "b.h5", seed=3)
    assert store.digest(tmp_path / "a.h5") == store.digest(tmp_path / "elsewhere" / "b.h5")


def test_attributes_say_what_made_the_file(tmp_path):
    write(tmp_path / "source.h5")
    write(
        tmp_path / "a.h5", inputs={"tags": tmp_path / "source.h5"}, seed=5, packages=["soundfile"]
    )
    with store.read(tmp_path / "a.h5") as file:
        attributes = store.attributes(file)
    assert attributes["stage"] == "tags"
    assert attributes["config"] == {"a": 2, "b": 1}
    assert attributes["inputs"] == {"tags": store.digest(tmp_path / "source.h5")}
    assert attributes["seed"] == 5
    assert {"tagalign", "h5py", "numpy", "soundfile"} <= set(attributes["versions"])


def test_failure_leaves_nothing_and_keeps_the_old_file(tmp_path):
    def fail():
        with store.create(tmp_path / "a.h5", stage="tags", config={}) as file:
            file["x"] = 1
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "a.h5")
    before = store.digest(tmp_path / "a.h5")
    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert store.digest(tmp_path / "a.h5") == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_kill_leaves_no_file_under_the_final_name(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from tagalign import store\n"
        "with store.create(sys.argv[1], stage='tags', config={}) as file:\n"
        "    file['x'] = 1\n"
        "    file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.h5")], check=False)
    assert not (tmp_path / "a.h5").exists()
    write(tmp_path / "a.h5")  # what was left behind does not get in the way
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_full_disk_is_one_clear_line(tmp_path):
    with (
        pytest.raises(TagalignError, match=r"cannot write .*a\.h5: No space left"),
        store.replacing(tmp_path / "a.h5") as part,
    ):
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room", [300, 3_000, 30_000, 300_000])
def test_a_disk_that_fills_up_under_hdf5_is_one_clear_line(tmp_path, room):
    """HDF5 itself ends in a crash of the interpreter where it cannot write what it has begun."""
    program = (
        "import numpy as np, resource, sys\n"
        "from tagalign import store\n"
        "from tagalign.errors import TagalignError\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "noise = np.random.default_rng(0)\n"
        "try:\n"
        "    with store.create(sys.argv[1], stage='tags', config={}) as file:\n"
        "        for number in range(10):\n"
        "            data = file.create_dataset(str(number), (8192,), chunks=(512,),\n"
        "                                       compression='gzip', dtype='f8')\n"
        "            for start in range(0, 8192, 512):\n"
        "                data[start : start + 512] = noise.random(512)\n"
        "        assert len(file) == 10\n"
        "except TagalignError as error:\n"
        "    sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "a.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr == f"cannot write {tmp_path / 'a.h5'}: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_reading_refuses_what_does_not_fit(tmp_path):
    with (
        pytest.raises(InputError, match=r"missing\.h5 does not exist"),
        store.read(tmp_path / "missing.h5"),
    ):
        pass
    (tmp_path / "text.h5").write_text("not HDF5")
    with (
        pytest.raises(InputError, match=r"text\.h5 is not a readable HDF5"),
        store.read(tmp_path / "text.h5"),
    ):
        pass
    write(tmp_path / "a.h5")
    with (
        pytest.raises(InputError, match="stage 'tags'.*'pairs' is needed"),
        store.read(tmp_path / "a.h5", stage="pairs"),
    ):
        pass
    with stage_files.edited(tmp_path / "a.h5") as file:
        file.attrs["format"] = 99
    with pytest.raises(InputError, match="format 99"), store.read(tmp_path / "a.h5"):
        pass


def test_no_pickled_objects_can_hide_in_a_file(tmp_path):
    write(tmp_path / "a.h5")
    kinds = set()
    with h5py.File(tmp_path / "a.h5") as file:
        file.visititems(lambda _, item: kinds.add(getattr(item, "dtype", np.dtype("i4")).kind))
    assert "O" not in kinds
    assert b"pickle" not in io.FileIO(tmp_path / "a.h5").readall()
