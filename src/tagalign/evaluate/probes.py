"""Classifiers beside the paper's: a linear probe and the nearest neighbours.

They have no hidden layer to draw, so every seed gives the same scores; one is computed.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from tagalign.evaluate.classes import all_classes

ITERATIONS = 1000


def linear(
    train_x: np.ndarray, labels: np.ndarray, test_x: np.ndarray, *, multi_label: bool = False
) -> np.ndarray:
    """Class scores of logistic regression with an L2 penalty of scikit-learn's default weight.

    Parameters
    ----------
    train_x, test_x : float32 [shape=(n, d)]
        Standardised embeddings.
    labels : bool [shape=(n_train, C)]
        Classes of the training clips.
    multi_label
        Whether each class is one regression against the rest.

    Returns
    -------
    float32 [shape=(n_test, C), range=[0, 1]]
    """
    regression = LogisticRegression(max_iter=ITERATIONS)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if not multi_label:
            found = regression.fit(train_x, labels.argmax(axis=1))
            return all_classes(found.predict_proba(test_x), found.classes_, labels.shape[1])
        varied = np.flatnonzero(labels.any(axis=0) & ~labels.all(axis=0))
        whole = np.repeat(labels.all(axis=0)[None].astype(np.float32), len(test_x), axis=0)
        if len(varied):
            found = OneVsRestClassifier(regression).fit(train_x, labels[:, varied].astype(int))
            whole[:, varied] = found.predict_proba(test_x).reshape(len(test_x), -1)[
                :, -len(varied) :
            ]
        return whole


def nearest(
    train_x: np.ndarray, labels: np.ndarray, test_x: np.ndarray, *, neighbours: int
) -> np.ndarray:
    """Share of each class among the nearest training clips by cosine.

    Parameters and return value are those of `linear`; `neighbours` is the number k, or all
    training clips where there are fewer.
    """
    k = min(neighbours, len(train_x))
    with threadpool_limits(1):
        index = KNeighborsClassifier(k, metric="cosine", algorithm="brute")
        index.fit(train_x, np.zeros(len(train_x), int))
        near = index.kneighbors(test_x, return_distance=False)  # (n_test, k)
    return labels[near].mean(axis=1).astype(np.float32)
