"""Where to compute: choose the device, and say which it is."""

import sys
import warnings
from pathlib import Path

import torch

from tagalign.errors import ConfigError

DRIVER = Path("/proc/driver/nvidia/gpus")  # a directory for each GPU that Linux's driver sees


def choose_device(name: str) -> torch.device:
    """The device for ``"auto"`` (a GPU if one can be used), ``"cpu"`` or ``"cuda"``.

    Where there is a GPU and ``"auto"`` cannot use it, a warning on the standard error says why.

    Raises
    ------
    ConfigError
        A GPU was asked for and none can be used, or the name is another one.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device {name!r} is not one of auto, cpu, cuda")
    reason = None if name == "cpu" else why_no_gpu()
    if name == "cpu" or (name == "auto" and reason is not None):
        if reason and gpu_is_there():
            print(f"warning: not using the GPU: {reason}", file=sys.stderr)
        return torch.device("cpu")
    if reason is not None:
        raise ConfigError(
            f"device 'cuda' was asked for (compute.device or --device), but {reason}; set it to"
            " cpu or auto"
        )
    # Convolutions would else round float32 to 10 bits; who wants speed takes bfloat16.
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda")


def why_no_gpu() -> str | None:
    """Why PyTorch cannot compute on a GPU; None if it can."""
    if torch.version.cuda is None:
        return f"this PyTorch ({torch.__version__}) is built without CUDA"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        there = torch.cuda.is_available()
        if there:
            try:
                torch.ones(1, device="cuda").add_(1).item()
            except RuntimeError as error:  # such as a GPU too old or too new for this build
                # Who has no memory left now may have it in a moment, and learns of it anyway.
                return None if "out of memory" in str(error) else _first_line(error)
            return None
    if said:  # such as a driver that is too old
        return _first_line(said[0].message)
    return f"this PyTorch, built for CUDA {torch.version.cuda}, finds no GPU that it can use"


def gpu_is_there() -> bool:
    """Whether the machine has an NVIDIA GPU, as far as its driver tells."""
    return DRIVER.is_dir() and any(DRIVER.iterdir())


def describe_device(device: torch.device) -> str:
    """The device by name: ``"CPU, 2 threads"``, ``"NVIDIA H100 80GB HBM3"``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def _first_line(error: object) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
