"""
The acts: one command for every write of the contracts, made from `chain.acts`.

An act is sent through a key of the home (`--as`), or only signed for somebody else to send, or is
somebody else's signature that is sent. It judges nothing: the contract does, and its named error
comes back before anything was sent.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.commands.failing import FileNotTaken, Misused, ValueNotTaken, add
from api.commands.homes import HomeOption, JsonOption, settings_for
from api.commands.nouns import Noun
from api.commands.options import (
    Helpers,
    OptionMissing,
    example_of,
    options_of,
    read_act,
    read_json_file,
)
from api.commands.showing import parse_time, print_json, print_pairs
from chain.act import Act
from chain.acts import ACTS
from chain.documents import canonical
from chain.structs import Authorization

SIGNED_FOR_SECONDS: Final = 30 * 86_400
NONCE_BITS: Final = 48

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


class AuthorizationDiffers(Misused):
    """The file holds the signature of another act than the options describe."""

    option: str


def register(app: typer.Typer, noun: Noun) -> None:
    """Add every act of a noun."""
    for act in ACTS.values():
        if noun.contract == act.CONTRACT:
            verb = "-".join(_words(act.FUNCTION))
            actor = ACTORS[act.CONTRACT]
            example = f"shulian {noun.name} {verb} {example_of(act)} --as {actor}"
            add(app, _command(act), name=verb, example=" ".join(example.split()), help=_help(act))


def _command(act: type[Act]) -> Callable[..., None]:
    def run(**given: Any) -> None:
        from api.commands import sending

        settings = settings_for(given.pop("home"))
        own = {name: given.pop(name) for name, _ in _OWN}
        sending.carry_out(act, given, own, settings)

    parameters = [
        *options_of(act),
        *(Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=one) for name, one in _OWN),
    ]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return run
