"""
How a node is started: the configuration and the script that its machine needs, as text.

Pure. One machine or many, it is the same script that starts a node, so what is tried here is what
runs there.

source: fields of the configuration, `geth dumpconfig` of geth 1.13
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from chain.consortium.genesis import GAS_LIMIT
from chain.values import Bytes32

if TYPE_CHECKING:
    from chain.consortium.folders import Node

# The last series that seals with Clique.
GETH_SERIES: Final = "1.13."
# Relative, because the path of a socket must be short; whoever may read the folder administers.
SOCKET: Final = "geth.ipc"
# What strangers on the network may ask: no votes, no peers, no signer's affairs.
PUBLIC_APIS: Final = ("eth", "net", "web3")
ANY_ADDRESS: Final = ("0.0.0.0", "::")
PEERS_MAX: Final = 50
# Where one relayer sends many acts, all of them wait in one account's line.
ACCOUNT_SLOTS: Final = 4096
POOL_SLOTS: Final = 32_768
CACHE_MEGABYTES: Final = 256
# Of the parts named no more than errors or warnings: several lines per block otherwise, which say
# that it is well. What is not named tells as usual, whatever the verbosity is beside such a list.
VERBOSITY: Final = 1
QUIET: Final = "miner/*=1,core/*=2,p2p/*=2"


def geth_config(node: "Node", *, chain_id: int, peers: Sequence[str]) -> str:
    """
    Return a node's `geth.toml`.

    shape: `peers` are the enode URLs of all others, which it looks for until it has them
    """
    hosts = list(dict.fromkeys([node.host, node.listen_host, "localhost"]))
    apis = list(PUBLIC_APIS)
    parts: list[tuple[str, dict[str, object]]] = [
        ("Eth", {"NetworkId": chain_id, "RPCGasCap": GAS_LIMIT}),
        ("Eth.Miner", {"GasCeil": GAS_LIMIT}),
        (
            "Eth.TxPool",
            {
                "AccountSlots": ACCOUNT_SLOTS,
                "AccountQueue": ACCOUNT_SLOTS,
                "GlobalSlots": POOL_SLOTS,
                "GlobalQueue": POOL_SLOTS,
            },
        ),
        (
            "Node",
            {
                "DataDir": "data",
                "KeyStoreDir": "keystore",
                "IPCPath": f"./{SOCKET}",
                "HTTPHost": node.listen_host,
                "HTTPPort": node.rpc_port,
                "HTTPModules": apis,
                "HTTPVirtualHosts": hosts,
                # On the same port: whoever asks there may also be told there.
                "WSHost": node.listen_host,
                "WSPort": node.rpc_port,
                "WSModules": apis,
            },
        ),
        (
            "Node.P2P",
            {
                "MaxPeers": PEERS_MAX,
                "NoDiscovery": True,
                "BootstrapNodes": [],
                "StaticNodes": list(peers),
                "ListenAddr": _listening(node),
            },
        ),
    ]
    # JSON's numbers, texts, lists and truths are TOML's as well.
    lines = [
        f"# {node.en} · {node.zh}: written by `shulian consortium`, which writes it again.",
        *(
            line
            for name, values in parts
            for line in ("", f"[{name}]", *(f"{key} = {_toml(one)}" for key, one in values.items()))
        ),
    ]
    return "\n".join(lines) + "\n"


def start_script(node: "Node", genesis_hash: Bytes32) -> str:
    """Return the script that starts a node in the foreground, wherever its folder lies."""
    mining = f"--mine --miner.etherbase {node.signer} --unlock {node.signer} --password password"
    sealing = f" \\\n    {mining} --allow-insecure-unlock" if node.is_validator else ""
    return f"""#!/bin/sh
# Starts the node {node.name} and stays with it until it ends; SIGTERM stops it in order.
# Genesis {genesis_hash}. Written by `shulian consortium`, which writes it again.
set -eu
cd "$(dirname "$0")"
umask 077

geth="${{SHULIAN_GETH:-$(command -v geth || true)}}"
if [ ! -x "$geth" ]; then
    echo "start: geth {GETH_SERIES}x is needed: put it on the PATH or name it in SHULIAN_GETH" >&2
    exit 127
fi
found="$("$geth" version | sed -n 's/^Version: //p')"
case "$found" in
    {GETH_SERIES}*) ;;
    *)
        echo "start: geth {GETH_SERIES}x is needed, which seals with Clique; $geth is $found" >&2
        exit 1
        ;;
esac

# Of a folder that holds another chain it says so, and ends.
"$geth" --datadir data --verbosity 1 init genesis.json

# Gas is free. No option takes that for a price: geth would put a gwei in its place, and refuse all
# transactions that came in at other nodes. So it is told once it listens.
(
    (
        tries=0
        until "$geth" --exec 'miner.setGasPrice(0)' attach ./{SOCKET} >/dev/null 2>&1; do
            tries=$((tries + 1))
            [ "$tries" -lt 60 ] || exit 0
            sleep 1
        done
    ) </dev/null >/dev/null 2>&1 &
)
exec "$geth" --config geth.toml --nodekey nodekey --nat none --authrpc.port 0 \\
    --syncmode full --gcmode archive --cache {CACHE_MEGABYTES} \\
    --verbosity {VERBOSITY} --log.vmodule '{QUIET}'{sealing}
"""


def _listening(node: "Node") -> str:
    host = f"[{node.listen_host}]" if ":" in node.listen_host else node.listen_host
    return f"{host}:{node.p2p_port}"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
