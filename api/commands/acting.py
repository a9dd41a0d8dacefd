"""
The acts: one command for every write of the contracts, made from `chain.acts`.

It only describes them; `api.commands.sending` carries them out.
"""

import re
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Final

import typer

from api.commands.failing import add
from api.commands.homes import HomeOption, JsonOption, settings_for
from api.commands.nouns import Noun
from api.commands.options import example_of, options_of
from chain.act import Act
from chain.acts import ACTS

HELP_COLUMNS: Final = 76

# Who usually acts, for the examples in the help; the contract decides who may.
ACTORS: Final[Mapping[str, str]] = {
    "Participants": "exchange-a",
    "Profiles": "governor",
    "Agreements": "exchange-a",
    "Assets": "supplier",
    "Registrations": "registrar",
    "Rights": "supplier",
    "Assessments": "assessor",
    "Certificates": "registrar",
    "Listings": "exchange-a",
    "Trades": "exchange-b",
    "Deliveries": "vendor",
    "Funds": "bank",
    "Settlements": "exchange-b",
}

# How every act is carried out, beside its own arguments.
OWN: Final[Mapping[str, tuple[Any, Any]]] = {
    "by": (
        Annotated[
            str,
            typer.Option(
                "--as", help="The key of this home that acts, or that sends.", metavar="NAME"
            ),
        ],
        Parameter.empty,
    ),
    "key": (
        Annotated[
            str | None,
            typer.Option(
                "--key",
                help="What makes the act unique to its caller: a repeat is the same act. By default"
                " the arguments themselves.",
                metavar="TEXT",
            ),
        ],
        None,
    ),
    "file": (
        Annotated[
            Path | None,
            typer.Option("--file", help="Take the arguments from a JSON file; - is the input."),
        ],
        None,
    ),
    "sign_only": (
        Annotated[
            bool,
            typer.Option(
                "--sign-only", help="Print act and authorization (EIP-712) instead of sending."
            ),
        ],
        False,
    ),
    "authorization": (
        Annotated[
            Path | None,
            typer.Option(
                "--authorization",
                help="Send what somebody signed with --sign-only; the arguments are in the file.",
            ),
        ],
        None,
    ),
    "deadline": (
        Annotated[
            str | None,
            typer.Option(
                "--deadline",
                help="Until when a signature counts: RFC 3339 or seconds; by default 30 days.",
                metavar="TIME",
            ),
        ],
        None,
    ),
    "as_json": (JsonOption, False),
}


def register(app: typer.Typer, noun: Noun) -> None:
    """Add every act of a noun."""
    for act in ACTS.values():
        if noun.contract == act.CONTRACT:
            verb = "-".join(words(act.FUNCTION))
            parts = [f"shulian {noun.name} {verb}", example_of(act), f"--as {ACTORS[act.CONTRACT]}"]
            example = " ".join(part for part in parts if part)
            add(app, _command(act), name=verb, example=example, help=help_of(act))


def help_of(act: type[Act]) -> str:
    """Return what the contract's prose says of an act: what it does, then what it requires."""
    said = re.sub(r"\{(\w+)\}", r"\1", " ".join((act.__doc__ or "").split()))
    said = re.split(r"\s*Emits an? ", said)[0]
    does, _, requires = said.partition("Requirements, in order:")
    if not does or does.startswith("-") or does.startswith("Call "):
        does, requires = f"{' '.join(words(act.FUNCTION)).capitalize()}.", requires or does
    listed = [
        one.strip(" ;.") for one in re.split(r"(?:^|;)\s*- ", requires.strip()) if one.strip()
    ]
    listed = [] if requires.startswith("Call ") else listed
    text = f"{does.strip()} Writes {act.CONTRACT}.{act.FUNCTION}."
    if not listed:
        return text
    lines = (wrap(f"- {one}.", HELP_COLUMNS, subsequent_indent="  ") for one in listed)
    # The mark keeps the help from running the lines of the list together.
    return "\n".join([text, "", "\b", *(line for wrapped in lines for line in wrapped)])


def words(name: str) -> list[str]:
    """Return the words of a function's name."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+", name)]


def _command(act: type[Act]) -> Callable[..., None]:
    def run(**given: Any) -> None:
        from api.commands.sending import How, carry_out

        settings = settings_for(given.pop("home"))
        how = How(**{name: given.pop(name) for name in OWN})
        carry_out(act, given, how, settings)

    parameters = [
        *options_of(act),
        *(
            Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for name, (kind, default) in OWN.items()
        ),
        Parameter("home", Parameter.KEYWORD_ONLY, default=None, annotation=HomeOption),
    ]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return run
