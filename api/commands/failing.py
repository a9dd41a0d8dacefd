"""
How a command says no: one sentence on stderr and the next step, or with `--json` a problem object.

It decides nothing about what went wrong: that is the named error's, wherever it was raised.
"""

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any, Final

import typer

from api.commands.translating import translated
from chain.failure import Conflict, Forbidden, Invalid, LedgerError, NotFound

REFUSED, MISUSED, INTERRUPTED = 1, 2, 130
ARROW: Final = "  → "
NAMED: Final = re.compile(r"[A-Z][A-Za-z]+: ")


class Misused(Invalid):
    """The command was given something that it cannot take."""


class ValueNotTaken(Misused):
    """An option's value cannot be taken."""

    option: str
    reason: str


class FileNotTaken(Misused):
    """A file cannot be taken."""

    path: str
    reason: str


class ToldElsewhere(Exception):
    """Another process of ours refused what it was started for: its words are told as our own."""

    def __init__(self, said: str, *, code: int) -> None:
        super().__init__(said)
        self.said = said
        self.code = code


# What helps, by the name of the error; else by its family.
NEXT: Final[Mapping[str, str]] = {
    "HomeNotFound": "Make one with `shulian demo` or `shulian up`, or name another with --home.",
    "HomeInUse": "Stop the process with `shulian down`, or take another home with --home.",
    "HomeHoldsOthers": "Move those files elsewhere, or remove the folder yourself.",
    "EngineMissing": "Build it with ./scripts/engines, or name the binary in the variable told.",
    "EngineNotExecutable": "Correct the variable's value, or unset it.",
    "AnvilMissing": "Name the nodes of a chain in rpc_url; for the embedded chain run scripts/setup"
    " of a checkout, or name the binary in SHULIAN_ANVIL.",
    "MembersFileInvalid": "Correct the file or the options; docs/consortium.md shows one whole.",
    "ConsortiumNotFound": "Make one with `shulian consortium init`, or name its folder.",
    "ConsortiumDiffers": "Name another folder, or give the members that it was made with.",
    "NodeElsewhere": "Run this where the node's folder is.",
    "NodeAddressElsewhere": "Carry its folder there and run its start script; or give it an address"
    " of this machine (host, listen_host) in members.json and run `shulian consortium init` again.",
    "NodePortTaken": "Stop what listens there, or give the node other ports in members.json and"
    " run `shulian consortium init` again.",
    "SignerPasswordWrong": "Put the password that the key was made with into the node's folder.",
    "GenesisDiffers": "Move the node's data folder away; it follows the chain anew.",
    "NodeFailed": "Look at the end of the log that is named.",
    "NotSealing": "See `shulian consortium status`; start the validators that are down.",
    "NoVoterHere": "Run this on the machine of a validator that runs.",
    "NodeToCarry": "Copy it with consortium.json, run its start script there, then repeat this.",
    "StillBehind": "Repeat this once `shulian consortium status` shows no lag.",
    "NodeUnavailable": "See whether the chain runs with `shulian status`.",
    "MirrorEmpty": "Let the mirror catch up with `shulian up`.",
    "DeploymentNotFound": "Follow another exchange's with `shulian join FILE`, or, once for all"
    " exchanges, put the contracts on the chain with `shulian deploy`.",
    "CodeDiffers": "Name a node of the right chain, or install the version that was deployed.",
    "WrongChain": "Name a node of that chain in rpc_url.",
    "ChainElsewhere": "Set SHULIAN_RPC_URL, or rpc_url in the file of settings.",
    "ChainReplaced": "Name a node of the chain that this home is on, or another home with --home.",
    "ChainDiffers": "Name a node of that kind with --rpc, or its own kind with --chain.",
    "ChainUnknown": "Say with --chain which of these it behaves like.",
    "ContractMissing": "Name a node of the right chain, or ask who deployed for the right file.",
    "GasNotFree": "Have the chain started with a base fee of zero; anvil takes --base-fee 0.",
    "NodeSyncing": "Wait until it has caught up, or name another node with --rpc.",
    "NodeUnauthorized": "Put the token or password that the node asks for into rpc_url.",
    "NotANode": "Look at the address in rpc_url: it must be that of a node's JSON-RPC.",
    "NodeNotNamed": "Name its nodes in rpc_url; `shulian up` deploys on the embedded chain itself.",
    "DeploymentDiffers": "Take another home, with --home.",
    "KeyNotFound": "Name an account of this home; its keys are the files in its keys folder.",
    "ResourceFileMissing": "Add the file to the package, or mend its descriptor.",
    "OutboxConflict": "Choose another --key, or repeat the act exactly as it was.",
    "IdAmbiguous": "Give more digits of the id.",
    "IdUnknown": "List the ids with the noun's own `ls --json`, such as `shulian asset ls --json`.",
    "VersionUnknown": "Name one of the versions that there are, or leave it out.",
    "NotThereYet": "Name a later block, or leave --as-of-block and --as-of-time out.",
    "BlockNotMirrored": "See `shulian mirror status` for the newest block.",
    "TimeBeforeChain": "See `shulian mirror status` for the blocks that there are.",
    "NodeUnknown": "See the nodes with `shulian consortium status`.",
    "NotValidator": "See the validators with `shulian consortium status`.",
    "WebhookStateWrong": "See the states with `shulian webhook ls`.",
    "ContractUnknown": "Name a contract as the events do, such as Trades.",
    "RangeEmpty": "Give a first block that is not above the last, and is in the mirror.",
    "ServerRefused": "Look at the address, or ask whoever runs that server.",
    "TokenRefused": "Sign in there, and name the file of the session's token with --token-file.",
    "EvidenceRefused": "Name a list of records, such as /v1/assets, narrowed if it is long.",
    "ServingFailed": "Look at the end of the log that is named.",
    "PortTaken": "Choose another --port, or none for a free one.",
    "TrustListInvalid": "Ask for no more signatures than there are exchanges: see --threshold and"
    " --exchange.",
    "TrustListUnreadable": "Make one with `shulian trust`, or ask your exchange for it.",
    "FileNotTaken": "Name another file; the command's --help says what it must be.",
    "SignerMissing": "Name the file that exchanges co-signed (`shulian checkpoint make`), or keys"
    " of this home with --as.",
    "SignerRefused": "See `shulian participant show`: an exchange that is admitted co-signs, with"
    " an account that is for it.",
    "SignerTwice": "Name other exchanges with --with, each once.",
    "SignerNotNamed": "Sign with the account that it names, or have one made that names yours.",
    "AccountUnclear": "Give the account's address instead, as `shulian key ls` shows it there.",
    "ExchangeUnknown": "See `shulian participant ls`.",
    "CheckpointInvalid": "Ask for the file as `shulian checkpoint make` wrote it.",
    "CheckpointDiffers": "Sign nothing before both mirrors agree: let them catch up, and compare"
    " with `shulian mirror verify --against URL`.",
    "CheckpointUnsigned": "Hand the file to whoever is named; they sign with"
    " `shulian checkpoint sign`.",
    "CheckpointOlder": "Export a newer checkpoint.",
    "HomeNotEmpty": "Name another folder with --home, or move this one away.",
    "MirrorNotEmpty": "Name an empty database in SHULIAN_MIRROR_URL.",
    "MirrorNewer": "Install the newer version, or restore a backup made with this one.",
    "DatabaseNewer": "Install the newer version, or restore a backup made with this one.",
    "ArchiveNewer": "Install the newer version.",
    "ArchiveDamaged": "Take another backup; nothing was restored.",
    "BackupNotEqual": "Back up again; if it stays, look with `shulian mirror verify --full`.",
    "MirrorWritten": "Stop the process that serves this home with `shulian down`, then repeat.",
    "RepairNotPermitted": "Find out which chain is true; then repeat with"
    " --accept-fork-below-final, which keeps the mirror as it is beside.",
    "ForkBeyondFinality": "See `shulian mirror verify`, then `shulian mirror repair`.",
    "WebhookNotFound": "List the ids with `shulian webhook ls`.",
    "WebhookUrlRefused": "Give an https address of the world's network; SHULIAN_WEBHOOK_NETWORKS"
    " allows others.",
    "DeliveryUnknown": "List the numbers with `shulian webhook deliveries`.",
    "PeerUnavailable": "Name the address of the other exchange's API, as https://exchange.example.",
    "PeerHasNoBlock": "Wait until both mirrors have final blocks.",
    "NotFinalYet": "Wait until it is final, or name an earlier block; `shulian mirror status` tells"
    " the final one.",
    "ArchiveOfAnother": "Name another folder.",
    "ArchiveBroken": "Remove the file that it names and export again.",
    "PasswordWrong": "Give the password that it was made with (key_password_file, or keys/password"
    " in the home); if that is it, put the key file of a backup back.",
    "PasswordMissing": "Put it back, or name the file that holds it in key_password_file.",
    "KeyDamaged": "Put the key file of a backup back.",
    "FileOpenToOthers": "Close it with chmod 600.",
    "PasswordFileUnreadable": "Name a file that this process may read.",
    "SystemRefused": "Look whether this user may read and write there; of the home,"
    " `shulian doctor` says whose the files are.",
    "DiskFull": "Make room, then repeat; what was written before is whole.",
    "DatabaseNotWritable": "Let the role own the database, or give the file to this user; see"
    " `shulian doctor`.",
    "MirrorNotWritable": "Let the role own the database: ALTER DATABASE … OWNER TO …; see"
    " `shulian doctor`.",
    "DatabaseUnreachable": "See with `shulian doctor` whether it runs and lets this role in.",
    "DatabaseRefused": "See `shulian doctor`.",
    "TargetTaken": "Name a file that is not there yet and ends in .tar.gz, or a folder.",
    "KeepNeedsFolder": "Name a folder, or leave --keep out.",
    "TargetMissing": "`shulian backup FOLDER`, or set backup_folder.",
    "ConfigUnreadable": "Name a file that is there, and that this user may read.",
    "ConfigMalformed": "Mend that line; `shulian config init FILE` writes a right one.",
    "SettingUnknown": "See the names with `shulian config show`.",
    "SettingInvalid": "Mend the value where it stands; `shulian config show --json` tells what"
    " each means.",
    "ConfigExists": "Change that file, or name another.",
    "ContentStoreUnreachable": "Start the Kubo node, or name where its RPC is in"
    " SHULIAN_CONTENT_URL; nothing counts as lost meanwhile.",
    "KuboVersionUnsupported": "Run a Kubo of a supported version; scripts/engines builds one.",
    "DamageStays": "Run `ipfs config --json Datastore.BlockKeyCacheSize 0`, restart the node, and"
    " repeat.",
    "ContentStoreExposed": "Reach it through a tunnel on 127.0.0.1, or allow it with"
    " SHULIAN_CONTENT_REMOTE=1.",
    "SwarmNeedsKubo": "Name a Kubo node in SHULIAN_CONTENT_URL, or take that peer out of"
    " SHULIAN_CONTENT_PEERS.",
    "StoreUrlInvalid": "Write file:///folder or ipfs:/ip4/127.0.0.1/tcp/5001.",
    "ReplayIncomplete": "Look at the outbox and the node; nothing further was sent.",
}
FAMILIES: Final[Mapping[type[LedgerError], str]] = {
    Misused: "Read the command's --help.",
    NotFound: "Look for what there is: every noun has its `ls`, such as `shulian asset ls`.",
    Conflict: "Look at its present state: every noun has its `show`, such as `shulian trade show`.",
    Forbidden: "Act as an account that may do this (--as).",
    Invalid: "Correct what was given; --help describes every value.",
    LedgerError: "See `shulian status` for the state of this home.",
}


