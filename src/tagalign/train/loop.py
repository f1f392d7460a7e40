"""The epochs of a training, resumable after any step."""

import dataclasses
import math
import os
import time

import numpy as np
import torch

from tagalign.errors import TrainingError
from tagalign.model.arithmetic import Arithmetic
from tagalign.model.network import Network
from tagalign.model.objective import Objective
from tagalign.model.systems import System
from tagalign.progress import Progress
from tagalign.train.checkpoint import Checkpoint, State
from tagalign.train.data import TrainingData
from tagalign.train.history import History, epoch_line
from tagalign.train.memory import explain_out_of_memory, is_out_of_memory, room_for
from tagalign.train.signals import StopRequest
from tagalign.train.step import Step
from tagalign.train.validate import distinct_sets, validate

# Steps between two looks at the losses. To look waits for the device, which a GPU must not do at
# each step; on a CPU it costs nothing.
CHECK_EVERY = {"cpu": 1, "cuda": 100}


@dataclasses.dataclass
class Outlets:
    """Where a training leaves its traces; None leaves none.

    Attributes
    ----------
    history
        JSON-lines file.
    tensorboard
        Directory of event files.
    checkpoint_minutes
        Longest time between two checkpoints; there is one after each epoch in any case.
    """

    history: str | os.PathLike | None = None
    tensorboard: str | os.PathLike | None = None
    checkpoint_minutes: float = 10.0


def fit(
    system: System,
    network: Network,
    data: TrainingData,
    settings: dict,
    seed: int,
    checkpoint: Checkpoint,
    outlets: Outlets,
) -> State:
    """Train a network, which is on the device of the data, in place.

    Parameters
    ----------
    system, settings, seed
        Row of the table, configuration section ``train``, and the training's seed.
    checkpoint
        Resumed from if it is there, and kept up to date.

    Returns
    -------
    State
        Where the training ended: a record per epoch (losses, validation, seconds and samples per
        second), the weights of the epochs to keep, and the arithmetic.

    Raises
    ------
    TrainingError
        The batch is larger than the data, a loss is not finite, memory runs out, the
        checkpoint is of another training or arithmetic, or a signal asked to stop.
    """
    return _Training(system, network, data, settings, seed, checkpoint, outlets).run()


