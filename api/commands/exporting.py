"""
`shulian export` and `trust`: certificate files that peers check alone, and whom they may trust.

The files are of a checkpoint that exchanges signed (`api.commands.cosigning`). Writing is
`api.exports`', the list `api.trusting`'s.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.commands.failing import FileNotTaken, Misused, add
from api.commands.homes import HomeOption, JsonOption, settings_for
from api.commands.houses import (
    House,
    key_of,
    open_house,
    pairs_of,
    put,
    read_signed,
    told_of,
)
from api.commands.inputs import STANDARD
from api.commands.showing import print_json, print_pairs, print_table, say
from api.commands.signals import stoppable

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from api.commands.mirrors import Mirror
    from api.cosigning import SignedCheckpoint
    from api.exports import Exported
    from chain.values import ParticipantId
    from registry.trust import TrustedChain

DAY_SECONDS: Final = 86_400
AGE_DAYS: Final = 7


class SignerMissing(Misused):
    """An export is of a file that exchanges co-signed, or is signed here by the keys named."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, export, name="export", example="shulian export checkpoint.json")
    add(app, trust, name="trust", example="shulian trust trust.json --threshold 2")


def export(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A checkpoint that all its exchanges have signed; - is the standard input.",
            metavar="[FILE]",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            help="Sign the newest checkpoint here, with this key of the home alone; repeatable, for"
            " a home that holds the keys of several exchanges.",
            metavar="NAME",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Write the certificate files as of a checkpoint; from then on the API hands them out.

    The checkpoint is one that exchanges co-signed (`shulian checkpoint`), or is signed here by the
    keys named. Who trusts these files is for each verifier to decide: see `shulian trust`.
    """
    from api.content.stores import open_content
    from api.exports import write_exports
    from api.migrations import open_operational

    if (file is None) == (not by):
        raise SignerMissing()
    settings = settings_for(home)
    keys = [key_of(settings, one) for one in by or []]
    given = None if file is None else read_signed(file)
    with stoppable(), open_house(settings) as house:
        signed = _signed_here(house, keys) if given is None else given
        tree = house.tree(signed)
        operational = open_operational(settings.operational)
        try:
            content = open_content(settings, operational)
            exported = write_exports(
                house.mirror.session, content, signed=signed, tree=tree, folder=settings.exports
            )
        finally:
            operational.dispose()
        _tell_exported(house, exported, as_json=as_json)


def trust(
    threshold: Annotated[
        int, typer.Option(min=1, help="How many of the exchanges must have signed.")
    ],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The trust list to write; - is the standard output. By default exports/trust.json"
            " of the home, by which its own console judges.",
            metavar="[FILE]",
            show_default=False,
        ),
    ] = None,
    exchanges: Annotated[
        list[str] | None,
        typer.Option(
            "--exchange",
            help="An exchange to trust: its participant's id or the beginning of it; repeatable."
            " By default all that the ledger admits now.",
            metavar="ID",
        ),
    ] = None,
    issuers: Annotated[
        list[str] | None,
        typer.Option(
            "--issuer",
            help="An issuer whose certificates count, likewise; by default all with a code.",
            metavar="ID",
        ),
    ] = None,
    max_age_days: Annotated[
        int, typer.Option(min=0, help="How old a checkpoint may be; 0 for any age.")
    ] = AGE_DAYS,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Write a trust list of the ledger's exchanges, for whoever decides to trust them.

    It is the verifier's own file: nobody is trusted because a ledger says so.
    """
    from api.trusting import Wanted, exchanges_of, trust_list
    from registry.trust import write_trust

    settings = settings_for(home)
    with stoppable(), open_house(settings) as house:
        mirror = house.mirror
        wanted = Wanted(
            threshold=threshold,
            max_age_seconds=max_age_days * DAY_SECONDS,
            exchanges=_participants(mirror, exchanges),
            issuers=_participants(mirror, issuers),
        )
        found = trust_list(
            mirror.session,
            chain_id=house.deployment.chain_id,
            certificates=house.deployment.address_of("Certificates"),
            wanted=wanted,
            names=mirror.participants(exchanges_of(mirror.session, now=mirror.now)),
            now=mirror.now,
        )
    path = file or settings.exports / "trust.json"
    _require_trust_list(path)
    put(path, write_trust(found))
    _tell_trust(path, found.chains[0], as_json=as_json)


def _signed_here(house: House, keys: "Sequence[LocalAccount]") -> "SignedCheckpoint":
    from api.cosigning import sign as sign_with
    from chain.values import address

    signers = [house.signer(address(one.address)) for one in keys]
    signed = house.draft(signers, None)
    for key in keys:
        signed = sign_with(signed, key)
    return signed


def _participants(mirror: "Mirror", texts: list[str] | None) -> "tuple[ParticipantId, ...]":
    from chain.values import ParticipantId
    from registry.participants import Participant

    found = (mirror.resolve("participant", Participant, one) for one in texts or [])
    return tuple(ParticipantId(one) for one in found)


def _require_trust_list(path: Path) -> None:
    """Check that a trust list replaces nothing but a trust list."""
    from registry.trust import TrustListInvalid, read_trust

    if path == STANDARD or not path.exists():
        return
    try:
        read_trust(path.read_bytes() if path.is_file() else b"")
    except TrustListInvalid as error:
        raise FileNotTaken(path=str(path), reason="it is there, and no trust list") from error


def _tell_exported(house: House, exported: "Exported", *, as_json: bool) -> None:
    folder = str(house.settings.exports)
    told = {"exports": folder, "missing": list(exported.missing), **told_of(house, exported.signed)}
    if as_json:
        print_json(told)
        return
    missing = [("not written, its document is missing", name) for name in exported.missing]
    print_pairs([("exports", folder), *pairs_of(told), *missing])


def _tell_trust(path: Path, chain: "TrustedChain", *, as_json: bool) -> None:
    number = len(chain.exchanges)
    if as_json and path != STANDARD:
        exchanges = [
            {"participant_id": one.participant_id, "name": one.name, "accounts": one.accounts}
            for one in chain.exchanges
        ]
        told = {"threshold": chain.threshold, "max_age_seconds": chain.max_age_seconds}
        print_json({"file": str(path), **told, "exchanges": exchanges, "issuers": chain.issuers})
    elif path != STANDARD:
        rows = [(one.name, one.participant_id, ", ".join(one.accounts)) for one in chain.exchanges]
        print_table(("exchange", "id", "accounts"), rows)
        print_pairs([("trust list", str(path)), ("issuers", str(len(chain.issuers)))])
    say(
        f"By this list a certificate file counts if {chain.threshold} of these {number} exchanges"
        " signed it. Whoever verifies decides alone whom to trust."
    )
