"""Unpack an archive that nobody has to trust: plain files below the target, and no more.

Refused: paths outside the target, links, devices, encrypted members, and archives whose
content exceeds a limit. The members appear in the target only when all came out whole.
"""

import json
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tagalign.errors import InputError
from tagalign.progress import Progress

CHUNK = 2**20
LONGEST_HEADER = 2**18  # bytes of a long name or of pax records

DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # zip: a version or compression that there is not
    UnicodeDecodeError,  # zip: the name of a member
)
"""What the libraries raise for damaged bytes, besides an OSError without a number."""

Member = tuple[str, Callable[[], BinaryIO]]
"""Path inside the archive, and a function that opens it."""


def unpack(
    archive: Path,
    target: Path,
    *,
    sha256: str,
    limit: int,
    wanted: Callable[[str], bool] | None = None,
) -> None:
    """Unpack a tar (plain or compressed) or zip archive into `target`, once.

    Parameters
    ----------
    archive
        The archive.
    target
        Directory to unpack into; it is made if it is absent.
    sha256
        Hash of the archive. It is kept beside the members, and an archive that was unpacked
        before is not unpacked again.
    limit : int
        Most bytes that may come out.
    wanted
        Which members to unpack, by their path; None takes all.

    Raises
    ------
    InputError
        The archive is broken, truncated, larger than `limit`, or holds a member that could
        write elsewhere. Nothing appears in `target` then.
    """
    if unpacked_hash(archive, target) == sha256:
        return
    part = target / f".{archive.name}.part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _write_members(archive, part, limit, wanted)
        for child in sorted(part.iterdir()):
            _merge(child, target / child.name)
        _marker(archive, target).write_text(json.dumps(sha256))
    except DAMAGED as error:
        raise _broken(archive, error) from None
    except OSError as error:
        # gzip and bz2 complain of damaged bytes so; no call to the system has failed.
        if error.errno is None:
            raise _broken(archive, error) from None
        raise InputError(f"cannot unpack {archive} into {target}: {error.strerror}") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def unpacked_hash(archive: Path, target: Path) -> str | None:
    """SHA-256 of the archive of that name that was unpacked into `target`, None if none was."""
    marker = _marker(archive, target)
    try:
        return json.loads(marker.read_text()) if marker.exists() else None
    except ValueError:
        return None  # cut off while it was written: what is there may be another archive's


def _marker(archive: Path, target: Path) -> Path:
    return target / f".{archive.name}.unpacked"


def _write_members(
    archive: Path, part: Path, limit: int, wanted: Callable[[str], bool] | None
) -> None:
    written = 0
    with Progress(f"unpack {archive.name}", None, unit="files") as progress:
        for name, opened in _members(archive):
            path = _safe_path(archive, name)
            if wanted is not None and not wanted(name):
                continue
            target = part / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened() as source, open(target, "wb") as file:
                while chunk := source.read(CHUNK):
                    written += len(chunk)
                    if written > limit:
                        raise InputError(
                            f"{archive} holds more than {limit} bytes, which is more than the"
                            " data set has; it is not the published archive: delete it"
                        )
                    file.write(chunk)
            progress.update()


def _members(archive: Path) -> Iterator[Member]:
    """The plain files of an archive; anything else but a directory is refused."""
    # A tar may end with a zip, which would pass for one.
    if _is_tar(archive):
        yield from _tar_members(archive)
    elif zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
    else:
        raise InputError(f"{archive} is neither a tar nor a zip archive; delete it and run again")


class _Header(tarfile.TarInfo):
    """A header of a tar whose extensions, which are read into memory, stay small."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        plain = self.type in (*tarfile.REGULAR_TYPES, tarfile.DIRTYPE)
        if self.type == tarfile.GNUTYPE_SPARSE or (not plain and self.size > LONGEST_HEADER):
            raise tarfile.ReadError(f"a header of {self.size} bytes, or a sparse file")
        return super()._proc_member(tar)


def _is_tar(archive: Path) -> bool:
    try:
        with tarfile.open(archive, tarinfo=_Header):
            return True
    except tarfile.TarError:
        return False


def _tar_members(archive: Path) -> Iterator[Member]:
    with tarfile.open(archive, tarinfo=_Header) as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # NSynth has 289,205, which need not all be kept in memory
            if member.isdir():
                _safe_path(archive, member.name)
                continue
            if not member.isfile():
                kind = "link" if member.issym() or member.islnk() else "special file"
                raise _refused(archive, member.name, f"is a {kind}")
            yield member.name, lambda member=member: _ExactReader(tar.extractfile(member), member)
        # The end of the compressed stream holds a checksum that only reading it compares.
        while tar.fileobj.read(CHUNK):
            pass


class _ExactReader:
    """A member of a tar archive that complains if it ends too early."""

    def __init__(self, file: BinaryIO, member: tarfile.TarInfo):
        self.file, self.left, self.name = file, member.size, member.name

    def read(self, size: int) -> bytes:
        chunk = self.file.read(size)
        self.left -= len(chunk)
        if not chunk and self.left:
            raise EOFError(f"{self.name} ends {self.left} bytes too early")
        return chunk

    def __enter__(self) -> "_ExactReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _zip_members(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            # Not `is_dir`, which fails where the name is empty.
            if member.filename.endswith("/"):
                _safe_path(archive, member.filename)
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                what = "link" if kind == stat.S_IFLNK else "special file"
                raise _refused(archive, member.filename, f"is a {what}")
            if member.flag_bits & 1:
                raise _refused(archive, member.filename, "is encrypted")
            yield member.filename, lambda member=member: file.open(member)


def _safe_path(archive: Path, name: str) -> PurePosixPath:
    """The member's path below the target.

    Raises
    ------
    InputError
        It leads elsewhere.
    """
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    if outside or not path.parts or "\0" in name:
        raise _refused(archive, name, "lies outside the archive's own directory")
    return path


def _broken(archive: Path, error: Exception) -> InputError:
    return InputError(f"{archive} is broken or truncated ({error}); delete it and run this again")


def _refused(archive: Path, name: str, why: str) -> InputError:
    return InputError(
        f"{archive}: member {name!r} {why}; the archive is not the published one: delete it"
    )


def _merge(source: Path, target: Path) -> None:
    """Move a tree into place; files that were there are replaced."""
    if source.is_dir() and target.is_dir():
        for child in sorted(source.iterdir()):
            _merge(child, target / child.name)
    else:
        if target.is_dir():
            shutil.rmtree(target)
        source.replace(target)
