"""The losses, in float32 and in forms that cannot overflow (paper, section "Model").

A new loss is a function of tensors, a row of `LOSSES` that picks these from what the network
returns, and a row of `tagalign.model.systems.PARTS`.
"""

import math
from collections.abc import Callable, Mapping

import torch
from torch.nn import functional as F

from tagalign.model.tags import multi_hot


def generalised_kl(
    logits: torch.Tensor, target: torch.Tensor, epsilon: float = 0.0, reduction: str = "column_sum"
) -> torch.Tensor:
    """Generalised Kullback-Leibler divergence of spectrograms.

    d(X, Y) = X log(X / Y) - X + Y with Y = sigmoid(logits), which is 0 where they are equal.

    Parameters
    ----------
    logits
        Output of the decoder before the sigmoid [shape=(n, 1, n_mels, n_frames)].
    target
        Spectrograms X [same shape]; a scaled validation value below 0 counts as 0.
    epsilon
        Added inside both logarithms (released code: 1e-5).
    reduction
        ``"column_sum"``: sum over the columns, mean over bands and batch, as released;
        ``"sum"``: sum over the spectrogram, mean over the batch; ``"mean"``: mean over all.
    """
    logits, target = logits.float(), target.float().clamp(min=0)
    output = logits.sigmoid()
    if epsilon:
        entropy = target * (target + epsilon).log()
        cross = target * (output + epsilon).log()
    else:
        entropy = torch.xlogy(target, target)
        cross = target * F.logsigmoid(logits)
    divergence = entropy - cross - target + output
    if reduction == "column_sum":
        return divergence.sum(-1).mean()
    if reduction == "sum":
        return divergence.sum((1, 2, 3)).mean()
    return divergence.mean()


def nt_xent(
    audio: torch.Tensor, tags: torch.Tensor, temperature: float, epsilon: float = 0.0
) -> torch.Tensor:
    """NT-Xent of SimCLR over the 2n vectors of a batch (Chen et al., 2020, equation 1).

    For each vector, the softmax over its cosines with all others, divided by the
    temperature; the loss is -log(p + epsilon) of its counterpart, averaged. The negatives are
    the batch's members of the other modality and of the same.

    Parameters
    ----------
    audio, tags
        phi_a and phi_w [shape=(n, F_w)], n >= 2.
    temperature
        Greater than 0.
    epsilon
        Added to the probability (released code: 1e-5).
    """
    vectors = F.normalize(torch.cat([audio, tags]).float(), dim=1)
    similarity = vectors @ vectors.T / temperature
    oneself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    log_p = similarity.masked_fill(oneself, -math.inf).log_softmax(1)
    n = len(audio)
    positive = torch.cat([log_p.diagonal(n), log_p.diagonal(-n)])
    if epsilon:
        # Filled on the device: a copy from the host would make each step wait.
        positive = torch.logaddexp(positive, positive.new_full((), math.log(epsilon)))
    return -positive.mean()


def tag_cross_entropy(logits: torch.Tensor, multi_hot: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of tags, averaged over tags and batch (COALA).

    Parameters
    ----------
    logits
        Before the sigmoid [shape=(n, C)].
    multi_hot
        0 or 1 per tag [shape=(n, C)].
    """
    return F.binary_cross_entropy_with_logits(logits.float(), multi_hot)


def _reconstruction(outputs: Mapping[str, torch.Tensor], settings: Mapping) -> torch.Tensor:
    return generalised_kl(
        outputs["spectrogram"],
        outputs["patches"],
        settings["kl_epsilon"],
        settings["kl_reduction"],
    )


def _contrastive(outputs: Mapping[str, torch.Tensor], settings: Mapping) -> torch.Tensor:
    return nt_xent(
        outputs["phi_a"], outputs["phi_w"], settings["temperature"], settings["nt_xent_epsilon"]
    )


def _tag_reconstruction(outputs: Mapping[str, torch.Tensor], settings: Mapping) -> torch.Tensor:
    logits = outputs["decoded_tags"]
    return tag_cross_entropy(logits, multi_hot(outputs["tags"], logits.shape[1]))


def _classification(outputs: Mapping[str, torch.Tensor], settings: Mapping) -> torch.Tensor:
    logits = outputs["predicted_tags"]
    return tag_cross_entropy(logits, multi_hot(outputs["tags"], logits.shape[1]))


LOSSES: dict[str, Callable[[Mapping[str, torch.Tensor], Mapping], torch.Tensor]] = {
    "reconstruction": _reconstruction,
    "tag_reconstruction": _tag_reconstruction,
    "contrastive": _contrastive,
    "classification": _classification,
}
"""Name -> ``loss(outputs, settings)``.

`outputs` is what `tagalign.model.objective.Objective.outputs` returns and `settings` the
configuration section ``train``, whose key ``NAME_weight`` is the weight of the loss.
"""
