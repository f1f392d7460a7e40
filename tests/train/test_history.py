"""What a training says of itself while it runs."""

import json

import pytest

from tagalign.train.history import History, duration, epoch_line, split_name

RECORD = {
    "epoch": 3,
    "reconstruction": 4.25,
    "contrastive": 2.5,
    "loss": 46.25,
    "validation_contrastive": 3.0,
    "validation_loss": 51.0,
    "recall_at_1": 0.125,
    "recall_at_10": 0.5,
    "seconds": 20.0,
    "samples_per_second": 27.4,
}


def test_the_line_of_an_epoch_tells_losses_retrieval_speed_and_time_left():
    assert epoch_line("coala", RECORD, 20, 340) == (
        "train coala: epoch 3/20: reconstruction 4.25, contrastive 2.5, loss 46.25;"
        " validation: contrastive 3, loss 51, R@1 12.5%, R@10 50.0%; 27 samples/s, 6 min left"
    )


def test_names_say_to_which_part_of_the_data_they_belong():
    assert split_name("validation_loss") == ("validation", "loss")
    assert split_name("recall_at_10") == ("validation", "recall_at_10")
    assert split_name("loss") == ("training", "loss")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (99, "99 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations_are_readable(seconds, text):
    assert duration(seconds) == text


def test_a_resumed_history_starts_with_what_the_checkpoint_knows(tmp_path):
    path = tmp_path / "logs" / "history.jsonl"
    first = History(path, None, [])
    for epoch in (1, 2, 3):
        first.add(RECORD | {"epoch": epoch})
    again = History(path, None, [RECORD | {"epoch": 1}])
    again.add(RECORD | {"epoch": 2})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert lines[1] == RECORD | {"epoch": 2}


def test_training_goes_on_when_the_history_cannot_be_written(tmp_path, capsys):
    history = History(tmp_path / "logs" / "history.jsonl", None, [])
    (tmp_path / "logs" / "history.jsonl").unlink()
    (tmp_path / "logs").rmdir()
    history.add(RECORD)
    assert "cannot write the history, training goes on" in capsys.readouterr().err
