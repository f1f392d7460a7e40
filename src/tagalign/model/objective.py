"""What a system minimises: its losses on a batch, from one pass through its parts."""

import torch
from torch import nn

from tagalign.model.losses import LOSSES
from tagalign.model.network import Network
from tagalign.model.systems import System


class Objective(nn.Module):
    """The losses of a system.

    Parameters
    ----------
    network
        The parts.
    system
        Row of the table of systems.
    settings
        The configuration section ``train``.
    tags_per_sound
        How many tags of a set the word-vector systems use; COALA and CNN use all.

    Attributes
    ----------
    names
        Names of the losses, in the order of the values that `forward` returns.
    weights
        What each counts in the total.
    """

    def __init__(self, network: Network, system: System, settings: dict, tags_per_sound: int):
        super().__init__()
        self.network = network
        self.settings = settings
        self.tags_per_sound = tags_per_sound if system.width is not None else None
        self.names = list(system.losses)
        self.weights = [float(settings[f"{name}_weight"]) for name in self.names]
        if network.tag_decoder is not None and "tag_reconstruction" not in self.names:
            # The released w2v systems carry a tag decoder that trains nothing.
            self.names.append("tag_reconstruction")
            self.weights.append(0.0)

    def forward(self, patches: torch.Tensor, tags: torch.Tensor) -> torch.Tensor:
        """The losses of a batch, unweighted [shape=(number of losses,)], float32.

        Parameters
        ----------
        patches
            Scaled patches [shape=(n, 1, n_mels, n_frames)], float32.
        tags
            All tags of each sound [shape=(n, T)], int64, filled up with C.
        """
        return self.losses(self.outputs(patches, tags))

    def losses(self, outputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """The losses from what `outputs` returned, in float32 whatever the layers used."""
        with torch.autocast(outputs["patches"].device.type, enabled=False):
            losses = [LOSSES[name](outputs, self.settings) for name in self.names]
            pairs = zip(losses, self.weights, strict=True)
            return torch.stack([loss if weight else loss.detach() for loss, weight in pairs])

    def total(self, losses: torch.Tensor) -> torch.Tensor:
        """The weighted sum; losses of weight 0 are only recorded."""
        return sum(
            weight * loss for weight, loss in zip(self.weights, losses, strict=True) if weight
        )

    def outputs(self, patches: torch.Tensor, tags: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the parts of the network make of a batch, by name; see the paper for symbols."""
        network = self.network
        outputs = {"patches": patches, "tags": tags, "z_a": network.audio_encoder(patches)}
        if network.audio_decoder is not None:
            outputs["spectrogram"] = network.audio_decoder(outputs["z_a"])
        if network.projection is not None:
            outputs["phi_a"] = network.project(outputs["z_a"])
        if network.tag_encoder is not None:
            code = network.tag_encoder.encode(tags[:, : self.tags_per_sound])
            outputs["phi_w"] = network.tag_encoder.project(code)
            if network.tag_decoder is not None:
                outputs["decoded_tags"] = network.tag_decoder(code)
        if network.classifier is not None:
            outputs["predicted_tags"] = network.classifier(outputs["z_a"])
        return outputs