class _Training:
    def __init__(
        self,
        system: System,
        network: Network,
        data: TrainingData,
        settings: dict,
        seed: int,
        checkpoint: Checkpoint,
        outlets: Outlets,
    ):
        self.system, self.data, self.settings, self.seed = system, data, settings, seed
        self.checkpoint, self.outlets = checkpoint, outlets
        self.device = data.train.patches.device
        self.batch_size = settings["batch_size"]
        self.objective = Objective(network, system, settings, data.tags_per_sound)
        if not any(self.objective.weights):
            raise TrainingError(f"all weights of the losses of {system.name} are 0; set one")
        self.step = Step(self.objective, data.train, settings)
        self.state = checkpoint.load(network, self.step.optimizer) or State()
        self.resumed = self.state.epoch or self.state.step
        self._go_on_alike()
        self.epochs = system.epochs_of(settings)
        self.kept_epochs = system.kept_epochs(settings)
        self.steps = len(data.train) // self.batch_size
        self.saved = time.monotonic()

    def run(self) -> State:
        epochs = self.epochs
        sounds = self.batch_size * self.steps
        done = self.state.epoch * sounds + self.state.step * self.batch_size
        history = History(self.outlets.history, self.outlets.tensorboard, self.state.history)
        label = f"train {self.system.name}"
        with (
            StopRequest() as stop,
            Progress(label, epochs * sounds - done, unit="samples", every=30.0) as progress,
        ):
            progress.say(f"{label}: {self._describe_data()}")
            if self.resumed:
                progress.say(f"{label}: resuming {self._place()} from {self.checkpoint.path}")
            while self.state.epoch < epochs:
                record = self._epoch(stop, progress)
                history.add(record)
                # The epoch just done is the best guess of what the others will take.
                left = (epochs - self.state.epoch) * record["seconds"]
                progress.say(epoch_line(self.system.name, record, epochs, left))
                self._save()
                self._obey(stop)
        history.close()
        return self.state

    def _go_on_alike(self) -> None:
        """Compute as the checkpoint did; steps that could not be compiled then are not now."""
        theirs, ours = self.state.arithmetic, self.step.arithmetic
        if theirs is None:
            return
        if ours.compiled and theirs == dataclasses.replace(ours, compiled=False):
            self.step.give_up_compiling()
        elif theirs != ours:
            self._refuse_arithmetic(theirs, ours)

    def _refuse_arithmetic(self, theirs: Arithmetic, ours: Arithmetic) -> None:
        raise TrainingError(
            f"{self.checkpoint.path} was trained in {theirs}, and here it would go on in {ours};"
            f" go on where it began (--device {theirs.device}), or remove it to start anew"
        )

    def _epoch(self, stop: StopRequest, progress: Progress) -> dict:
        """Go through the rest of the epoch, validate, and return its record."""
        state, start, first = self.state, time.monotonic(), self.state.step
        names, every = self.objective.names, CHECK_EVERY[self.device.type]
        # On the device, so that no step waits for the numbers of the one before.
        losses = torch.zeros(self.steps, len(names), device=self.device)
        if first:
            losses[:first] = torch.from_numpy(state.losses).to(self.device)
        else:
            torch.manual_seed(self._epoch_seed("dropout"))
        self.objective.train()
        for number, index in enumerate(self._batches()[first:], first):
            self.step.set_rate((state.epoch + number / self.steps) / self.epochs)
            losses[number] = self._try_step(index)
            progress.update(self.batch_size, epoch=state.epoch + 1)
            state.step, state.losses = number + 1, None
            if state.step % every == 0:
                self._check(losses, state.step - every, state.step)
            overdue = time.monotonic() - self.saved > 60 * self.outlets.checkpoint_minutes
            if (stop.name or overdue) and state.step < self.steps:
                self._check(losses, 0, state.step)
                state.losses = losses[: state.step].cpu().numpy()
                self._save()
                self._obey(stop)
        self._check(losses, 0, self.steps)
        seconds = time.monotonic() - start
        record = dict(zip(names, losses.mean(0).tolist(), strict=True))
        record["loss"] = float(self.objective.total(losses.mean(0)))
        with room_for("the validation", "lower train.batch_size or free memory"):
            record |= validate(
                self.objective, self.data.validation, self.batch_size, self.step.autocast()
            )
        self._check_validation(record)
        record = {"epoch": state.epoch + 1} | record
        record["seconds"] = round(time.monotonic() - start, 3)
        record["samples_per_second"] = round((self.steps - first) * self.batch_size / seconds, 1)
        state.epoch, state.step, state.losses = state.epoch + 1, 0, None
        state.history.append(record)
        if state.epoch in self.kept_epochs:
            weights = self.objective.network.state_dict().items()
            # A copy also where the weights are on the CPU already.
            state.kept[state.epoch] = {name: tensor.cpu().clone() for name, tensor in weights}
        return record

    def _batches(self) -> torch.Tensor:
        """Indices of the epoch's batches [shape=(steps, batch size)], on the device."""
        generator = np.random.default_rng(self._epoch_seed("order"))
        order = generator.permutation(len(self.data.train))[: self.steps * self.batch_size]
        return torch.from_numpy(order).to(self.device).view(self.steps, self.batch_size)

    def _epoch_seed(self, purpose: str) -> int:
        """A seed of its own for each epoch and purpose, so that any epoch can be the first."""
        entropy = [self.seed, self.state.epoch, ("order", "dropout").index(purpose)]
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)

    def _try_step(self, index: torch.Tensor) -> torch.Tensor:
        try:
            losses = self.step(index)
            if self.state.arithmetic != self.step.arithmetic:
                if self.state.arithmetic is not None:
                    self._refuse_arithmetic(self.state.arithmetic, self.step.arithmetic)
                self.state.arithmetic = self.step.arithmetic
            return losses
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler: what the failed step held is free only now.
        raise TrainingError(explain_out_of_memory(self.step, index))

    def _check(self, losses: torch.Tensor, first: int, last: int) -> None:
        """Stop at the first step between `first` and `last` whose losses are not finite."""
        finite = torch.isfinite(losses[first:last]).all(1)
        if bool(finite.all()):
            return
        number = first + int(finite.int().argmin())
        values = dict(zip(self.objective.names, losses[number].tolist(), strict=True))
        self._diverged(f"in step {number + 1} of epoch {self.state.epoch + 1}", values)

    def _check_validation(self, record: dict) -> None:
        values = {name: value for name, value in record.items() if not math.isfinite(value)}
        if values:
            self._diverged(f"in the validation after epoch {self.state.epoch + 1}", values)

    def _diverged(self, where: str, values: dict) -> None:
        listed = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        rate = self.settings["learning_rate"]
        raise TrainingError(
            f"training of {self.system.name} diverged {where} ({listed}); lower"
            f" train.learning_rate (now {rate:g}), or try train.precision = float32"
        )

    def _describe_data(self) -> str:
        """Sizes, and what retrieval would give by chance."""
        validation = self.data.validation
        text = f"{len(self.data.train)} training and {len(validation)} validation pairs"
        if len(validation) < 2 or "contrastive" not in self.objective.names:
            return text
        sets = int(distinct_sets(validation.tags).max()) + 1
        by_chance = ", ".join(f"R@{k} {min(k / sets, 1):.1%}" for k in (1, 10))
        return f"{text} with {sets} distinct tag sets (by chance {by_chance})"

    def _save(self) -> None:
        self.checkpoint.save(self.state, self.objective.network, self.step.optimizer)
        self.saved = time.monotonic()

    def _obey(self, stop: StopRequest) -> None:
        if stop.name and self.state.epoch < self.epochs:
            raise TrainingError(
                f"stopped by {stop.name} {self._place()}; saved in {self.checkpoint.path}, run the"
                " same command again to go on"
            )

    def _place(self) -> str:
        step = f", step {self.state.step}" if self.state.step else ""
        return f"after epoch {self.state.epoch}{step}"
