"""
The list, in a Kubo node's own files, from digests to roots: for content whose CID does not state
its digest.

It is read block by block from what the node has, because the node's own commands for files wait
without end for a block that is lost, and hold up all others meanwhile.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from ipfshttpclient import exceptions

from chain.documents import Cid, Digest
from chain.failure import LedgerError
from chain.kubo_blocks import is_damaged
from chain.kubo_node import KuboNode, says_absent

_FOLDER = "shulian"
# A collection of garbage may take a folder of the list that was changed while it ran.
_PAUSES = (0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
_MEANWHILE = ("already has entry", "does not exist", "not found", "could not find")


class ContentNotListed(LedgerError):
    """The Kubo node holds this content, but its list of digests does not take it."""

    digest: str
    address: str


def listed(node: KuboNode, digest: Digest) -> Cid | None:
    """Return the CID that the node's own files list under a digest."""
    return _walk(node, digest)[0]


def list_under(node: KuboNode, digest: Digest, cid: Cid) -> None:
    """
    List content under a digest that its CID does not state.

    ensures: a folder of the list that is damaged is begun anew; what else it held is listed again
             when it is put again
    """
    for pause in (*_PAUSES, None):
        there, broken = _walk(node, digest)
        if there == cid:
            return
        if pause is None:
            break
        try:
            _list(node, digest, cid, there, broken)
        except exceptions.ErrorResponse as error:
            # Another process lists the same, or begins a folder anew that we are in.
            if not any(words in str(error) for words in _MEANWHILE):
                raise
            time.sleep(pause)
    raise ContentNotListed(digest=digest.value, address=node.address)


def _list(
    node: KuboNode, digest: Digest, cid: Cid, there: Cid | None, broken: _Broken | None
) -> None:
    names = _names(digest)
    if broken is not None:
        _begin_anew(node, broken)
    elif there is not None:
        node.ask("/files/rm", _path(names), force="true")
    node.ask("/files/mkdir", _path(names[:-1]), parents="true")
    node.ask("/files/cp", f"/ipfs/{cid}", _path(names))


@dataclass(frozen=True, slots=True)
class _Broken:
    """A folder of the list that cannot be read: where it is, and its damaged or missing block."""

    names: tuple[str, ...]
    cid: Cid


def _walk(node: KuboNode, digest: Digest) -> tuple[Cid | None, _Broken | None]:
    """Return what a digest leads to, or the folder on the way there that cannot be read."""
    names = _names(digest)
    cid = Cid(node.ask("/files/stat", "/")["Hash"])
    for depth, name in enumerate(names):
        if is_damaged(node, cid):
            return None, _Broken(names[:depth], cid)
        try:
            told = node.ask("/ls", cid, resolve_type="false", size="false")
        except exceptions.ErrorResponse as error:
            if not says_absent(error):
                raise
            return None, _Broken(names[:depth], cid)
        found = (link["Hash"] for link in told["Objects"][0]["Links"] if link["Name"] == name)
        below = next(found, None)
        if below is None:
            return None, None
        cid = Cid(below)
    return cid, None


def _begin_anew(node: KuboNode, broken: _Broken) -> None:
    # The same folder again would have the same block, which is not written while it is there.
    node.ask("/block/rm", broken.cid, force="true")
    node.ask("/files/rm", _path(broken.names or (_FOLDER,)), force="true")


def _names(digest: Digest) -> tuple[str, ...]:
    name = digest.value[2:]
    return _FOLDER, digest.algorithm.name.lower(), name[:2], name


def _path(names: tuple[str, ...]) -> str:
    return "/" + "/".join(names)
