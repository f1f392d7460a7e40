"""The source `freesound`: from a search to ``catalogue.h5``."""

import contextlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime

from tagalign.errors import ConfigError, InputError
from tagalign.freesound.api import Api
from tagalign.freesound.limits import Budget
from tagalign.freesound.record import COLUMNS
from tagalign.freesound.state import State
from tagalign.freesound.walk import Walk
from tagalign.sources.catalogue import Catalogue
from tagalign.sources.exclude import excluded_ids
from tagalign.sources.journal import deal, open_journal

SEARCH_KEYS = ("url", "query", "filter", "licenses", "preview")  # what makes another walk


def write_catalogue(
    source: Mapping,
    output: str | os.PathLike,
    journal: str | os.PathLike | None = None,
    refresh: bool = False,
) -> None:
    """Walk through Freesound, as far as the journal has not yet, and write the catalogue.

    Parameters
    ----------
    source
        The section `source` of the configuration, of kind ``freesound``.
    output
        The catalogue to write.
    journal
        Directory of the journal. Given again, nothing is fetched twice and every sound keeps
        its shard.
    refresh
        Walk again although the walk is complete.

    Raises
    ------
    ConfigError
        There is no journal, or the range of `created` is empty or not made of dates.
    FreesoundError
        Freesound refuses or fails for good; the journal keeps what was fetched.
    InputError
        No sound was found.
    """
    settings = source["freesound"]
    if journal is None:
        raise ConfigError("source.kind = 'freesound' needs --journal, which keeps what is fetched")
    start, stop = _day(settings, "created_after"), _day(settings, "created_before")
    if start >= stop:
        raise ConfigError(
            f"source.freesound: created_after {settings['created_after']} is not before"
            f" created_before {settings['created_before']}"
        )
    excluded = excluded_ids(source)
    with open_journal(journal) as connection:
        state = State(connection)
        search = {key: settings[key] for key in SEARCH_KEYS}
        state.begin(search, start, stop, excluded, refresh)
        budget = Budget(connection, settings["requests_per_minute"], settings["requests_per_day"])
        with contextlib.closing(Api(settings, budget)) as api:
            Walk(api, state, settings, excluded, (start, stop)).run()
        state.exclude(excluded)
        deal(connection, map(str, state.ids(start, stop)), source["shard_size"])
        failures = state.left_out(start, stop)
        if next(state.ids(start, stop), None) is None:
            raise InputError(
                f"the search of source.freesound finds no usable sound ({len(failures)} are left"
                " out); change its query, filter or dates"
            )
        Catalogue.write_rows(
            output,
            state.rows(start, stop),
            names=list(COLUMNS),
            failed=failures,
            config={"source": source},
            inputs={f"exclude {index}": path for index, path in enumerate(source["exclude"])},
        )


def _day(settings: Mapping, key: str) -> int:
    """Start of a day of the configuration in milliseconds since 1970 (UTC)."""
    try:
        day = datetime.strptime(str(settings[key]), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ConfigError(
            f"source.freesound.{key} = {settings[key]!r}: must be a day such as 2019-05-08"
        ) from None
    return int(day.timestamp() * 1000)
