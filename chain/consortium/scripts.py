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
# Blocks are late by a vote's back and forth; a chain later than this many periods stands still.
STALLED_PERIODS: Final = 10
STALLED_SECONDS_MIN: Final = 10
# What runs beside a node is begun anew so often, and looks at it so often.
KEEP_SECONDS: Final = 120
TAKE_SECONDS: Final = 12
LOOK_SECONDS: Final = 3
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

# Beside the node, as long as it is this one: says that gas is free, ends a standstill (keep.js).
echo "$$" >pid
(
    (
        high=0
        while [ "$(cat pid 2>/dev/null)" = "$$" ] && kill -0 "$$" 2>/dev/null; do
            said="$("$geth" --exec "var high = $high; loadScript('keep.js'); high" \\
                attach ./{SOCKET} 2>/dev/null || true)"
            printf '%s\\n' "$said" | sed -n 's/^keep: /keep: /p'
            last="$(printf '%s\\n' "$said" | tail -n 1)"
            case "$last" in
                '' | *[!0-9]*) sleep 1 ;;
                *) high="$last" ;;
            esac
        done
    ) </dev/null &
)
exec "$geth" --config geth.toml --nodekey nodekey --nat none --authrpc.port 0 \\
    --syncmode full --gcmode archive --cache {CACHE_MEGABYTES} \\
    --verbosity {VERBOSITY} --log.vmodule '{QUIET}'{sealing}
"""


def keep_script(*, validators: Sequence[str], period_seconds: int) -> str:
    """
    Return what runs beside a node for a minute at a time, in geth's own console.

    shape: `validators` are the public keys of the nodes that are meant to seal, this one among them
    """
    still = stalled_after_seconds(period_seconds)
    return f"""// Runs beside the node in geth's console. Written by `shulian consortium`.
//
// Gas is free, and no option takes that for a price: geth would put a gwei in its place, and refuse
// all transactions that came in at other nodes.
miner.setGasPrice(0);

// Two halves that were cut off from each other may come back with forks of the same difficulty, on
// which everybody waits for somebody who is on the other: Clique's one deadlock. Whoever sees a
// majority and yet no block takes its newest back, and seals none until it has taken the heavier
// fork from the others: a new block of its own would only be a third. `high` is the highest block
// ever seen; no more than such a fork can have is ever taken back.
var validators = {json.dumps(list(validators))};
var own = admin.nodeInfo.enode;
var majority = Math.floor(validators.length / 2) + 1;
var patience = {still} + 2 * {still} * Math.random();
var seen = null, since = Date.now(), until = Date.now() + {KEEP_SECONDS} * 1000;
while (Date.now() < until) {{
    admin.sleep({LOOK_SECONDS});
    var head = eth.getBlock("latest");
    high = Math.max(high, head.number);
    if (head.hash !== seen) {{
        seen = head.hash;
        since = Date.now();
    }}
    var peers = admin.peers.map(function (one) {{ return one.enode; }}).concat([own]);
    var met = validators.filter(function (key) {{
        return peers.some(function (one) {{ return one.indexOf(key) >= 0; }});
    }});
    var isStill = Date.now() - since > patience * 1000 && !eth.syncing;
    if (isStill && met.length >= majority && head.number > Math.max(0, high - majority)) {{
        console.log("keep: no block although " + met.length + " validators meet: takes back " +
            head.number + " " + head.hash);
        var isSealing = eth.mining;
        if (isSealing) {{ miner.stop(); }}
        debug.setHead("0x" + (head.number - 1).toString(16));
        // A node looks for a heavier chain every ten seconds.
        admin.sleep({TAKE_SECONDS});
        if (isSealing) {{ miner.start(); }}
        break;
    }}
}}
"""


def stalled_after_seconds(period_seconds: int) -> int:
    """Return how old a chain's newest block may be before we say that the chain stands still."""
    return max(STALLED_SECONDS_MIN, STALLED_PERIODS * period_seconds)


def _listening(node: "Node") -> str:
    host = f"[{node.listen_host}]" if ":" in node.listen_host else node.listen_host
    return f"{host}:{node.p2p_port}"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
