"""Checkpoints: everything that a training needs to go on exactly where it was.

One HDF5 file per training, replaced atomically, and the one before it as ``NAME.previous``. It
names the training it belongs to (system, seed, configuration, hashes of the inputs); another
training does not go on from it. A damaged one is set aside as ``NAME.damaged``.
"""

import dataclasses
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import torch
from torch.optim import Optimizer

from tagalign import store
from tagalign.errors import TagalignError, TrainingError
from tagalign.model.arithmetic import Arithmetic
from tagalign.train.memory import is_out_of_memory


@dataclasses.dataclass
class State:
    """Where a training stands.

    Attributes
    ----------
    epoch, step
        Epochs that are complete, and steps of the next that are done.
    losses
        Losses of those steps [shape=(step, number of losses)].
    history
        A record per complete epoch.
    kept
        Epoch -> weights after it, of the epochs that the model file keeps.
    arithmetic
        What the steps were computed with; None before the first.
    """

    epoch: int = 0
    step: int = 0
    losses: np.ndarray | None = None
    history: list[dict] = dataclasses.field(default_factory=list)
    kept: dict[int, dict[str, torch.Tensor]] = dataclasses.field(default_factory=dict)
    arithmetic: Arithmetic | None = None


class Checkpoint:
    """The checkpoint of one training.

    Parameters
    ----------
    directory
        Where it lies; made if need be. Trainings on other inputs may have theirs beside it.
    identity
        What makes the training itself and no other, as nested dicts of plain values; under
        ``inputs`` the hashes of the files that it reads.
    """

    def __init__(self, directory: str | Path, identity: dict):
        inputs = hashlib.sha256(store.canonical(identity.get("inputs", {})).encode()).hexdigest()
        self.path = Path(directory) / f"{inputs[:12]}.h5"
        self.previous = self.path.with_suffix(".previous")
        self.damaged = self.path.with_suffix(".damaged")
        self.identity = identity

    def save(self, state: State, network: torch.nn.Module, optimizer: Optimizer) -> bool:
        """Replace the checkpoint; if that fails, warn and keep the last good one."""
        try:
            with store.replacing(self.path) as part:
                with store.new_hdf5(part) as file:
                    self._write(file, state, network, optimizer)
                if self.path.exists():
                    self.path.replace(self.previous)
        except TagalignError as error:
            print(f"train: no checkpoint this time, training goes on: {error}", file=sys.stderr)
            return False
        return True

    def _write(
        self, file: h5py.File, state: State, network: torch.nn.Module, optimizer: Optimizer
    ) -> None:
        file.attrs["identity"] = store.canonical(self.identity)
        file.attrs["epoch"], file.attrs["step"] = state.epoch, state.step
        # A dataset: attributes end at 64 kB, about 200 epochs.
        file["history"] = json.dumps(state.history)
        if state.losses is not None:
            file["losses"] = state.losses
        if state.arithmetic is not None:
            file.attrs["arithmetic"] = state.arithmetic.to_json()
        for name, tensor in network.state_dict().items():
            file[f"weights/{name}"] = tensor.cpu().numpy()
        for epoch, weights in state.kept.items():
            for name, tensor in weights.items():
                file[f"kept/{epoch}/{name}"] = tensor.numpy()
        for index, values in optimizer.state_dict()["state"].items():
            for name, tensor in values.items():
                if tensor is not None:
                    file[f"optimizer/{index}/{name}"] = tensor.cpu().numpy()
        for name, numbers in _random_state().items():
            file[f"random/{name}"] = numbers.numpy()

    def load(self, network: torch.nn.Module, optimizer: Optimizer) -> State | None:
        """Put network, optimiser and random numbers where the checkpoint left them.

        Returns
        -------
        State or None
            None where there is no checkpoint that is whole.

        Raises
        ------
        TrainingError
            It belongs to another training, cannot be read, or memory runs out.
        """
        for path in (self.path, self.previous):
            if path.exists():
                if store.is_whole(path):
                    return self._load(path, network, optimizer)
                path.replace(self.damaged)
                print(
                    f"train: {path} is damaged (its checksum differs); it is now {self.damaged},"
                    " and the training goes on from what is left",
                    file=sys.stderr,
                )
        return None

    def _load(self, path: Path, network: torch.nn.Module, optimizer: Optimizer) -> State:
        try:
            with store.reopen(path) as file:
                self._check(path, json.loads(file.attrs["identity"]))
                network.load_state_dict(_tensors(file["weights"]))
                _load_optimizer(optimizer, file.get("optimizer", {}))
                _set_random_state(_tensors(file["random"]))
                arithmetic = file.attrs.get("arithmetic")
                return State(
                    epoch=int(file.attrs["epoch"]),
                    step=int(file.attrs["step"]),
                    losses=file["losses"][()] if "losses" in file else None,
                    history=json.loads(file["history"][()]),
                    kept={
                        int(epoch): _tensors(weights)
                        for epoch, weights in file.get("kept", {}).items()
                    },
                    arithmetic=arithmetic and Arithmetic.from_json(arithmetic),
                )
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            if is_out_of_memory(error):
                raise TrainingError(
                    f"not enough memory to resume from {path}; free memory and try again"
                ) from None
            reason = " ".join(str(error).split())
            raise TrainingError(
                f"cannot resume from {path} ({reason}); remove it to train from the start"
            ) from None

    def remove(self) -> None:
        """Remove the checkpoint of a training that is done, and its directory if now empty."""
        for path in (self.path, self.previous, self.damaged):
            path.unlink(missing_ok=True)
        if self.path.parent.is_dir() and not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()

    def _check(self, path: Path, theirs: dict) -> None:
        differing = _first_difference(theirs, self.identity)
        if differing:
            key, there, here = differing
            raise TrainingError(
                f"{path} belongs to another training: {key} is {_short(there)} there and"
                f" {_short(here)} here; remove it or give another --checkpoint directory"
            )


def _first_difference(first: object, second: object, path: str = "") -> tuple | None:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in [*second, *sorted(first.keys() - second.keys())]:
            inner = f"{path}.{key}" if path else key
            found = _first_difference(first.get(key), second.get(key), inner)
            if found:
                return found
        return None
    return None if first == second else (path, first, second)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 24 else f"{text[:12]}..."


def _tensors(group: h5py.Group) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(data)) for name, data in group.items()}


def _load_optimizer(optimizer: Optimizer, group: Mapping) -> None:
    """Restore moments and counters in the layout of the weights that they belong to."""
    state = {}
    for index, values in group.items():
        weight = optimizer.param_groups[0]["params"][int(index)]
        state[int(index)] = {
            name: torch.empty_like(weight).copy_(tensor) if tensor.ndim else tensor
            for name, tensor in _tensors(values).items()
        }
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _random_state() -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state: dict[str, torch.Tensor]) -> None:
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])
