"""
`shulian checkpoint`: exchanges sign the state of all certificates one after another, each against
its own mirror.

Making, checking and signing are `api.cosigning`'s; the files come after (`api.commands.exporting`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.commands.failing import FileNotTaken, add
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
from api.commands.showing import print_json, print_pairs, say
from api.commands.signals import stoppable

if TYPE_CHECKING:
    from api.cosigning import SignedCheckpoint

HELP: Final = "What exchanges co-sign: the state of all certificates at one block."
MAKING: Final = "shulian checkpoint make checkpoint.json --as exchange-a --with 0x3fa85f64"
SIGNING: Final = "shulian checkpoint sign checkpoint.json --as exchange-b"
EXAMPLE: Final = f"\b\nExample:\n  {MAKING}"

FileArgument = Annotated[
    Path,
    typer.Argument(
        help="The checkpoint's file; - takes it from the standard input, and writes it to the"
        " standard output.",
        metavar="FILE",
    ),
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--as", help="The key of this home that signs: an exchange's account.", metavar="NAME"
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=HELP, epilog=EXAMPLE, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="checkpoint")
    add(group, make, name="make", example=MAKING)
    add(group, sign, name="sign", example=SIGNING)


def make(
    file: FileArgument,
    by: KeyOption,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Another exchange that is to sign: its participant's id, or the beginning of it,"
            " or its account; repeatable. A checkpoint names all who sign it.",
            metavar="ID",
        ),
    ] = None,
    as_of_block: Annotated[
        int | None, typer.Option(min=0, help="Of this block; by default the newest final one.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Make the checkpoint of a block out of this home's mirror, and sign it.

    The file goes to the exchanges that it names; each adds its signature with
    `shulian checkpoint sign`.
    """
    from api.cosigning import sign as sign_with
    from api.cosigning import write_checkpoint
    from chain.values import address

    settings = settings_for(home)
    if file != STANDARD and file.exists():
        raise FileNotTaken(path=str(file), reason="something is there already")
    key = key_of(settings, by)
    with stoppable(), open_house(settings) as house:
        accounts = [address(key.address), *(house.account(one) for one in others or [])]
        signers = [house.signer(one) for one in accounts]
        signed = sign_with(house.draft(signers, as_of_block), key)
        put(file, write_checkpoint(signed))
        _tell(house, file, signed, as_json=as_json)


def sign(
    file: FileArgument, by: KeyOption, home: HomeOption = None, as_json: JsonOption = False
) -> None:
    """
    Check a checkpoint against this home's mirror, and add this exchange's signature to its file.

    Another chain, block, root or signer than the mirror has is refused with every difference.
    """
    from api.cosigning import sign as sign_with
    from api.cosigning import write_checkpoint

    settings = settings_for(home)
    key = key_of(settings, by)
    found = read_signed(file)
    with stoppable(), open_house(settings) as house:
        house.tree(found)
        signed = sign_with(found, key)
        put(file, write_checkpoint(signed))
        _tell(house, file, signed, as_json=as_json)


def _tell(house: House, path: Path, signed: "SignedCheckpoint", *, as_json: bool) -> None:
    told = {"file": str(path), **told_of(house, signed)}
    if path == STANDARD:
        # The output is the checkpoint itself.
        say("; ".join(f"{name} {value}" for name, value in pairs_of(told)))
    elif as_json:
        print_json(told)
    else:
        print_pairs([("checkpoint", told["file"]), *pairs_of(told)])
