"""
`history` of every noun: the versions of one record, oldest first, with what made each.

It tells what `/v1/<noun>/{id}/history` does, read from the mirror of this machine.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

import typer

from api.commands.failing import add
from api.commands.homes import require_home, settings_for
from api.commands.looking import AS_OF, COMMON, one_of, signed, which
from api.commands.mirrors import Json, Mirror, forms, open_reading, record_of
from api.commands.nouns import Noun
from api.commands.showing import print_json, print_table
from api.moments import moment_text
from chain.histories import Version, versions
from chain.records import key_of

STEP = 200


def register(app: typer.Typer, noun: Noun) -> None:
    """Add `history` of a noun."""
    add(
        app,
        _teller(noun, record_of(noun)),
        name="history",
        example=f"shulian {noun.name} history 0x3fa85f64",
        help=f"Show the versions of one {noun.name}, oldest first, with what made each.",
    )


def _teller(noun: Noun, record: type) -> Callable[..., None]:
    def history(**given: Any) -> None:
        settings = settings_for(given["home"])
        require_home(settings.home)
        with open_reading(settings, **{name: given[name] for name in AS_OF}) as mirror:
            found = one_of(mirror, noun, record, given)
            told = _versions(mirror, record, key_of(found.record))
            items = [_told(mirror, record, one) for one in told]
            if given["as_json"]:
                print_json({"items": items, "as_of": mirror.as_of()})
                return
            rows = [_row(one, item) for one, item in zip(told, items, strict=True)]
            print_table(("from", "to", "time", "event", "transaction"), rows)

    return signed(history, [*which(record), *COMMON])


def _versions(mirror: Mirror, record: type, key: tuple[Any, ...]) -> list[Version[Any]]:
    parts: list[tuple[Version[Any], ...]] = []
    part: tuple[Version[Any], ...]
    after: int | None = -1
    while after is not None:
        part, after = versions(
            mirror.session, record, *key, after=after, limit=STEP, at_block=mirror.at_block
        )
        parts.append(part)
    return list(chain.from_iterable(parts))


def _told(mirror: Mirror, record: type, version: Version[Any]) -> Json:
    from api.histories import version_json

    values = version.recorded.record
    shown = {name: form.convert(getattr(values, name)) for name, form in forms(record)}
    return version_json(version, record=shown, final_number=mirror.final_number)


def _row(version: Version[Any], item: Json) -> tuple[str, ...]:
    return (
        str(item["from_block"]),
        "" if item["to_block"] is None else str(item["to_block"]),
        moment_text(version.from_time),
        item["event"],
        item["transaction_hash"],
    )
