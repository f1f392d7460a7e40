"""Retrieval: how well queries find what is relevant to them, and what chance would find.

Conventions
-----------
A query ranks all candidates by cosine. Of equal scores the irrelevant come first, so that
embeddings that are all alike find nothing. ``rank`` is the place of the first relevant candidate,
from 1; R@k is the share of queries with a rank of at most k. Average precision is over the first
ten places (mAP@10): the mean of the precision at each relevant one, divided by the number of
relevant candidates, or by ten where there are more.
"""

from collections.abc import Callable

import numpy as np

DEPTH = 10
AT = (1, 5, 10)
BLOCK = 512  # queries at once


def search(
    queries: np.ndarray,
    candidates: np.ndarray,
    relevant: Callable[[slice], np.ndarray],
    barred: Callable[[slice], np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """Rank the candidates of each query.

    Parameters
    ----------
    queries, candidates : float32 [shape=(n, d)], [shape=(m, d)]
    relevant
        Rows of queries -> which candidates are relevant to each, bool [shape=(rows, m)].
    barred
        Rows of queries -> which candidates do not count, such as the query itself.

    Returns
    -------
    dict
        ``candidates`` and ``relevant`` (their numbers), ``rank`` and ``precision`` (average
        precision over ten places), each [shape=(n,)]. A query without a relevant candidate has
        rank 0.
    """
    unit_candidates = _unit(candidates)
    names = ("candidates", "relevant", "rank", "precision")
    found: dict[str, list] = {name: [] for name in names}
    for start in range(0, len(queries), BLOCK):
        rows = slice(start, min(start + BLOCK, len(queries)))
        scores = _unit(queries[rows]) @ unit_candidates.T
        good = relevant(rows)
        bad = np.zeros_like(good) if barred is None else barred(rows)
        good = good & ~bad
        for score, mine, out in zip(scores, good, bad, strict=True):
            for name, value in zip(names, _rank(score[~out], mine[~out]), strict=True):
                found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}


def _rank(score: np.ndarray, relevant: np.ndarray) -> tuple[int, int, int, float]:
    """Candidates, relevant ones, rank of the first of these, and average precision."""
    count = int(relevant.sum())
    if not count:
        return len(score), 0, 0, 0.0
    rank = int((score[~relevant] >= score[relevant].max()).sum()) + 1
    depth = min(DEPTH, len(score))
    near = np.flatnonzero(score >= np.partition(score, -depth)[-depth])
    order = near[np.lexsort((relevant[near], -score[near]))][:depth]
    hits = relevant[order]
    precision = np.cumsum(hits) / np.arange(1, depth + 1)
    return len(score), count, rank, float((precision * hits).sum() / min(count, DEPTH))


def chance_recall(candidates: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """Probability that `k` places drawn at random hold something relevant [shape=(n,)]."""
    n, miss = candidates.astype(float), np.ones(len(candidates))
    for place in range(k):
        left = n - place
        miss *= np.clip((left - relevant) / np.maximum(left, 1), 0, 1)
    return 1 - miss


def chance_precision(candidates: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Expected average precision over ten places of a random order [shape=(n,)]."""
    n, r = candidates.astype(float), relevant.astype(float)
    total = np.zeros(len(n))
    for place in range(1, DEPTH + 1):
        # Given a relevant one here, each place before it is relevant with (r - 1) / (n - 1).
        before = (place - 1) * (r - 1) / np.maximum(n - 1, 1)
        total += np.where(place <= n, (1 + before) / place, 0)
    return total * (r / n) / np.minimum(r, DEPTH)


def chance_rank(candidates: np.ndarray, relevant: np.ndarray) -> float:
    """Median rank of the first relevant one in random orders, over all queries."""
    low, high = 1, int(candidates.max())
    while low < high:
        middle = (low + high) // 2
        if chance_recall(candidates, relevant, middle).mean() >= 0.5:
            high = middle
        else:
            low = middle + 1
    return float(low)


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)
