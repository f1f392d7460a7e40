"""The validation split."""

import json

import numpy as np
import pytest

from tagalign.config import load as config
from tagalign.errors import InputError
from tagalign.pairs.split import listed_validation, published_validation, stratified_validation
from tagalign.tags.vocabulary import build_vocabulary


@pytest.fixture(scope="module")
def real(shared):
    """Ids and tag indices of the 4,138 sounds with real tags."""
    sounds = json.loads((shared / "data" / "tags" / "freesound_id_to_tags.json").read_text())
    settings = config.resolve_sections({}, ["tags"])["tags"] | {"vocabulary_size": 800}
    return list(sounds), build_vocabulary(list(sounds.values()), settings).rows


def shares(rows, chosen):
    """Share of the validation sounds of each tag, and its count."""
    total, held = np.zeros(800), np.zeros(800)
    for row, flag in zip(rows, chosen, strict=True):
        total[row] += 1
        held[row] += flag
    return held / total, total


def test_each_tag_keeps_its_share_on_real_tags(real):
    """Against random splits: less spread of the shares, and hardly a tag without validation."""
    ids, rows = real
    chosen = stratified_validation(ids, rows, 0.1, 0)
    assert chosen.sum() == round(0.1 * len(ids))
    ours, count = shares(rows, chosen)
    seldom, often = (count >= 8) & (count < 20), count >= 20
    spreads, covered = [], []
    for seed in range(5):
        random = np.random.default_rng(seed).permutation(len(ids)) < chosen.sum()
        theirs, _ = shares(rows, random)
        spreads.append([(theirs - 0.1)[group].std() for group in (seldom, often)])
        covered.append((theirs[seldom] > 0).mean())
    assert (ours[seldom] > 0).mean() > 0.95
    assert np.mean(covered) < 0.8
    assert (ours - 0.1)[seldom].std() < 0.6 * np.mean(spreads, axis=0)[0]
    assert (ours - 0.1)[often].std() < 0.8 * np.mean(spreads, axis=0)[1]


def test_most_independent_tags_keep_their_share_to_half_a_sound():
    rng = np.random.default_rng(0)
    rows = [np.unique(rng.integers(0, 50, rng.integers(1, 8))) for _ in range(2000)]
    chosen = stratified_validation([str(i) for i in range(2000)], rows, 0.1, 0)
    held, total = np.zeros(50), np.zeros(50)
    for row, flag in zip(rows, chosen, strict=True):
        total[row] += 1
        held[row] += flag
    assert np.median(np.abs(held - 0.1 * total)) <= 0.5  # a random split: 2.6


def test_fixed_by_seed_and_independent_of_the_order_of_the_sounds(real):
    ids, rows = real
    chosen = {
        i for i, flag in zip(ids, stratified_validation(ids, rows, 0.1, 0), strict=True) if flag
    }
    order = np.random.default_rng(5).permutation(len(ids))
    again = stratified_validation([ids[i] for i in order], [rows[i] for i in order], 0.1, 0)
    assert {ids[i] for i, flag in zip(order, again, strict=True) if flag} == chosen
    other = stratified_validation(ids, rows, 0.1, 1)
    assert {i for i, flag in zip(ids, other, strict=True) if flag} != chosen


@pytest.mark.parametrize(
    ("n", "share", "expected"),
    [
        (10, 0.0, 0),
        (1, 0.5, 0),
        (2, 0.1, 1),
        (5, 0.1, 1),
        (10, 0.25, 2),
        (4, 0.99, 3),
        (300, 0.1, 30),
    ],
)
def test_number_of_validation_sounds(n, share, expected):
    rows = [[i % 3] if i % 4 else [] for i in range(n)]
    assert stratified_validation([str(i) for i in range(n)], rows, share, 0).sum() == expected


def test_by_hand():
    """Half of each tag's sounds; a random half of six would seldom do it for all three tags."""
    rows = [[0], [0], [1], [1], [2], [2]]
    for seed in range(5):
        chosen = stratified_validation(list("abcdef"), rows, 0.5, seed)
        assert [sum(chosen[i : i + 2]) for i in (0, 2, 4)] == [1, 1, 1]


def test_from_the_published_list(shared):
    path = shared / "reference" / "sound_ids_validation.json"
    published = json.loads(path.read_text())
    ids = ["1", str(published[3]), "2", str(published[0])]
    assert listed_validation(ids, path).tolist() == [False, True, False, True]


def test_groups_stay_whole_and_tags_keep_about_their_share():
    rng = np.random.default_rng(0)
    size = rng.integers(1, 12, 150)
    groups = np.repeat([f"recording {n}" for n in range(150)], size).tolist()
    own = [np.unique(rng.integers(0, 20, 4)) for _ in range(150)]
    rows = [own[n] for n in np.repeat(np.arange(150), size)]
    ids = [str(n) for n in range(len(rows))]
    chosen = stratified_validation(ids, rows, 0.2, 0, groups)
    sides = {}
    for name, side in zip(groups, chosen.tolist(), strict=True):
        sides.setdefault(name, set()).add(side)
    assert all(len(side) == 1 for side in sides.values())
    assert chosen.mean() == pytest.approx(0.2, abs=0.01)

    def deviation(flags):
        held, total = np.zeros(20), np.zeros(20)
        for row, flag in zip(rows, flags, strict=True):
            total[row] += 1
            held[row] += flag
        return np.abs(held / total - 0.2).mean()

    random = [np.repeat(rng.random(150) < 0.2, size) for _ in range(50)]
    assert deviation(chosen) < 0.7 * np.mean([deviation(flags) for flags in random])


@pytest.mark.parametrize(("sizes", "expected"), [((5, 5), 5), ((9, 3), 3), ((4,), 0)])
def test_few_large_groups_still_make_two_sides(sizes, expected):
    groups = np.repeat([str(n) for n in range(len(sizes))], sizes).tolist()
    rows = [[0]] * len(groups)
    ids = [str(n) for n in range(len(groups))]
    assert stratified_validation(ids, rows, 0.1, 0, groups).sum() == expected


def test_the_published_split_is_bundled_whole(shared):
    """All 19,103 ids, of which a source may have lost some."""
    path = shared / "reference" / "sound_ids_validation.json"
    published = [str(identifier) for identifier in json.loads(path.read_text())]
    assert published_validation([*published[::-1], "1"]).sum() == len(published) == 19_103
    assert published_validation(["1", published[3], "2"]).tolist() == [False, True, False]


def test_a_source_without_the_published_sounds_is_told_what_to_do():
    with pytest.raises(InputError, match=r"0 of the 2 sounds .* set pairs\.split to stratified"):
        published_validation(["a", "b"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[7, 8]", "lists 0 of the 2 sounds"),
        ('["a", "b"]', "lists 2 of the 2 sounds"),
        ('{"a": 1}', "must hold a JSON list of ids"),
        ("[7, true]", "must hold a JSON list of ids"),
        ("[1,", "is not JSON"),
        (None, "cannot read .*ids.json: No such file .*; correct pairs.validation_ids"),
    ],
)
def test_bad_lists(tmp_path, text, message):
    path = tmp_path / "ids.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        listed_validation(["a", "b"], path)
