"""
`shulian trade sign`: one side's signature under a contract, in the clear.

It sends nothing: the executing venue concludes with both signatures (`trade conclude`).
"""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.failing import FileNotTaken, add
from api.commands.homes import HomeOption, JsonOption, chain_id_of, require_home, settings_for
from api.commands.nouns import Noun
from api.commands.showing import print_json, print_pairs


def register(app: typer.Typer, noun: Noun) -> None:
    """Add the command to the trades."""
    if noun.name == "trade":
        add(app, sign, name="sign", example="shulian trade sign terms.json --as buyer-one --json")


def sign(
    terms: Annotated[
        Path,
        typer.Argument(help="The terms as JSON, or a file of `conclude` that holds them."),
    ],
    by: Annotated[
        str, typer.Option("--as", help="The key of this home that signs.", metavar="NAME")
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign the terms of a trade as buyer or seller (EIP-712); nothing is sent."""
    from api.commands.options import read_json_file
    from chain.codec import from_json
    from chain.deployments import load_deployment
    from chain.keys import home_keyring
    from chain.signing import sign as sign_typed
    from chain.signing import terms_typed_data
    from chain.structs import TradeTerms
    from chain.values import address

    settings = settings_for(home)
    require_home(settings.home)
    held = read_json_file(terms)
    try:
        read = from_json(TradeTerms, held.get("terms", held))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileNotTaken(path=str(terms), reason=f"it holds no terms: {error}") from error
    keyring = home_keyring(settings.home, password_file=settings.key_password_file)
    account = keyring.existing(by)
    deployment = load_deployment(settings.home, chain_id=chain_id_of(settings.home))
    typed = terms_typed_data(
        read, chain_id=deployment.chain_id, contract=deployment.address_of("Trades")
    )
    told = {"account": address(account.address), "signature": sign_typed(typed, account)}
    if as_json:
        print_json({**told, "typed_data": typed})
    else:
        print_pairs(told.items())
