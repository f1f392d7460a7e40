"""The source `folder`: what becomes a catalogue, and what is refused with one clear line."""

import json
from pathlib import Path

import h5py
import pandas as pd
import pytest
from click.testing import CliRunner

from tagalign import store
from tagalign.cli.catalogue import command
from tagalign.errors import ConfigError, InputError, TagalignError
from tagalign.sources.folder import count_rows, read_folder, write_catalogue

HEADER = "id,file,tags\n"


@pytest.fixture
def sounds(corpus, tmp_path):
    directory = tmp_path / "sounds"
    directory.mkdir()
    for name in ("110389_A.ogg", "17367_A.ogg", "13116_elec_bell.ogg"):
        (directory / name).write_bytes((corpus / "audio" / name).read_bytes())
    return directory


@pytest.fixture
def source(sections, sounds, tmp_path):
    """Settings for a CSV with this text, and changes to the section."""

    def make(text, folder=None, **changes):
        table = tmp_path / "sounds.csv"
        table.write_bytes(text.encode() if isinstance(text, str) else text)
        settings = sections["source"] | changes
        places = {"csv": str(table), "audio": str(sounds)}
        settings["folder"] = settings["folder"] | places | (folder or {})
        return settings

    return make


GOOD = (
    "id,file,tags,license,mood,remark\n"
    '10,110389_A.ogg,"dog  Bark\tDOGS",CC0,loud,"a, b"\n'
    "9,17367_A.ogg,bird,CC0,quiet,ü\n"
    "100,13116_elec_bell.ogg,,CC0,quiet,\n"
)


def test_a_catalogue(source, sounds, tmp_path):
    white_space = {"tag_separator": " "}
    write_catalogue(source(GOOD, white_space, shard_size=2), tmp_path / "catalogue.h5")
    with store.read(tmp_path / "catalogue.h5", stage="catalogue") as file:
        assert store.read_strings(file["id"]) == ["9", "10", "100"]
        assert file["shard"][()].tolist() == [0, 0, 1]
        assert file.attrs["shards"] == 2
        assert store.read_ragged(file["tags"]) == [["bird"], ["dog", "Bark", "DOGS"], []]
        assert store.read_strings(file["license"]) == ["CC0"] * 3
        assert store.read_strings(file["username"]) == [""] * 3
        assert sorted(file["columns"]) == ["mood", "remark"]
        assert store.read_strings(file["columns/remark"]) == ["ü", "a, b", ""]
        assert store.read_strings(file["sha256"])[0] == store.digest(sounds / "17367_A.ogg")
        assert store.read_failures(file) == []