def add(
    app: typer.Typer, function: Callable[..., Any], *, name: str, example: str, help: str = ""
) -> None:
    """Make a function a command that fails as all do, with an example under its help."""
    told = help or cleandoc(function.__doc__ or "")
    epilog = f"\b\nExample:\n  {example}"
    app.command(name, help=told, epilog=epilog, no_args_is_help=False)(guarded(function))


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return the function with the ledger's errors told in one sentence, and an exit code.

    shape: the option that asks for JSON is the argument `as_json`
    """

    @functools.wraps(function)
    def run(**given: Any) -> Any:
        as_json = bool(given.get("as_json"))
        try:
            return function(**given)
        except LedgerError as error:
            tell(error, as_json=as_json)
            raise typer.Exit(MISUSED if isinstance(error, Misused) else REFUSED) from None
        except ToldElsewhere as error:
            _write(error.said)
            raise typer.Exit(error.code) from None
        except BrokenPipeError:
            # Whoever read our output has enough; Python must not complain when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(REFUSED) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            told = translated(error)
            if told is None:
                raise
            tell(told, as_json=as_json)
            raise typer.Exit(REFUSED) from None

    return run


def tell(error: LedgerError, *, as_json: bool) -> None:
    """Write an error to stderr: for people with the next step, for machines as a problem."""
    if as_json:
        text = json.dumps(problem_of(error), ensure_ascii=False)
    else:
        text = f"{_sentence(error)}\n{ARROW}{next_step(error)}"
    _write(text)


def told_in(log: str, *, as_json: bool) -> str | None:
    """Return how a command said no at the end of its log, as `tell` wrote it, or None."""
    lines = log.strip().splitlines()
    if as_json:
        is_problem = bool(lines) and lines[-1].startswith('{"type": "/problems/')
        return lines[-1] if is_problem else None
    is_told = len(lines) > 1 and NAMED.match(lines[-2]) and lines[-1].startswith(ARROW)
    return "\n".join(lines[-2:]) if is_told else None


def problem_of(error: LedgerError) -> dict[str, Any]:
    """Return an error as the API would tell it, without the status of HTTP."""
    return {
        "type": f"/problems/{error.slug()}",
        "title": error.title,
        "detail": str(error),
        "fields": error.to_fields(),
        "next_step": next_step(error),
    }


def next_step(error: LedgerError) -> str:
    """Return what helps after an error."""
    kind = type(error)
    named = NEXT.get(kind.__name__)
    return named or next(FAMILIES[one] for one in kind.__mro__ if one in FAMILIES)


def _write(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _sentence(error: LedgerError) -> str:
    told = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in str(error))
    return f"{type(error).__name__}: {told}"
