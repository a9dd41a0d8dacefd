"""
What people ask the registry's tables for, beyond one record, a page or a history (`chain.reads`).

It is not the projection: nothing here writes.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from sqlmodel import Session

from chain.abi import bytes_of, hex_of
from chain.codes import AssetKind
from chain.errors import CertificateNotFound
from chain.failure import LedgerError, NotFound
from chain.lookups import reached, rows_by
from chain.reads import Recorded, count, find, page
from chain.values import Address, AssetId, CertificateId, ParticipantId, word_of
from registry import tables as tables
from registry.assets import Asset, AssetHead, AssetLink, AssetReview
from registry.certificates import Certificate
from registry.lineage import Direction, Node, asset_node, number_of, version_at
from registry.participants import Account, RoleGrant

PAGE_MAX = 1_000

# The fields of a link at which a walk stands, and to which it goes.
LINKS: Final[Mapping[Direction, tuple[str, str]]] = {
    Direction.UPSTREAM: ("child", "parent"),
    Direction.DOWNSTREAM: ("parent", "child"),
}

R = TypeVar("R")


class CertificateCodeUnknown(NotFound):
    """No certificate has this code."""

    code: str


def every(
    session: Session,
    record: type[R],
    *,
    where: Mapping[str, Any] | None = None,
    at_block: int | None = None,
) -> Iterator[R]:
    """Return all records that match, page by page, in the order of the chain: none is left out."""
    after = None
    while True:
        rows = page(session, record, where=where, after=after, limit=PAGE_MAX, at_block=at_block)
        for row in rows.items:
            yield row.record
        if rows.next is None:
            return
        after = rows.next


def find_account(
    session: Session, account: Address, *, at_block: int | None = None
) -> Account | None:
    """Return the account of an address, if it belongs to anyone."""
    found = find(session, Account, account, at_block=at_block)
    return None if found is None else found.record


def list_roles(
    session: Session, participant_id: ParticipantId, *, at_block: int | None = None
) -> tuple[RoleGrant, ...]:
    """Return every role that a participant was ever granted and still has in the register."""
    return tuple(
        every(session, RoleGrant, where={"participant_id": participant_id}, at_block=at_block)
    )


def list_reviews(
    session: Session, asset_id: AssetId, version: int, *, at_block: int | None = None
) -> tuple[AssetReview, ...]:
    """Return the security reviews of one version of an asset."""
    where = {"asset_id": asset_id, "version": version}
    return tuple(every(session, AssetReview, where=where, at_block=at_block))


def registered_version(session: Session, asset_id: AssetId, *, at_block: int | None = None) -> int:
    """Return the highest registered version of an asset, or 0."""
    head = find(session, AssetHead, asset_id, at_block=at_block)
    return 0 if head is None else head.record.registered_version


def find_version(
    session: Session, asset_id: AssetId, version: int | None, *, at_block: int | None = None
) -> int:
    """
    Return the version that is meant: the one given, else the newest registered, else the newest
    declared; 0 for an unknown asset.
    """
    if version is not None:
        return version
    head = find(session, AssetHead, asset_id, at_block=at_block)
    return 0 if head is None else head.record.registered_version or head.record.version


def find_certificate(
    session: Session, name: str, *, at_block: int | None = None
) -> Recorded[Certificate]:
    """
    Return a certificate by its id, or by the code that people read.

    :raises CertificateNotFound: if no certificate has this id
    :raises CertificateCodeUnknown: if none has this code
    """
    if name.startswith("0x"):
        found = find(session, Certificate, name, at_block=at_block)
        if found is None:
            raise certificate_missing(name)
        return found
    code = word_of(name)
    rows = page(session, Certificate, where={"code": code}, limit=1, at_block=at_block)
    if not rows.items:
        raise certificate_missing(name)
    return rows.items[0]


def certificate_missing(name: str) -> LedgerError:
    """Return the error that says of an id or a code that no certificate has it."""
    if name.startswith("0x"):
        return CertificateNotFound(certificate_id=CertificateId(name))
    return CertificateCodeUnknown(code=name)


def count_assets(session: Session, kind: AssetKind, *, at_block: int | None = None) -> int:
    """Return how many versions of assets of a kind were declared."""
    return count(session, Asset, where={"kind": kind}, at_block=at_block)


def list_certificates(
    session: Session, ids: Iterable[CertificateId] | None = None, *, at_block: int | None = None
) -> tuple[Certificate, ...]:
    """Return all certificates, or those with these ids, in the order of the chain."""
    where = None if ids is None else {"certificate_id": tuple(ids)}
    return tuple(every(session, Certificate, where=where, at_block=at_block))


def asset_numbers(
    session: Session, nodes: Iterable[Node], *, at_block: int | None = None
) -> dict[Node, int]:
    """Return the numbers of those of these nodes that are declared versions of assets."""
    wanted = set(nodes)
    found = rows_by(
        session,
        Asset,
        ("asset_id", "version", "sequence"),
        by="asset_id",
        values=sorted({bytes_of(node.id) for node in wanted}),
        at_block=at_block,
    )
    numbered = (
        (asset_node(hex_of(asset_id), version), number_of(sequence=sequence, version=version))
        for asset_id, version, sequence in found
    )
    return {node: number for node, number in numbered if node in wanted}


def asset_nodes(
    session: Session, numbers: Iterable[int], *, at_block: int | None = None
) -> dict[int, Node]:
    """Return the nodes of these numbers."""
    wanted = set(numbers)
    found = rows_by(
        session,
        Asset,
        ("asset_id", "version", "sequence"),
        by="sequence",
        values=sorted({version_at(number)[0] for number in wanted}),
        at_block=at_block,
    )
    nodes = {}
    for asset_id, version, sequence in found:
        number = number_of(sequence=sequence, version=version)
        if number in wanted:
            nodes[number] = asset_node(hex_of(asset_id), version)
    return nodes


def linked(
    session: Session, numbers: Iterable[int], direction: Direction, *, at_block: int | None = None
) -> set[int]:
    """Return the numbers of the versions that are one link away, upstream or downstream."""
    near, far = LINKS[direction]
    return reached(session, AssetLink, near=near, far=far, values=numbers, at_block=at_block)


def asset_links(
    session: Session, numbers: Iterable[int], direction: Direction, *, at_block: int | None = None
) -> list[tuple[int, int, str]]:
    """Return the links of these versions on one side, in order: parent, child, relation."""
    return sorted(
        rows_by(
            session,
            AssetLink,
            ("parent", "child", "relation"),
            by=LINKS[direction][0],
            values=sorted(numbers),
            at_block=at_block,
        )
    )
