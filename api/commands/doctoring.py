"""
`shulian doctor`: looks at an installation and says what to mend.

The looking is `api.doctor`'s.
"""

import os
from typing import Annotated, Any, Final

import typer

from api.commands.failing import REFUSED, Misused, add
from api.commands.homes import HomeOption, JsonOption, told_settings
from api.commands.showing import clean, console, print_json

STYLES: Final = {"OK": "green", "WARN": "yellow", "FAIL": "bold red"}


class LanguageUnknown(Misused):
    """There are no words in this language."""

    language: str
    known: tuple[str, ...]


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, doctor, name="doctor", example="shulian doctor --lang zh")


def doctor(
    lang: Annotated[
        str | None,
        typer.Option(help="en or zh; by default that of LANG.", metavar="LANGUAGE"),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Look at an installation and say what to mend; exit 1 if anything must be.

    It only reads and asks: settings, home, keys, disk, chain, contracts, mirror, database, content
    store, port, certificate and proxy, backups.
    """
    from api.doctor.examination import examine
    from api.doctor.findings import LANGUAGES, Level, language_of

    language = lang or language_of(os.environ)
    if language not in LANGUAGES:
        raise LanguageUnknown(language=language, known=LANGUAGES)
    told = told_settings(home)
    items = []
    for found in examine(told, os.environ):
        item = {
            "check": found.check,
            "case": found.case,
            "level": found.level.value,
            "said": found.said(language),
            "next_step": found.next_step(language),
        }
        items.append(item)
        if not as_json:
            _show(item)
    failed = sum(one["level"] == Level.FAIL.value for one in items)
    warned = sum(one["level"] == Level.WARN.value for one in items)
    if as_json:
        print_json({"ok": not failed, "failed": failed, "warned": warned, "findings": items})
    else:
        _sum(failed, warned, language)
    if failed:
        raise typer.Exit(REFUSED)


def _show(item: dict[str, Any]) -> None:
    from rich.text import Text

    out = console()
    line = Text(f"{item['level']:<4}  ", style=STYLES[item["level"]])
    out.print(line + Text(clean(item["said"]), style=""), soft_wrap=True)
    if item["next_step"]:
        out.print(Text(f"      → {clean(item['next_step'])}"), soft_wrap=True)


def _sum(failed: int, warned: int, language: str) -> None:
    from rich.text import Text

    from api.doctor.findings import words

    case = "sum.bad" if failed else "sum.odd" if warned else "sum.good"
    told = words(language)[case]["said"].format(failed=failed, warned=warned)
    console().print(Text(told, style="bold"))
