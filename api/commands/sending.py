"""
Carries out an act: sends it, signs it for somebody else, or sends what somebody else signed.

It judges nothing: the contract does, and its named error comes back before anything was sent.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from eth_abi.exceptions import EncodingError

from api.commands.failing import FileNotTaken, Misused
from api.commands.homes import require_home
from api.commands.ledgers import Opened, open_ledger
from api.commands.mirrors import open_reading
from api.commands.options import Helpers, flag_of, read_act, read_json_file
from api.commands.showing import parse_time, print_json, print_pairs
from api.config import Settings
from chain.abi import Struct, hints_of
from chain.act import Act
from chain.client import Sent
from chain.codec import from_json, to_json
from chain.content import ContentStore
from chain.decoder import decode_receipt
from chain.documents import canonical
from chain.event import Event
from chain.structs import Authorization
from chain.values import Bytes32
from registry.certificates import Certificate, fields_of

SIGNED_FOR_SECONDS: Final = 30 * 86_400
NONCE_BITS: Final = 48
JSON_SUFFIX: Final = ".json"


class ActNotTaken(Misused):
    """The arguments do not fit the contract's function."""

    reason: str


class AuthorizationDiffers(Misused):
    """The file holds the signature of an act with another value."""

    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How an act shall be carried out, as the options say."""

    by: str
    key: str | None
    file: Path | None
    sign_only: bool
    authorization: Path | None
    deadline: str | None
    as_json: bool


def carry_out(
    kind: type[Act], given: Mapping[str, str | None], how: How, settings: Settings
) -> None:
    """
    Send, sign or relay an act, and print what came of it.

    :raises LedgerError: the contract's named error; nothing was sent then
    """
    require_home(settings.home)
    with open_ledger(settings, relayer=how.by) as opened:
        known, authorization = _from_files(how)
        act = _act(kind, given, known, how, opened)
        if authorization is not None:
            _require_same(act, known)
        if how.sign_only:
            print_json(_signed(opened, act, how))
            return
        key = how.key or key_of(act, by=how.by)
        if authorization is None:
            sent = opened.ledger.act(act, by=opened.keyring.existing(how.by), key=key)
        else:
            sent = opened.ledger.relay(act, authorization, key=key)
        _print(opened, sent, how)


def key_of(act: Act, *, by: str) -> str:
    """Return the business key of an act that was given none: the same act, the same key."""
    content = canonical([by, type(act).__name__, act.to_json()])
    return f"command/{sha256(content).hexdigest()}"


def _from_files(how: How) -> tuple[dict[str, Any], Authorization | None]:
    if how.authorization is None:
        known = read_json_file(how.file) if how.file else {}
        if not isinstance(known, dict):
            raise FileNotTaken(path=str(how.file), reason="it holds no JSON object")
        return known, None
    path = how.authorization
    held = read_json_file(path)
    try:
        return dict(held["act"]), from_json(Authorization, held["authorization"])
    except (KeyError, TypeError, ValueError) as error:
        reason = "it is not what --sign-only prints: {act, authorization}"
        raise FileNotTaken(path=str(path), reason=reason) from error


def _act(
    kind: type[Act],
    given: Mapping[str, str | None],
    known: Mapping[str, Any],
    how: How,
    opened: Opened,
) -> Act:
    salted = how.key or _salt_key(given, known, how)
    helpers = Helpers(
        digest_of_file=lambda path: _kept(opened.content, path),
        fields_of_certificate=lambda text: _certificate(opened.settings, text),
    )
    act = read_act(kind, given, known=known, key=salted, helpers=helpers)
    try:
        act.arguments_hash()
    except (EncodingError, ValueError, TypeError, OverflowError) as error:
        raise ActNotTaken(reason=str(error)) from error
    return act


def _salt_key(given: Mapping[str, str | None], known: Mapping[str, Any], how: How) -> str:
    told = {name: text for name, text in given.items() if text is not None}
    return f"command/{sha256(canonical([how.by, told, dict(known)])).hexdigest()}"


def _kept(content: ContentStore, path: Path) -> Bytes32:
    """Keep a file: JSON in its canonical form, everything else as it is."""
    if not path.is_file():
        raise FileNotTaken(path=str(path), reason="there is no such file")
    if path.suffix == JSON_SUFFIX:
        return content.put(canonical(read_json_file(path))).digest.value
    return content.put(path).digest.value


def _certificate(settings: Settings, text: str) -> Struct:
    with open_reading(settings) as mirror:
        wanted = mirror.resolve("certificate", Certificate, text)
        return fields_of(mirror.require(Certificate, wanted))


def _require_same(act: Act, known: Mapping[str, Any]) -> None:
    for name, value in act.to_json().items():
        if known.get(name) != value:
            raise AuthorizationDiffers(option=f"{flag_of(name)} {value}")


def _signed(opened: Opened, act: Act, how: How) -> dict[str, Any]:
    now = max(int(time.time()), opened.ledger.now())
    deadline = (
        now + SIGNED_FOR_SECONDS
        if how.deadline is None
        else parse_time(how.deadline, option="--deadline")
    )
    authorization = opened.ledger.sign_act(
        act,
        opened.keyring.existing(how.by),
        nonce=secrets.randbits(NONCE_BITS),
        deadline=deadline,
    )
    return {"act": act.to_json(), "authorization": to_json(Authorization, authorization)}


# --- what came of it ------------------------------------------------------------------------------


def _print(opened: Opened, sent: Sent, how: How) -> None:
    events = () if sent.transaction_hash is None else _events(opened, sent.transaction_hash)
    told = {
        "key": sent.key,
        "state": sent.state.value,
        "is_repeat": sent.is_repeat,
        "transaction_hash": sent.transaction_hash,
        "block_number": sent.block_number,
        "events": [{"name": type(one).__name__, "fields": _fields(one)} for one in events],
    }
    if how.as_json:
        print_json(told)
        return
    done = "was done before; give another --key to do it again" if sent.is_repeat else "done"
    pairs = [("act", done), ("transaction", str(sent.transaction_hash or "somebody else's"))]
    pairs += [("block", str(sent.block_number))] if sent.block_number is not None else []
    for one in events:
        ids = [f"{name} {value}" for name, value in _fields(one).items() if name.endswith("_id")]
        pairs.append((type(one).__name__, ", ".join(ids)))
    print_pairs(pairs)


def _events(opened: Opened, transaction_hash: Bytes32) -> Sequence[Event]:
    connection = opened.ledger.sender.connection
    receipt = connection.request("eth_getTransactionReceipt", transaction_hash)
    return () if receipt is None else decode_receipt(receipt)


def _fields(event: Event) -> dict[str, Any]:
    hints = hints_of(_plain(type(event)))
    return {
        name: to_json(hint, getattr(event, name)) for name, hint in hints.items() if name != "meta"
    }


def _plain(kind: Any) -> Any:
    # A class whose instances have no hash is itself hashable, which the checker does not see.
    return kind
