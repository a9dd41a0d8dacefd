"""
The archives in a folder of backups: the newest, and taking away those that are older than enough.

Making one is `api.upkeep.backups`'. Nothing else in the folder is touched.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# As `archive_name` makes it.
NAME: Final = re.compile(r"shulian-(\d+|empty)-\d+-(\d{8}T\d{6}Z)\.tar\.gz")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Archive:
    """A file in a folder of backups, by what its name says."""

    moment: str
    chain: str
    path: Path


def archive_name(*, chain_id: int | None, block_number: int | None, made_at: str) -> str:
    """Return the name of an archive in a folder of them: by chain, block and time (RFC 3339)."""
    moment = made_at.replace("-", "").replace(":", "")
    return f"shulian-{chain_id or 'empty'}-{block_number or 0}-{moment}.tar.gz"


def archives_in(folder: Path) -> tuple[Archive, ...]:
    """
    Return the archives in a folder that a backup has named, the oldest first.

    :raises OSError: if the folder cannot be read
    """
    found = []
    for path in folder.iterdir():
        read = NAME.fullmatch(path.name)
        if read is not None and path.is_file() and not path.is_symlink():
            found.append(Archive(moment=read[2], chain=read[1], path=path))
    return tuple(sorted(found))


def keep_newest(made: Path, number: int) -> tuple[Path, ...]:
    """
    Remove what is older than the newest archives beside the one just made; return what was removed.

    shape:   `number` counts the one just made, so it is 1 at least
    ensures: that one stays, and so do archives of other chains, newer ones, and all other files
    """
    read = NAME.fullmatch(made.name)
    assert read is not None
    chain, moment = read[1], read[2]
    peers = [one for one in archives_in(made.parent) if one.chain == chain]
    older = [one.path for one in peers if one.moment < moment and one.path != made]
    removed = older[: max(0, len(older) - (number - 1))]
    for path in removed:
        path.unlink()
    return tuple(removed)


def newest_at(folder: Path) -> int | None:
    """
    Return when the newest archive in a folder was made, in seconds; None if there is none.

    :raises OSError: if the folder cannot be read
    """
    found = archives_in(folder)
    return max((int(one.path.stat().st_mtime) for one in found), default=None)
