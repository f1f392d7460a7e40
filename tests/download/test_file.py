"""Downloads over loopback: resumed, compared, and in place only when right."""

import hashlib
import json

import numpy as np
import pytest
import tenacity

from tagalign.download.file import download
from tagalign.errors import InputError

DATA = np.random.default_rng(0).bytes(300_000)
MD5 = hashlib.md5(DATA).hexdigest()
NOW = tenacity.wait_none()


@pytest.fixture
def target(tmp_path, server):
    (server.directory / "set.zip").write_bytes(DATA)
    return tmp_path / "data" / "set.zip"


def get(server, target, md5=MD5):
    return download(f"{server.url}/set.zip", target, md5, wait=NOW)


def test_whole_file_arrives_and_is_not_fetched_twice(server, target):
    assert get(server, target) == hashlib.sha256(DATA).hexdigest()
    assert target.read_bytes() == DATA
    assert not list(target.parent.glob("*.part"))
    get(server, target)
    assert len(server.requests) == 1


def test_cut_connection_resumes_where_it_stopped(server, target):
    server.cut_after = 100_000
    get(server, target)
    assert target.read_bytes() == DATA
    first, second = server.requests
    assert first[1] is None
    assert second[1] == "bytes=100000-"


def test_many_cuts_are_no_reason_to_give_up_while_bytes_come(server, target):
    server.cut_after, server.cuts = 15_000, 15
    get(server, target)
    assert target.read_bytes() == DATA
    assert len(server.requests) == 16


def test_part_of_an_earlier_run_is_resumed(server, target):
    target.parent.mkdir()
    target.with_name("set.zip.part").write_bytes(DATA[:1234])
    get(server, target)
    assert target.read_bytes() == DATA
    assert [wanted for _, wanted in server.requests] == ["bytes=1234-"]


def test_whole_part_needs_no_byte_more(server, target):
    target.parent.mkdir()
    target.with_name("set.zip.part").write_bytes(DATA)
    get(server, target)
    assert target.read_bytes() == DATA


def test_server_without_ranges_starts_again(server, target):
    server.ranges, server.cut_after = False, 100_000
    get(server, target)
    assert target.read_bytes() == DATA


def test_part_longer_than_the_file_is_dropped(server, target):
    target.parent.mkdir()
    target.with_name("set.zip.part").write_bytes(DATA + b"more")
    get(server, target)
    assert target.read_bytes() == DATA


def test_passing_errors_are_tried_again(server, target):
    server.failures = [503, 429, 500]
    get(server, target)
    assert target.read_bytes() == DATA
    assert len(server.requests) == 4


def test_lasting_error_keeps_what_came(server, target):
    server.cut_after = 5_000
    server.failures = [200] + [503] * 20
    with pytest.raises(InputError, match=r"set\.zip.*status 503.*kept in"):
        get(server, target)
    assert target.with_name("set.zip.part").read_bytes() == DATA[:5_000]
    assert not target.exists()


def test_missing_file_names_the_address(server, target):
    with pytest.raises(InputError, match=r"none\.zip: status 404"):
        download(f"{server.url}/none.zip", target, MD5, wait=NOW)
    assert len(server.requests) == 1


def test_no_server(target):
    with pytest.raises(InputError, match=r"cannot download http://127\.0\.0\.1:9/x"):
        download("http://127.0.0.1:9/x", target, MD5, wait=NOW)


def test_wrong_md5_is_refused_and_removed(server, target):
    with pytest.raises(InputError, match=f"has MD5 {MD5}, published is 0000"):
        get(server, target, md5="0" * 32)
    assert not list(target.parent.iterdir())


def test_changed_file_without_md5_is_noticed(server, target):
    get(server, target, md5=None)
    record = json.loads((target.parent / "checksums.json").read_text())
    assert record == {"set.zip": hashlib.sha256(DATA).hexdigest()}
    target.unlink()
    (server.directory / "set.zip").write_bytes(DATA[::-1])
    with pytest.raises(InputError, match=r"checksums\.json recorded"):
        get(server, target, md5=None)
    assert not target.exists()
    assert json.loads((target.parent / "checksums.json").read_text()) == record


@pytest.mark.parametrize("text", ['{"set.zip": "12', '["set.zip"]'])
def test_damaged_record_says_what_to_do_and_keeps_what_came(server, target, text):
    target.parent.mkdir()
    record = target.parent / "checksums.json"
    record.write_text(text)
    with pytest.raises(InputError, match=r"checksums\.json .*; delete it and run this again"):
        get(server, target, md5=None)
    assert not target.exists()
    assert target.with_name("set.zip.part").read_bytes() == DATA
    record.unlink()
    get(server, target, md5=None)
    assert json.loads(record.read_text()) == {"set.zip": hashlib.sha256(DATA).hexdigest()}


def test_damaged_file_on_disk_is_noticed_and_left(server, target):
    get(server, target)
    target.write_bytes(DATA[:-1])
    with pytest.raises(InputError, match=r"wrong file; delete .*set\.zip"):
        get(server, target)
    assert target.exists()


def test_directory_that_cannot_be_written(server, tmp_path):
    (tmp_path / "data").write_text("a file where a directory should be")
    with pytest.raises(InputError, match=r"cannot write .*set\.zip\.part"):
        get(server, tmp_path / "data" / "set.zip")
