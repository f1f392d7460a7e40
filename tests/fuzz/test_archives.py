"""Archives with any bytes in them, and headers that claim gigabytes."""

import hashlib
import io
import tarfile
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagalign.download.unpack import unpack
from tagalign.errors import InputError


def plain(kind):
    """An archive of two files."""
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/one.txt", "one " * 50)
            archive.writestr("two.txt", "two")
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode=kind) as archive:
        for name, text in (("a/one.txt", b"one " * 50), ("two.txt", b"two")):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


ARCHIVES = [plain(kind) for kind in ("zip", "w", "w:gz")]
CHANGES = st.lists(st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=8)), max_size=5)


@given(st.sampled_from(ARCHIVES), CHANGES, st.integers(1, 2**16))
def test_a_mutated_archive_stays_in_its_place(tmp_path_factory, content, changes, end):
    base = tmp_path_factory.mktemp("archive")
    data = bytearray(content)
    for place, new in changes:
        place %= len(data)
        data[place : place + len(new)] = new
    archive = base / "archive"
    archive.write_bytes(data[:end])
    try:
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        unpack(archive, base / "inside", sha256=digest, limit=10_000)
    except InputError as error:
        if str(archive) not in str(error):
            raise
    assert {path.name for path in base.iterdir()} <= {"archive", "inside"}


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_of_many_megabytes_is_not_read(tmp_path, kind):
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 64 * 2**20
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.fileobj.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            archive.fileobj.write(bytes(2**20))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"a\.tar\.gz"):
            unpack(tmp_path / "a.tar.gz", tmp_path / "out", sha256="0" * 64, limit=2**30)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
