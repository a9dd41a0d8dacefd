// Follows every contract of the measured chain as one source; what they are is in bench.json.
import { readFileSync } from "node:fs";
import { createConfig } from "ponder";

const about = JSON.parse(readFileSync("bench.json", "utf-8"));

export default createConfig({
  database: { kind: "pglite" },
  chains: {
    // Its own limit of requests is lifted: the node is on this machine.
    measured: { id: about.chain_id, rpc: about.url, disableCache: true, maxRequestsPerSecond: 10000 },
  },
  contracts: {
    Ledger: {
      chain: "measured",
      abi: about.abi,
      address: about.addresses,
      startBlock: about.first_block,
      endBlock: about.last_block,
    },
  },
});
