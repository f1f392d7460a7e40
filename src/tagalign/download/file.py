"""Download one large file: resumable, checked, and in place only when whole.

The bytes go to ``FILE.part``; a download that was cut off goes on from there with a Range
request. When all have come, the hash is compared and the file renamed. A file without a
published checksum is compared with the one recorded when it first came (``checksums.json``).
"""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import tenacity

from tagalign import store
from tagalign.errors import InputError
from tagalign.progress import Progress

ATTEMPTS = 6
"""Attempts in a row that bring no further byte, after which we give up."""
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
RECORD = "checksums.json"
PASSING = {408, 425, 429, *range(500, 600)}
"""Status codes after which the same request may succeed."""


class _PassingError(Exception):
    """A failure that another attempt may not have."""


def download(url: str, target: Path, md5: str | None, *, wait: Callable | None = None) -> str:
    """Download `url` to `target` unless it is there already.

    Parameters
    ----------
    url
        http or https address.
    target
        Where the file appears. A file that is there is only checked.
    md5
        Published MD5 in hexadecimal; None compares with the recorded SHA-256, if any.
    wait
        Waiting time between attempts, a `tenacity` wait; by default up to a minute.

    Returns
    -------
    str
        SHA-256 of the file in hexadecimal.

    Raises
    ------
    InputError
        The address cannot be reached, the file is shorter than announced, its checksum is
        another one, or the recorded checksums cannot be read. What came is removed if it is
        wrong, kept if it can be resumed.
    """
    part = target.with_name(target.name + ".part")
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((_PassingError, httpx.TransportError)),
        stop=_when_stalled(part),
        wait=wait or tenacity.wait_exponential(multiplier=1, max=60),
        reraise=True,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            return _verify(target, target, url, md5)
        retrying(_fetch, url, part)
        sha256 = _verify(part, target, url, md5)
        part.replace(target)
    except (_PassingError, httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise InputError(
            f"cannot download {url}: {why}; try again later (what came is kept in {part}) or name"
            " another address in the configuration"
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot write {part}: {error.strerror}; make room or choose another --data"
        ) from None
    return sha256


def _when_stalled(part: Path) -> Callable[[tenacity.RetryCallState], bool]:
    """A `tenacity` stop: a download of hours may break off often, if only it goes on."""
    most, attempts = -1, 0

    def stop(_: tenacity.RetryCallState) -> bool:
        nonlocal most, attempts
        size = part.stat().st_size if part.exists() else 0
        attempts = 1 if size > most else attempts + 1
        most = max(most, size)
        return attempts >= ATTEMPTS

    return stop


def _fetch(url: str, part: Path) -> None:
    """One attempt: get what is missing behind the end of `part`."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT) as got:
        if got.status_code in PASSING:
            raise _PassingError(f"status {got.status_code}")
        if got.status_code == 416:
            # Nothing lies behind our end: the part is whole, or of another file.
            if got.headers.get("Content-Range", "").rpartition("/")[2] == str(have):
                return
            part.unlink()
            raise _PassingError("the file at the address has changed")
        if got.status_code not in (200, 206):
            raise InputError(
                f"cannot download {url}: status {got.status_code} {got.reason_phrase}; correct the"
                " address in the configuration"
            )
        resumed = got.status_code == 206
        if resumed and not got.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _PassingError(f"asked for bytes from {have} and got others")
        _append(got, part, have if resumed else 0)


def _append(got: httpx.Response, part: Path, start: int) -> None:
    length = got.headers.get("Content-Length")
    total = start + int(length) if length else None
    name = part.name.removesuffix(".part")
    with open(part, "r+b" if start else "wb") as file:
        file.seek(start)
        megabytes = None if total is None else -(-total // 10**6)
        with Progress(f"download {name}", megabytes, unit="MB") as progress:
            shown = 0
            # As the bytes come: what a larger buffer holds would be lost with the connection.
            for chunk in got.iter_raw():
                file.write(chunk)
                done = file.tell() // 10**6
                progress.update(done - shown)
                shown = done
        size = file.tell()
    if total is not None and size != total:
        raise _PassingError(f"{size} of {total} bytes came")


def _verify(path: Path, target: Path, url: str, md5: str | None) -> str:
    """Compare the hash with the published or the recorded one; return the SHA-256."""
    sha256 = store.digest(path)
    remedy = f"delete {path} and run this again, or name another address in the configuration"
    if path != target:
        remedy = "it was removed; run this again or name another address in the configuration"
    if md5:
        try:
            check_md5(path, md5, remedy, name=url)
        except InputError:
            _remove_part(path, target)
            raise
        return sha256
    record = target.with_name(RECORD)
    seen = _read_record(record)
    known = seen.setdefault(target.name, sha256)
    if known != sha256:
        _remove_part(path, target)
        raise InputError(
            f"{url} has SHA-256 {sha256}, but {record} recorded {known} when it first came;"
            f" {remedy}; if the new file is right, delete the line from {record.name}"
        )
    with store.replacing(record) as part:
        part.write_text(json.dumps(seen, indent=1, sort_keys=True) + os.linesep)
    return sha256


def check_md5(
    path: str | os.PathLike, md5: str | None, remedy: str, name: str | None = None
) -> None:
    """Compare a file with its published MD5, if there is one.

    Raises
    ------
    InputError
        It has another; the message says `name` (by default the path) and `remedy`.
    """
    if not md5:
        return
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != md5:
        raise InputError(
            f"{name or path} has MD5 {found}, published is {md5}: wrong file; {remedy}"
        )


def _read_record(record: Path) -> dict[str, str]:
    """File -> SHA-256 when it first came; empty where nothing was recorded yet."""
    try:
        seen = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    except ValueError as error:
        raise _damaged_record(record, str(error)) from None
    if not isinstance(seen, dict):
        raise _damaged_record(record, f"it holds a {type(seen).__name__}, not an object")
    return seen


def _damaged_record(record: Path, why: str) -> InputError:
    return InputError(
        f"{record} is not the record of checksums that this program wrote ({why}); delete it and"
        " run this again, which records those of the files that are there"
    )


def _remove_part(path: Path, target: Path) -> None:
    if path != target:
        path.unlink()
