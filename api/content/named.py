"""
The documents and files that an event names: every digest in it that content can be asked for by.

It reads no database (`api.content.rounds` does) and no content.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, Final, get_args

from chain.abi import hints_of
from chain.codes import DigestAlg
from chain.documents import Digest
from chain.event import Event
from chain.events import EVENTS, DeliveryAccepted
from chain.values import ZERO_BYTES32, Bytes32, CertificateId

SUFFIX: Final = "_digest"

# Digests of something that is no content of a store: a code, an account, signed terms (EIP-712), or
# what another event names already.
NO_CONTENT: Final = frozenset(
    {
        "ParticipantApplied.uscc_digest",
        "WithdrawalRequested.payee_account_digest",
        "AssetReviewed.reviewed_digest",
        "TradeConcluded.terms_digest",
        "TradeConcluded.terms.predecessor_digest",
    }
)

# The event says no algorithm, because the certificate that the same act issued does.
AS_THE_CERTIFICATE: Final = "DeliveryAccepted.receipt_digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A digest and the field of an event that names it."""

    digest: Digest
    by: str


def named_in(
    event: Event, algorithm_of: Callable[[CertificateId], DigestAlg | None] = lambda _: None
) -> Iterator[Named]:
    """
    Yield what an event names.

    shape: `algorithm_of` tells how a certificate's document was digested, by the certificate's id
    """
    kind: Any = type(event)
    for path in paths_in(kind):
        by = ".".join((kind.__name__, *path))
        for value, stated in _values(event, path, None):
            algorithm = stated
            if by == AS_THE_CERTIFICATE and isinstance(event, DeliveryAccepted):
                algorithm = algorithm_of(event.certificate_id)
            if value != ZERO_BYTES32 and algorithm:
                yield Named(digest=Digest(value, algorithm), by=by)


def naming_events() -> tuple[str, ...]:
    """Return the names of the events that name any content."""
    kinds: dict[str, Any] = dict(EVENTS)
    return tuple(name for name, kind in kinds.items() if paths_in(kind))


@cache
def paths_in(kind: Any) -> tuple[tuple[str, ...], ...]:
    """Return where in an event digests of content stand: the fields to go through."""
    paths = _paths(kind, ())
    return tuple(one for one in paths if ".".join((kind.__name__, *one)) not in NO_CONTENT)


def _paths(kind: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, hint in hints_of(kind).items():
        if name.endswith(SUFFIX):
            yield (*above, name)
        # A struct, or a list of one kind of struct.
        for inner in (hint, *get_args(hint)):
            if name != "meta" and is_dataclass(inner):
                yield from _paths(inner, (*above, name))


def _values(
    holder: Any, path: tuple[str, ...], algorithm: DigestAlg | None
) -> Iterator[tuple[Bytes32, DigestAlg | None]]:
    """Yield what stands at a path, each with the algorithm stated beside it or nearest above."""
    stated = getattr(holder, "digest_alg", algorithm)
    value, rest = getattr(holder, path[0]), path[1:]
    if not rest:
        yield value, stated
        return
    for one in value if isinstance(value, tuple) else (value,):
        yield from _values(one, rest, stated)
