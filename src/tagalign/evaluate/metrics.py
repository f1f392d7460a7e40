"""The metrics: one table, which everything that scores, stores, tests or shows results reads.

Conventions
-----------
A metric compares the labels of the test clips of a fold with class scores.

labels : bool [shape=(n, C)]
    True where the clip is of the class; one per row unless the task is multi-label.
class_scores : float [shape=(n, C), range=[0, 1]]
    How sure the classifier is of each class; a row of NaN for a clip without an embedding,
    which every metric counts as an error.

A new metric is a function of these two and a row of `METRICS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

UNSCORED = -1
"""Predicted class of a clip that has no embedding."""


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics.

    Attributes
    ----------
    name
        Its name in files and tables.
    title
        Its name for people.
    compute
        ``compute(labels, class_scores) -> float`` in [0, 1].
    per_clip
        ``per_clip(labels, class_scores) -> float [shape=(n,)]`` whose mean is the metric, for
        one that is a mean over clips; else None.
    single_label, multi_label
        The tasks that it fits.
    unit
        Unit in which tables show it; the values are shares of it.
    higher_is_better
        Its direction.
    """

    name: str
    title: str
    compute: Callable[[np.ndarray, np.ndarray], float]
    per_clip: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    single_label: bool = True
    multi_label: bool = True
    unit: str = "%"
    higher_is_better: bool = True

    def fits(self, multi_label: bool) -> bool:
        """Whether it can score a task of this kind."""
        return self.multi_label if multi_label else self.single_label


def predicted_class(class_scores: np.ndarray) -> np.ndarray:
    """The class with the highest score along the last axis, `UNSCORED` for a row of NaN."""
    unscored = np.isnan(class_scores).any(axis=-1)
    return np.where(unscored, UNSCORED, np.nan_to_num(class_scores).argmax(axis=-1))


def right_clips(labels: np.ndarray, class_scores: np.ndarray) -> np.ndarray:
    """1.0 for each clip whose class has the highest score, else 0.0."""
    return (predicted_class(class_scores) == labels.argmax(axis=-1)).astype(np.float64)


def accuracy(labels: np.ndarray, class_scores: np.ndarray) -> float:
    """Share of the clips that are classified rightly."""
    return float(right_clips(labels, class_scores).mean())


def macro_f1(labels: np.ndarray, class_scores: np.ndarray) -> float:
    """Mean over the classes of ``2 TP / (2 TP + FP + FN)``.

    A class that neither occurs nor is predicted does not count. In a multi-label task a class
    is predicted where its score exceeds one half.
    """
    if (labels.sum(axis=1) == 1).all():
        predicted = predicted_class(class_scores)[:, None] == np.arange(labels.shape[1])
    else:
        predicted = np.nan_to_num(class_scores) > 0.5
    both = (labels & predicted).sum(axis=0)
    either = labels.sum(axis=0) + predicted.sum(axis=0)
    return float(np.mean(2 * both[either > 0] / either[either > 0]))


def mean_average_precision(labels: np.ndarray, class_scores: np.ndarray) -> float:
    """Mean over the classes that occur of the average precision of the clips' ranking."""
    return _over_classes(average_precision_score, labels, class_scores, labels.any(axis=0))


def roc_auc(labels: np.ndarray, class_scores: np.ndarray) -> float:
    """Mean over the classes of the area under the ROC curve, one class against the rest.

    Classes of which all or none of the clips are do not count.
    """
    varied = labels.any(axis=0) & ~labels.all(axis=0)
    return _over_classes(roc_auc_score, labels, class_scores, varied)


def _over_classes(
    function: Callable[[np.ndarray, np.ndarray], float],
    labels: np.ndarray,
    class_scores: np.ndarray,
    chosen: npt.ArrayLike,
) -> float:
    ranked = np.nan_to_num(class_scores, nan=-1.0)  # an unscored clip comes last
    values = [function(labels[:, k], ranked[:, k]) for k in np.flatnonzero(chosen)]
    return float(np.mean(values)) if values else float("nan")


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "Accuracy", accuracy, per_clip=right_clips, multi_label=False),
        Metric("mean_average_precision", "mAP", mean_average_precision),
        Metric("macro_f1", "Macro F1", macro_f1),
        Metric("roc_auc", "ROC-AUC", roc_auc),
    )
}
"""Name -> metric. The first that fits a task is its headline: it is compared and tested."""


def metrics_for(multi_label: bool) -> list[Metric]:
    """The metrics of a task, its headline first."""
    return [metric for metric in METRICS.values() if metric.fits(multi_label)]
