"""
How what is sent to a webhook is signed: Standard Webhooks, symmetric (`v1`).

    signed    <webhook-id>.<webhook-timestamp>.<body>
    header    webhook-signature: v1,<base64 of HMAC-SHA256>, one for each secret that holds

No secret is kept: each is made again from the home's one key, the webhook's id, and how often its
secret was changed. It sends nothing.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chain.durable import make_folder

PREFIX: Final = "whsec_"
SCHEME: Final = "v1"
KEY_BYTES: Final = 32
INFO: Final = b"shulian webhook secret 1"


class SecretKey:
    """The home's key from which all webhook secrets are made."""

    def __init__(self, path: Path) -> None:
        """
        Open the key, or make it the first time.

        ensures: of several processes one makes it; it is on the disk before it is used
        """
        self._key = _read(path) if path.is_file() else _make(path)

    def secret(self, webhook_id: str, generation: int) -> bytes:
        """Return the secret that a webhook has after so many changes."""
        told = b"\n".join((INFO, webhook_id.encode("utf-8"), str(generation).encode("ascii")))
        return hmac.new(self._key, told, hashlib.sha256).digest()


def secret_text(secret: bytes) -> str:
    """Return a secret as its owner is shown it, once."""
    return PREFIX + base64.b64encode(secret).decode("ascii")


def headers_for(
    *, message_id: str, timestamp: int, body: bytes, keys: Sequence[bytes]
) -> Mapping[str, str]:
    """Return the three headers that say who sent a body, and when."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(key, message_id, timestamp, body) for key in keys),
    }


def message_id(webhook_id: str, *parts: str) -> str:
    """Return the id of a message: the same whenever the same thing is told to the same webhook."""
    told = "\n".join((webhook_id, *parts)).encode("utf-8")
    return "msg_" + hashlib.sha256(told).hexdigest()[:32]


def _signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    signed = b"%s.%d.%s" % (message_id.encode("ascii"), timestamp, body)
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"{SCHEME},{base64.b64encode(digest).decode('ascii')}"


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} holds no key of {KEY_BYTES} bytes")
    return key


def _make(path: Path) -> bytes:
    make_folder(path.parent)
    fresh = path.with_name(f".fresh-{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link never replaces what another process made meanwhile.
            os.link(fresh, path)
        except FileExistsError:
            return _read(path)
    finally:
        fresh.unlink(missing_ok=True)
    return _read(path)
