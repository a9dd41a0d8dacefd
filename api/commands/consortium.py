"""
`shulian consortium`: a chain that organisations run together, made, started, watched, voted on.

It decides nothing: `chain.consortium` does. No home is needed; the ledger of each organisation is
pointed at the chain with `shulian up --rpc`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import REFUSED, add
from api.commands.homes import JsonOption
from api.commands.showing import print_json, print_pairs, print_table, say
from api.commands.signals import stoppable

if TYPE_CHECKING:
    from chain.consortium.folders import Consortium
    from chain.consortium.nodes import Nodes
    from chain.consortium.standing import Whole
    from chain.consortium.votes import Vote

HELP: Final = "The chain that organisations run together: geth nodes that validate in turns."
EXAMPLE: Final = "\b\nExample:\n  shulian consortium init --validators 4 --members members.json"
DEFAULT_FOLDER: Final = Path("consortium")
VOTE_SECONDS: Final = 120

FolderArgument = Annotated[
    Path, typer.Argument(help="The folder of the consortium; by default ./consortium.")
]
NodeArgument = Annotated[str, typer.Argument(help="The name of a node.")]
WaitOption = Annotated[
    int, typer.Option("--wait", min=1, help="Wait so many seconds until the vote is in force.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=HELP, epilog=EXAMPLE, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="consortium")
    example = "shulian consortium"
    founding = f"{example} init --validators 4 --members members.json"
    add(group, init, name="init", example=founding)
    add(group, up, name="up", example=f"{example} up")
    add(group, down, name="down", example=f"{example} down")
    add(group, status, name="status", example=f"{example} status --json")
    add(group, start, name="start", example=f"{example} start east")
    add(group, stop, name="stop", example=f"{example} stop east")
    adding = f"{example} add-validator north --zh 北部交易所 --en 'North' --host 10.0.0.4"
    add(group, add_validator, name="add-validator", example=adding)
    add(
        group, remove_validator, name="remove-validator", example=f"{example} remove-validator east"
    )


# --- founding -------------------------------------------------------------------------------------


def init(
    validators: Annotated[
        int, typer.Option(min=1, help="So many members, the first of the file, seal blocks.")
    ],
    members: Annotated[
        Path, typer.Option(help="A JSON file: who they are, and where their machines are.")
    ],
    folder: FolderArgument = DEFAULT_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Make genesis, keys, configuration and start scripts; run again, keep every key."""
    from chain.consortium.folders import found_consortium
    from chain.consortium.members import read_members
    from chain.consortium.seals import majority_of

    made = found_consortium(folder, read_members(members, validators=validators))
    if as_json:
        print_json({"folder": str(folder), **made.to_json()})
        return
    count = len(made.genesis_signers)
    print_pairs(
        [
            ("folder", str(folder)),
            ("chain", f"{made.chain_id}"),
            ("genesis", made.genesis_hash),
            ("validators", f"{count}, of whom {majority_of(count)} must be up"),
        ]
    )
    rows = [[one.name, one.en, one.signer, one.rpc_url] for one in made.nodes]
    print_table(["node", "organisation", "signer", "RPC"], rows)
    say(
        f"Each folder below {folder / 'nodes'} goes to its own machine and holds its keys: move it"
        " there over a safe way. On one machine: `shulian consortium up`."
    )


# --- running --------------------------------------------------------------------------------------


