"""
`shulian config show` and `init`: which settings hold and why, and a file to write them into.

What they mean is `api.config`'s; secrets are shown to nobody.
"""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import Misused, add
from api.commands.homes import CONFIG, HomeOption, JsonOption, settings_for, told_settings
from api.commands.showing import print_json, print_pairs, print_table
from chain.durable import fresh_file, publish
from chain.failure import Conflict

if TYPE_CHECKING:
    from api.config import Given, Told

HELP: Final = "The settings: which hold, where each came from, and a file for them."
EXAMPLE: Final = "\b\nExample:\n  shulian config show"
TITLE: Final = (
    "Settings of a Shulian ledger. What stands behind # is the default. A variable SHULIAN_<NAME>"
    " of the environment wins over this file, and an option of a command over both. Passwords"
    " belong into files of their own. `shulian config show` tells what holds, and why."
)
# A service's group may read it: it holds no secret.
MODE: Final = 0o640


class ConfigExists(Conflict):
    """There is a file of settings already; nothing was written."""

    path: str


class AssignmentMalformed(Misused):
    """A setting is given as NAME=VALUE."""

    given: str


SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Write this value; repeatable.", metavar="NAME=VALUE", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=HELP, epilog=EXAMPLE, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="config")
    add(group, show, name="show", example="shulian config show --json")
    add(
        group,
        init,
        name="init",
        example="shulian config init /etc/shulian/shulian.toml --set port=8300",
    )


def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show every setting with its value, without secrets, and where it came from."""
    told = told_settings(home)
    items = list(_items(told))
    if as_json:
        print_json({"file": None if told.config is None else str(told.config), "settings": items})
        return
    print_pairs([("file", str(told.config or "none"))])
    print_table(
        ("setting", "value", "from"), ((one["name"], one["value"], one["from"]) for one in items)
    )


def init(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="Where to write it; by default where it is looked for.", metavar="FILE"
        ),
    ] = None,
    assignments: SetOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a file of settings with a comment for each; one that is there is left alone."""
    from api.config import CONFIG_NAME, Settings, about
    from api.config_file import Line, config_text

    named = path or CONFIG.get()
    target = named.expanduser().absolute() if named else settings_for(home).home / CONFIG_NAME
    values = _values(assignments or [])
    lines = [
        Line(
            name=one.name,
            said=" ".join(filter(None, (about(one).said, _expected(about(one).expected)))),
            default=one.default if isinstance(one.default, int) else str(one.default),
            value=values.get(one.name),
        )
        for one in fields(Settings)
    ]
    if target.exists():
        raise ConfigExists(path=str(target))
    with fresh_file(target.parent) as file:
        file.write(config_text(TITLE, lines).encode("utf-8"))
        Path(file.name).chmod(MODE)
        publish(file, target)
    if as_json:
        print_json({"file": str(target), "settings": sorted(values)})
    else:
        print_pairs([("file", str(target)), ("settings", ", ".join(sorted(values)) or "defaults")])


def _items(told: "Told") -> Any:
    from api.config import PREFIX, about, shown

    for one in fields(told.settings):
        yield {
            "name": one.name,
            "value": shown(told.settings, one.name),
            "from": told.places[one.name],
            "variable": PREFIX + one.name.upper(),
            "meaning": about(one).said,
        }


def _values(assignments: list[str]) -> dict[str, str | int]:
    from api.config import assigned

    found: dict[str, str | int] = {}
    for given in assignments:
        name, mark, text = given.partition("=")
        if not mark:
            raise AssignmentMalformed(given=given)
        found[name] = _plain(assigned(name, text))
    return found


def _plain(given: "Given") -> str | int:
    return given.value if isinstance(given.value, int) else str(given.value)


def _expected(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""
