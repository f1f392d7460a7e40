"""Validation after each epoch: the losses, and how well audio finds its tags."""

import numpy as np
import torch

from tagalign.model.objective import Objective
from tagalign.train.data import Pairs


@torch.inference_mode()
def validate(
    objective: Objective, pairs: Pairs, batch_size: int, autocast: torch.autocast
) -> dict[str, float]:
    """Losses and retrieval on the validation pairs.

    The losses are means over batches of `batch_size`, as NT-Xent depends on that size, in an
    order that is the same in every epoch and run; sounds that are left over after the last whole
    batch count in the retrieval only. Fewer sounds than `batch_size` make one batch.

    Returns
    -------
    dict
        ``validation_<loss>`` for each loss, ``validation_loss`` (weighted sum) and, where
        the system compares audio with tags, what `retrieval` returns. Empty with fewer than two
        sounds.
    """
    if len(pairs) < 2:
        return {}
    network = objective.network.eval()
    device = pairs.patches.device
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(pairs))).to(device)
    size = min(batch_size, len(pairs))
    losses, audio, tags = [], [], []
    for start in range(0, len(order), size):
        batch = pairs.batch(order[start : start + size])
        with autocast:
            outputs = objective.outputs(*batch)
            if len(batch[0]) == size:
                losses.append(objective.losses(outputs))
        if "phi_a" in outputs:
            audio.append(outputs["phi_a"].float())
            tags.append(outputs["phi_w"].float())
    network.train()
    mean = torch.stack(losses).mean(0)
    names = [*objective.names, "loss"]
    values = [*mean.tolist(), float(objective.total(mean))]
    results = {f"validation_{name}": value for name, value in zip(names, values, strict=True)}
    if audio:
        sets = distinct_sets(pairs.tags[order])
        weights = group_weights(pairs.groups, order) if pairs.groups else None
        results |= retrieval(torch.cat(audio), torch.cat(tags), sets, weights)
    return results


def distinct_sets(tags: torch.Tensor) -> torch.Tensor:
    """Number the distinct tag sets: rows of indices (N, T) -> number of each row's set (N,)."""
    return torch.unique(tags.sort(1).values, dim=0, return_inverse=True)[1]


def group_weights(groups: list[str], order: torch.Tensor) -> torch.Tensor:
    """What each sound counts so that each group counts once [shape=(N,)], in `order`."""
    _, number, size = np.unique(groups, return_inverse=True, return_counts=True)
    return torch.from_numpy(1.0 / size[number]).to(order.device)[order]


def retrieval(
    audio: torch.Tensor,
    tags: torch.Tensor,
    sets: torch.Tensor,
    weights: torch.Tensor | None = None,
    at=(1, 10),
) -> dict[str, float]:
    """How well sounds find their own tag sets among all distinct ones.

    Parameters
    ----------
    audio, tags
        phi_a and phi_w [shape=(N, F_w)].
    sets
        Number of each sound's tag set [shape=(N,)]; sounds may share one.
    weights
        What each sound counts [shape=(N,)]; by default all the same.

    Returns
    -------
    dict
        ``recall_at_<k>``, how often the own set is among the `k` nearest, by chance k divided
        by the number of sets; and ``mean_reciprocal_rank``. All in [0, 1]. Ties count against
        the sound, so that embeddings that are all alike score nothing.
    """
    count = int(sets.max()) + 1
    first = torch.full((count,), len(sets), device=sets.device).scatter_reduce_(
        0, sets, torch.arange(len(sets), device=sets.device), "amin"
    )
    audio = torch.nn.functional.normalize(audio, dim=1)
    candidates = torch.nn.functional.normalize(tags[first], dim=1)
    ranks = []
    for part, own in zip(audio.split(2048), sets.split(2048), strict=True):
        cosine = part @ candidates.T
        ranks.append((cosine >= cosine.gather(1, own[:, None])).sum(1))
    rank = torch.cat(ranks)
    weights = torch.ones_like(rank) if weights is None else weights
    share = weights.double() / weights.sum()
    results = {f"recall_at_{k}": float(((rank <= k) * share).sum()) for k in at}
    return results | {"mean_reciprocal_rank": float((share / rank).sum())}
