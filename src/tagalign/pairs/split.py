"""Choose the validation sounds: stratified over tags, those that were published, or from a list.

Iterative stratification: Sechidis, Tsoumakas, Vlahavas, "On the stratification of multi-label
data", ECML PKDD 2011. The rarest tag is dealt with first, because later sounds cannot make up for
it. A heap finds it, so that the time grows with the number of (sound, tag) pairs times a logarithm.
"""

import gzip
import heapq
import json
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from tagalign.errors import InputError


def stratified_validation(
    ids: Sequence[str], rows: Sequence[Sequence[int]], share: float, seed: int
) -> np.ndarray:
    """Choose `share` of the sounds so that each tag keeps about that share in them.

    The choice depends on the ids, their tags, `share` and `seed`, not on the order of the sounds.

    Parameters
    ----------
    ids
        Unique ids of the sounds.
    rows
        Tag indices of each sound.
    share
        Share of the validation sounds, in [0, 1).
    seed
        Seed that breaks ties.

    Returns
    -------
    np.ndarray [shape=(len(ids),), dtype=bool]
        True for validation sounds; exactly the nearest whole number of them, but at least one
        where `share` is positive and there are two sounds.
    """
    n = len(ids)
    chosen = np.zeros(n, bool)
    places = round(share * n)
    if share > 0 and n > 1:
        places = min(max(places, 1), n - 1)
    if not places:
        return chosen
    order = np.array(sorted(range(n), key=lambda position: ids[position]))
    order = order[np.random.default_rng(seed).permutation(n)].tolist()

    sounds_of = {}
    for position in order:
        for tag in rows[position]:
            sounds_of.setdefault(int(tag), []).append(position)
    left = {tag: len(sounds) for tag, sounds in sounds_of.items()}
    ratio = places / n
    # What each tag still needs: in training, in validation.
    needs = {tag: [(1 - ratio) * count, ratio * count] for tag, count in left.items()}
    room = [n - places, places]
    free = dict.fromkeys(order)
    heap = [(count, tag) for tag, count in left.items()]
    heapq.heapify(heap)

    def assign(position, tag_needs):
        # The subset that needs the tag most; a tie goes to the one with more of its room left.
        wanted = [(tag_needs[side], room[side] / (n - places, places)[side]) for side in (0, 1)]
        side = int(wanted[1] > wanted[0]) if all(room) else int(room[1] > 0)
        room[side] -= 1
        chosen[position] = bool(side)
        del free[position]
        for tag in map(int, rows[position]):
            needs[tag][side] -= 1
            left[tag] -= 1
            heapq.heappush(heap, (left[tag], tag))

    while heap:
        count, rarest = heapq.heappop(heap)
        if count != left[rarest] or not count:
            continue  # an entry from before sounds with this tag were assigned
        for position in sounds_of[rarest]:
            if position in free:
                assign(position, needs[rarest])
    for position in list(free):  # sounds without tags
        assign(position, (0, 0))
    return chosen


def published_validation(ids: Sequence[str]) -> np.ndarray:
    """Take the validation sounds of the authors, as far as they are among `ids`.

    Returns
    -------
    np.ndarray [shape=(len(ids),), dtype=bool]

    Raises
    ------
    InputError
        None of them is, or all are.
    """
    name = "sound_ids_validation.json.gz"
    packed = (resources.files("tagalign") / "resources" / "reference" / name).read_bytes()
    published = set(map(str, json.loads(gzip.decompress(packed))))
    chosen = np.array([identifier in published for identifier in ids], bool)
    if chosen.all() or not chosen.any():
        raise InputError(
            f"{int(chosen.sum())} of the {len(ids)} sounds are among the {len(published)} that the"
            " authors validated on; a split needs sounds on both sides: set pairs.split to"
            " stratified"
        )
    return chosen


def listed_validation(ids: Sequence[str], path: str | os.PathLike) -> np.ndarray:
    """Take the validation sounds from a JSON file with a list of ids.

    Returns
    -------
    np.ndarray [shape=(len(ids),), dtype=bool]

    Raises
    ------
    InputError
        The file is no such list, or leaves no training or no validation sound.
    """
    try:
        listed = json.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"cannot read pairs.validation_ids {path}: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(listed, list):
        raise InputError(f"{path} must hold a list of ids, but holds a {type(listed).__name__}")
    wanted = {str(identifier) for identifier in listed}
    chosen = np.array([identifier in wanted for identifier in ids], bool)
    if chosen.all() or not chosen.any():
        raise InputError(
            f"{path} lists {int(chosen.sum())} of the {len(ids)} sounds; a split needs sounds on"
            " both sides: correct the list or leave pairs.validation_ids out"
        )
    return chosen
