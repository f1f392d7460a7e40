"""The paper's scale: 200,000 sounds, each found once, in constant memory."""

import subprocess
import sys
import time

import pytest

from tagalign import store

# The peak that a parent sees of its child includes its own memory at the fork, so the child tells.
TELL = """
import sys
from tagalign.cli import cli
cli(sys.argv[1:], standalone_mode=False)
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""


def run(arguments, directory):
    """Run `tagalign`; seconds and peak of resident memory in MB."""
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", TELL, *map(str, arguments)],
        cwd=directory,
        stdout=subprocess.PIPE,
        check=True,
    )
    return time.monotonic() - begin, float(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_200_000_entries(tmp_path, synthesise, params):
    memory = {}
    for count in (20_000, 200_000):
        server = synthesise(count)
        directory = tmp_path / str(count)
        directory.mkdir()
        section = params(server, shard_size=500)
        options = ["--params", section, "--journal", "journal"]
        seconds, memory["catalogue", count] = run(
            ["catalogue", *options, "--shards", "shards", "-o", "catalogue.h5"], directory
        )
        wanted = sorted(i for i, sound in server.sounds.by_id.items() if sound["duration"] <= 10)
        with store.read(directory / "catalogue.h5", stage="catalogue") as file:
            found = [int(identifier) for identifier in store.read_strings(file["id"])]
            shards = int(file.attrs["shards"])
        assert len(found) == len(set(found))
        assert found == wanted  # to the last id, none twice, none lost
        assert max(server.log.pages) <= 3  # no deep page
        requests = server.log.searches
        assert requests < 1.25 * count / 150
        assert shards == -(-len(found) // 500)
        for catalogue, name in (
            ("shards/0003.h5", "audio"),
            ("catalogue.h5", "audio of the whole"),
        ):
            _, memory[name, count] = run(
                ["audio", catalogue, "--shard", 3, *options, "-o", f"{name}.h5"], directory
            )
        print(f"{count}: {seconds:.0f} s, {requests} requests, {shards} shards")
        server.sounds.by_id.clear()
    print(memory)
    # Ten times the sounds: what grows is one number a sound at most, never the sounds.
    for name in ("catalogue", "audio", "audio of the whole"):
        assert memory[name, 200_000] - memory[name, 20_000] < 30, memory
