"""Machines that are not as usual: each works, goes on with one line, or ends in the right one."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tagalign import environment, store
from tagalign.errors import InputError, TagalignError

TAGALIGN = [sys.executable, "-m", "tagalign"]
MAP = """
    from tagalign.parallel import ordered_map
    if __name__ == "__main__":
        print(list(ordered_map(abs, range(-5, 0), 2)))
"""
FRONT_END = """
    import numpy as np
    from tagalign.audio.mel import LogMel
    from tagalign.audio.mfcc import mfcc_statistics
    from tagalign.audio.resample import resample
    from tagalign.config import load
    settings = load.resolve({"run": "a", "source": {"kind": "folder"}})["patches"]
    signal = np.random.default_rng(0).standard_normal(30000).astype(np.float32)
    print(LogMel(settings)(signal).shape, mfcc_statistics(signal, 22050).shape)
    print(resample(signal, 44100, 22050, "kaiser_fast").shape)
"""


def run(command, cwd: Path, mounts: str = "", **environment) -> subprocess.CompletedProcess:
    """Run a command, with file systems of its own where `mounts` (bash) makes some."""
    if mounts:
        unshare = shutil.which("unshare")
        if (
            unshare is None
            or subprocess.run([unshare, "-m", "true"], capture_output=True).returncode
        ):
            pytest.skip("mounting needs rights that this process lacks")
        command = [unshare, "-m", "bash", "-c", f'{mounts} && exec "$@"', "bash", *command]
    return subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def script(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path)]


def test_a_module_in_the_working_directory_is_not_imported(tmp_path):
    for name in ("random", "click", "json", "numpy", "tempfile"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported the wrong module')\n")
    done = run([*TAGALIGN, "clean", "two dogs"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dog" in done.stdout


def test_workers_import_nothing_from_the_working_directory(tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "random.py").write_text("raise SystemExit('imported the wrong module')\n")
    done = run(script(tmp_path, MAP), here, PYTHONSAFEPATH="1")  # as the command sets it
    assert done.stdout == "[5, 4, 3, 2, 1]\n", done.stderr


@pytest.mark.parametrize("length", [20, 61, 90, 150])
def test_a_long_temporary_directory(tmp_path, length):
    directory = Path(f"/tmp/{tmp_path.name}-{os.getpid()}".ljust(length, "x"))
    directory.mkdir()
    try:
        done = run(script(tmp_path, MAP), tmp_path, TMPDIR=str(directory))
    finally:
        shutil.rmtree(directory)
    assert done.stdout == "[5, 4, 3, 2, 1]\n", done.stderr
    assert not done.stderr


def test_no_shared_memory(tmp_path):
    done = run(script(tmp_path, MAP), tmp_path, "mount -t tmpfs -o ro tmpfs /dev/shm")
    assert done.stdout == "[5, 4, 3, 2, 1]\n", done.stderr
    assert done.stderr.startswith("tagalign: one process, as more cannot work together here (")
    assert done.stderr.count("\n") == 1


def test_shared_memory_of_a_page(tmp_path):
    done = run(
        script(tmp_path, MAP),
        tmp_path,
        "mount -t tmpfs -o size=4k tmpfs /dev/shm && head -c 4096 /dev/zero > /dev/shm/full",
    )
    assert done.stdout == "[5, 4, 3, 2, 1]\n", done.stderr
    assert done.stderr.count("\n") <= 1


def test_a_read_only_installation_without_a_home(tmp_path):
    import librosa

    packages = Path(librosa.__file__).parents[1]
    mounts = f"mount --bind {packages} {packages} && mount -o remount,ro,bind {packages}"
    environment = {"HOME": "/nonexistent/home", "XDG_CACHE_HOME": "/proc/none", "TMPDIR": "/tmp"}
    done = run(script(tmp_path, FRONT_END), tmp_path, mounts, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(96, 59) (120,)", "(15000,)"]
    assert not list(Path("/tmp").glob("tagalign-numba-*"))


@pytest.mark.parametrize(
    ("name", "problem", "sentence"),
    [
        (
            "out.h5",
            OSError(errno.ENOSPC, "No space left on device"),
            r"cannot write .*out\.h5: No sp",
        ),
        (
            "out.h5",
            FileNotFoundError(2, "No such file", "a.wav"),
            r"a\.wav: No such file; .*out\.h5",
        ),
        ("file/out.h5", None, r"cannot write .*file/out\.h5: "),
    ],
)
def test_an_error_is_blamed_on_its_own_file(tmp_path, name, problem, sentence):
    (tmp_path / "file").write_text("")
    output = tmp_path / name
    with pytest.raises(TagalignError, match=sentence), store.replacing(output):
        raise problem
    assert not output.exists()


def test_a_file_that_cannot_be_read_is_not_called_damaged(tmp_path):
    (tmp_path / "a.h5").mkdir()
    with pytest.raises(InputError) as caught, store.read(tmp_path / "a.h5"):
        pass
    assert "make it again" not in str(caught.value)
    assert "Is a directory" in str(caught.value)


def test_stage_files_are_read_without_a_lock(tmp_path):
    path = tmp_path / "a.h5"
    with store.create(path, stage="tags", config={}) as file:
        file["x"] = 1
    holder = """
        import fcntl, sys
        file = open(sys.argv[1], "r+")
        fcntl.flock(file, fcntl.LOCK_EX)
        print("held", flush=True)
        sys.stdin.read()
    """
    command = [*script(tmp_path, holder), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with store.read(path, stage="tags") as file:
            assert file["x"][()] == 1
        process.stdin.close()


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOLCK, errno.EOPNOTSUPP, 524])
def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch, capsys, number):
    """524 is what the NFS of Linux says of itself: no name in errno."""

    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with open(tmp_path / "lock", "w") as file:
        environment.lock(file, wait=True)
    [line] = capsys.readouterr().err.splitlines()
    assert str(tmp_path / "lock") in line
    assert "cannot be locked" in line


def test_a_lock_that_another_holds_is_not_waited_for(tmp_path):
    with open(tmp_path / "lock", "w") as first, open(tmp_path / "lock", "w") as second:
        environment.lock(first, wait=False)
        with pytest.raises(BlockingIOError):
            environment.lock(second, wait=False)


def test_a_data_directory_that_cannot_be_made(tmp_path):
    """Blamed on the directory: it is a file that stands in the way."""
    (tmp_path / "data").write_text("")
    path = tmp_path / "data" / "tiny" / "catalogue.h5"
    with pytest.raises(TagalignError) as caught, store.create(path, stage="catalogue", config={}):
        pass
    assert str(path) in str(caught.value)
    assert os.strerror(errno.ENOTDIR) in str(caught.value)


def test_a_name_of_any_bytes_is_printed(tmp_path):
    text = """
        from tagalign.environment import print_any_name
        print_any_name()
        print(b"caf\\xe9.wav".decode(errors="surrogateescape"))
    """
    done = run(script(tmp_path, text), tmp_path, PYTHONIOENCODING="utf-8")
    assert done.stdout == "caf\\udce9.wav\n"
