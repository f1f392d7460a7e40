"""Read mutated stage files under a limit of memory; started as a program by the fuzzers.

    python mutated_files.py KIND FILE COUNT SEED

KIND is ``model`` or ``stage``. Half of the mutants are sealed again, as a stranger would.
Prints ``COUNT accepted REFUSED``; stops with a traceback at the first that ends in another
way than as it should.
"""

import random
import resource
import sys
from pathlib import Path

from tagalign import store
from tagalign.errors import TagalignError
from tagalign.model.file import load_model
from tagalign.pairs.file import TrainingFile
from tagalign.provenance.describe import describe
from tagalign.sources.catalogue import Catalogue

ROOM = 2**30


def mutate(content: bytes, draw: random.Random) -> bytes:
    """Change some bytes, cut or repeat a part."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        place = draw.randrange(len(data))
        kind = draw.randrange(6)
        if kind < 3:
            data[place] ^= 1 << draw.randrange(8)
        elif kind == 3:
            size = draw.choice((1, 2, 4, 8))
            data[place : place + size] = draw.choice((b"\xff", b"\0", b"\x7f")) * size
        elif kind == 4:
            other = draw.randrange(len(data))
            data[place : place + 16] = data[other : other + 16]
        elif draw.random() < 0.2:
            del data[place:]
            data = data or bytearray(b"\0")
    return bytes(data)


def read(kind: str, path: Path) -> None:
    """Read a file in every way that there is."""
    if kind == "model":
        load_model(path)
    else:
        {"catalogue": Catalogue, "pairs": TrainingFile}[kind].read(path)
    describe(path)


def main() -> None:
    """Read the mutants."""
    kind, original, count, seed = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
    content = original.read_bytes()
    read(kind, original)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    path = original.with_name("mutant.h5")
    accepted = refused = 0
    for number in range(seed, seed + count):
        draw = random.Random(number)
        path.write_bytes(mutate(content, draw))
        if draw.random() < 0.8:
            store.reseal(path)
        print(f"case {number}", file=sys.stderr, flush=True)
        try:
            read(kind, path)
            accepted += 1
        except TagalignError as error:
            if str(path) not in str(error):
                raise
            refused += 1
    print(count, accepted, refused)


if __name__ == "__main__":
    main()
