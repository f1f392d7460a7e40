"""Archives that nobody has to trust."""

import io
import stat
import tarfile
import zipfile

import numpy as np
import pytest

from tagalign.download.unpack import unpack, unpacked_hash
from tagalign.errors import InputError
from tiny_sets import pack_tar, pack_zip

LIMIT = 10**6


@pytest.fixture
def tree(tmp_path):
    """A directory with three files, one of them below another directory."""
    root = tmp_path / "made" / "set"
    (root / "audio").mkdir(parents=True)
    for name in ("a.txt", "audio/b.wav", "audio/c.wav"):
        # Noise cannot be compressed, so that cutting the archive cuts a member.
        (root / name).write_bytes(np.random.default_rng(len(name)).bytes(50_000))
    return root


def contents(root):
    found = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    return {name: data for name, data in found.items() if not name.startswith(".")}


def tar_of(path, *members):
    """A tar of (TarInfo or name, data)."""
    with tarfile.open(path, "w:gz") as tar:
        for member, data in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("pack", [pack_tar, pack_zip])
def test_round_trip(pack, tree, tmp_path):
    target = tmp_path / "out"
    unpack(pack(tmp_path / "set.archive", tree), target, sha256="x", limit=LIMIT)
    assert contents(target / "set") == contents(tree)


@pytest.mark.parametrize("pack", [pack_tar, pack_zip])
def test_wanted_members_only(pack, tree, tmp_path):
    target = tmp_path / "out"
    archive = pack(tmp_path / "set.archive", tree)
    unpack(archive, target, sha256="x", limit=LIMIT, wanted=lambda name: name.endswith("b.wav"))
    assert set(contents(target)) == {"set/audio/b.wav"}


def test_unpacked_once_per_hash(tree, tmp_path):
    archive, target = pack_tar(tmp_path / "set.tar.gz", tree), tmp_path / "out"
    unpack(archive, target, sha256="x", limit=LIMIT)
    (target / "set" / "a.txt").write_text("changed")
    unpack(archive, target, sha256="x", limit=LIMIT)
    assert (target / "set" / "a.txt").read_text() == "changed"
    unpack(archive, target, sha256="another archive", limit=LIMIT)
    assert contents(target / "set") == contents(tree)


def test_second_archive_joins_the_first(tree, tmp_path):
    target = tmp_path / "out"
    unpack(pack_tar(tmp_path / "1.tar.gz", tree), target, sha256="x", limit=LIMIT)
    (tree / "a.txt").unlink()
    (tree / "d.txt").write_text("new")
    unpack(pack_tar(tmp_path / "2.tar.gz", tree), target, sha256="y", limit=LIMIT)
    assert set(contents(target / "set")) == {"a.txt", "d.txt", "audio/b.wav", "audio/c.wav"}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("pack", [pack_tar, pack_zip])
def test_truncated_archive_leaves_nothing(pack, share, tree, tmp_path):
    archive, target = pack(tmp_path / "set.archive", tree), tmp_path / "out"
    data = archive.read_bytes()
    archive.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"set\.archive (is broken or truncated|is neither)"):
        unpack(archive, target, sha256="x", limit=LIMIT)
    assert contents(target) == {}


def pack_bz2(target, source):
    # In blocks smaller than the tree: the first, which tells what the file is, must stay whole.
    with tarfile.open(target, "w:bz2", compresslevel=1) as tar:
        tar.add(source, source.name)
    return target


