"""Download one preview: go on where it was cut, and make sure that it decodes."""

import threading
from collections.abc import Callable, Mapping

import httpx

from tagalign.audio.decode import check
from tagalign.download import http
from tagalign.errors import AudioError, plain
from tagalign.freesound.answer import own_hosts, whole_number, why_not

GONE = (404, 410)  # statuses that say that there is no such preview


class PreviewError(Exception):
    """This preview is unavailable, however often we try; the message is the reason."""


def preview_client(settings: Mapping) -> httpx.Client:
    """A client that goes to no other host than those of previews, also where it is redirected.

    Parameters
    ----------
    settings
        The section ``source.freesound``.
    """
    own = own_hosts(settings)

    def check(request: httpx.Request) -> None:
        reason = why_not(str(request.url), own)
        if reason:
            raise PreviewError(reason)

    client = http.client(settings["timeout"], settings["downloads"], follow_redirects=True)
    client.event_hooks = {"request": [check]}
    return client


def fetch_sound(
    client: httpx.Client, url: str, settings: Mapping, cancelled: threading.Event
) -> bytes:
    """Download a preview and decode it.

    Parameters
    ----------
    client
        A client without credentials: previews need none.
    url
        Address of the preview.
    settings
        The section ``source.freesound``: its keys ``attempts`` and ``first_wait``.
    cancelled
        When it is set, nothing is tried again.

    Returns
    -------
    bytes
        The encoded sound. It decodes to the end.

    Raises
    ------
    PreviewError
        The preview is gone, or what comes twice the same is no whole sound.
    http.TransientError
        The last attempt failed as well.
    """
    tries = http.patiently(settings["attempts"], settings["first_wait"], url, cancelled)
    data = _fetch(client, url, tries)
    try:
        check(data)
        return data
    except AudioError as error:
        # The connection may have lost the end without a sign; the file itself may be broken.
        again, first = _fetch(client, url, tries), error
    if again != data:
        try:
            check(again)
            return again
        except AudioError as error:
            raise PreviewError(str(error)) from None
    raise PreviewError(str(first))


def _fetch(client: httpx.Client, url: str, tries: Callable) -> bytes:
    body = bytearray()
    try:
        tries(_go_on, client, url, body)
    except http.TooLargeError as error:
        raise PreviewError(str(error)) from None
    return bytes(body)


def _go_on(client: httpx.Client, url: str, body: bytearray) -> None:
    """One attempt: get what is missing behind the end of `body`."""
    have = len(body)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"

    def choose(response: httpx.Response) -> bytearray:
        if response.status_code == 206 and _first(response) == have:
            return body
        if response.status_code == 200:
            body.clear()
            return body
        return bytearray()

    answer = http.get(client, url, choose, headers=headers)
    status = answer.status_code
    if status == 200 and answer.headers.get("Content-Type", "").startswith("text/html"):
        body.clear()
        raise http.TransientError("a page in the place of a sound")
    if status == 200:
        return
    if status == 206 and _first(answer) == have:
        if _total(answer) in (None, len(body)):
            return
        body.clear()
        raise http.TransientError("the parts of the answer do not fit together")
    if status in (206, 416):
        body.clear()
        raise http.TransientError("the preview changed on the way")
    if status in GONE:
        raise PreviewError(f"{status} {plain(answer.reason_phrase)[:100]}")
    # Also where we are refused: that says something of the host, and nothing of the sound.
    raise http.TransientError(f"{status} {plain(answer.reason_phrase)[:100]}")


def _first(response: httpx.Response) -> int | None:
    """First byte of a partial answer: ``Content-Range: bytes 100-199/200``."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    return whole_number(span.partition("-")[0]) if unit == "bytes" else None


def _total(response: httpx.Response) -> int | None:
    return whole_number(response.headers["Content-Range"].rpartition("/")[2])
