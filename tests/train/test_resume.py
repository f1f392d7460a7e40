"""A training that is stopped, in whatever way, ends as if it had not been."""

import json
import resource
import shutil
import signal

import pytest

import stage_files
from running import call, run, start, training
from stopping import EACH_STEP, checkpoint_in, kill_between_steps, stop_after_epochs
from tagalign.errors import TrainingError

pytestmark = pytest.mark.slow

LONG = {"epochs": 12}


@pytest.fixture(scope="session")
def whole(prepared, tmp_path_factory) -> bytes:
    """The model of an uninterrupted training."""
    folder = tmp_path_factory.mktemp("whole")
    result = run(training(prepared, folder, train=LONG))
    assert result.returncode == 0, result.stderr
    return (folder / "model.h5").read_bytes()


@pytest.fixture(scope="session")
def killed(prepared, tmp_path_factory):
    """Directory with the checkpoint of a training that was killed in its fourth epoch."""
    folder = tmp_path_factory.mktemp("killed")
    history = folder / "history.jsonl"
    process = start(training(prepared, folder, train=LONG, options=("--history", history)))
    stop_after_epochs(process, history, signal.SIGKILL)
    process.communicate()
    return folder / "model.checkpoint"


@pytest.fixture
def stopped(killed, tmp_path):
    """A copy of that checkpoint where a training of the test would look for it."""
    shutil.copytree(killed, tmp_path / "model.checkpoint")
    return checkpoint_in(tmp_path / "model.checkpoint")


@pytest.mark.parametrize("how", ["SIGKILL", "SIGKILL between steps", "SIGTERM", "SIGINT"])
def test_a_stopped_training_ends_bit_for_bit_as_an_uninterrupted_one(how, command, whole, tmp_path):
    history, output = tmp_path / "history.jsonl", tmp_path / "model.h5"
    saved = tmp_path / "model.checkpoint"
    between = how.endswith("steps")
    again = command(train=LONG, options=("--history", history, *(EACH_STEP if between else ())))
    process = start(again)
    if between:
        kill_between_steps(process, history, saved)
    else:
        stop_after_epochs(process, history, signal.Signals[how])
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert not output.exists()
    assert saved.exists()
    if "SIGKILL" not in how:
        (line,) = [line for line in errors.splitlines() if line.startswith("tagalign: ")]
        assert f"stopped by {how} after epoch" in line
        assert "run the same command again" in line

    result = run(again)
    assert result.returncode == 0, result.stderr
    (resumed,) = [line for line in result.stderr.splitlines() if "resuming after epoch" in line]
    if between:
        assert ", step" in resumed
    assert output.read_bytes() == whole
    assert not saved.exists()
    epochs = [json.loads(line)["epoch"] for line in history.read_text().splitlines()]
    assert epochs == list(range(1, 13))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"train": LONG | {"learning_rate": 0.01}}, "learning_rate is 0.001 there and 0.01 here"),
        ({"train": LONG, "model": {"channels": 4}}, "config.model.channels is 8 there and 4 here"),
        ({"train": LONG, "options": ("--seed", 7)}, "seed is 0 there and 7 here"),
        ({"train": LONG, "system": "w2v-128-1h"}, "system is w2v-128-4h there and w2v-128-1h here"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(change, named, command, stopped, tmp_path):
    before = stopped.read_bytes()
    with pytest.raises(TrainingError, match="belongs to another training") as error:
        call(*command(**change))
    assert named in str(error.value)
    assert str(stopped) in str(error.value)
    assert stopped.read_bytes() == before
    assert not (tmp_path / "model.h5").exists()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("device", "cuda", r"float32 on a GPU, not compiled, .* \(--device cuda\)"),
        ("precision", "bfloat16", r"bfloat16 on a CPU, not compiled, .* \(--device cpu\)"),
        ("compiled", True, r"float32 on a CPU, compiled, .* float32 on a CPU, not compiled"),
    ],
)
def test_a_training_goes_on_only_in_its_own_arithmetic(key, value, told, command, stopped):
    """As where a run with ``precision: auto`` moves from a GPU to a CPU."""
    with stage_files.edited(stopped) as file:
        arithmetic = json.loads(file.attrs["arithmetic"]) | {key: value}
        file.attrs["arithmetic"] = json.dumps(arithmetic)
    with pytest.raises(TrainingError, match=f"was trained in {told}"):
        call(*command(train=LONG))
    assert stopped.exists()


def test_a_full_disk_leaves_the_last_good_checkpoint(command, stopped, whole, tmp_path):
    before = stopped.read_bytes()

    def only_small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    result = run(command(train=LONG), preexec_fn=only_small_files)
    assert result.returncode == 1
    assert "no checkpoint this time, training goes on: cannot write" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("tagalign: cannot write")
    assert stopped.read_bytes() == before
    assert not (tmp_path / "model.h5").exists()
    assert list(tmp_path.rglob("*.part")) == []

    assert run(command(train=LONG)).returncode == 0
    assert (tmp_path / "model.h5").read_bytes() == whole


def test_a_damaged_checkpoint_is_set_aside_with_a_line(command, stopped):
    stopped.write_bytes(stopped.read_bytes()[:1000])
    result = run(command(train=LONG))
    assert result.returncode == 0
    assert "damaged" in result.stderr


def test_two_trainings_give_the_same_bytes_and_another_seed_other_ones(command, tmp_path):
    call(*command(output="a.h5"))
    call(*command(output="b.h5"))
    call(*command(output="c.h5", options=("--seed", 1)))
    first, second, third = ((tmp_path / name).read_bytes() for name in ("a.h5", "b.h5", "c.h5"))
    assert first == second
    assert first != third
