"""Choose the validation sounds: stratified over tags, those that were published, or from a list.

Iterative stratification: Sechidis, Tsoumakas, Vlahavas, "On the stratification of multi-label
data", ECML PKDD 2011. The rarest tag is dealt with first, because later sounds cannot make up for
it. A heap finds it, so that the time grows with the number of (sound, tag) pairs times a logarithm.
"""

import gzip
import heapq
import json
import os
from collections import Counter
from collections.abc import Sequence
from importlib import resources

import numpy as np

from tagalign.errors import InputError
from tagalign.sources.id_list import read_ids


def stratified_validation(
    ids: Sequence[str],
    rows: Sequence[Sequence[int]],
    share: float,
    seed: int,
    groups: Sequence[str] | None = None,
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
    groups
        Group of each sound; all sounds of a group go to one side. By default each is its own.

    Returns
    -------
    np.ndarray [shape=(len(ids),), dtype=bool]
        True for validation sounds. Without groups exactly the nearest whole number of them, with
        groups about that; but at least one where `share` is positive and there are two groups.
    """
    n = len(ids)
    members: dict[str, list[int]] = {}
    for position, name in enumerate(groups or ids):
        members.setdefault(name, []).append(position)
    chosen = np.zeros(n, bool)
    places = round(share * n)
    if share > 0 and len(members) > 1:
        places = min(max(places, 1), n - 1)
    if not places or len(members) == 1:
        return chosen
    order = np.array(sorted(members), object)
    order = order[np.random.default_rng(seed).permutation(len(order))].tolist()
    # Each group with the number of its sounds that have each of its tags.
    counts = {name: Counter(int(t) for p in members[name] for t in rows[p]) for name in order}

    groups_of, left = {}, Counter()
    for name in order:
        for tag in counts[name]:
            groups_of.setdefault(tag, []).append(name)
        left.update(counts[name])
    ratio = places / n
    # What each tag still needs: in training, in validation.
    needs = {tag: [(1 - ratio) * count, ratio * count] for tag, count in left.items()}
    room = [n - places, places]
    free = dict.fromkeys(order)
    heap = [(count, tag) for tag, count in left.items()]
    heapq.heapify(heap)

    def assign(name, tag_needs):
        size = len(members[name])
        # More than half of a group must find room; where it finds none, in training.
        fits = [2 * room[side] >= size for side in (0, 1)]
        # The subset that needs the tag most; a tie goes to the one with more of its room left.
        wanted = [(tag_needs[side], room[side] / (n - places, places)[side]) for side in (0, 1)]
        side = int(wanted[1] > wanted[0]) if all(fits) else int(fits[1])
        room[side] -= size
        chosen[members[name]] = bool(side)
        del free[name]
        for tag, count in counts[name].items():
            needs[tag][side] -= count
            left[tag] -= count
            heapq.heappush(heap, (left[tag], tag))

    while heap:
        count, rarest = heapq.heappop(heap)
        if count != left[rarest] or not count:
            continue  # an entry from before groups with this tag were assigned
        for name in groups_of[rarest]:
            if name in free:
                assign(name, needs[rarest])
    for name in list(free):  # sounds without tags
        assign(name, (0, 0))
    if chosen.all() or not chosen.any():
        # Groups so large that none found room on one side: the smallest one goes there.
        chosen[members[min(order, key=lambda name: len(members[name]))]] ^= True
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
    wanted = set(read_ids(path, "pairs.validation_ids"))
    chosen = np.array([identifier in wanted for identifier in ids], bool)
    if chosen.all() or not chosen.any():
        raise InputError(
            f"{path} lists {int(chosen.sum())} of the {len(ids)} sounds; a split needs sounds on"
            " both sides: correct the list or leave pairs.validation_ids out"
        )
    return chosen
