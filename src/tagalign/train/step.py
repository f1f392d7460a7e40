"""One step: draw a batch, one forward and one backward pass, one update."""

import os
import sys
from collections.abc import Callable

import torch

from tagalign.errors import ConfigError, TrainingError
from tagalign.model.arithmetic import Arithmetic
from tagalign.model.objective import Objective
from tagalign.train.data import Pairs
from tagalign.train.memory import is_out_of_memory
from tagalign.train.optimizers import OPTIMIZERS


class Step:
    """Train on a batch.

    On a GPU the layers run in bfloat16 (``precision``), in channels-last layout, compiled
    into captured graphs (``compile``), and nothing here waits for the device.

    Parameters
    ----------
    objective
        The losses, with the network on its device.
    pairs
        Training pairs on the same device.
    settings
        The configuration section ``train``.
    """

    def __init__(self, objective: Objective, pairs: Pairs, settings: dict):
        self.objective, self.pairs = objective, pairs
        self.device = pairs.patches.device
        self.network = objective.network
        lay_out(self.network)
        self.precision = choose_precision(settings["precision"], self.device)
        self.settings, self.recipe = settings, OPTIMIZERS[settings["optimizer"]]
        weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        self.optimizer = self.recipe.make(weights, settings)
        wanted = settings["compile"]
        self.compiled = wanted == "always" or (wanted == "auto" and self.device.type == "cuda")
        self.must_compile = wanted == "always"
        self.tried = False  # whether a whole step has been computed
        # Graph capture removes the launch overhead; it exists on a GPU only.
        mode = "reduce-overhead" if self.device.type == "cuda" else None
        self.losses = torch.compile(objective, mode=mode) if self.compiled else objective

    def __call__(self, index: torch.Tensor) -> torch.Tensor:
        """Update the network on the pairs at `index`; return the unweighted losses."""
        losses = self.gradients(index)
        self.optimizer.step()
        return losses

    def set_rate(self, share: float) -> None:
        """Set the learning rate of the next step, when this share of all steps is done."""
        rate = self.settings["learning_rate"] * self.recipe.rate(share, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    @property
    def arithmetic(self) -> Arithmetic:
        """What the steps are computed with; certain after the first."""
        precision = str(self.precision).removeprefix("torch.")
        return Arithmetic(self.device.type, precision, self.compiled)

    def gradients(self, index: torch.Tensor) -> torch.Tensor:
        """Forward and backward pass alone; return the unweighted losses."""
        if self.tried or not self.compiled:
            return self._passes(index)
        # The backward pass is compiled in its first call, so the whole step is tried.
        undo = _remember(self.network)
        try:
            losses = self._passes(index)
        except Exception as error:
            if is_out_of_memory(error) and (self.must_compile or not _is_compilers(error)):
                raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            if self.must_compile:
                raise TrainingError(
                    f"train.compile = always, but the step cannot be compiled here ({reason});"
                    " set it to auto or never"
                ) from None
            print(f"train: going on without compiling the step ({reason})", file=sys.stderr)
            self.give_up_compiling()
            undo()
            losses = self._passes(index)
        self.tried = True
        return losses

    def _passes(self, index: torch.Tensor) -> torch.Tensor:
        patches, tags = self.pairs.batch(index)
        self.optimizer.zero_grad(set_to_none=True)
        if self.compiled and self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        with self.autocast():
            losses = self.losses(patches, tags)
        self.objective.total(losses).backward()
        return losses.detach()

    def give_up_compiling(self) -> None:
        """Go on with the plain step; what was compiled and captured gives its memory back."""
        if self.compiled:
            self.compiled, self.losses = False, self.objective
            torch.compiler.reset()

    def autocast(self) -> torch.autocast:
        """The context in which the layers run."""
        return torch.autocast(
            self.device.type, self.precision, enabled=self.precision != torch.float32
        )


def _remember(network: torch.nn.Module) -> Callable[[], None]:
    """A function that undoes what a pass changes: running statistics and random numbers."""
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    cpu = torch.get_rng_state()
    gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None

    def undo() -> None:
        for buffer, value in buffers:
            buffer.copy_(value)
        torch.set_rng_state(cpu)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu)

    return undo


def _is_compilers(error: BaseException) -> bool:
    """Whether the compiler raised an error, for whatever cause."""
    # Here, as these modules take seconds to load and only compiled steps need them.
    from torch._dynamo.exc import TorchDynamoException
    from torch._inductor.exc import InductorError

    return isinstance(error, TorchDynamoException | InductorError)


def lay_out(network: torch.nn.Module) -> None:
    """Put the weights of convolutions into channels-last layout, in place."""
    for part in (network.audio_encoder, network.audio_decoder):
        if part is not None:
            part.to(memory_format=torch.channels_last)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """The type of the layers' arithmetic for ``train.precision``.

    Raises
    ------
    ConfigError
        bfloat16 was asked for and the GPU has none.
    """
    has_bfloat16 = device.type == "cpu" or torch.cuda.is_bf16_supported(including_emulation=False)
    if name == "bfloat16" and not has_bfloat16:
        raise ConfigError(
            "train.precision = bfloat16, but this GPU has no bfloat16; use auto or float32"
        )
    if name == "auto":
        name = "bfloat16" if device.type == "cuda" and has_bfloat16 else "float32"
    return getattr(torch, name)


def set_up_arithmetic(settings: dict) -> None:
    """Choose fast or deterministic GPU algorithms, before the GPU is first used."""
    if settings["deterministic"]:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(settings["deterministic"])
    torch.backends.cudnn.benchmark = not settings["deterministic"]
