"""When memory runs out: find the batch that would fit."""

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from tagalign.errors import TrainingError

if TYPE_CHECKING:
    from tagalign.train.step import Step

# What PyTorch says when memory runs out, in exceptions of many kinds.
SAID = (
    # The allocator of the GPU, its driver (as when a graph is made), and the libraries on it.
    "out of memory",
    "ALLOC_FAILED",
    "ALLOCATION_FAILED",
    # A convolution on the GPU none of whose algorithms finds room to work in.
    "unable to find an engine to execute this computation",
    # The host, and the convolutions there.
    "can't allocate memory",
    "not enough memory",
    "bad_alloc",
    "could not create a primitive",
)


@contextlib.contextmanager
def room_for(what: str, remedy: str) -> Iterator[None]:
    """Turn running out of memory in the block into one line.

    Raises
    ------
    TrainingError
        Naming what did not fit and what to do.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(f"there is not enough memory for {what}; {remedy}") from None


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether PyTorch could not get memory, on a GPU or in the host.

    So it is too where that came first: the end of a graph's capture, or the compiler, may then
    fail in words of its own.
    """
    while error is not None:
        if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
            return True
        if any(words in str(error) for words in SAID):
            return True
        error = error.__cause__ or error.__context__
    return False


def explain_out_of_memory(step: "Step", index: torch.Tensor) -> str:
    """Say which batch size fits, from trying ever smaller ones.

    Parameters
    ----------
    step
        The `tagalign.train.step.Step` that failed; its network is of no further use.
    index
        The batch on which it failed.
    """
    failed = len(index)
    size = failed // 2
    # Batches of other sizes would be compiled and captured anew, in a pool that the failure left
    # nobody knows how. The plain step tries them: it needs the memory of the compiled one or more.
    step.give_up_compiling()
    gc.collect()
    # A quarter more than advised must fit, since a whole training leaves memory in more pieces.
    while size >= 2 and (reason := _refusal(step, index[: size + -(-size // 4)])):
        size //= 2
    where = "the GPU" if step.device.type == "cuda" else "this machine"
    if size < 2:
        return (
            f"{where} has not even memory for a batch of 2 ({reason}); free memory, or lower"
            " model.channels"
        )
    return (
        f"a batch of {failed} does not fit into the memory of {where}, one of {size} does; set"
        f" train.batch_size to {size}"
    )


def _refusal(step: "Step", index: torch.Tensor) -> str | None:
    """What PyTorch says if the batch at `index` does not fit."""
    try:
        step.optimizer.zero_grad(set_to_none=True)
        if step.device.type == "cuda":
            torch.cuda.empty_cache()
        step(index)
        if step.device.type == "cuda":
            torch.cuda.synchronize()
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            return f"{error}".strip().partition("\n")[0] or type(error).__name__
        raise
    return None
