"""
`shulian deploy`, `join` and `key`: how a home comes to the contracts of a chain, and to its keys.

One exchange deploys and gives its deployments file to the others; they join with it. Serving is
`api.commands.serving`'s.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import FileNotTaken, add
from api.commands.homes import (
    HOME_MODE,
    HomeOption,
    JsonOption,
    make_home,
    require_free,
    require_home,
    settings_for,
    taken,
    undone,
)
from api.commands.showing import print_json, print_pairs, print_table, say
from api.commands.signals import stoppable
from chain.failure import Conflict, Invalid

if TYPE_CHECKING:
    from api.config import Settings
    from chain.deployments import Deployment
    from chain.keys import Keyring

KEY_HELP: Final = "The keys of this home's accounts: made, and told by address."
KEY_EXAMPLE: Final = "\b\nExample:\n  shulian key make exchange-a"


class NodeNotNamed(Invalid):
    """This needs a chain of several machines, and no node of one is named."""


class DeploymentDiffers(Conflict):
    """This home follows other contracts; nothing was changed."""

    home: str
    chains: tuple[int, ...]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, deploy, name="deploy", example="shulian deploy --as governor")
    add(app, join, name="join", example="shulian join deployment.json --home /var/lib/shulian")
    group = typer.Typer(
        help=KEY_HELP, epilog=KEY_EXAMPLE, rich_markup_mode=None, no_args_is_help=True
    )
    app.add_typer(group, name="key")
    add(group, make, name="make", example="shulian key make exchange-a")
    add(group, ls, name="ls", example="shulian key ls --json")


# --- contracts ------------------------------------------------------------------------------------


def deploy(
    by: Annotated[
        str,
        typer.Option(
            "--as", help="The key of this home that deploys, and governs.", metavar="NAME"
        ),
    ] = "governor",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Put the contracts on the chain that rpc_url names, once for all exchanges.

    The file that it prints is for the others: they follow these contracts with `shulian join`. A
    second call sends nothing.
    """
    from api.migrations import open_operational
    from chain.connection import Connection
    from chain.deploy import deploy as deploy_all
    from chain.fitness import require_fit, require_free
    from chain.outbox import Outbox
    from chain.replay import replay
    from chain.sender import Sender

    settings = settings_for(home)
    if not settings.rpc_url:
        raise NodeNotNamed()
    with (
        stoppable(),
        taken(settings.home, command="deploy"),
        Connection.to(settings.rpc_url, chain=settings.chain) as connection,
    ):
        _require_no_others(settings, connection.chain_id)
        require_fit(connection, settings.home)
        deployer = _keyring(settings).existing(by)
        require_free(connection)
        outbox = Outbox(open_operational(settings.operational), chain_id=connection.chain_id)
        try:
            sender = Sender(connection, outbox)
            replay(sender)
            deployed = deploy_all(sender, home=settings.home, deployer=deployer)
        finally:
            outbox.close()
    path = settings.deployments / f"{deployed.chain_id}.json"
    _tell(deployed, path, as_json=as_json)


def join(
    file: Annotated[
        Path,
        typer.Argument(help="The deployments file of the exchange that deployed.", metavar="FILE"),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Let this home follow the contracts that another exchange deployed.

    If rpc_url names a node, the chain is asked whether these contracts are there and are of this
    version. A later file of the same chain replaces an earlier one that it continues.
    """
    from api.migrations import open_operational
    from chain.connection import Connection
    from chain.deployments import verify_deployment
    from chain.fitness import require_fit, require_genesis

    settings = settings_for(home)
    found = _read(file)
    with stoppable(), taken(settings.home, command="join"):
        settings.home.chmod(HOME_MODE)
        _require_continued(settings, found)
        if settings.rpc_url:
            with Connection.to(settings.rpc_url, chain=settings.chain) as connection:
                require_fit(connection, settings.home)
                for one in found:
                    require_genesis(connection, one)
                    verify_deployment(connection, one)
        open_operational(settings.operational).dispose()
        _save(settings, found)
    path = settings.deployments / f"{found[-1].chain_id}.json"
    _tell(found[-1], path, as_json=as_json)
    if not settings.rpc_url:
        say("No node was asked: name one in rpc_url, and look with `shulian doctor`.")


def _require_no_others(settings: "Settings", chain_id: int) -> None:
    """Check that the home follows no contracts of another chain: signatures would be for both."""
    others = tuple(one for one in _chains(settings) if one != chain_id)
    if others:
        raise DeploymentDiffers(home=str(settings.home), chains=others)


def _require_continued(settings: "Settings", found: "tuple[Deployment, ...]") -> None:
    from chain.deployments import load_deployments

    chain_id = found[-1].chain_id
    _require_no_others(settings, chain_id)
    known = load_deployments(settings.home, chain_id=chain_id)
    if any(one not in found for one in known):
        raise DeploymentDiffers(home=str(settings.home), chains=(chain_id,))


def _chains(settings: "Settings") -> list[int]:
    paths = sorted(settings.deployments.glob("*.json"))
    return [int(one.stem) for one in paths if one.stem.isdigit()]


def _read(path: Path) -> "tuple[Deployment, ...]":
    from api.commands.options import read_json_file
    from chain.deployments import parse_deployments

    try:
        return parse_deployments(read_json_file(path))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = "it is no deployments file of this version, as `shulian deploy` writes it"
        raise FileNotTaken(path=str(path), reason=reason) from error


def _save(settings: "Settings", found: "tuple[Deployment, ...]") -> None:
    from chain.deployments import save_deployment

    for one in found:
        save_deployment(settings.home, one)


def _tell(deployed: "Deployment", path: Path, *, as_json: bool) -> None:
    told: dict[str, Any] = {
        "chain_id": deployed.chain_id,
        "version": deployed.version,
        "governor": deployed.governor,
        "file": str(path),
    }
    if as_json:
        contracts = {name: one.address for name, one in deployed.contracts.items()}
        print_json({**told, "contracts": contracts})
    else:
        print_pairs((name.replace("_", " "), str(value)) for name, value in told.items())


# --- keys -----------------------------------------------------------------------------------------


def make(
    names: Annotated[
        list[str],
        typer.Argument(help="What the accounts are called in this home.", metavar="NAME..."),
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make keys, encrypted under the home's password; those that are there stay as they are."""
    settings = settings_for(home)
    require_free(settings.home)
    with undone(settings.home):
        make_home(settings.home)
        settings.home.chmod(HOME_MODE)
        # A key file is there whole or not at all, so that a ledger may serve meanwhile.
        keyring = _keyring(settings)
        for name in names:
            keyring.account(name)
    _print_keys(keyring, names, as_json=as_json)


def ls(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the keys of this home, with the addresses and public keys that others need."""
    settings = settings_for(home)
    require_home(settings.home)
    keyring = _keyring(settings)
    _print_keys(keyring, keyring.names(), as_json=as_json)


def _keyring(settings: "Settings") -> "Keyring":
    from chain.keys import home_keyring

    return home_keyring(settings.home, password_file=settings.key_password_file)


def _print_keys(keyring: "Keyring", names: list[str], *, as_json: bool) -> None:
    from chain.keys import encryption_public_key

    accounts = {name: keyring.existing(name) for name in names}
    items = [
        {"name": name, "address": one.address, "encryption_key": encryption_public_key(one)}
        for name, one in accounts.items()
    ]
    if as_json:
        print_json({"items": items})
    else:
        rows = [(one["name"], one["address"], one["encryption_key"]) for one in items]
        print_table(("name", "address", "encryption key"), rows)
