"""Files in a folder that others may write too: opened without following links, and shared as the store's folder is.

Whoever may write a store's folder may put a link, a FIFO or somebody else's file under any name there. So nothing below
the store's own folder is opened by its path: each folder is opened from the one above it, a link is refused at every
step, and what is opened must be a regular file, with one name where it is written. What is written goes under a random
name first.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LARGEST = 1 << 30
"""Bytes of a plan, a status or a log that are read; nothing that passk writes is larger."""


class NotPlain(OSError):
    """Something is a link, a FIFO, a device or a file with a second name, where a file of the store was expected."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(errno.ELOOP, f"it is {what}, not a plain file of the store", str(path))


@contextmanager
def folder_inside(root: Path, folder: Path) -> Iterator[int]:
    """A handle of a folder at or below `root`, which alone may lead over links; for `dir_fd`.

    Raises:
        OSError: it is not there, is no folder, or a link leads to it.
    """
    current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in folder.relative_to(root).parts:
            try:
                below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            except OSError as error:
                raise _refusal(error, folder, name, current) from error
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def open_inside(root: Path, path: Path, flags: int) -> int:
    """Open (or with O_CREAT make) a plain file below `root`; one that is made is shared as `root` is.

    Raises:
        OSError: as `open` does; `NotPlain` where it is no plain file.
    """
    with folder_inside(root, path.parent) as folder:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            try:
                file = os.open(path.name, flags & ~os.O_CREAT, dir_fd=folder)
            except FileNotFoundError:
                if not flags & os.O_CREAT:
                    raise
                try:
                    file = os.open(path.name, flags | os.O_EXCL, 0o600, dir_fd=folder)
                    share(file, root)
                except FileExistsError:  # somebody else's, a moment ago
                    file = os.open(path.name, flags & ~os.O_CREAT, dir_fd=folder)
        except OSError as error:
            raise _refusal(error, path, path.name, folder) from error
    try:
        require_plain(path, os.fstat(file), one_name=flags & (os.O_WRONLY | os.O_RDWR) != 0)
    except NotPlain:
        os.close(file)
        raise
    return file


def _refusal(error: OSError, path: Path, name: str, folder: int) -> OSError:
    """A link's or a FIFO's error in words; any other as it is, with the whole path."""
    with suppress(OSError):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            return NotPlain(path, _kind(found))
    return OSError(error.errno, error.strerror, str(path))


def _kind(found: os.stat_result) -> str:
    kinds = (
        (stat.S_ISLNK, "a link"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"), (stat.S_ISDIR, "a folder"),
    )  # fmt: skip
    return next((words for holds, words in kinds if holds(found.st_mode)), "a device")


def require_plain(path: Path, found: os.stat_result, *, one_name: bool = False) -> None:
    """Raise `NotPlain` for anything but a regular file; also, where it is written, for one with a second name."""
    if not stat.S_ISREG(found.st_mode):
        raise NotPlain(path, _kind(found))
    # What is only read may have one: backups by hard links do.
    if one_name and found.st_nlink > 1:
        raise NotPlain(path, "a file with a second name (a hard link)")


def require_plain_file(path: Path) -> bool:
    """Whether a file is there; for one that a library opens by its path.

    Raises:
        NotPlain: it is a link, a FIFO, a device.
        OSError: nobody can tell.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    require_plain(path, found)
    return True


def read_inside(root: Path, path: Path, *, last: int | None = None) -> bytes:
    """The bytes of a plain file below `root`, or only its last ones.

    Raises:
        OSError: as `open_inside`, or it is larger than anything that passk writes.
    """
    return read_with_owner(root, path, last=last)[0]


def read_with_owner(root: Path, path: Path, *, last: int | None = None) -> tuple[bytes, os.stat_result]:
    """The same, and whose file that is; raises like `read_inside`."""
    with open(open_inside(root, path, os.O_RDONLY), "rb") as file:
        found = os.fstat(file.fileno())
        if last is not None:
            file.seek(max(found.st_size - last, 0))
            return file.read(last), found
        if found.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"it has {found.st_size:,} bytes, more than passk writes", str(path))
        return file.read(LARGEST), found


def write_inside(root: Path, path: Path, data: bytes, *, private: bool = False) -> None:
    """Put a file into its place below `root`, whole: readers see the old one or the new one.

    Args:
        root: the store's folder.
        path: the file.
        data: its bytes.
        private: nobody else may write it, whatever the store's folder allows.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    with folder_inside(root, path.parent) as folder:
        temporary = f"{path.name}.{secrets.token_hex(8)}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(temporary, flags, 0o600, dir_fd=folder), "wb") as file:
                file.write(data)
                share(file.fileno(), root, private=private)
            os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException as error:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(path)) from error
            raise


def share(file: int | Path, root: Path, *, private: bool = False) -> None:
    """Give a file or folder of ours the group and the rights of the store's folder, whatever the umask is.

    So a group shares a store by the rights of its folder alone. Others never get the right to write.
    """
    with suppress(OSError):  # another's, or a file system without rights: as it is
        of_root, found = os.stat(root), os.stat(file)
        if found.st_gid != of_root.st_gid and of_root.st_mode & 0o070:
            with suppress(OSError):  # a group that this user is not in
                os.chown(file, -1, of_root.st_gid)
        if stat.S_ISDIR(found.st_mode):
            mode = 0o700 | of_root.st_mode & 0o2075
        else:
            mode = 0o600 | of_root.st_mode & (0o044 if private else 0o064)
        if stat.S_IMODE(found.st_mode) != mode:
            os.chmod(file, mode)


def is_mine(found: os.stat_result) -> bool:
    """Whether nobody but this user can have written a file."""
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022
