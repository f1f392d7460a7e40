"""The classifier of `mlp`, for all folds and repetitions together, in PyTorch.

scikit-learn's ``MLPClassifier`` trains one network at a time. Here many advance step by
step together, by batched matrix products. The algorithm is that of
``sklearn.neural_network`` 1.9 with its defaults: Glorot-uniform weights, a new order of
the samples each epoch, batches of 200, Adam, an L2 penalty, and an end when the training
loss has not fallen by 1e-4 in more than ten epochs. Weights and orders are drawn from the
same random stream in the same sequence, so a network differs from scikit-learn's of the
same seed by rounding alone.

    step      0   1  ...  38  39  40  41
    fold 1    0   1  ...  38  39   0   1     7,859 samples, 40 batches
    fold 2    0   1  ...  38   0   1   2     7,742 samples, 39 batches

Folds have different sizes, so their epochs end at different steps; an incomplete batch is
padded with samples of weight zero. A network that has stopped leaves the others.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

import numpy as np
import torch

from tagalign.evaluate.networks import Network, Together

# Bytes of weights, moments and gradients that advance together: on a CPU what its cache
# holds, on a GPU a part of its memory that is always there.
TOGETHER = {"cpu": 5 * 2**20, "cuda": 4 * 2**30}


class Fit(NamedTuple):
    """What came of one network.

    Attributes
    ----------
    scores : float32 [shape=(m, C), range=[0, 1]]
        Class scores of the test clips.
    losses : list of float
        Training loss of each epoch, the L2 penalty included.
    """

    scores: np.ndarray
    losses: list[float]


def class_scores(
    folds: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    seeds: Sequence[int],
    hidden: int,
    *,
    device: str | torch.device = "cpu",
    jobs: int = 1,
    advance: Callable[[int], None] = lambda fits: None,
) -> list[np.ndarray]:
    """Train a network on every fold from every seed; each scores the fold's test clips.

    Parameters
    ----------
    folds
        Training embeddings [shape=(n, features), float32 or float64], their classes
        [shape=(n, C), bool, one per row], and test embeddings [shape=(m, features)], all
        standardised. Sizes may differ between folds.
    seeds
        One repetition per seed.
    hidden : int > 0
        Hidden units.
    device
        Where to train.
    jobs : int > 0
        Threads on the CPU; the result does not depend on it.
    advance
        Called with the number of networks whose training has ended since the last call.

    Returns
    -------
    list of float32 [shape=(len(seeds), m, C), range=[0, 1]]
        Class scores of each fold's test clips; 0 for a class without a training clip.

    Raises
    ------
    InputError
        Training gave weights that are not finite.
    """
    fits = fit(folds, seeds, hidden, device=device, jobs=jobs, advance=advance)
    return [np.stack([each.scores for each in repetitions]) for repetitions in fits]


def fit(folds, seeds, hidden, *, device="cpu", jobs=1, advance=lambda fits: None) -> list:
    """Like `class_scores`, with the losses of training: ``fits[fold][repetition]``."""
    device = torch.device(device)
    networks = [
        Network(where, fold, seed, hidden) for where, fold in enumerate(folds) for seed in seeds
    ]
    with _one_thread_each(jobs) as workers:
        running = [
            workers.submit(_train, group, folds, device) for group in _groups(networks, device)
        ]
        try:
            for group in as_completed(running):
                advance(group.result())
        finally:
            for group in running:
                group.cancel()
    fits = [Fit(network.scores, network.losses) for network in networks]
    return [fits[start : start + len(seeds)] for start in range(0, len(fits), len(seeds))]


@contextlib.contextmanager
def _one_thread_each(jobs: int) -> Iterator[ThreadPoolExecutor]:
    """Workers that each compute with one thread.

    The order of a sum, and so the result, then does not depend on the number of threads.
    """
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(jobs, initializer=lambda: torch.set_num_threads(1)) as workers:
            yield workers
    finally:
        torch.set_num_threads(threads)


def _groups(networks: list[Network], device: torch.device) -> Iterator[list[Network]]:
    """Networks of one shape, as many as are to be trained together."""
    for shape in dict.fromkeys(network.shape for network in networks):
        alike = [network for network in networks if network.shape == shape]
        features, hidden, outputs = shape
        count = (features + 1) * hidden + (hidden + 1) * outputs
        size = 4 * count * alike[0].dtype.itemsize
        most = max(1, TOGETHER[device.type] // size)
        for start in range(0, len(alike), most):
            yield alike[start : start + most]


def _train(networks: list[Network], folds: Sequence[tuple], device: torch.device) -> int:
    """Train networks of one shape together: set their scores and losses; count them."""
    samples, labels, first_row = _join(networks, folds, device)
    state = Together(networks, device)
    count = len(networks)
    while networks:
        for k, network in enumerate(networks):
            if network.batch == 0:
                state.start_epoch(k, network, first_row[network.where])
        state.step(networks, samples, labels)
        for network in networks:
            network.batch = (network.batch + 1) % network.batches
        if all(network.batch for network in networks):
            continue  # no epoch has ended
        losses = state.loss.tolist()
        kept = []
        for k, network in enumerate(networks):
            if network.batch == 0 and network.ends(losses[k] / network.n):
                network.scores = state.score(k, network, folds[network.where][2])
            else:
                kept.append(k)
        if len(kept) < len(networks):
            networks = [networks[k] for k in kept]
            state.keep(kept)
    return count


def _join(networks: list[Network], folds: Sequence[tuple], device: torch.device):
    """Put the training sets of `networks` one below the other; where each fold begins."""
    samples, labels, first_row, rows = [], [], {}, 0
    for network in networks:
        if network.where not in first_row:
            first_row[network.where] = rows
            rows += network.n
            samples.append(folds[network.where][0])
            labels.append(network.labels)
    joined = samples[0] if len(samples) == 1 else np.concatenate(samples)
    return (
        torch.as_tensor(joined, device=device),
        torch.as_tensor(np.concatenate(labels), device=device),
        first_row,
    )
