"""Scores of the classes that a classifier knows, among all classes of a task."""

import numpy as np


def all_classes(scores: np.ndarray, known: np.ndarray, count: int) -> np.ndarray:
    """Put columns of scores where their classes are; 0 for a class without a training clip.

    Parameters
    ----------
    scores : float [shape=(n, k)]
        Scores of the known classes.
    known : int [shape=(k,), range=[0, count)]
        Which classes these are.
    count
        Number of classes, C.

    Returns
    -------
    float32 [shape=(n, C)]
    """
    whole = np.zeros((len(scores), count), np.float32)
    whole[:, known] = scores
    return whole
