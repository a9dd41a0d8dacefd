"""
`shulian audit` and `shulian export`: the mirror against the chain, and certificates as files.

The comparing is `api.audit`'s, the signing and writing `api.exports`'.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from api.commands.failing import REFUSED, add
from api.commands.homes import HomeOption, JsonOption, settings_for
from api.commands.showing import print_json, print_pairs

if TYPE_CHECKING:
    from sqlmodel import Session

    from api.commands.ledgers import Opened
    from api.exports import SignedCheckpoint
    from chain.content import ContentStore
    from chain.deployments import Deployment
    from chain.keys import Keyring

SHOWN_MAX = 20


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, audit, name="audit", example="shulian audit --json")
    add(app, export, name="export", example="shulian export --home .shulian")


def audit(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Compare every row of the mirror with the contracts; exit 0 only if all are equal."""
    from api.audit import audit as compare
    from api.commands.ledgers import catch_up, open_ledger, open_parts

    with open_ledger(settings_for(home)) as opened:
        if opened.is_ours:
            catch_up(opened)
        with open_parts(opened) as services:
            found = compare(services.mirror, services.node)
    told = asdict(found)
    if as_json:
        print_json(told)
    else:
        verdict = "equal" if found.equal else f"different in {found.difference_count} places"
        pairs = [("mirror", verdict), ("records compared", str(found.compared))]
        pairs.append(("as of block", str(found.block_number)))
        differences = [
            (one.record, f"{one.key} {one.field}: mirror {one.mirrored}, chain {one.on_chain}")
            for one in found.differences[:SHOWN_MAX]
        ]
        print_pairs([*pairs, *differences])
    if not found.equal:
        raise typer.Exit(REFUSED)


def export(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Sign a checkpoint with the exchanges' keys of this home, and write the certificate files."""
    from sqlmodel import Session

    from api.commands.ledgers import catch_up, open_ledger, open_parts

    with open_ledger(settings_for(home)) as opened:
        if opened.is_ours:
            catch_up(opened)
        with open_parts(opened) as services, Session(services.mirror) as session:
            signed = export_files(
                session,
                opened.content,
                opened.keyring,
                opened.ledger.deployment,
                opened.settings.exports,
            )
    checkpoint = signed.checkpoint
    told: dict[str, Any] = {
        "exports": str(opened.settings.exports),
        "certificates": checkpoint.count,
        "as_of": {"block_number": checkpoint.block_number, "block_hash": checkpoint.block_hash},
        "root": checkpoint.root,
        "signed_by": [one.participant_id for one in signed.signatures],
    }
    if as_json:
        print_json(told)
        return
    print_pairs(
        [
            ("exports", told["exports"]),
            ("certificates", str(checkpoint.count)),
            ("as of block", str(checkpoint.block_number)),
            ("signatures", str(len(signed.signatures))),
        ]
    )


def export_files(
    session: "Session",
    content: "ContentStore",
    keyring: "Keyring",
    deployment: "Deployment",
    folder: Path,
) -> "SignedCheckpoint":
    """Write checkpoint, certificates and trust list, signed by the exchanges that have keys here."""
    from api.demo.cast import EXCHANGE_A, EXCHANGE_B
    from api.demo.consortium import CHECKPOINT_MAX_AGE_SECONDS
    from api.exports import Cosigner, Venue
    from api.exports import export as write
    from chain.values import participant_id
    from registry.participants import IssuerCode
    from registry.store import every

    cosigners = [
        Cosigner(
            participant_id=participant_id(one.uscc),
            name=one.name_zh,
            account=keyring.existing(one.slug),
        )
        for one in (EXCHANGE_A, EXCHANGE_B)
    ]
    issuers = tuple(one.participant_id for one in every(session, IssuerCode))
    venue = Venue(
        chain_id=deployment.chain_id,
        certificates=deployment.address_of("Certificates"),
        issuers=issuers,
        max_age_seconds=CHECKPOINT_MAX_AGE_SECONDS,
    )
    return write(session, content, venue=venue, cosigners=cosigners, folder=folder)
