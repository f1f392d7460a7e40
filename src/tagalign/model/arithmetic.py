"""With what arithmetic a model was trained."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """What a training really computed with, whatever ``auto`` stood in its configuration.

    The same seeds and data give the same weights only where all of it is the same.

    Attributes
    ----------
    device
        Kind of device, ``"cpu"`` or ``"cuda"``.
    precision
        Of the layers: ``"float32"`` or ``"bfloat16"``. The losses are always in float32.
    compiled
        Whether the steps were compiled.
    """

    device: str
    precision: str
    compiled: bool

    def __str__(self) -> str:
        device = {"cpu": "CPU", "cuda": "GPU"}.get(self.device, self.device)
        return f"{self.precision} on a {device}, {'' if self.compiled else 'not '}compiled"

    def to_json(self) -> str:
        """The text in a model file or a checkpoint."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Arithmetic":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))
