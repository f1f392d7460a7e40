"""Where the sounds and their tags come from: one table of kinds.

A source is a module of this package that writes a catalogue, and a row of `SOURCES`. It is
imported when it is asked for, so that the code of one is no input of another.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType

from tagalign.errors import ConfigError


@dataclass(frozen=True)
class Source:
    """A row of the table of sources.

    Attributes
    ----------
    module
        Module of this package. But for pairs it has a function
        ``write_catalogue(source, output, journal, refresh)``, with the configuration section
        ``source``, which writes a `tagalign.sources.catalogue.Catalogue`.
    gives
        How it gives its sounds. ``"files"``: they lie below ``source.KIND.audio``, and the
        catalogue has their ``file`` and ``sha256``; the module then also has
        ``list_files(source)`` and ``count_rows(source)``. ``"previews"``: stage `audio` downloads
        them from the catalogue's ``preview``. ``"pairs"``: training pairs, from a stage of its own.
    """

    module: str
    gives: str

    def load(self) -> ModuleType:
        """Import the module."""
        return importlib.import_module(f"tagalign.sources.{self.module}")


SOURCES = {
    "freesound": Source("freesound", "previews"),
    "folder": Source("folder", "files"),
    "coala": Source("coala", "pairs"),
}
"""Value of ``source.kind`` -> source."""


def find_source(kind: str) -> Source:
    """The source of that kind.

    Raises
    ------
    ConfigError
        There is none.
    """
    if kind not in SOURCES:
        raise ConfigError(f"there is no source {kind!r}; sources: {', '.join(SOURCES)}")
    return SOURCES[kind]
