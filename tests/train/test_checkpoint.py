"""What a checkpoint keeps, apart from the training around it."""

import numpy as np
import pytest
import torch

from tagalign.errors import TrainingError
from tagalign.model.arithmetic import Arithmetic
from tagalign.train.checkpoint import Checkpoint, State

IDENTITY = {"system": "cnn", "seed": 0, "config": {"train": {"epochs": 200}}}


def make(optimizer="adam"):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 4), torch.nn.BatchNorm2d(3))
    classes = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    return network, classes[optimizer](network.parameters(), lr=0.01, fused=True)


def step(network, optimizer):
    optimizer.zero_grad()
    network(torch.rand(5, 1, 8, 8)).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_steps_after_loading_are_those_that_would_have_come(optimizer, tmp_path):
    network, updates = make(optimizer)
    for _ in range(3):
        step(network, updates)
    record = {"epoch": 1, "loss": 0.1 + 0.2}
    # More records than an HDF5 attribute can hold.
    state = State(epoch=3000, step=7, losses=np.ones((7, 2)), history=[record] * 3000)
    state.kept = {20: {name: x.clone() for name, x in network.state_dict().items()}}
    state.arithmetic = Arithmetic("cuda", "bfloat16", compiled=True)
    assert Checkpoint(tmp_path, IDENTITY).save(state, network, updates)
    step(network, updates)

    other, others_updates = make(optimizer)
    loaded = Checkpoint(tmp_path, IDENTITY).load(other, others_updates)
    assert (loaded.epoch, loaded.step, loaded.history) == (3000, 7, state.history)
    assert np.array_equal(loaded.losses, state.losses)
    assert loaded.arithmetic == state.arithmetic
    assert loaded.kept.keys() == {20}
    for name, weights in state.kept[20].items():
        assert torch.equal(loaded.kept[20][name], weights)
    step(other, others_updates)
    for ours, theirs in zip(
        network.state_dict().values(), other.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_without_a_checkpoint_there_is_nothing_to_load(tmp_path):
    assert Checkpoint(tmp_path / "none", IDENTITY).load(*make()) is None


def test_another_identity_is_refused_by_the_first_key_that_differs(tmp_path):
    Checkpoint(tmp_path, IDENTITY).save(State(), *make())
    changed = IDENTITY | {"config": {"train": {"epochs": 100}}}
    with pytest.raises(TrainingError, match=r"config\.train\.epochs is 200 there and 100 here"):
        Checkpoint(tmp_path, changed).load(*make())


def test_a_training_on_other_inputs_has_a_checkpoint_of_its_own(tmp_path):
    """Adding sounds must not stop a workflow whose training was interrupted before."""
    first, grown = (IDENTITY | {"inputs": {"pairs": digest}} for digest in ("aa", "bb"))
    assert Checkpoint(tmp_path, first).save(State(epoch=4), *make())
    assert Checkpoint(tmp_path, grown).load(*make()) is None
    Checkpoint(tmp_path, grown).save(State(epoch=1), *make())
    Checkpoint(tmp_path, grown).remove()
    assert Checkpoint(tmp_path, first).load(*make()).epoch == 4


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used(tmp_path, capsys):
    checkpoint = Checkpoint(tmp_path, IDENTITY)
    for epoch in (1, 2):
        checkpoint.save(State(epoch=epoch), *make())
    content = checkpoint.path.read_bytes()
    for place in (20, len(content) // 2, len(content) - 1):
        flipped = bytearray(content)
        flipped[place] ^= 1
        checkpoint.path.write_bytes(flipped)
        assert Checkpoint(tmp_path, IDENTITY).load(*make()).epoch == 1
        assert checkpoint.damaged.read_bytes() == flipped
        assert f"{checkpoint.path} is damaged" in capsys.readouterr().err
    checkpoint.previous.write_bytes(b"")
    assert Checkpoint(tmp_path, IDENTITY).load(*make()) is None
    checkpoint.remove()
    assert not tmp_path.exists()


def test_a_kill_between_two_checkpoints_leaves_the_first(tmp_path):
    checkpoint = Checkpoint(tmp_path, IDENTITY)
    checkpoint.save(State(epoch=1), *make())
    checkpoint.path.replace(checkpoint.previous)
    assert checkpoint.load(*make()).epoch == 1


def test_memory_that_runs_out_while_resuming_does_not_advise_to_remove_it(tmp_path, monkeypatch):
    Checkpoint(tmp_path, IDENTITY).save(State(), *make())
    network, optimizer = make()

    def full(state):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(optimizer, "load_state_dict", full)
    with pytest.raises(TrainingError, match="not enough memory to resume") as error:
        Checkpoint(tmp_path, IDENTITY).load(network, optimizer)
    assert "remove it" not in str(error.value)


def test_a_directory_that_cannot_be_written_is_said_and_survived(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    checkpoint = Checkpoint(tmp_path / "file", IDENTITY)
    assert not checkpoint.save(State(), *make())
    assert "no checkpoint this time, training goes on: cannot write" in capsys.readouterr().err


def test_removing_leaves_what_others_put_beside_it(tmp_path):
    directory = tmp_path / "checkpoints"
    checkpoint = Checkpoint(directory, IDENTITY)
    checkpoint.save(State(), *make())
    (directory / "notes.txt").write_text("mine")
    checkpoint.remove()
    assert [path.name for path in directory.iterdir()] == ["notes.txt"]
    (directory / "notes.txt").unlink()
    checkpoint.remove()
    assert not directory.exists()