@pytest.mark.parametrize("pack", [pack_tar, pack_bz2, pack_zip])
def test_damaged_byte_is_noticed(pack, tree, tmp_path):
    archive = pack(tmp_path / "set.archive", tree)
    data = bytearray(archive.read_bytes())
    data[3 * len(data) // 4] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(InputError, match=r"set\.archive is broken or truncated \(\w.*; delete it"):
        unpack(archive, tmp_path / "out", sha256="x", limit=LIMIT)
    assert contents(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        # Places in the directory entry of a member: its compression; the flag that says its
        # name is UTF-8, and the first byte of that name.
        ({10: 99}, "compression method is not supported"),
        ({9: 0x08, 46: 0xFF}, "can't decode byte 0xff"),
        ({46: 0}, "member '' lies outside"),
    ],
)
def test_zip_with_a_damaged_directory(entry, message, tmp_path):
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", b"good")
    data = bytearray(archive.read_bytes())
    start = data.index(b"PK\x01\x02")
    for offset, byte in entry.items():
        data[start + offset] = byte
    archive.write_bytes(data)
    with pytest.raises(InputError, match=message):
        unpack(archive, tmp_path / "out", sha256="x", limit=LIMIT)
    assert contents(tmp_path / "out") == {}


def test_damaged_record_of_an_earlier_unpacking_is_made_again(tree, tmp_path):
    archive, target = pack_tar(tmp_path / "set.tar.gz", tree), tmp_path / "out"
    unpack(archive, target, sha256="x", limit=LIMIT)
    (target / ".set.tar.gz.unpacked").write_text('"x')
    assert unpacked_hash(archive, target) is None
    unpack(archive, target, sha256="x", limit=LIMIT)
    assert unpacked_hash(archive, target) == "x"


@pytest.mark.parametrize(
    "name", ["../escaped", "/etc/escaped", "a/../../escaped", "a\\..\\..\\escaped", "c:/escaped"]
)
def test_paths_outside_are_refused(name, tmp_path):
    archive = tar_of(tmp_path / "x.tar.gz", ("good.txt", b"good"), (name, b"bad"))
    with pytest.raises(InputError, match="lies outside"):
        unpack(archive, tmp_path / "out", sha256="x", limit=LIMIT)
    assert contents(tmp_path / "out") == {}
    assert not list(tmp_path.rglob("*escaped*"))
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(name, b"bad")
    with pytest.raises(InputError, match="lies outside"):
        unpack(tmp_path / "x.zip", tmp_path / "out", sha256="x", limit=LIMIT)
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_in_tar_are_refused(kind, tmp_path):
    info = tarfile.TarInfo("trap")
    info.type, info.linkname = kind, "/etc/passwd"
    archive = tar_of(tmp_path / "x.tar.gz", (info, b""))
    with pytest.raises(InputError, match=r"member 'trap' is a (link|special file)"):
        unpack(archive, tmp_path / "out", sha256="x", limit=LIMIT)


def test_link_in_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("trap")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="member 'trap' is a link"):
        unpack(tmp_path / "x.zip", tmp_path / "out", sha256="x", limit=LIMIT)


@pytest.mark.parametrize("suffix", ["tar.gz", "zip"])
def test_bomb_stops_at_the_limit(suffix, tmp_path):
    bomb = bytes(20 * LIMIT)
    archive = tmp_path / f"x.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("zeros", bomb)
    else:
        tar_of(archive, ("zeros", bomb))
    assert archive.stat().st_size < LIMIT / 10
    with pytest.raises(InputError, match=f"more than {LIMIT} bytes"):
        unpack(archive, tmp_path / "out", sha256="x", limit=LIMIT)
    assert contents(tmp_path / "out") == {}


def test_page_instead_of_an_archive(tmp_path):
    page = tmp_path / "set.tar.gz"
    page.write_text("<html>please log in</html>")
    with pytest.raises(InputError, match="neither a tar nor a zip"):
        unpack(page, tmp_path / "out", sha256="x", limit=LIMIT)


def test_target_that_cannot_be_written(tree, tmp_path):
    (tmp_path / "out").write_text("a file where a directory should be")
    with pytest.raises(InputError, match=r"cannot unpack .*set\.zip into"):
        unpack(pack_zip(tmp_path / "set.zip", tree), tmp_path / "out", sha256="x", limit=LIMIT)
