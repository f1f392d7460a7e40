"""The benchmark modules keep to their interface, so that `make bench` finds and runs them."""

import importlib
import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = sorted(
    path.stem
    for path in HERE.glob("*.py")
    if path.stem not in ("run", "rows") and not path.stem.startswith("test_")
)


@pytest.fixture(autouse=True)
def _own_modules(monkeypatch):
    """What `python tests/benchmarks/run.py` has on its path, forgotten afterwards."""
    monkeypatch.syspath_prepend(str(HERE))
    yield
    for name in ["run", "rows", *MODULES]:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_says_what_it_measures_and_can_be_run(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert callable(module.run)


def test_rates_counts_units_per_second():
    rows = importlib.import_module("rows")
    calls = []
    first, second = rows.rates(
        lambda: calls.append("a") or 10, lambda: calls.append("b") or 1000, seconds=0.0
    )
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert 0 < first < second


@pytest.mark.slow
def test_whole_trainings_alone_and_side_by_side_are_measured():
    train = importlib.import_module("train")
    tiny = {"model": {"channels": 8}, "train": {"batch_size": 16}}
    found = train.measure_whole("cpu", (32, 16), 2, tiny)
    assert all(row.value > 0 for row in found if row.unit != "GB")
    assert found[-1].ratio > 0


def test_the_results_are_printed_and_written(monkeypatch, tmp_path, capsys):
    run, rows = importlib.import_module("run"), importlib.import_module("rows")
    word2vec = importlib.import_module("word2vec")
    monkeypatch.setattr(
        word2vec,
        "run",
        lambda: [
            rows.Row("thing", 30.0, "clips/s", 10.0, "the slow way"),
            rows.Row("other", 5, "s"),
        ],
    )
    output = tmp_path / "results" / "bench.json"
    monkeypatch.setattr(sys, "argv", ["run.py", "word2vec", "--output", str(output)])
    run.main()
    assert "3.00  the slow way" in capsys.readouterr().out
    written = json.loads(output.read_text())
    assert [row["ratio"] for row in written["rows"]] == [3.0, None]
    assert written["machine"]["cores"] >= 1
    monkeypatch.setattr(sys, "argv", ["run.py", "nonsense"])
    with pytest.raises(SystemExit):
        run.main()
    assert "no benchmark 'nonsense'" in capsys.readouterr().err
