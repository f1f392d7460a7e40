"""Search Freesound: one request at a time, within the limits, until it is answered.

https://freesound.org/docs/api/ describes the service. The key is read from the environment
variable ``FREESOUND_API_KEY`` and leaves this module only in the header of a search request
to the configured host: redirects are not followed, and no message holds it.
"""

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from tagalign.download import http
from tagalign.errors import ConfigError, TagalignError, plain
from tagalign.freesound.answer import read_json, read_page
from tagalign.freesound.limits import Budget

KEY = "FREESOUND_API_KEY"
PAGE_SIZE = 150  # the most that Freesound gives at once
PATIENCE_DAY = 15  # waits after a 429 for the day are this many times those for the minute


class FreesoundError(TagalignError):
    """Freesound did not give what we asked for; everything fetched before is kept."""


class OverloadedError(FreesoundError):
    """Freesound did not manage this search, as often as we tried; a narrower one may do."""


class NotFoundError(FreesoundError):
    """There is no such page of results."""


class Api:
    """The search of Freesound's API, version 2.

    Parameters
    ----------
    settings
        The section ``source.freesound`` of the configuration.
    budget
        Keeps the limits per minute and per day.
    """

    def __init__(self, settings: Mapping, budget: Budget):
        self.settings, self.budget = settings, budget
        self.url = _search_url(settings["url"])
        self.requests = self.bytes = 0
        self._client = http.client(settings["timeout"])
        self._key = None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def search(self, **parameters: object) -> dict:
        """One page of results: ``count``, ``next`` and ``results`` at least.

        Raises
        ------
        NotFoundError
            The page lies past the last one.
        OverloadedError
            The last of all attempts failed with 500 or took too long.
        FreesoundError
            The key is refused, the filter is wrong, or all attempts failed.
        """
        settings = self.settings
        tries = http.patiently(
            settings["attempts"], settings["first_wait"], f"search at {self.url}"
        )
        try:
            return tries(self._search, parameters)
        except http.TransientError as error:
            kind = OverloadedError if error.overloaded else FreesoundError
            raise kind(
                f"{self.url}: {error}, after {settings['attempts']} attempts; all that was"
                " fetched is kept, run the same command again to go on"
            ) from None

    def _search(self, parameters: Mapping) -> dict:
        while True:
            self.budget.spend()
            self.requests += 1
            body = bytearray()
            headers = {"Authorization": f"Token {self._read_key()}"}
            try:
                answer = http.get(
                    self._client,
                    self.url,
                    lambda _, body=body: body,
                    params=parameters,
                    headers=headers,
                )
            except http.TooLargeError as error:
                raise http.TransientError(f"an answer of {error}", overloaded=True) from None
            self.bytes += len(body)
            if answer.status_code != 429:
                return self._check(answer.status_code, body, parameters)
            self._wait_throttled(answer.headers, self._detail(body))

    def _check(self, status: int, body: bytearray, parameters: Mapping) -> dict:
        if status == 200:
            return read_page(body)
        detail = self._detail(body)
        if status == 404 and parameters.get("page", 1) > 1:
            raise NotFoundError(f"{self.url}: 404 {detail}")
        if status == 404:
            # Every search has a first page, if an empty one: a gateway says this while the
            # service is away, and taking it for an empty window would lose sounds.
            raise http.TransientError(f"404 {detail} (is source.freesound.url right?)")
        if status >= 500:
            raise http.TransientError(f"{status} {detail}", overloaded=status in (500, 504))
        if status in (401, 403):
            raise FreesoundError(
                f"{self.url} refuses the key in {KEY}: {status} {detail}; keys are given at"
                " https://freesound.org/apiv2/apply"
            )
        if status == 400:
            raise FreesoundError(
                f"{self.url} does not understand the search {parameters.get('filter')!r}: {detail};"
                " correct source.freesound.filter"
            )
        raise FreesoundError(f"{self.url} answers {status} {detail}; check source.freesound.url")

    def _wait_throttled(self, headers: Mapping, detail: str) -> None:
        if "suspended" in detail:
            raise FreesoundError(f"{self.url} has suspended the key in {KEY}: {detail}")
        wait = self.settings["throttled_wait"] * (PATIENCE_DAY if "/day" in detail else 1)
        http.pause(http.retry_after(headers, wait), f"Freesound asks us to wait ({detail})")

    def _detail(self, body: bytearray) -> str:
        """What the service says about an error, on one line and without the key."""
        try:
            text = str(read_json(body)["detail"])
        except (http.TransientError, KeyError, TypeError, RecursionError):
            text = body.decode(errors="replace")
        # Before it is cut: a part of the key is not recognised any more.
        if self._key:
            text = text.replace(self._key, "***")
        return plain(" ".join(text.split()))[:200]

    def _read_key(self) -> str:
        if self._key is None:
            key = os.environ.get(KEY, "").strip()
            if not key:
                raise FreesoundError(
                    f"the environment variable {KEY} is not set; get a key at"
                    " https://freesound.org/apiv2/apply and export it"
                )
            if not re.fullmatch(r"[\x21-\x7e]+", key):
                raise FreesoundError(f"the value of {KEY} is not a key: it holds odd characters")
            self._key = key
        return self._key


def _search_url(base: str) -> str:
    parts = urlsplit(base)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ConfigError(
            f"source.freesound.url = {base!r}: must begin with https://, since the key goes there"
        )
    return base.rstrip("/") + "/apiv2/search/"
