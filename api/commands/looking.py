"""
`ls` and `show` of every noun, read from the mirror.

What they show of a record is what the API tells of it, in JSON the same way; for people amounts are
yuan and organisations have their names.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

import typer

from api.commands.arguments import choices_of, take_code
from api.commands.failing import ValueNotTaken, add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.mirrors import IdTooShort, IdUnknown, Json, Mirror, open_reading, record_of
from api.commands.nouns import Noun, load
from api.commands.showing import print_json, print_pairs, print_table, say, short
from api.commands.wording import Names, names_for, plain_text
from chain.abi import hints_of
from chain.codec import optional, plain, to_json
from chain.reads import Recorded, count, events_about, find, history, page
from chain.tables import key_names
from chain.values import bytes32
from registry.certificates import Certificate
from registry.store import every

LIMIT: Final = 20
LIMIT_MAX: Final = 10_000
EVENTS_MAX: Final = 200
HISTORY_OPTION = "Show what held at this version, for records that have versions."


def register(app: typer.Typer, noun: Noun) -> None:
    """Add `ls` and `show` of a noun."""
    record = record_of(noun)
    add(
        app,
        _lister(noun, record),
        name="ls",
        example=f"shulian {noun.name} ls --limit 5",
        help=f"List: {noun.help[0].lower()}{noun.help[1:]} The newest come first.",
    )
    add(
        app,
        _shower(noun, record),
        name="show",
        example=f"shulian {noun.name} show 0x3fa85f64",
        help=f"Show one {noun.name} with its history and events. Eight digits of the id will do.",
    )


# --- ls -------------------------------------------------------------------------------------------


def _lister(noun: Noun, record: type) -> Callable[..., None]:
    def ls(**given: Any) -> None:
        settings = settings_for(given.pop("home"))
        require_home(settings.home)
        as_json, limit = given.pop("as_json"), given.pop("limit")
        with open_reading(settings) as mirror:
            where = _where(mirror, noun, record, given)
            found = page(mirror.session, record, where=where, limit=limit, newest_first=True)
            total = count(mirror.session, record, where=where)
            items = mirror.items(record, found.items)
            if as_json:
                print_json({"items": items, "total": total, "as_of": mirror.as_of()})
                return
            _print_items(noun.columns, record, found.items, items, mirror)
            if total > len(items):
                say(f"{len(items)} of {total}; see more with --limit {total}")

    return _signed(ls, [*_filters(record), *_LIST_OPTIONS])


def _filters(record: type) -> Iterable[Parameter]:
    hints = hints_of(record)
    for one in fields(record):
        if one.metadata.get("index"):
            said = f"Only those with this {one.name.replace('_', ' ')}."
            choices = choices_of(hints[one.name])
            option = typer.Option(f"--{one.name.replace('_', '-')}", help=said, show_default=False)
            yield _parameter(one.name, Annotated[choices or str, option] | None, None)  # type: ignore[operator]


def _where(mirror: Mirror, noun: Noun, record: type, given: Mapping[str, Any]) -> dict[str, Any]:
    hints = hints_of(record)
    return {
        name: _filter(mirror, noun, hints[name], name, value)
        for name, value in given.items()
        if value is not None
    }


def _filter(mirror: Mirror, noun: Noun, hint: Any, name: str, value: Any) -> Any:
    kind = plain(optional(plain(hint))[0])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return take_code(kind, value)
    if name == "code" and not value.startswith("0x"):
        return _code(value)
    try:
        return bytes32(value)
    except ValueError as error:
        raise ValueNotTaken(option=f"--{name}", reason=str(error)) from error


_LIST_OPTIONS: Final = (
    Parameter(
        "limit",
        Parameter.KEYWORD_ONLY,
        default=LIMIT,
        annotation=Annotated[
            int, typer.Option(min=1, max=LIMIT_MAX, help="At most this many, the newest first.")
        ],
    ),
    Parameter("home", Parameter.KEYWORD_ONLY, default=None, annotation=HomeOption),
    Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption),
)
