"""
`ls` and `show` of every noun, read from the mirror.

What they tell of a record is what the API tells of it, in JSON the same way; for people amounts are
yuan and organisations have their names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

import typer
from sqlalchemy import select

from api.commands.failing import ValueNotTaken, add
from api.commands.homes import (
    AsOfBlockOption,
    AsOfTimeOption,
    HomeOption,
    JsonOption,
    require_home,
    settings_for,
)
from api.commands.mirrors import Json, Mirror, digits_of, open_reading, record_of
from api.commands.nouns import NOUNS, Noun, load
from api.commands.showing import print_json, print_pairs, print_table, say
from api.commands.wording import names_for, pairs_of, plain_text, title_of
from api.moments import moment_text
from api.wire import time_text as time_on_the_wire
from chain.abi import hints_of
from chain.codec import optional, plain, to_json
from chain.facts import Entry
from chain.reads import Page, Recorded, count, events_about, find, history, page
from chain.records import key_of
from chain.tables import key_names, table_of
from registry.assets import Asset
from registry.certificates import Certificate
from registry.participants import Participant
from registry.store import every

LIMIT: Final = 20
LIMIT_MAX: Final = 10_000
RELATED_MAX: Final = 100
EVENTS_MAX: Final = 200
AS_OF: Final = ("as_of_block", "as_of_time")


def register(app: typer.Typer, noun: Noun) -> None:
    """Add `ls` and `show` of a noun."""
    record = record_of(noun)
    told = f"{noun.help[0].lower()}{noun.help[1:]}"
    add(
        app,
        _lister(noun, record),
        name="ls",
        example=f"shulian {noun.name} ls --limit 5",
        help=f"List {told}",
    )
    add(
        app,
        _shower(noun, record),
        name="show",
        example=f"shulian {noun.name} show 0x3fa85f64",
        help=f"Show one {noun.name} with what hangs on it, its history and events.",
    )


# --- ls -------------------------------------------------------------------------------------------


def _lister(noun: Noun, record: type) -> Callable[..., None]:
    def ls(**given: Any) -> None:
        settings = settings_for(given.pop("home"))
        require_home(settings.home)
        as_json, limit = given.pop("as_json"), given.pop("limit")
        asked = {name: given.pop(name) for name in AS_OF}
        with open_reading(settings, **asked) as mirror:
            where, at_block = _where(record, given), mirror.at_block
            kept: Page[Any] = page(
                mirror.session,
                record,
                where=where,
                limit=limit,
                newest_first=True,
                at_block=at_block,
            )
            found = kept.items
            total = count(mirror.session, record, where=where, at_block=at_block)
            if as_json:
                items = mirror.items(record, found)
                print_json({"items": items, "total": total, "as_of": mirror.as_of()})
                return
            _print_records(mirror, record, noun.columns, found)
            if total > len(found):
                say(f"{len(found)} of {total}; more with --limit {total}")

    said = "At most this many, the newest first."
    limit = Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help=said)]
    return signed(ls, [*_filters(record), parameter("limit", limit, LIMIT), *COMMON])


def _filters(record: type) -> Iterator[Parameter]:
    hints = hints_of(record)
    for one in fields(record):
        if one.metadata.get("index"):
            words = one.name.replace("_", " ")
            codes = _codes(hints[one.name])
            taken = "" if codes is None else f" ({', '.join(code.name for code in codes)})"
            option = typer.Option(help=f"Only with this {words}{taken}.", show_default=False)
            yield parameter(one.name, Annotated[str | None, option], None)


def _codes(hint: Any) -> type[Enum] | None:
    kind = plain(optional(plain(hint))[0])
    return kind if isinstance(kind, type) and issubclass(kind, Enum) else None


def _where(record: type, given: Mapping[str, str | None]) -> dict[str, Any]:
    hints = hints_of(record)
    return {
        name: _filter(record, hints[name], name, text)
        for name, text in given.items()
        if text is not None
    }


def _filter(record: type, hint: Any, name: str, text: str) -> Any:
    codes = _codes(hint)
    if codes is not None:
        if text.upper() not in codes.__members__:
            taken = ", ".join(codes.__members__)
            raise ValueNotTaken(option=f"--{name.replace('_', '-')}", reason=f"one of {taken}")
        return codes[text.upper()]
    if name == "code":
        return _code(text)
    column = table_of(record).table.c[name]
    return select(column).where(column.startswith(f"0x{digits_of(name, text)}")).distinct()


def _code(text: str) -> str:
    return text if text.startswith("0x") else "0x" + text.encode().ljust(32, b"\0").hex()


# --- show -----------------------------------------------------------------------------------------


def _shower(noun: Noun, record: type) -> Callable[..., None]:
    def show(**given: Any) -> None:
        settings = settings_for(given["home"])
        require_home(settings.home)
        with open_reading(settings, **{name: given[name] for name in AS_OF}) as mirror:
            found = one_of(mirror, noun, record, given)
            if given["as_json"]:
                print_json(_told(mirror, noun, record, found))
            else:
                _show(mirror, noun, record, found)

    return signed(show, [*which(record), *COMMON])


def which(record: type) -> Iterator[Parameter]:
    """Return the argument and options that name one record."""
    said = "The id, or its first eight digits or more."
    if record is Certificate:
        said = "The id, its first eight digits or more, or the certificate's code."
    wanted = Annotated[str, typer.Argument(help=said, metavar="ID", show_default=False)]
    yield parameter("id", wanted, Parameter.empty)
    for name in key_names(record)[1:]:
        yield parameter(name, Annotated[str | None, typer.Option(help=f"Of this {name}.")], None)


def one_of(mirror: Mirror, noun: Noun, record: type, given: Mapping[str, Any]) -> Recorded[Any]:
    """
    Return the record that an id, its beginning or a code names; of several versions the last.

    :raises IdUnknown: IdAmbiguous: IdTooShort: if it names none, or more than one
    """
    text = str(given["id"])
    rest = {name: given[name] for name in key_names(record)[1:]}
    first = _by_code(mirror, record, text) or mirror.resolve(noun.name, record, text)
    name = key_names(record)[0]
    held: Iterator[Any] = every(
        mirror.session, record, where={name: first}, at_block=mirror.at_block
    )
    keys = [tuple(getattr(one, part) for part in key_names(record)) for one in held]
    wanted = [key for key in keys if _fits(key[1:], rest)]
    if not wanted:
        raise mirror.missing(noun.name, record, first, *rest.values())
    found: Recorded[Any] | None = find(
        mirror.session, record, *max(wanted), at_block=mirror.at_block
    )
    assert found is not None, "it was listed in this transaction"
    return found


def _by_code(mirror: Mirror, record: type, text: str) -> str | None:
    if record is not Certificate:
        return None
    where = {"code": _code(text)}
    held = every(mirror.session, Certificate, where=where, at_block=mirror.at_block)
    return next((one.certificate_id for one in held), None)


def _fits(key: Sequence[Any], rest: Mapping[str, str | None]) -> bool:
    return all(
        text is None or str(value) == text or str(value).startswith(f"0x{text.removeprefix('0x')}")
        for value, text in zip(key, rest.values(), strict=True)
    )


def _told(mirror: Mirror, noun: Noun, record: type, found: Recorded[Any]) -> Json:
    versions = _versions(mirror, record, found)
    past = [
        {**item, "from_block": one.from_block, "to_block": one.to_block}
        for one, item in zip(versions, mirror.items(record, versions), strict=True)
    ]
    hanging = {
        name: mirror.items(kind, those) for name, kind, those in _hanging(mirror, noun, found)
    }
    events = [_event(one) for one in _events(mirror, found)]
    (item,) = mirror.items(record, [found])
    return {
        **item,
        "related": hanging,
        "history": past,
        "events": events,
        "as_of": mirror.as_of(),
    }


def _show(mirror: Mirror, noun: Noun, record: type, found: Recorded[Any]) -> None:
    hints = hints_of(record)
    names = names_for(mirror, record, [found.record])
    (item,) = mirror.items(record, [found])
    derived = [(title_of(name), _word(item[name])) for name in item if name not in hints]
    own = [
        pair
        for name, hint in hints.items()
        for pair in pairs_of(name, hint, getattr(found.record, name), names)
    ]
    print_pairs([*own, *derived])
    for name, kind, those in _hanging(mirror, noun, found):
        if those:
            _print_records(mirror, kind, _columns_of(kind), those, title=title_of(name))
    _print_history(mirror, record, _versions(mirror, record, found))
    rows = [
        (str(one.event.meta.block_number), moment_text(one.event.meta.timestamp), _name(one))
        for one in _events(mirror, found)
    ]
    print_table(("block", "time", "event"), rows, title="events")


def _print_history(mirror: Mirror, record: type, versions: Sequence[Recorded[Any]]) -> None:
    hints = hints_of(record)
    names = names_for(mirror, record, (one.record for one in versions))
    rows = []
    for before, after in zip(versions, versions[1:], strict=False):
        changed = [
            f"{title_of(name)} {plain_text(name, hint, getattr(after.record, name), names)}"
            for name, hint in hints.items()
            if getattr(before.record, name) != getattr(after.record, name)
        ]
        rows.append((str(after.from_block), ", ".join(changed)))
    first = [(str(versions[0].from_block), "recorded")] if versions else []
    print_table(("block", "what changed"), [*first, *rows], title="history")


def _versions(mirror: Mirror, record: type, found: Recorded[Any]) -> tuple[Recorded[Any], ...]:
    held: tuple[Recorded[Any], ...] = history(mirror.session, record, *key_of(found.record))
    last = mirror.block.number
    return tuple(
        one if one.to_block is None or one.to_block <= last else replace(one, to_block=None)
        for one in held
        if one.from_block <= last
    )


def _events(mirror: Mirror, found: Recorded[Any]) -> tuple[Entry, ...]:
    topic = str(key_of(found.record)[0])
    return events_about(mirror.session, topic, limit=EVENTS_MAX, at_block=mirror.at_block)


def _hanging(
    mirror: Mirror, noun: Noun, found: Recorded[Any]
) -> Iterator[tuple[str, type, tuple[Recorded[Any], ...]]]:
    first = getattr(found.record, key_names(type(found.record))[0])
    for one in noun.related:
        kind = load(one.record)
        where = {one.field: first}
        found_there = page(
            mirror.session, kind, where=where, limit=RELATED_MAX, at_block=mirror.at_block
        )
        yield one.name, kind, found_there.items


def _event(entry: Entry) -> Json:
    event, meta = entry.event, entry.event.meta
    kind: Any = type(event)
    hints = {name: hint for name, hint in hints_of(kind).items() if name != "meta"}
    return {
        "name": _name(entry),
        "block_number": meta.block_number,
        "log_index": meta.log_index,
        "transaction_hash": meta.transaction_hash,
        "time": time_on_the_wire(meta.timestamp),
        "fields": {name: to_json(hint, getattr(event, name)) for name, hint in hints.items()},
    }


def _name(entry: Entry) -> str:
    return type(entry.event).__name__


# --- both -----------------------------------------------------------------------------------------


def _print_records(
    mirror: Mirror,
    record: type,
    columns: Sequence[str],
    found: Sequence[Recorded[Any]],
    *,
    title: str = "",
) -> None:
    hints = hints_of(record)
    names = names_for(mirror, record, (one.record for one in found))
    items = mirror.items(record, found)
    # What something is called stands beside its own id, not in its place.
    own = key_names(record)[0] if record in (Asset, Participant) else ""
    rows = [
        [
            plain_text(name, hints[name], getattr(one.record, name), {} if name == own else names)
            if name in hints
            else _word(item[name])
            for name in columns
        ]
        for one, item in zip(found, items, strict=True)
    ]
    print_table([title_of(name) for name in columns], rows, title=title)


def _columns_of(record: type) -> Sequence[str]:
    path = f"{record.__module__}:{record.__name__}"
    known = [noun.columns for noun in NOUNS if noun.record == path]
    return known[0] if known else tuple(hints_of(record))


def _word(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def parameter(name: str, annotation: Any, default: Any) -> Parameter:
    """Return an option or argument of a command that is made from a record."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def signed(function: Callable[..., None], parameters: Iterable[Parameter]) -> Callable[..., None]:
    """Give a command its options and arguments."""
    function.__signature__ = Signature(list(parameters))  # type: ignore[attr-defined]
    return function


COMMON: Final = (
    parameter("as_of_block", AsOfBlockOption, None),
    parameter("as_of_time", AsOfTimeOption, None),
    parameter("home", HomeOption, None),
    parameter("as_json", JsonOption, False),
)
