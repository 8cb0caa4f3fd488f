"""What to do about a file that cannot be written, by the system's number of the error."""

import errno
import re
from collections.abc import Mapping

_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, and limits on what one may write there."""
_ANOTHER: Mapping[int, str] = {
    errno.EROFS: "the disk is read-only; name a directory on another",
    errno.EACCES: "allow writing there, or name another directory",
    errno.EPERM: "allow writing there, or name another directory",
    errno.ENOTDIR: "a part of the path is a file; name another directory",
    errno.EEXIST: "a part of the path is a file; name another directory",
    errno.EISDIR: "a directory is in the way; name another",
    errno.ENAMETOOLONG: "name another directory",
}


def number_of(error: Exception) -> int | None:
    """Return the system's number of an error, also of one that a library put into words; None without one."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"os error (\d+)", str(error))
    return None if found is None else int(found[1])


def remedy(error: Exception, kept: str) -> str:
    """Say what lets a job go on after it could not write, and that `kept`, where it is to be resumed."""
    number = number_of(error)
    if number in _ROOM:
        return f"make room and repeat the command, {kept}"
    return _ANOTHER.get(number or 0, f"mend that and repeat the command, {kept}")
