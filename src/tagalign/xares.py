"""A trained model behind the encoder interface of X-ARES (eXtensive Audio Representation Suite).

    TAGALIGN_MODEL=model.h5 python -m xares.run tagalign/xares.py TASK_PY...

An embedding is z_a of the patch around each moment, as `tagalign.hear` gives it. Source:
https://github.com/jimbozhang/xares
"""

import torch
from torch import nn

from tagalign import hear


class TagalignEncoder(nn.Module):
    """Audio (sounds, samples) -> z_a over time (sounds, t, V).

    Attributes
    ----------
    sampling_rate
        Of the audio to pass, in Hz.
    hop_size_in_ms
        From one embedding to the next.
    output_dim
        Values of an embedding, V.

    Raises
    ------
    InputError
        As for `tagalign.hear.load_model`, which says where the model is looked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = hear.load_model()
        self.sampling_rate = self.model.sample_rate
        self.hop_size_in_ms = hear.milliseconds(self.model)
        self.output_dim = self.model.timestamp_embedding_size

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        # Beyond full scale there is nothing in a file.
        embeddings, _ = hear.get_timestamp_embeddings(audio.clamp(-1, 1), self.model)
        return embeddings
