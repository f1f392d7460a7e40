"""Real clips through the real protocols, from the files to the table."""

import pandas as pd
import pytest

from tagalign import store


@pytest.mark.slow
def test_esc10_and_two_folds_of_us8k(shared, tmp_path, run):
    data = shared / "data"
    us8k = {"metadata": str(data / "UrbanSound8K.csv"), "audio": str(data / "us8k")}
    esc10 = {"csv": str(data / "esc10" / "esc10.csv"), "fold_column": "fold"}
    scores = []
    for task, section in (("us8k", us8k | {"folds": [1, 2]}), ("esc10-copy", esc10)):
        params = {f"datasets.{task}": section}
        paths = {stage: tmp_path / f"{stage}-{task}.h5" for stage in ("task", "mfcc", "scores")}
        run("task", "--task", task, "--jobs", 2, "-o", paths["task"], params=params)
        with store.read(paths["task"]) as file:
            assert store.read_failures(file) == []
        run("embed-task", paths["task"], "--mfcc", "-o", paths["mfcc"])
        params = {"evaluate": {"repetitions": 3, "engine": "torch"}}
        arguments = [paths["task"], paths["mfcc"], "--system", "mfcc", "-o", paths["scores"]]
        run("evaluate", *arguments, params=params)
        scores.append(paths["scores"])
    run("report", *scores, "--directory", tmp_path)
    table = pd.read_csv(tmp_path / "table.csv").set_index("task")
    assert table["clips"].to_dict() == {"us8k": 873 + 888, "esc10-copy": 400}
    # The floor of ESC-10 in the shared notes is 70.7; with one training fold US8K is harder.
    assert 66 < table.loc["esc10-copy", "mean"] < 80
    assert 40 < table.loc["us8k", "mean"] < 66
    assert table["paper"].isna().all(), "two folds cannot be compared with the paper's ten"
