"""Tables of users: what spreadsheets, pandas and editors write is read, and told."""

import contextlib
import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagalign.errors import InputError
from tagalign.sources.table import read_table

ROWS = [["id", "file", "tags"], ["1", "Café.wav", "dog, bark"], ["2", "b.wav", 'say "x"\nmore']]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Z", "Cf"]), min_size=1)
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def text_of(rows, delimiter=","):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.fixture
def table(tmp_path):
    def read(data, columns=("id", "file", "tags")):
        path = tmp_path / "table.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_table(path, columns, "source.folder")

    return read


def values(found):
    return [found.header, *(list(row.values()) for row in found.rows)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings_and_delimiters(table, codec, delimiter):
    found = table(text_of(ROWS, delimiter).encode(codec))
    assert values(found) == ROWS
    told = " ".join(found.notes)
    assert ("is read as " in told) == (not codec.startswith("utf-8") or delimiter != ",")
    assert ("Latin-1" in told) == (codec == "cp1252")
    assert ("UTF-16" in told) == codec.startswith("utf-16")


@settings(FUZZ, max_examples=50)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1), st.sampled_from(",;\t"))
def test_any_values_come_back(table, rows, delimiter):
    rows = [("id", "file", "tags"), *rows]
    assert values(table(text_of(rows, delimiter))) == [list(row) for row in rows]


def test_blanks_around_names_and_values_go(table):
    found = table("id , file,\ttags\n 1 ,a.wav ,\u00a0dog \n\n , ,\n")
    assert found.rows == [{"id": "1", "file": "a.wav", "tags": "dog"}]


def test_lines_are_those_of_the_file(table):
    assert table('id,file,tags\n1,a,"x\ny"\n2,b,z\n').lines == [3, 4]


def test_excel_announces_its_delimiter(table):
    assert table("sep=;\r\nid;file;tags\r\n1;a.wav;dog\r\n").header == ["id", "file", "tags"]


def test_empty_columns_at_the_end_are_no_columns(table):
    assert table("id,file,tags,,\n1,a.wav,dog,,\n").rows == [
        {"id": "1", "file": "a.wav", "tags": "dog"}
    ]


def test_names_of_columns_are_composed(table):
    assert table("id,cafe\u0301\n1,x\n", ["id", "caf\u00e9"]).rows == [{"id": "1", "café": "x"}]


def test_a_value_may_be_longer_than_pythons_limit(table):
    assert table(f"id,file,tags\n1,a.wav,{'x' * 200_000}\n").rows[0]["tags"] == "x" * 200_000


REFUSED = {
    "same name": ("id,file,tags,tags\n1,a,b,c\n", "two columns named 'tags'; rename or remove"),
    "same name but for blanks": ("id,file,tags,tags \n1,a,b,c\n", "two columns named 'tags'"),
    "no names": (",,id,file,tags\n1,2,3,4,5\n", "two columns without a name"),
    "missing column": ("id,file\n1,a\n", "has no column 'tags', only id, file; .* source.folder"),
    "empty": ("", "has no column 'id', only nothing"),
    "short row": ("id,file,tags\n1,a\n", r"line 2: the number of fields \(2\) .* \(3\)"),
    "long row": ("id,file,tags\n1,a,b,c\n", r"line 2: the number of fields \(4\)"),
    "open quote": ('id,file,tags\n1,a,"b\n', r"is not a CSV file \(line 2"),
    "bytes": (bytes(range(256)) * 4, "is not a text file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_with_one_line(table, case):
    data, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        table(data)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(
        InputError, match=r"cannot read .*absent\.csv: No such file.* source\.folder"
    ):
        read_table(tmp_path / "absent.csv", [], "source.folder")


@settings(FUZZ)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_one_line(table, data):
    with contextlib.suppress(InputError):
        found = table(data, ())
        assert all(list(row) == found.header for row in found.rows)
