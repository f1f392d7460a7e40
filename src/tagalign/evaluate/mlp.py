"""The paper's classifier: scikit-learn's MLP with one hidden layer, from several seeds.

`fit_predict` is the interface of an evaluation engine; every engine has this signature, so
that `tagalign.evaluate.scores` need not know which one runs (key ``evaluate.engine``).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits


def fit_predict(
    train_x: np.ndarray,
    train_y: np.ndarray,
    test_x: np.ndarray,
    seeds: list[int],
    hidden: int,
) -> np.ndarray:
    """Train one classifier per seed and let each predict the test clips.

    Adam, learning rate 0.001, batches of 200, at most 200 epochs, and the other defaults of
    `sklearn.neural_network.MLPClassifier`, as in the paper's evaluation.

    Parameters
    ----------
    train_x : float32 [shape=(n_train, d)]
        Standardised embeddings of the training clips.
    train_y : int [shape=(n_train,)]
        Their classes.
    test_x : float32 [shape=(n_test, d)]
        Embeddings of the test clips, standardised with the training statistics.
    seeds : list of int
        One repetition per seed.
    hidden : int > 0
        Hidden units.

    Returns
    -------
    int [shape=(len(seeds), n_test)]
        Predicted classes. They depend on nothing but the arguments: neither on the number
        of seeds in one call nor on the number of threads.
    """
    predictions = np.empty((len(seeds), len(test_x)), np.int64)
    # One thread: the order of a sum, and so the result, must not depend on the machine's load.
    with threadpool_limits(1), warnings.catch_warnings():
        # The paper takes the classifier as it is after 200 epochs, converged or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for row, seed in enumerate(seeds):
            classifier = MLPClassifier(hidden_layer_sizes=(hidden,), random_state=seed)
            predictions[row] = classifier.fit(train_x, train_y).predict(test_x)
    return predictions
