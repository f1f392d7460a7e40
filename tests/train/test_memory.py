"""Running out of memory ends in one line that says what would fit."""

import pytest
import torch

from running import call
from tagalign.errors import TrainingError
from tagalign.train.memory import explain_out_of_memory, is_out_of_memory, room_for


class Hungry:
    """A step that needs more memory than any machine has for more than 20 sounds."""

    device = torch.device("cpu")

    def __init__(self):
        self.optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)])

    def __call__(self, index):
        return torch.empty(max(len(index) - 20, 0) * 2**45, dtype=torch.uint8)

    def give_up_compiling(self):
        pass


def test_memory_that_runs_out_is_told_with_a_batch_size_that_fits():
    # A limit on a real process would be one of addresses, whose use differs from run to run.
    step, index = Hungry(), torch.arange(101)
    with pytest.raises(RuntimeError) as caught:
        step(index)
    assert is_out_of_memory(caught.value)
    line = explain_out_of_memory(step, index)
    assert "a batch of 101 does not fit into the memory of this machine" in line
    assert line.endswith("set train.batch_size to 12")
    step(index[: 12 + 3])  # with room to spare


@pytest.mark.parametrize(
    "words",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
        "CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation' in ...",
        "CUDA driver error: out of memory",
        "Triton Error [CUDA]: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "FIND was unable to find an engine to execute this computation",
        "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_memory_that_runs_out_is_known_by_its_words(words):
    assert is_out_of_memory(RuntimeError(words))
    said = pytest.raises(TrainingError, match="not enough memory for the data; buy some")
    with said, room_for("the data", "buy some"):
        raise RuntimeError(words)
    with pytest.raises(RuntimeError) as caught:
        try:
            raise RuntimeError(words)
        except RuntimeError:
            raise RuntimeError("operation failed due to a previous error during capture") from None
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "words",
    ["CUDA error: device-side assert triggered", "mat1 and mat2 shapes cannot be multiplied"],
)
def test_other_errors_are_not_taken_for_memory(words):
    assert not is_out_of_memory(RuntimeError(words))
    with pytest.raises(RuntimeError, match=words), room_for("the data", "buy some"):
        raise RuntimeError(words)


def test_validation_for_which_memory_runs_out_is_named(command, monkeypatch):
    def validate(*_):
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr("tagalign.train.loop.validate", validate)
    with pytest.raises(TrainingError, match="not enough memory for the validation; lower train"):
        call(*command(train={"epochs": 1}))