def up(folder: FolderArgument = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Start every node whose folder is here, and wait until blocks are sealed."""
    from chain.consortium.running import start_all

    with stoppable():
        found = start_all(_nodes(folder), say=say)
    _tell(found, as_json=as_json)


def down(folder: FolderArgument = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Stop every node whose folder is here, in order."""
    from chain.consortium.running import stop_all

    stopped = stop_all(_nodes(folder))
    if as_json:
        print_json({"folder": str(folder), "stopped": stopped})
        return
    say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


def status(folder: FolderArgument = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Show heads, agreement, peers, signers, lag and seals; exit 1 unless blocks are sealed."""
    from chain.consortium.standing import look

    found = look(_nodes(folder))
    _tell(found, as_json=as_json)
    if not found.is_sealing:
        raise typer.Exit(REFUSED)


def start(
    node: NodeArgument, folder: FolderArgument = DEFAULT_FOLDER, as_json: JsonOption = False
) -> None:
    """Start one node of this machine."""
    from chain.consortium.running import introduce

    nodes = _nodes(folder)
    one = nodes.named(node)
    running = nodes.start(one)
    introduce(nodes, one)
    if as_json:
        print_json({"name": one.name, "pid": running.pid, "rpc_url": one.rpc_url})
        return
    say(f"{one.name} answers at {one.rpc_url} (process {running.pid})")


def stop(
    node: NodeArgument, folder: FolderArgument = DEFAULT_FOLDER, as_json: JsonOption = False
) -> None:
    """Stop one node of this machine, in order."""
    nodes = _nodes(folder)
    ran = nodes.stop(nodes.named(node))
    if as_json:
        print_json({"name": node, "stopped": ran})
        return
    say(f"stopped {node}" if ran else f"{node} was not running")


# --- votes ----------------------------------------------------------------------------------------


def add_validator(
    node: NodeArgument,
    folder: FolderArgument = DEFAULT_FOLDER,
    zh: Annotated[str, typer.Option(help="A new node: its organisation's name in Chinese.")] = "",
    en: Annotated[str, typer.Option(help="A new node: its organisation's name in English.")] = "",
    host: Annotated[str, typer.Option(help="A new node: where others reach it.")] = "",
    listen_host: Annotated[str, typer.Option(help="The address it binds; by default --host.")] = "",
    p2p_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="By default 30303, or the next free.")
    ] = None,
    rpc_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="By default 8545, or the next free.")
    ] = None,
    wait: WaitOption = VOTE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Vote a node in; one that is new gets keys and a folder, and follows the chain first."""
    from chain.consortium.joining import admit

    given = {"zh": zh, "en": en, "host": host, "listen_host": listen_host}
    ports = {"p2p_port": p2p_port, "rpc_port": rpc_port}
    values = {name: value for name, value in {**given, **ports}.items() if value}
    with stoppable():
        found = admit(folder, _consortium(folder), node, values, wait_seconds=wait, say=say)
    _tell_vote(found, as_json=as_json)


def remove_validator(
    node: NodeArgument,
    folder: FolderArgument = DEFAULT_FOLDER,
    wait: WaitOption = VOTE_SECONDS,
    as_json: JsonOption = False,
) -> None:
    """Vote a node out; it goes on following the chain, and no longer seals."""
    from chain.consortium.joining import dismiss

    with stoppable():
        found = dismiss(folder, _consortium(folder), node, wait_seconds=wait, say=say)
    _tell_vote(found, as_json=as_json)


def _tell_vote(found: "Vote", *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
    else:
        may = "seals now" if found.is_in else "no longer seals"
        waits = f"{len(found.cast_here)} of {found.needed} votes are cast; the other operators vote"
        say(f"{found.name} {may}" if found.is_in_force else f"{waits} by the same command")
    if not found.is_in_force:
        raise typer.Exit(REFUSED)


# --- telling --------------------------------------------------------------------------------------


def _consortium(folder: Path) -> "Consortium":
    from chain.consortium.folders import read_consortium

    return read_consortium(folder)


def _nodes(folder: Path) -> "Nodes":
    from chain.consortium.nodes import Nodes

    return Nodes(folder, _consortium(folder))


def _tell(found: "Whole", *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
        return
    age = found.head_age_seconds
    standing = "seals blocks" if found.is_sealing else "STANDS STILL"
    print_pairs(
        [
            ("chain", str(found.chain_id)),
            ("head", "–" if found.head is None else f"{found.head}, {age} s old"),
            ("standing", standing if found.head is not None else "no node answers"),
            ("nodes agree", "yes" if found.is_agreed else "NO"),
            ("signers", f"{len(found.signers)}, of whom {found.needed} must be up"),
        ]
    )
    headers = ["node", "organisation", "head", "lag", "peers", "seals", "agrees", "RPC"]
    print_table(headers, [_row(one) for one in found.nodes])


def _row(one: Any) -> list[str]:
    if one.head is None:
        return [one.name, one.en, "no answer", "–", "–", "–", "–", one.rpc_url]
    seals = "no" if one.share is None else f"{one.share:.0%}"
    agrees = {True: "yes", False: "NO", None: "–"}[one.agrees]
    head = f"{one.head} (syncing)" if one.is_syncing else str(one.head)
    lag, peers = str(one.lag_blocks), str(one.peers)
    return [one.name, one.en, head, lag, peers, seals, agrees, one.rpc_url]
