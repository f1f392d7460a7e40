"""Map a function over many items with processes, in order and in constant memory."""

import multiprocessing
import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from threadpoolctl import ThreadpoolController, threadpool_limits

from tagalign.environment import ensure_numba_cache
from tagalign.errors import TagalignError

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LONGEST = 60  # bytes of a temporary directory in which the name of a socket fits, 107 in all
AHEAD = 4  # items in work or waiting to be read, per process


def ordered_map(function: Callable, items: Iterable, jobs: int) -> Iterator:
    """Yield ``function(item)`` for each item, in the order of the items.

    Parameters
    ----------
    function
        A function that can be imported by name, or a `functools.partial` of one.
    items
        Its arguments; they are drawn as they are needed.
    jobs : int > 0
        Processes; 1 works in this process. Each computes with one thread, so that processes
        do not compete and the result does not depend on their number.

    Raises
    ------
    TagalignError
        A process was killed, as the system does when memory runs out.
    """
    if jobs == 1:
        yield from _map_here(function, items)
        return
    ensure_numba_cache()  # one for all processes
    try:
        pool = ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_one_thread)
    except (OSError, NotImplementedError, ImportError) as error:
        # Processes wait for each other by semaphores, which lie in /dev/shm.
        words = f"one process, as more cannot work together here ({error})"
        print(f"tagalign: {words}", file=sys.stderr)
        yield from _map_here(function, items)
        return
    with pool:
        waiting: deque = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise TagalignError(
                "a worker process died, perhaps for lack of memory; use fewer --jobs"
            ) from None
        finally:
            for future in waiting:
                future.cancel()


def _context() -> multiprocessing.context.BaseContext:
    # A forked child of a process that has used threads can hang; a fork server has none. It
    # listens on a socket in the temporary directory, whose name has to be short.
    try:
        short = len(os.fsencode(tempfile.gettempdir())) <= LONGEST
    except OSError:  # there is no temporary directory at all
        short = False
    return multiprocessing.get_context("forkserver" if short else "spawn")


def _one_thread() -> None:
    # Ctrl-C reaches all processes of a terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The libraries that the function needs may not be loaded yet: they read the environment.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    threadpool_limits(1)


def _map_here(function: Callable, items: Iterable) -> Iterator:
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    libraries = ThreadpoolController()
    try:
        for item in items:
            # Not across the yield: what the caller does with a result may use all threads.
            with libraries.limit(limits=1):
                result = function(item)
            yield result
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
