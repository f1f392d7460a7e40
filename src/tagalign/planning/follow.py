"""Which files of a run do not follow from the files beside them, and have to be made again.

Each stage file records the SHA-256 of its inputs. Snakemake compares times, parameters and the
checksums of small files, and none of these tells that a job was killed after its inputs had
changed: its output is gone, what was made from the old one stays. So before a run is planned, the
records are compared with what is there. A file that does not follow gets a number, counted up
each time, which is a parameter of its rule: Snakemake makes it again because that changed.
"""

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tagalign import store
from tagalign.errors import TagalignError
from tagalign.planning.digests import digest_files
from tagalign.planning.layout import Layout
from tagalign.planning.run import read_attributes


def not_following(layout: Layout, digests: Callable[[list[str]], dict[str, str]]) -> dict[str, str]:
    """Files that do not follow from their inputs as these are now.

    Parameters
    ----------
    layout
        The files of the run. One that is absent is none of them: whoever needs it makes it.
    digests
        Paths -> SHA-256 of each.

    Returns
    -------
    dict
        Path -> what is wrong, in words.
    """
    files = [
        (stage, wildcards, layout.file(stage, **wildcards))
        for stage in layout.stages()
        for wildcards in layout.wildcards(stage)
    ]
    there = {path for _, _, path in files if Path(path).is_file()}
    known = digests(sorted(there))
    wrong = {}
    for stage, wildcards, path in files:
        if stage == "shard" and path not in there and layout.file("catalogue") in there:
            wrong[layout.file("catalogue")] = f"its shard {path} is missing"
        if path in there:
            problem = _problem(layout, path, layout.inputs(stage, wildcards), known)
            if problem:
                # A shard comes with its catalogue.
                wrong[layout.file("catalogue") if stage == "shard" else path] = problem
    return wrong


def _problem(
    layout: Layout, path: str, inputs: dict[str, str], known: dict[str, str]
) -> str | None:
    try:
        recorded = read_attributes(path)["inputs"]
    except TagalignError as error:
        return str(error)
    expected = {}
    for role, source in inputs.items():
        if role == "audio" and not layout.keeps_audio:
            continue  # it is deleted once it is used
        if source not in known:
            return f"its input {source} is missing"
        expected[role] = known[source]
    for role, digest in expected.items():
        if not role.startswith("patches/") and recorded.get(role) != digest:
            return f"it was made from another {inputs[role]}"
    if _shards(recorded) != _shards(expected):
        return "it was made from other patches"
    return None


def _shards(inputs: Mapping[str, str]) -> list[str]:
    """The patches among the inputs; `pairs` numbers them in an order of its own."""
    return sorted(digest for role, digest in inputs.items() if role.startswith("patches/"))


class Repairs:
    """How often each file of a run had to be made again because it did not follow.

    Parameters
    ----------
    layout
        The files of the run.
    look
        Whether to look for such files; else only what is written down counts, as for a job of a
        run that has started.
    write
        Whether to write down what was found; a dry run does not.
    """

    def __init__(self, layout: Layout, *, look: bool, write: bool):
        self.layout, self._look, self._write = layout, look, write

    def __call__(self, stage: str, **wildcards: str) -> str:
        """The number of a file in words, a parameter of its rule that no other has."""
        return f"repaired {self.numbers.get(self.layout.file(stage, **wildcards), 0)} times"

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        """Path -> number, of the files that have one; the same for the whole run."""
        # What runs share stands with their data.
        places = (f"{self.layout.data}/journal", f"{self.layout.results}/logs")
        books = {place: _read(Path(place, "repaired.json")) for place in places}
        if self._look:
            found = self.check()
            for path in found:
                book = books[places[not path.startswith(f"{self.layout.data}/")]]
                book[path] = book.get(path, 0) + 1
            if found and self._write:
                for place, book in books.items():
                    with store.replacing(Path(place, "repaired.json")) as part:
                        part.write_text(json.dumps(book))
        return {path: number for book in books.values() for path, number in book.items()}

    def check(self) -> dict[str, str]:
        """Path -> what is wrong, of the files that do not follow now."""
        return not_following(self.layout, self._digests)

    def _digests(self, paths: list[str]) -> dict[str, str]:
        return digest_files(paths, f"{self.layout.results}/logs/sha256.json")


def _read(path: Path) -> dict[str, int]:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        # It is written whole; whoever damaged it has every file that it named made again.
        return {}
