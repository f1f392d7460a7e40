"""Where to compute."""

import torch

from tagalign.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """The device for ``"auto"`` (a GPU if there is one), ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    ConfigError
        A GPU was asked for and PyTorch sees none, or the name is another one.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    if name != "cuda":
        raise ConfigError(f"device {name!r} is not one of auto, cpu, cuda")
    if torch.cuda.is_available():
        # Convolutions would else round float32 to 10 bits; who wants speed takes bfloat16.
        torch.backends.cudnn.allow_tf32 = False
        return torch.device("cuda")
    build = torch.version.cuda
    why = (
        f"this PyTorch is built for CUDA {build} but finds no GPU it can use"
        if build
        else f"this PyTorch ({torch.__version__}) is built without CUDA"
    )
    raise ConfigError(f"device 'cuda' was asked for, but {why}; use --device cpu or auto")
