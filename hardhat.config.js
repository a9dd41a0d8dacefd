// The second compiler and the second EVM: same sources and settings as foundry.toml and chain/compile.py.
"use strict";

const { subtask } = require("hardhat/config");
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require("hardhat/builtin-tasks/task-names");

const VERSION = "0.8.37";

// Hardhat would download a compiler; the pinned npm package is the same one.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async ({ solcVersion }, _hre, runSuper) => {
  if (solcVersion !== VERSION) return runSuper();
  return {
    compilerPath: require.resolve("solc/soljson.js"),
    isSolcJs: true,
    version: VERSION,
    longVersion: require("solc").version().replace(".Emscripten.clang", ""),
  };
});

module.exports = {
  solidity: {
    version: VERSION,
    settings: {
      evmVersion: "london",
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      viaIR: false,
    },
  },
  networks: {
    hardhat: {
      hardfork: "london",
      // Nobody pays for gas on this ledger.
      gasPrice: 0,
      initialBaseFeePerGas: 0,
      // Many acts fall into one second.
      allowBlocksWithSameTimestamp: true,
      // A chain of one's own: its id, and when it begins (RFC 3339).
      chainId: Number(process.env.HARDHAT_CHAIN_ID ?? 31337),
      ...(process.env.HARDHAT_BEGINS_AT ? { initialDate: process.env.HARDHAT_BEGINS_AT } : {}),
    },
  },
  paths: {
    sources: "./contracts",
    tests: "./tests/hardhat",
    cache: "./.build/hardhat/cache",
    artifacts: "./.build/hardhat/artifacts",
  },
};
