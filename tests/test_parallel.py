"""Processes give the same results in the same order, and a dead one is not waited for."""

import math
import os

import pytest
from threadpoolctl import threadpool_info

from tagalign.errors import TagalignError
from tagalign.parallel import AHEAD, ordered_map


def threads(_):
    """Threads of every numeric library that a worker has loaded."""
    import scipy.linalg  # noqa: F401 - loads BLAS after the worker has started

    return {library["num_threads"] for library in threadpool_info()}


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(jobs):
    assert list(ordered_map(math.sqrt, range(40), jobs)) == [math.sqrt(i) for i in range(40)]


def test_items_are_drawn_as_they_are_needed():
    drawn = []

    def items():
        for item in range(1000):
            drawn.append(item)
            yield item

    results = ordered_map(math.sqrt, items(), 2)
    next(results)
    assert len(drawn) <= 2 * AHEAD
    results.close()


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_process_computes_with_one_thread(jobs):
    assert all(found <= {1} for found in ordered_map(threads, range(2), jobs))


def test_this_process_is_left_as_it_was(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    assert list(ordered_map(os.getenv, ["OMP_NUM_THREADS"], 1)) == ["1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_the_caller_keeps_its_threads_between_results():
    before = threads(None)
    results = ordered_map(threads, range(2), 1)
    assert next(results) <= {1}
    assert threads(None) == before


def test_a_killed_process_ends_the_run_with_one_line():
    with pytest.raises(TagalignError, match="a worker process died"):
        list(ordered_map(os._exit, [1] * 20, 2))


def test_an_error_of_the_function_is_passed_on():
    with pytest.raises(ValueError, match="math domain error|nonnegative"):
        list(ordered_map(math.sqrt, [1, -1], 2))