def test_equal_input_gives_equal_bytes_wherever_it_lies(source, sounds, tmp_path):
    settings = source(GOOD)
    write_catalogue(settings, tmp_path / "a.h5")
    elsewhere = sounds.rename(tmp_path / "elsewhere")
    settings["folder"]["audio"] = str(elsewhere)
    write_catalogue(settings, tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    sound = elsewhere / "17367_A.ogg"
    sound.write_bytes(sound.read_bytes() + b"\0")
    write_catalogue(settings, tmp_path / "c.h5")
    assert (tmp_path / "a.h5").read_bytes() != (tmp_path / "c.h5").read_bytes()


def test_ids_that_are_no_numbers_sort_as_text(source):
    rows = ["10,17367_A.ogg,x", "b9,17367_A.ogg,x", "9,110389_A.ogg,x"]
    sounds, _ = read_folder(source(HEADER + "\n".join(rows)))
    assert [sound.identifier for sound in sounds] == ["10", "9", "b9"]


def test_columns_and_separator_can_be_named(source):
    text = '\ufeffname,sound,words\nx,17367_A.ogg,"field recording, dog,, bird "\n'
    columns = {"id_column": "name", "file_column": "sound", "tags_column": "words"}
    sounds, _ = read_folder(source(text, {**columns, "tag_separator": ","}))
    assert sounds[0].tags == ["field recording", "dog", "bird"]
    assert sounds[0].columns == {}


def test_a_table_of_pandas_with_its_index(source, tmp_path):
    """Its first column has no name; neither HDF5 nor another column may stumble over that."""
    table = pd.DataFrame(
        {"id": [1], "file": ["17367_A.ogg"], "tags": ["x"], "a/b": [2], "a_b": [3]}
    )
    write_catalogue(source(table.to_csv()), tmp_path / "catalogue.h5")
    with h5py.File(tmp_path / "catalogue.h5") as file:
        columns = {name: store.read_strings(data) for name, data in file["columns"].items()}
    assert columns == {"unnamed": ["0"], "a_b": ["2"], "a_b_": ["3"]}
    settings = source(table.to_csv() + "1,2,17367_A.ogg,x,y,z,more\n")
    with pytest.raises(InputError, match=r"line 3: the number of fields .*\(6\)"):
        read_folder(settings)


def test_dropped_rows_are_listed(source, tmp_path):
    settings = source(GOOD, {"drop": {"mood": ["loud"]}})
    write_catalogue(settings, tmp_path / "catalogue.h5")
    with h5py.File(tmp_path / "catalogue.h5") as file:
        assert store.read_strings(file["id"]) == ["9", "100"]
        assert store.read_failures(file) == [("10", "dropped: mood is loud (source.folder.drop)")]


def test_numbers_of_the_config_match_the_text_of_the_csv(source):
    text = "id,file,tags,fold\n1,17367_A.ogg,x,5\n2,17367_A.ogg,x,15\n"
    sounds, failures = read_folder(source(text, {"drop": {"fold": [5]}}))
    assert [sound.identifier for sound in sounds] == ["2"]
    assert [identifier for identifier, _ in failures] == ["1"]


def test_a_sound_missing_from_disk_does_not_matter_once_dropped(source):
    text = "id,file,tags,fold\n1,absent.wav,x,5\n2,17367_A.ogg,x,1\n"
    assert len(read_folder(source(text, {"drop": {"fold": [5]}}))[0]) == 1


def test_excluded_ids_are_listed(source, tmp_path):
    listed = tmp_path / "ids.json"
    listed.write_text(json.dumps([9, "100"]))
    sounds, failures = read_folder(source(GOOD, exclude=[str(listed)]))
    assert [sound.identifier for sound in sounds] == ["10"]
    assert failures[0] == ("9", "listed in ids.json (source.exclude)")


def test_sounds_of_the_target_tasks_are_left_out(source):
    text = HEADER + "248905,17367_A.ogg,x\n1,110389_A.ogg,x\n"
    sounds, failures = read_folder(source(text))
    assert [sound.identifier for sound in sounds] == ["1"]
    assert failures == [("248905", "occurs in a target task (source.exclude_target_tasks)")]
    assert len(read_folder(source(text, exclude_target_tasks=False))[0]) == 2


REFUSED = {
    "missing column": ("id,file\n1,17367_A.ogg\n", r"sounds\.csv has no column 'tags', only id, f"),
    "duplicate id": (
        HEADER + "1,17367_A.ogg,x\n1,110389_A.ogg,x\n",
        r"id '1' occurs in lines 2 and 3; ids must be unique",
    ),
    "missing sound": (
        HEADER + "1,absent.wav,x\n2,gone.wav,x\n",
        r"absent\.wav does not exist \(id 1 of .*sounds\.csv\) and 1 more; add the file",
    ),
    "empty file": ("", r"sounds\.csv has no column 'id', only nothing"),
    "header only": (HEADER, r"sounds\.csv lists no sound"),
    "no id": (HEADER + ",17367_A.ogg,x\n", "line 2: no 'id'; give each sound an id"),
    "too few fields": (HEADER + "1,17367_A.ogg\n", r"line 2: the number of fields .*\(3\)"),
    "too many fields": (HEADER + "1,17367_A.ogg,x,y\n", r"line 2: the number of fields .*\(3\)"),
    "not text": (b"\x00\x01\x02" * 9, "is not a text file"),
    "same column twice": (
        "id,file,tags,tags\n1,17367_A.ogg,x,y\n",
        r"sounds\.csv has two columns named 'tags'; rename or remove one",
    ),
    "outside": (HEADER + "1,../a.wav,x\n", r"\.\./a\.wav \(id 1\) lies outside .*sounds"),
    "same id in another dress": (
        HEADER + "12,17367_A.ogg,x\n12.0,17367_A.ogg,x\n",
        r"id '12\.0' occurs in lines 2 and 3; ids must be unique",
    ),
    "absolute path": (HEADER + "1,/sounds/a.wav,x\n", r"/sounds/a\.wav is an absolute path"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_csv_is_refused_with_one_line(source, tmp_path, case):
    text, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        write_catalogue(source(text), tmp_path / "catalogue.h5")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "catalogue.h5").exists()


def test_wrong_settings_are_refused(source, tmp_path):
    absent = str(tmp_path / "absent")
    for folder, error, message in [
        ({"csv": None}, ConfigError, r"source\.folder\.csv is not set"),
        ({"audio": None}, ConfigError, r"source\.folder\.audio is not set"),
        ({"csv": absent}, InputError, "cannot read .*absent: No such file"),
        ({"audio": absent}, InputError, "absent is not a directory"),
        ({"drop": {"fold": [5]}}, InputError, "has no column 'fold'"),
        ({"drop": {"mood": ["angry"]}}, InputError, "has no row with mood = 'angry'"),
        (
            {"drop": {"mood": ["quiet", "loud"]}},
            InputError,
            r"all 3 sounds .* are left out, the first, 9: dropped: mood is quiet",
        ),
    ]:
        with pytest.raises(error, match=message):
            read_folder(source(GOOD, folder))


def test_the_command_says_how_many_sounds_are_left_out_and_why(source, tmp_path):
    """Own sounds with plain numbers, of which two are ids of sounds of the target tasks."""
    names = ("17367_A", "110389_A", "17367_A", "110389_A")
    rows = zip((344, 518, 692, 866), names, (1, 2, 2, 5), strict=True)
    text = "id,file,tags,fold\n" + "".join(f"{i},{name}.ogg,x,{n}\n" for i, name, n in rows)

    def tell(**changes):
        arguments = ["--params", json.dumps({"source": source(text, **changes)})]
        result = CliRunner().invoke(command, [*arguments, "-o", str(tmp_path / "catalogue.h5")])
        assert result.exit_code == 0, result.output
        return result.stderr.splitlines()[2:]  # after the separator of tags and the progress

    task = "occurs in a target task (source.exclude_target_tasks)"
    assert tell() == ["catalogue: 2 sounds, 2 left out", f"catalogue: 2 left out: {task}"]
    assert tell(folder={"drop": {"fold": [1, 2]}}, exclude_target_tasks=False) == [
        "catalogue: 1 sounds, 3 left out",
        "catalogue: 2 left out: dropped: fold is 2 (source.folder.drop)",
        "catalogue: 1 left out: dropped: fold is 1 (source.folder.drop)",
    ]
    assert tell(exclude_target_tasks=False) == ["catalogue: 4 sounds, 0 left out"]


def test_a_sound_that_cannot_be_read_is_named(source, sounds, tmp_path):
    (sounds / "17367_A.ogg").unlink()
    (sounds / "17367_A.ogg").symlink_to("/proc/self/mem")  # a file that not even root can read
    for text, message in [
        (GOOD, r"17367_A\.ogg \(id 9 of .*sounds\.csv\): I.*; make it readable"),
        (f"{HEADER}1,{'long' * 99}.wav,x\n", r"\(id 1 of .*sounds\.csv\): File name too long"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            write_catalogue(source(text), tmp_path / "catalogue.h5")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "catalogue.h5").exists()


def test_rows_are_counted_without_their_sounds(source):
    assert count_rows(source(HEADER + "1,absent.wav,x\n2,,y\n")) == 2
    for text, folder, message in [
        (GOOD, {"csv": None}, r"source\.folder\.csv is not set"),
        (b"\0\0" + GOOD.encode(), {}, "is not a text file"),
    ]:
        with pytest.raises(TagalignError, match=message):
            count_rows(source(text, folder))


def test_wrong_exclusion_files_are_refused(source, tmp_path):
    listed = tmp_path / "ids.json"
    for text, message in [
        (None, r"cannot read .*ids\.json: No such file"),
        ("{", r"ids\.json is not JSON"),
        ('{"a": 1}', r"ids\.json must hold a JSON list of ids"),
    ]:
        if text is not None:
            listed.write_text(text)
        with pytest.raises(InputError, match=message):
            read_folder(source(GOOD, exclude=[str(listed)]))


TABLES = Path(__file__).parent / "tables"


def read_case(source, name, **changes):
    settings = source((TABLES / name).read_bytes(), **changes)
    for sound in (TABLES / name).read_text().splitlines()[1:]:
        (Path(settings["folder"]["audio"]) / sound.split(",")[1]).write_bytes(b"RIFF")
    return read_folder(settings)


def test_quoted_commas_and_lists_are_tags(source):
    assert [sound.tags for sound in read_case(source, "commas_quoted.csv")[0]] == [
        ["dog", "bark", "angry"],
        ["dog", "cat"],
        ["cat", "meow"],
    ]
    tags = [sound.tags for sound in read_case(source, "json_list.csv")[0]]
    assert tags == [["dog", "bark"], ["dog", "cat"]]


def test_ids_that_became_floats_are_excluded(source):
    sounds, failures = read_case(source, "exclude_float.csv")
    assert [sound.identifier for sound in sounds] == ["9999999"]
    assert [identifier for identifier, _ in failures] == ["248905.0", "248906.0", "248907.0"]


def test_a_list_of_exclusions_may_write_ids_in_any_dress(source, tmp_path):
    listed = tmp_path / "ids.json"
    listed.write_text(json.dumps(["0009", "https://freesound.org/s/100/"]))
    sounds, _ = read_folder(source(GOOD, exclude=[str(listed)]))
    assert [sound.identifier for sound in sounds] == ["10"]


def test_the_separator_is_told_and_recorded(source, tmp_path, capsys):
    text = HEADER + '1,17367_A.ogg,"dog, bark"\n2,110389_A.ogg,"big dog, cat"\n'
    write_catalogue(
        source(text.replace(",", ";").replace('"', "").replace("; ", ", ")),
        tmp_path / "catalogue.h5",
    )
    told = capsys.readouterr().err
    assert "sounds.csv is read as a table with semicolons between its values" in told
    assert "tags are separated by commas, found in 2 of 2 rows with tags" in told
    with store.read(tmp_path / "catalogue.h5") as file:
        assert file.attrs["tag_separator"] == ","
        assert store.read_ragged(file["tags"]) == [["dog", "bark"], ["big dog", "cat"]]
    with pytest.raises(InputError, match="2 of 2 rows hold commas between their tags, and 0 hold"):
        read_folder(source(text, {"tag_separator": "|"}))


def test_a_name_composed_otherwise_is_found(source, sounds):
    (sounds / "cafe\u0301.ogg").write_bytes((sounds / "17367_A.ogg").read_bytes())
    found, _ = read_folder(source(HEADER + "1,caf\u00e9.ogg,x\n"))
    assert found[0].file == "cafe\u0301.ogg"
