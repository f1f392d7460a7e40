"""kill -9 at random moments, then again: the same bytes, and nothing fetched twice."""

import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

KILLS = 10


def start(arguments, directory):
    return subprocess.Popen(
        [sys.executable, "-m", "tagalign", *map(str, arguments)],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(arguments, directory):
    process = start(arguments, directory)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def kill_after(arguments, directory, count, more, generator):
    """Kill a run a moment after `count()` grew by `more`."""
    process, goal = start(arguments, directory), count() + more
    while count() < goal and process.poll() is None:
        time.sleep(0.001)
    time.sleep(generator.uniform(0, 0.03))
    process.kill()
    _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors.decode()


@pytest.mark.slow
def test_catalogue(tmp_path, synthesise, params):
    server = synthesise(3000)
    server.faults.slow_searches = 0.02
    section = params(server)

    def arguments(name):
        journal = tmp_path / f"journal-{name}"
        return ["catalogue", "--params", section, "--journal", journal, "-o", f"{name}.h5"]

    finish(arguments("calm"), tmp_path)
    undisturbed = server.log.searches
    server.log.searches = 0
    generator = random.Random(3)
    for more in [0, 1, 1, 2, 2, 3, 3, 4, 4, 2]:
        kill_after(arguments("killed"), tmp_path, lambda: server.log.searches, more, generator)
        assert not (tmp_path / "killed.h5").exists()
    finish(arguments("killed"), tmp_path)
    assert (tmp_path / "killed.h5").read_bytes() == (tmp_path / "calm.h5").read_bytes()
    # A kill loses the request under way, if there is one, and no other.
    assert undisturbed <= server.log.searches <= undisturbed + KILLS
    # All requests were counted for the day, also those that were lost.
    path = tmp_path / "journal-killed" / "journal.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as journal:
        (counted,) = journal.execute("SELECT count(*) FROM request").fetchone()
    assert server.log.searches <= counted <= server.log.searches + KILLS


@pytest.mark.slow
def test_the_limit_of_the_day_holds_across_restarts(tmp_path, synthesise, params):
    server = synthesise(3000)
    section = params(server, requests_per_day=5)
    arguments = ["catalogue", "--params", section, "--journal", "j", "-o", "catalogue.h5"]
    process = start(arguments, tmp_path)
    for line in process.stderr:
        if b"the 5 requests per day are used up; going on in 24 h" in line:
            break
    process.kill()
    process.communicate()
    assert server.log.searches == 5
    again = start(arguments, tmp_path)
    line = again.stderr.readline()
    again.kill()
    again.communicate()
    assert b"the 5 requests per day are used up" in line
    assert server.log.searches == 5


@pytest.mark.slow
def test_shard(tmp_path, freesound, params):
    section, downloads = params(freesound, downloads=3, shard_size=150), 3
    freesound.faults.slow_previews = 0.02
    finish(["catalogue", "--params", section, "--journal", "j", "-o", "catalogue.h5"], tmp_path)

    def arguments(name):
        options = ["--shard", 1, "--params", section, "--journal", tmp_path / f"journal-{name}"]
        return ["audio", "catalogue.h5", *options, "-o", f"{name}.h5"]

    def asked():
        return sum(freesound.log.previews.values())

    finish(arguments("calm"), tmp_path)
    assert set(freesound.log.previews.values()) == {1}
    sounds = len(freesound.log.previews)
    freesound.log.previews.clear()
    generator, kept = random.Random(4), {}
    for more in [0, 1, 4, 9, 12, 10, 14, 8, 11, 6]:
        kill_after(arguments("killed"), tmp_path, asked, more, generator)
        assert not (tmp_path / "killed.h5").exists()
        # What was kept at an earlier kill has not been asked for again.
        assert all(freesound.log.previews[identifier] == n for identifier, n in kept.items())
        path = tmp_path / "journal-killed" / "audio" / "0001.sqlite"
        if path.exists():
            with contextlib.closing(sqlite3.connect(path)) as table:
                ids = [int(row[0]) for row in table.execute("SELECT id FROM sound")]
            kept = {identifier: freesound.log.previews[identifier] for identifier in ids}
    assert len(kept) > 20
    finish(arguments("killed"), tmp_path)
    assert (tmp_path / "killed.h5").read_bytes() == (tmp_path / "calm.h5").read_bytes()
    assert all(freesound.log.previews[identifier] == n for identifier, n in kept.items())
    # A kill loses what was under way, `downloads` at most.
    assert sounds <= asked() <= sounds + KILLS * downloads
    freesound.log.previews.clear()
    finish(arguments("killed"), tmp_path)
    assert asked() == 0
