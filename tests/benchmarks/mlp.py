"""The classifiers of the US8K protocol: the torch engine against scikit-learn."""

import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from unittest import mock

import numpy as np
import torch
from rows import Row, rates
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tagalign.evaluate import networks
from tagalign.evaluate.torch_mlp import class_scores

SIZES = (7859, 7742)  # training clips of two of the ten folds
FEATURES, CLASSES, HIDDEN = 1152, 10, 256
SEEDS = (0, 1)
EPOCHS = 4  # all epochs cost the same, and here no fit stops before


def run() -> list[Row]:
    """Two folds and two seeds, some epochs each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    folds = [make_fold(size) for size in SIZES]
    total = len(SIZES) * len(SEEDS) * EPOCHS

    def ours(device="cpu") -> int:
        with mock.patch.object(networks, "MAXIMUM_EPOCHS", EPOCHS):
            class_scores(folds, SEEDS, HIDDEN, jobs=cores, device=device)
        return total

    def one_after_the_other() -> int:
        for fold in folds:
            for seed in SEEDS:
                plain_fit(fold, seed)
        return total

    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(cores, mp_context=context) as pool:

        def side_by_side() -> int:
            list(pool.map(plain_fit_alone, SIZES * len(SEEDS), SEEDS * len(SIZES)))
            return total

        torch_cpu, plain, parallel = rates(ours, one_after_the_other, side_by_side)
    name = "MLP of US8K, 7,859 x 1,152"
    found = [
        Row(name, torch_cpu, "epochs/s", plain, "scikit-learn, threads in its products"),
        Row(name, torch_cpu, "epochs/s", parallel, f"scikit-learn, {cores} processes"),
    ]
    if torch.cuda.is_available():
        (torch_gpu,) = rates(lambda: ours("cuda"))
        found.append(Row(f"{name}, GPU", torch_gpu, "epochs/s", plain, "scikit-learn, CPU"))
    return found


def make_fold(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training set, labels and test set of a fold: one Gaussian per class."""
    generator = np.random.default_rng(size)
    centres = 0.06 * generator.standard_normal((CLASSES, FEATURES))
    labels = generator.integers(0, CLASSES, size)
    samples = (centres[labels] + generator.standard_normal((size, FEATURES))).astype(np.float32)
    return samples, labels[:, None] == np.arange(CLASSES), samples[:800]


def plain_fit(fold: tuple, seed: int) -> None:
    """scikit-learn's classifier on one fold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier = MLPClassifier((HIDDEN,), random_state=seed, max_iter=EPOCHS)
        classifier.fit(fold[0], fold[1].argmax(1)).predict(fold[2])


made = {}


def plain_fit_alone(size: int, seed: int) -> None:
    """The same in a process of its own, with one thread; the fold is made there once."""
    if size not in made:
        made[size] = make_fold(size)
    with threadpool_limits(1):
        plain_fit(made[size], seed)
