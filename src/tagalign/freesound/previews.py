"""Download the missing previews of a shard, and tell sounds that fail from a host that is down.

A preview that fails after all attempts is tried once more after the others. If it fails again
it is given up with its reason, so that it does not block its shard, but only if the host gives
another sound at that time. A host that is down must not cost a single sound: the job ends,
keeps what came, and the next run goes on.
"""

import itertools
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from urllib.parse import urlsplit

import httpx

from tagalign.download import http
from tagalign.freesound.api import FreesoundError
from tagalign.freesound.downloaded import Downloaded, preview_name
from tagalign.freesound.preview import PreviewError, fetch_sound, preview_client
from tagalign.progress import Progress

HOPELESS = 5  # neighbours among the missing that fail after all attempts: the host seems down


def download(
    sounds: Mapping[str, str], downloaded: Downloaded, settings: Mapping, label: str
) -> dict[str, str]:
    """Fetch into `downloaded` what is missing there.

    Parameters
    ----------
    sounds
        Id -> URL of the preview, of a whole shard.
    downloaded
        What there is of the shard.
    settings
        The section ``source.freesound``.
    label
        Names the work in the progress.

    Returns
    -------
    dict
        Id -> reason, for the sounds that are unavailable.

    Raises
    ------
    FreesoundError
        The host of the previews is down: it has given no sound of this shard, now or before,
        but for a few sounds that may really be gone; or it does not give one again that it gave;
        or `HOPELESS` neighbours fail in the first run for this shard.
    """
    here, failures = downloaded.keys(), {}
    keys = {identifier: (identifier, preview_name(url)) for identifier, url in sounds.items()}
    before = next((i for i, key in keys.items() if key in here), None)
    missing = [identifier for identifier, key in keys.items() if key not in here]
    # What failed in the finished shard may fail again and says nothing about the host.
    unknown = [identifier for identifier in missing if identifier not in downloaded.failed]
    with (
        Progress(label, len(missing)) as progress,
        preview_client(settings) as client,
    ):
        received, start = 0, time.monotonic()
        stubborn, suspects, answered = {}, set(), before

        def end_if_down(identifier: str, witness: str | None) -> None:
            if witness is None or not _answers(client, sounds[witness], settings):
                _give_up(sounds[identifier], stubborn[identifier], len(missing))

        left = missing
        for last_chance in (False, True):
            for identifier, result in _fetch_all(client, left, sounds, settings):
                if isinstance(result, http.TransientError):
                    stubborn[identifier] = str(result)
                    suspects.add(identifier)
                    if not last_chance and _longest_row(unknown, suspects) >= HOPELESS:
                        # In a first run this may be a host that went down: it has time to
                        # recover until the next run, where a sound kept from here can testify.
                        end_if_down(identifier, before)
                        suspects.clear()
                    continue
                answered = identifier
                stubborn.pop(identifier, None)
                if isinstance(result, PreviewError):
                    failures[identifier] = str(result)
                else:
                    received += len(result)
                    downloaded.add(keys[identifier], result)
                rate = received / 1e6 / max(time.monotonic() - start, 1e-9)
                progress.update(
                    received=f"{received / 1e6:.1f} MB ({rate:.1f} MB/s)", failed=len(failures)
                )
            left = [identifier for identifier in unknown if identifier in stubborn]
        if left:
            end_if_down(left[0], answered)
        if len(sounds) >= HOPELESS and failures.keys() == sounds.keys():
            _give_up(sounds[missing[0]], failures[missing[0]], len(missing))
        for identifier, reason in stubborn.items():
            reason = f"{reason}, after {2 * settings['attempts']} attempts"
            failures[identifier] = downloaded.failed.get(identifier, reason)
            progress.update(failed=len(failures))
    return failures


def _longest_row(order: Sequence[str], chosen: Collection[str]) -> int:
    """Length of the longest run of chosen ids in `order`.

    The order in which downloads end says less: those that fail take longest and end together.
    """
    runs = itertools.groupby(order, chosen.__contains__)
    return max((sum(1 for _ in run) for is_chosen, run in runs if is_chosen), default=0)


def _answers(client: httpx.Client, url: str, settings: Mapping) -> bool:
    """Whether the host has an answer for a preview for which it had one before."""
    try:
        fetch_sound(client, url, settings, threading.Event())
    except http.TransientError:
        return False
    except PreviewError:  # gone, but that is an answer
        return True
    return True


def _fetch_all(
    client: httpx.Client, missing: Sequence[str], sounds: Mapping[str, str], settings: Mapping
) -> Iterator[tuple[str, bytes | Exception]]:
    """(id, bytes or the error) of each sound as it comes, `downloads` at once."""
    with ThreadPoolExecutor(settings["downloads"]) as pool:
        waiting, running, cancelled = iter(missing), {}, threading.Event()
        try:
            while True:
                # A sound in hand for each thread: more would only fill the memory.
                for identifier in waiting:
                    future = pool.submit(
                        fetch_sound, client, sounds[identifier], settings, cancelled
                    )
                    running[future] = identifier
                    if len(running) >= settings["downloads"]:
                        break
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), _outcome(future)
        finally:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _outcome(future: Future) -> bytes | Exception:
    error = future.exception()
    if error is not None and not isinstance(error, http.TransientError | PreviewError):
        raise error
    return future.result() if error is None else error


def _give_up(url: str, reason: object, missing: int) -> None:
    raise FreesoundError(
        f"{urlsplit(url).hostname} does not give its previews: {reason}; {missing} of this shard"
        " were missing; what came is kept, run the same command again to go on; if nothing else"
        " helps, leave such sounds out by source.exclude"
    )
