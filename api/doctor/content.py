"""
The content store: whether it is there, which it is, and whether it takes what is put.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.doctor.findings import Finding, bad, good, odd
from api.settings import Settings
from chain.failure import LedgerError

KUBO_SECONDS = 5


def examine_content(settings: Settings) -> Iterator[Finding]:
    """Look at the store that the settings name; nothing is put."""
    url = settings.content_url
    if url.startswith("file:"):
        yield _files(Path(unquote(urlsplit(url).path)), settings)
    else:
        yield _kubo(url.removeprefix("ipfs:"), settings)


def _files(folder: Path, settings: Settings) -> Finding:
    if not folder.is_dir():
        if folder == settings.home / "content":
            return good("content", "unmade", place=folder)
        return bad("content", "missing", place=folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        return bad("content", "readonly", place=folder)
    return good("content", "files", place=folder)


def _kubo(address: str, settings: Settings) -> Finding:
    from chain.kubo_node import KuboNode

    try:
        node = KuboNode(
            address, timeout_seconds=KUBO_SECONDS, is_remote_allowed=bool(settings.content_remote)
        )
        with node.reaching():
            version = node.ask("/version")["Version"]
            stat = node.ask("/repo/stat", size_only="true")
            # Who it is connected to, an offline answer does not say.
            peers = node.ask_others("/swarm/peers", seconds=KUBO_SECONDS).get("Peers") or ()
            cached = node.ask("/config/show").get("Datastore", {}).get("BlockKeyCacheSize")
    except LedgerError as error:
        return bad("content", "silent", place=address, reason=error)
    size, most = int(stat["RepoSize"]), int(stat["StorageMax"])
    values = {"place": address, "version": version, "size": size >> 20, "peers": len(peers)}
    if size > most * 9 // 10:
        return odd("content", "full", most=most >> 20, **values)
    # Without the setting Kubo keeps a cache, too.
    if cached != 0:
        return odd("content", "cached", place=address)
    return good("content", "kubo", **values)
