"""Check what a server says when it arrives, before anything of it is used or kept.

A server may be wrong, old, or not the one that we mean. What is odd in one result costs that
result or that field; what is odd in a whole answer is a `TransientError`. Nothing else is raised.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from tagalign.download.http import TransientError

LARGEST_ID = 2**63 - 1  # what SQLite holds
LARGEST_NUMBER = 2**31 - 1  # what the catalogue holds of sample rates and channels
FREESOUND = "freesound.org"


def read_page(body: bytes | bytearray) -> dict:
    """A page of results: ``results`` is a list of mappings with an id, or None where there is none.

    Raises
    ------
    TransientError
        It is no such page.
    """
    page = read_json(body)
    if not isinstance(page, dict) or not isinstance(page.get("results"), list):
        raise TransientError("an answer without results")
    count = page.get("count")
    whole = isinstance(count, int) and not isinstance(count, bool) and count >= 0
    return {
        "count": count if whole else None,
        "next": page.get("next"),
        "results": [_result(result) for result in page["results"]],
    }


def read_json(body: bytes | bytearray) -> Any:
    """A value in JSON; whole numbers beyond 63 bits become None.

    Raises
    ------
    TransientError
        It is no JSON, or nested too deeply.
    """
    try:
        return json.loads(body, parse_int=_whole)
    except (ValueError, RecursionError):
        raise TransientError("an answer that is not JSON") from None


def whole_number(text: str, largest: int = LARGEST_ID) -> int | None:
    """A whole number in ASCII digits that is not too large, else None."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(largest)):
        return None
    number = int(text)
    return number if number <= largest else None


def why_not(url: str, own_hosts: Collection[str]) -> str | None:
    """Why a preview may not be fetched from an address, or None.

    Parameters
    ----------
    url
        As the server gives it, or as it redirects to.
    own_hosts
        Hosts that are allowed beside Freesound's: that of the API and the user's own mirrors.
    """
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return "the address of its preview cannot be read"
    if not url.isascii() or not url.isprintable() or " " in url or not host:
        return "the address of its preview cannot be read"
    if parts.username is not None or parts.password is not None:
        return "the address of its preview holds a user name"
    is_freesound = host == FREESOUND or host.endswith(f".{FREESOUND}")
    if not is_freesound and host not in own_hosts:
        return f"its preview is not at Freesound but at {host[:100]} (source.freesound.mirrors)"
    if parts.scheme != "https" and not (parts.scheme == "http" and not is_freesound):
        return f"the address of its preview begins with {parts.scheme[:20]}://, not https://"
    return None


def own_hosts(settings: Mapping) -> set[str]:
    """Hosts of previews that the section ``source.freesound`` allows beside Freesound's."""
    own = {host.lower() for host in settings["mirrors"]}
    api = urlsplit(settings["url"]).hostname
    return own | ({api.lower()} if api else set())


def _whole(digits: str) -> int | None:
    number = whole_number(digits.lstrip("-"))
    return -number if number is not None and digits.startswith("-") else number


def _result(result: object) -> dict | None:
    if not isinstance(result, dict):
        return None
    identifier = result.get("id")
    if isinstance(identifier, str):
        identifier = whole_number(identifier)
    if not isinstance(identifier, int) or isinstance(identifier, bool) or identifier < 0:
        return None
    return {**result, "id": identifier}
