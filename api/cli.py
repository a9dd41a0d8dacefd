"""
The command line `shulian`: puts the groups of commands together, and loads only what is called.

It does nothing itself: every command is in `api.commands`. Judging a certificate file must start
fast and without a ledger, so nothing heavy is imported here.
"""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from api.commands import (
    auditing,
    backing,
    configuring,
    consortium,
    cosigning,
    doctoring,
    exporting,
    founding,
    hooking,
    keeping,
    kitting,
    mirroring,
    performing,
    serving,
    telling,
    tracing,
    verifying,
    vouching,
)
from api.commands.homes import CONFIG
from api.commands.nouns import NOUNS, Noun

HELP: Final = "Shulian 数链: the ledger that data exchanges share."
EPILOG: Final = "\b\nExample:\n  shulian demo --once"
STANDING: Final = (
    serving,
    telling,
    performing,
    verifying,
    vouching,
    tracing,
    auditing,
    cosigning,
    exporting,
    backing,
    mirroring,
    keeping,
    hooking,
    founding,
    configuring,
    consortium,
    doctoring,
    kitting,
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        sys.stdout.write(f"shulian {version('shulian')}\n")
        raise typer.Exit()


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        help="The file of settings; by default SHULIAN_CONFIG, or shulian.toml in the home.",
        metavar="FILE",
    ),
]
VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", help="Say which version this is.", is_eager=True, callback=_tell_version
    ),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and end the process with its exit code."""
    if not sys.warnoptions:
        # They are for those who write programs, and stand between what a command says.
        warnings.simplefilter("ignore")
    given = list(sys.argv[1:] if arguments is None else arguments)
    build(set(given))(args=given, prog_name="shulian")


def build(groups: set[str] | None = None) -> typer.Typer:
    """
    Return the application.

    shape: only the groups named get their commands, by default all; the others show in the help
    """
    app = typer.Typer(
        name="shulian",
        help=HELP,
        epilog=EPILOG,
        rich_markup_mode=None,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_before)
    for module in STANDING:
        module.register(app)
    for noun in NOUNS:
        is_wanted = groups is None or noun.name in groups
        app.add_typer(_group(noun, is_filled=is_wanted), name=noun.name)
    return app


def _group(noun: Noun, *, is_filled: bool) -> typer.Typer:
    epilog = f"\b\nExample:\n  shulian {noun.name} ls"
    group = typer.Typer(help=noun.help, epilog=epilog, rich_markup_mode=None, no_args_is_help=True)
    if is_filled:
        from api.commands import acting, checking, looking, signing, versions

        looking.register(group, noun)
        versions.register(group, noun)
        checking.register(group, noun)
        signing.register(group, noun)
        acting.register(group, noun)
    return group


def _before(config: ConfigOption = None, version: VersionOption = False) -> None:  # noqa: ARG001
    """Take what every command needs to know."""
    CONFIG.set(None if config is None else config.expanduser().absolute())


if __name__ == "__main__":
    main()
