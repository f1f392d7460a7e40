"""Counts, names, labels and folds of each protocol; wrong copies are named."""

import csv
import json

import pytest

from tagalign import store
from tagalign.config import load as config
from tagalign.errors import ConfigError, InputError
from tagalign.tasks import MODULES, find_task, gtzan, nsynth, us8k
from tiny_sets import make_esc, make_gtzan, make_nsynth, make_us8k, read, settings_of, write_tone


def edit_csv(path, change):
    """Rewrite a CSV after ``change(rows)``, rows as lists, the header first."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file))
    change(rows)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)


def test_unknown_task():
    with pytest.raises(ConfigError, match="there is no task 'us9k'; did you mean 'us8k'"):
        config.resolve_sections({}, ["datasets.us9k"])


def test_every_task_has_a_section_with_its_addresses():
    for name in MODULES:
        task = find_task(name)
        settings = settings_of(name)
        for archive in task.archives:
            assert settings[archive.url_key].startswith("http")
            assert archive.md5_key in settings


# The published sets


def test_us8k_counts_are_those_of_the_real_metadata(shared):
    with open(shared / "data" / "UrbanSound8K.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for fold, count in us8k.CLIPS_IN_FOLD.items():
        assert sum(row["fold"] == str(fold) for row in rows) == count
    assert sum(us8k.CLIPS_IN_FOLD.values()) == 8732
    clips = us8k.read_metadata(
        shared, settings_of("us8k", metadata=str(shared / "data/UrbanSound8K.csv")), name="us8k"
    )
    assert len(clips) == 8732
    assert len({clip.freesound_id for clip in clips}) == 1297


def test_us8k_folds_that_are_there(shared):
    metadata, audio = shared / "data" / "UrbanSound8K.csv", shared / "data" / "us8k"
    places = {"metadata": str(metadata), "audio": str(audio)}
    listing = read("us8k", ".", **places, folds=[1, 2])
    assert len(listing.clips) == 873 + 888
    assert listing.tested_folds == [1, 2]
    clip = next(clip for clip in listing.clips if clip.clip_id == "101415-3-0-2")
    assert (clip.labels, clip.fold, clip.freesound_id) == (("dog_bark",), 1, "101415")
    assert clip.file == "fold1/101415-3-0-2.ogg"
    assert not listing.extra
    with pytest.raises(InputError, match=r"of 8732 clips are missing .*fold10/.* and \d+ more"):
        read("us8k", ".", **places)
    with pytest.raises(InputError, match=r"test_folds names fold 3, but .* folds 1, 2"):
        read("us8k", ".", **places, folds=[1, 2], test_folds=[3])


def test_esc10_real_clips(shared):
    audio = shared / "data" / "esc10"
    listing = read("esc10-copy", ".", csv=str(audio / "esc10.csv"), fold_column="fold")
    assert len(listing.clips) == 400
    assert len(listing.classes) == 10
    assert {clip.fold for clip in listing.clips} == {1, 2, 3, 4, 5}


def test_bundled_corpus_is_a_task(corpus):
    place = {"csv": str(corpus / "sounds.csv"), "audio": str(corpus / "audio")}
    listing = read("bundled", ".", **place, fold_column="fold", id_column="freesound_id")
    assert len(listing.classes) == 10
    assert 150 < len(listing.clips) < 345, "only the rows with a fold are clips"
    assert all(clip.freesound_id.isdigit() for clip in listing.clips)


def test_gtzan_lists():
    train, test = (gtzan._read_list(split, None) for split in ("train", "test"))
    assert (len(train), len(test)) == (443, 290)
    assert not set(train) & set(test)
    assert len({name.split("/")[0] for name in train}) == 10


def test_nsynth_list():
    notes = nsynth.selection(settings_of("nsynth"))
    assert len(notes) == 20_000
    families = list(notes.values())
    assert {families.count(family) for family in set(families)} == {2000}
    assert len(set(families)) == 10
    assert "synth_lead" not in families


def test_family_of_two_words():
    assert nsynth._family("synth_lead_synthetic_001-060-100") == "synth_lead"


# Wrong copies


@pytest.fixture
def tiny_us8k(tmp_path, tiny_counts):
    return make_us8k(tmp_path)


def test_us8k_fixture_is_right(tiny_us8k):
    assert len(read("us8k", tiny_us8k).clips) == 100
    assert len(read("us8k", tiny_us8k.parent).clips) == 100, "the directory above is fine too"


def test_missing_clip_is_named(tiny_us8k):
    (tiny_us8k / "audio" / "fold4" / "4002-2-0-4.wav").unlink()
    with pytest.raises(InputError, match=r"1 of 100 clips are missing .*: fold4/4002-2-0-4\.wav"):
        read("us8k", tiny_us8k)


def test_extra_clip_is_named_and_not_used(tiny_us8k):
    write_tone(tiny_us8k / "audio" / "fold4" / "1-2-3-4.wav", 0, 0)
    (tiny_us8k / "audio" / "fold4" / ".DS_Store").write_text("not a sound")
    listing = read("us8k", tiny_us8k)
    assert listing.extra == ["fold4/1-2-3-4.wav"]
    assert len(listing.clips) == 100


def test_missing_row_is_a_wrong_count(tiny_us8k):
    edit_csv(tiny_us8k / "metadata" / "UrbanSound8K.csv", lambda rows: rows.pop(1))
    with pytest.raises(InputError, match="9 clips in fold 1, but the published set has 10"):
        read("us8k", tiny_us8k)


@pytest.mark.parametrize(("column", "value"), [(1, "77"), (6, "9"), (7, "siren"), (6, "x")])
def test_us8k_label_mismatch(tiny_us8k, column, value):
    def change(rows):
        rows[1][column] = value

    edit_csv(tiny_us8k / "metadata" / "UrbanSound8K.csv", change)
    with pytest.raises(InputError, match=r"1000-0-0-1\.wav .*contradict each other"):
        read("us8k", tiny_us8k)


def test_fold_that_is_no_number(tiny_us8k):
    def change(rows):
        rows[1][5] = "one"

    edit_csv(tiny_us8k / "metadata" / "UrbanSound8K.csv", change)
    with pytest.raises(InputError, match="'one', which is not a whole number"):
        read("us8k", tiny_us8k)


def test_clip_listed_twice(tiny_us8k, monkeypatch):
    monkeypatch.setitem(us8k.CLIPS_IN_FOLD, 1, 11)
    edit_csv(tiny_us8k / "metadata" / "UrbanSound8K.csv", lambda rows: rows.append(rows[1]))
    with pytest.raises(InputError, match="clip '1000-0-0-1' 2 times"):
        read("us8k", tiny_us8k)


def test_us8k_metadata_without_audio():
    with pytest.raises(ConfigError, match="give both `metadata`"):
        read("us8k", ".", metadata="UrbanSound8K.csv")


@pytest.mark.parametrize("task", ["esc10", "esc50"])
@pytest.mark.usefixtures("tiny_counts")
def test_esc_counts_and_names(task, tmp_path):
    root = make_esc(tmp_path)
    listing = read(task, tmp_path)
    assert len(listing.clips) == {"esc10": 50, "esc50": 250}[task]
    assert not listing.extra, "ESC-50's other clips are no strangers in ESC-10"
    meta = root / "meta" / "esc50.csv"
    whole = meta.read_text()

    def relabel(rows):
        rows[1][2] = "7"

    edit_csv(meta, relabel)
    with pytest.raises(InputError, match=r"1-1000-A-0\.wav .*its name says otherwise"):
        read(task, tmp_path)
    meta.write_text(whole)
    edit_csv(meta, lambda rows: rows.pop(1))
    with pytest.raises(InputError, match=f"but the published set has {len(listing.clips)}"):
        read(task, tmp_path)
    meta.write_text(whole)
    (root / "audio" / "2-2003-A-3.wav").unlink()
    with pytest.raises(InputError, match=r"clips are missing .*2-2003-A-3\.wav"):
        read(task, tmp_path)


@pytest.mark.usefixtures("tiny_counts")
def test_gtzan_split_and_variants(tmp_path):
    root = make_gtzan(tmp_path)
    lists = str(tmp_path / "lists")
    listing = read("gtzan", tmp_path, lists=lists)
    assert [clip.fold for clip in listing.clips] == [0] * 12 + [2] * 8
    assert (listing.fixed_split, listing.tested_folds) == (True, [2])
    reference = read("gtzan", root, lists=lists, lose_first_line=True)
    lost = {clip.clip_id for clip in listing.clips} - {clip.clip_id for clip in reference.clips}
    assert lost == {"blues.00000", "blues.00003"}
    assert {name for name, _ in reference.failures} == lost
    (root / "jazz" / "jazz.00004.wav").rename(root / "jazz" / "jazz.00004.au")
    assert len(read("gtzan", root, lists=lists).clips) == 20, "the original archive holds .au"
    (root / "jazz" / "jazz.00004.au").unlink()
    with pytest.raises(InputError, match=r"1 of 20 clips are missing .*jazz/jazz\.00004\.wav"):
        read("gtzan", root, lists=lists)


@pytest.mark.usefixtures("tiny_counts")
def test_gtzan_list_faults(tmp_path):
    root = make_gtzan(tmp_path)
    train = tmp_path / "lists" / "train_filtered.txt"
    whole = train.read_text()
    for text, message in [
        (whole + "jazz/jazz.00009.wav\n", "13 excerpts in the train list, but .* has 12"),
        (whole.replace("blues/blues.00001", "blues/jazz.00001"), "is not GENRE/GENRE"),
        (whole.replace("blues.00001", "blues.00003"), "in the training and in the test list"),
    ]:
        train.write_text(text)
        with pytest.raises(InputError, match=message):
            read("gtzan", root, lists=str(train.parent))


@pytest.mark.usefixtures("tiny_counts")
def test_nsynth_split_and_faults(tmp_path):
    make_nsynth(tmp_path)
    listed = tmp_path / "list.json"
    listing = read("nsynth", tmp_path, list=str(listed))
    assert [clip.fold for clip in listing.clips] == [0] * 9 + [2] * 6
    assert listing.classes == ["bass", "brass", "vocal"]
    stranger = tmp_path / "nsynth-test/audio/synth_lead_synthetic_001-060-100.wav"
    write_tone(stranger, 0, 0)
    with pytest.raises(InputError, match="7 test notes, but the published set has 6"):
        read("nsynth", tmp_path, list=str(listed))
    (tmp_path / "nsynth-test/audio/bass_acoustic_004-060-100.wav").unlink()
    with pytest.raises(InputError, match=r"synth_lead.* which the training notes do not have"):
        read("nsynth", tmp_path, list=str(listed))
    families = json.loads(listed.read_text())
    families["bass"][0], families["brass"][0] = families["brass"][0], families["bass"][0]
    listed.write_text(json.dumps(families))
    with pytest.raises(InputError, match="as bass, its name says brass"):
        read("nsynth", tmp_path, list=str(listed))
    listed.write_text("{")
    with pytest.raises(InputError, match=r"cannot read the list .*list\.json"):
        read("nsynth", tmp_path, list=str(listed))


@pytest.mark.usefixtures("tiny_counts")
def test_notes_of_one_instrument_belong_together(tmp_path, run):
    make_nsynth(tmp_path)
    audio = tmp_path / "nsynth-test" / "audio"
    (audio / "bass_acoustic_005-060-100.wav").rename(audio / "bass_acoustic_004-061-025.wav")
    section = {"datasets.nsynth": {"path": str(tmp_path), "list": str(tmp_path / "list.json")}}
    run("task", "--task", "nsynth", "-o", tmp_path / "task.h5", params=section)
    run("embed-task", tmp_path / "task.h5", "--mfcc", "-o", tmp_path / "mfcc.h5")
    arguments = [tmp_path / "task.h5", tmp_path / "mfcc.h5", "--system", "mfcc"]
    few = {"evaluate": {"repetitions": 1, "hidden": 4}}
    run("evaluate", *arguments, "-o", tmp_path / "scores.h5", params=few)
    with store.read(tmp_path / "scores.h5") as file:
        recordings = store.read_strings(file["recording"])
    assert sorted(recordings) == sorted(
        ["bass_acoustic_004"] * 2
        + [f"{family}_acoustic_00{take}" for family in ("brass", "vocal") for take in (4, 5)]
    )
    with store.read(tmp_path / "task.h5") as file:
        assert set(store.read_strings(file["freesound_id"])) == {""}, "no leak can be looked for"


def test_set_that_is_nowhere(tmp_path, run):
    for params, remedy in [
        (None, "tagalign dataset --task gtzan"),
        ({"datasets.gtzan": {"path": str(tmp_path / "no")}}, r"correct datasets\.gtzan\.path"),
    ]:
        arguments = ["--task", "gtzan", "--data", tmp_path, "-o", tmp_path / "t.h5"]
        with pytest.raises(InputError, match=remedy):
            run("task", *arguments, params=params)
    assert not (tmp_path / "t.h5").exists()


def test_changed_set_is_noticed(tmp_path, run):
    write_tone(tmp_path / "a.wav", 0, 0)
    write_tone(tmp_path / "b.wav", 1, 1)
    table = tmp_path / "clips.csv"
    table.write_text("freesound_id,file,label,fold\n1,a.wav,dog,1\n2,b.wav,cat,2\n")
    section = {"csv": str(table), "fold_column": "fold", "test_folds": [1]}
    params = {"datasets.tones": section}
    run("dataset", "--task", "tones", "-o", tmp_path / "d.h5", params=params)
    table.write_text(table.read_text().replace("dog", "cow"))
    arguments = ["--task", "tones", "--dataset", tmp_path / "d.h5", "-o", tmp_path / "t.h5"]
    with pytest.raises(InputError, match="lists other clips of tones"):
        run("task", *arguments, params=params)
