"""
`shulian audit`: the mirror against the chain.

The comparing is `api.auditing.audit`'s.
"""

from dataclasses import asdict
from typing import Final

import typer

from api.commands.failing import REFUSED, add
from api.commands.homes import HomeOption, JsonOption, settings_for
from api.commands.progress import parts
from api.commands.showing import print_json, print_pairs

SHOWN_MAX: Final = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, audit, name="audit", example="shulian audit --json")


def audit(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """
    Compare every row of the mirror with the contracts; exit 0 only if all are equal.

    That all are equal also ends the alarms of the mirror's audit of itself.
    """
    from api.auditing.alarms import clear_alarms
    from api.auditing.audit import audit as compare
    from api.commands.ledgers import open_ledger, open_parts

    with open_ledger(settings_for(home)) as opened, open_parts(opened) as services:
        with parts(is_quiet=as_json) as shown:
            shown.begin("records against the contracts")
            found = compare(services.mirror, services.node, note=shown.count)
        if found.equal:
            clear_alarms(services.operational, now=services.clock())
    if as_json:
        told = asdict(found)
        print_json({name: told[name] for name in ("equal", "compared", "differences")})
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
