"""The paper's classifier: scikit-learn's MLP with one hidden layer, from several seeds."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from tagalign.evaluate.classes import all_classes


def class_scores(
    train_x: np.ndarray,
    labels: np.ndarray,
    test_x: np.ndarray,
    seeds: list[int],
    hidden: int,
    *,
    multi_label: bool = False,
) -> np.ndarray:
    """Train one classifier per seed and let each score the classes of the test clips.

    Adam, learning rate 0.001, batches of 200, at most 200 epochs, and the other defaults of
    `sklearn.neural_network.MLPClassifier`, as in the paper's evaluation.

    Parameters
    ----------
    train_x : float32 [shape=(n_train, d)]
        Standardised embeddings of the training clips.
    labels : bool [shape=(n_train, C)]
        Their classes.
    test_x : float32 [shape=(n_test, d)]
        Embeddings of the test clips, standardised with the training statistics.
    seeds : list of int
        One repetition per seed.
    hidden : int > 0
        Hidden units.
    multi_label
        Whether each class has a logistic output of its own; else the scores are a softmax.

    Returns
    -------
    float32 [shape=(len(seeds), n_test, C), range=[0, 1]]
        Probabilities; 0 for a class of which there is no training clip. They depend on nothing
        but the arguments: neither on the number of seeds in one call nor on that of threads.
    """
    found = np.empty((len(seeds), len(test_x), labels.shape[1]), np.float32)
    target = labels.astype(np.int64) if multi_label else labels.argmax(axis=1)
    # One thread: the order of a sum, and so the result, must not depend on the machine's load.
    with threadpool_limits(1), warnings.catch_warnings():
        # The paper takes the classifier as it is after 200 epochs, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for row, seed in enumerate(seeds):
            classifier = MLPClassifier(hidden_layer_sizes=(hidden,), random_state=seed)
            probabilities = classifier.fit(train_x, target).predict_proba(test_x)
            if not multi_label:
                probabilities = all_classes(probabilities, classifier.classes_, labels.shape[1])
            found[row] = probabilities
    return found
