"""Walk through all results of a search in windows of `created`, and miss none.

Pages deep down in a result list can fail, and sounds shift between pages when others appear
or go. So a window is asked for its first page only, oldest sounds first; where more follow,
it splits at the last sound seen and the rest is a window of its own. A window that Freesound
does not manage at all, or whose answer cannot be trusted to be in order, splits in the middle.

At the end an audit asks for the number of results in ranges of some 3,000 sounds and looks
closer where there are more than were seen: sounds can move into a window that was done.
Not detected is one that appears in a range from which another goes after it was seen: their
number is the same, and only all of the range again, hence a second walk, would tell.
"""

from collections.abc import Mapping

from tagalign.download.http import say
from tagalign.freesound.api import PAGE_SIZE, Api, NotFoundError, OverloadedError
from tagalign.freesound.record import FIELDS, created_at, reason_against, record, search_filter
from tagalign.freesound.state import State, Window
from tagalign.progress import Progress
from tagalign.sources.journal import transaction

SECOND = 1000  # ms; `created` is compared in whole seconds, whatever precision answers have
AUDIT_SIZE = 20 * PAGE_SIZE  # sounds; one more request for each twenty of the walk
AUDIT_PATIENCE = 64  # requests in a row that find nothing, after which `count` is not believed
MOST_HALVINGS = 10  # in a row, without an answer between


class Walk:
    """One walk, from the windows that the journal has left to none.

    Parameters
    ----------
    api
        Where to search.
    state
        The journal's view of the walk.
    settings
        The section ``source.freesound``.
    excluded
        Id -> reason; of these nothing but id and time is kept.
    span
        Range of `created` to audit, in ms since 1970.
    """

    def __init__(
        self,
        api: Api,
        state: State,
        settings: Mapping,
        excluded: Mapping[str, str],
        span: tuple[int, int],
    ):
        self.api, self.state, self.settings = api, state, settings
        self.excluded, self.span = excluded, span
        self.halvings = 0
        self.progress = None

    def run(self) -> None:
        """Walk and audit.

        Raises
        ------
        FreesoundError
            Freesound refuses, or has failed as often as we are willing to try.
        """
        try:
            while window := self.state.next("walk"):
                self._step("walk", window)
            misses = 0
            while window := self.state.next("audit"):
                misses = self._step("audit", window, misses)
                if misses > AUDIT_PATIENCE:
                    say("Freesound counts more sounds than it shows; its count is not believed")
                    self.state.forget("audit")
        finally:
            if self.progress is not None:
                self.progress.__exit__(None, None, None)

    def _step(self, kind: str, window: Window, misses: int = 0) -> int:
        """Ask for one window and write down what came; audit only: requests in vain so far."""
        start, stop, page = window
        try:
            answer = self.api.search(
                query=self.settings["query"],
                filter=search_filter(self.settings, start, stop),
                fields=FIELDS,
                sort="created_asc",
                page=page,
                page_size=PAGE_SIZE,
            )
        except NotFoundError:
            answer = {"count": 0, "next": None, "results": []}
        except OverloadedError:
            self.halvings += 1
            if self.halvings > MOST_HALVINGS or stop - start <= SECOND:
                raise
            with transaction(self.state.journal):
                self.state.replace(kind, window, _halves(start, stop))
            return misses
        self.halvings = 0
        with transaction(self.state.journal):
            new = self._keep(answer["results"], start)
            if kind == "walk":
                parts = self._rest(answer, window)
            else:
                parts = self._closer(answer, window)
                misses = 0 if new or not parts else misses + 1
            self.state.replace(kind, window, parts)
            if kind == "walk" and not self.state.todo("walk"):
                self.state.plan_audit(*self.span, AUDIT_SIZE)
        self._show(new, answer)
        return misses

    def _keep(self, results: list, start: int) -> int:
        """Add results to the journal; the number that were not known."""
        new = 0
        for result in filter(_usable, results):
            identifier = result["id"]
            created = created_at(result)
            reason, values = self.excluded.get(str(identifier)), None
            if reason is None:
                values = record(result, self.settings["preview"])
                reason = reason_against(values, self.settings)
            moment = start if created is None else created
            new += self.state.add(identifier, moment, reason, values)
        return new

    def _rest(self, answer: Mapping, window: Window) -> list[Window]:
        """What is left of a window after an answer."""
        start, stop, page = window
        results = answer["results"]
        moments = [created_at(result) if _usable(result) else None for result in results]
        given = [moment for moment in moments if moment is not None]
        complete = not answer.get("next") and len(results) < PAGE_SIZE
        if complete or not results:
            self._count_nulls(moments, window, stop)
            return []
        in_order = (
            bool(given)
            and given == sorted(given)
            and start <= given[0]
            and given[-1] <= stop
            and len(given) == sum(map(_usable, results))
        )
        if in_order and (cursor := given[-1] // SECOND * SECOND) > start:
            self._count_nulls(moments, window, cursor)
            return [(cursor, stop, 1)]
        if page == 1 and stop - start > SECOND:
            if in_order:  # more sounds in the first second than fit on a page
                second = start // SECOND * SECOND + SECOND
                return [(start, second, 1), (second, stop, 1)]
            return _halves(start, stop)
        self._count_nulls(moments, window, stop)
        return [(start, stop, page + 1)]

    def _closer(self, answer: Mapping, window: Window) -> list[Window]:
        """Where to look closer if Freesound counts more results in a range than were seen."""
        start, stop, _ = window
        known, count = self.state.known(start, stop), answer.get("count")
        shown_all = not answer.get("next") and len(answer["results"]) < PAGE_SIZE
        if shown_all or not isinstance(count, int) or count <= known or stop - start <= SECOND:
            return []
        middle = self.state.after(start, stop, known // 2)
        if start < middle < stop:
            return [(start, middle, 1), (middle, stop, 1)]
        return _halves(start, stop)

    def _count_nulls(self, moments: list[int | None], window: Window, cursor: int) -> None:
        """Note empty results up to `cursor`; those after it come again with the next window."""
        start, stop, page = window
        after = (i for i, moment in enumerate(moments) if moment is not None and moment >= cursor)
        nulls = moments[: next(after, None)].count(None)
        if nulls:
            self.state.add_nulls(min(start + page - 1, stop - 1), nulls)

    def _show(self, new: int, answer: Mapping) -> None:
        if self.progress is None:
            count = answer.get("count")
            left = count if isinstance(count, int) and count > new else None
            self.progress = Progress("catalogue", left)
        self.progress.update(
            new, requests=self.api.requests, received=f"{self.api.bytes / 1e6:.1f} MB"
        )


def _usable(result: object) -> bool:
    return result is not None


def _halves(start: int, stop: int) -> list[Window]:
    middle = (start + stop) // 2 // SECOND * SECOND
    if not start < middle < stop:
        middle = (start + stop) // 2
    return [(start, middle, 1), (middle, stop, 1)]
