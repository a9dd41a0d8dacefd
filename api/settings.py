"""
What differs from one running ledger to another: each setting with what it means.

Reading them is `api.config`'s. The commented file (`api.config_file`) and the table in
`docs/configuration.md` are made from here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.config_values import (
    are_content_peers,
    are_networks,
    are_nodes,
    choice,
    is_database,
    is_finality,
    is_origin,
    number,
    place_only,
    setting,
    without_password,
)
from api.observing.logs import FORMATS, LEVELS
from chain.chain_profiles import CHAIN_PROFILES
from chain.finality import AUTO

DEFAULT_HOME: Final = ".shulian"
PORT_MAX: Final = 65_535
NOT_VERIFIED: Final = "off"
VERIFIED: Final = "receipts"
VERIFY: Final = (NOT_VERIFIED, VERIFIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything that differs from one running ledger to another.

    shape: what each means is in its `About`; an empty text means the usual
    """

    home: Path = setting(
        Path(DEFAULT_HOME), "The folder of this ledger: keys, databases, documents, exports."
    )
    mirror_url: str = setting(
        "",
        "The mirror's database, as postgresql://shulian@/shulian?host=/run/postgresql; empty for a"
        " SQLite file in the home. A password belongs into mirror_password_file.",
        expected="a URL of sqlite or postgresql",
        check=is_database,
        shows=without_password,
    )
    mirror_password_file: str = setting(
        "", "The file that holds the password of the mirror's database; read at every connection."
    )
    key_password_file: str = setting(
        "",
        "The file that holds the password of the key files; empty for keys/password in the home.",
    )
    backup_folder: str = setting(
        "", "Where `shulian backup` writes, unless told otherwise; doctor looks at how old it is."
    )
    content_url: str = setting(
        "",
        "The content store: ipfs:/ip4/127.0.0.1/tcp/5001 for a Kubo node, file:///folder for files;"
        " empty for the folder content in the home.",
    )
    content_peers: str = setting(
        "",
        "Who else has the content, separated by commas: second copies of our own, as"
        " file:///mnt/second/content or ipfs:/ip4/127.0.0.1/tcp/5002, and other exchanges' IPFS"
        " nodes, as /ip4/10.0.0.2/tcp/4001/p2p/12D3Koo….",
        expected="file: or ipfs: URLs, or addresses that end in /p2p/ and a node's id",
        check=are_content_peers,
    )
    content_keep: str = choice(
        "own",
        "What this home keeps: own is what it put; named also fetches whatever the ledger names"
        " from content_peers.",
        ("own", "named"),
    )
    content_remote: int = number(
        0,
        "1 allows a Kubo RPC on another machine; whoever reaches an RPC may delete everything, so"
        " only through a tunnel or a network of your own.",
        most=1,
    )
    rpc_url: str = setting(
        "",
        "The nodes of the chain, separated by commas; the first that is well is asked. Empty for"
        " the embedded chain.",
        expected="http or https URLs, separated by commas",
        check=are_nodes,
        shows=place_only,
    )
    chain: str = choice(
        "",
        "The kind of chain that the nodes must serve; empty takes what they are found to be.",
        ("", *CHAIN_PROFILES),
    )
    host: str = setting(
        "127.0.0.1", "The address to listen on; let a reverse proxy be the one the world reaches."
    )
    port: int = number(8300, "The port to listen on.", most=PORT_MAX)
    origin: str = setting(
        "",
        "How browsers reach the API, as https://ledger.example: they sign it when they sign in."
        " Empty for http, host and port as above.",
        expected="http:// or https:// with a host, without a path",
        check=is_origin,
    )
    relay: int = number(
        1, "1 sends acts that others signed, with a key of its own; 0 only reads.", most=1
    )
    finality: str = setting(
        AUTO,
        "When a block is final: auto, finalized (what the node calls so), or how many blocks must"
        " be above it.",
        expected="auto, finalized or a number of blocks",
        check=is_finality,
    )
    verify: str = choice(
        VERIFIED,
        "Whether the receipts of every block are recomputed; off only for chains whose headers"
        " hash otherwise.",
        VERIFY,
    )
    ws_url: str = setting(
        "",
        "Where the node announces blocks; empty for the same place as the first of rpc_url, off to"
        " poll only.",
        shows=place_only,
    )
    poll_seconds: int = number(
        0,
        "How often the node is asked for new blocks; 0 for what is usual on its chain.",
        unit="seconds",
    )
    stall_seconds: int = number(
        30,
        "A chain whose newest block is older stands still, and health says so; 0 for a chain that"
        " makes blocks only when there is something to put into them.",
        unit="seconds",
    )
    audit_seconds: int = number(
        30, "How often the mirror compares itself with the contracts; 0 for never.", unit="seconds"
    )
    nonce_seconds: int = number(
        300, "How long a browser may take to sign in.", least=1, unit="seconds"
    )
    session_seconds: int = number(12 * 3600, "How long a sign-in lasts.", least=1, unit="seconds")
    streams_max: int = number(256, "How many streams one process tells at once.")
    webhook_http: int = number(
        0, "1 lets webhooks go to http, too; for a network of your own.", most=1
    )
    webhook_networks: str = setting(
        "",
        "Networks that webhooks may also reach, as 10.1.0.0/16, separated by commas; empty for the"
        " world's only.",
        expected="networks as 10.1.0.0/16, separated by commas",
        check=are_networks,
    )
    log_format: str = choice(
        "", "json, text, or empty: text on a terminal and JSON elsewhere.", FORMATS
    )
    log_level: str = choice("INFO", "What is logged: this and what is graver.", LEVELS)

    @property
    def deployments(self) -> Path:
        """Name the folder of the files that say which contracts a chain has."""
        return self.home / "deployments"

    @property
    def keys(self) -> Path:
        """Name the folder of the keystores."""
        return self.home / "keys"

    @property
    def exports(self) -> Path:
        """Name the folder of signed checkpoints and of files made for others."""
        return self.home / "exports"

    @property
    def spool(self) -> Path:
        """Name the folder for content that is verified before it is read; empty otherwise."""
        return self.home / "spool"

    @property
    def operational(self) -> Path:
        """Name the database of what was sent, signed in, and looked at."""
        return self.home / "operational.sqlite"

    @property
    def mirror_lock(self) -> Path:
        """Name the file whose lock the mirror's one writer holds."""
        return self.home / "mirror.lock"
