"""
Builds the contracts into the artifacts that this package ships.

It needs a checkout and its node_modules; whoever only uses the package reads the artifacts
(`chain.artifacts`) and never comes here.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = "contracts"
MOCKS: Final = "contracts/mocks"
ARTIFACTS: Final = "chain/artifacts"
MOCK_ARTIFACTS: Final = "tests/artifacts"
INDEX: Final = f"{ARTIFACTS}/index.json"
COMPILER: Final = "scripts/solc"

# Raised by one whenever the files below change their shape, so that old ones count as stale.
FORMAT: Final = 1

# The same as foundry.toml and hardhat.config.js. Without metadata the bytecode depends on nothing
# but the sources and these lines, so three compilers can be compared.
SETTINGS: Final[Mapping[str, Any]] = {
    "evmVersion": "london",
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "optimizer": {"enabled": True, "runs": 200},
    "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
    "viaIR": False,
}

OUTPUTS: Final = (
    "abi",
    "devdoc",
    "evm.bytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "evm.deployedBytecode.object",
    "evm.methodIdentifiers",
    "storageLayout",
    "userdoc",
)

# What decides the bytecode besides our sources, by name in package-lock.json.
PINNED: Final = ("solc", "@openzeppelin/contracts")


class CompileFailed(Exception):
    """The sources do not compile without a warning, or two of them use one name."""


@dataclass(frozen=True, slots=True)
class Build:
    """
    Every file to be written, by its path below the root.

    shape: path -> text of the file, the index among them
    """

    files: Mapping[str, str]


def fingerprint(root: Path) -> str:
    """
    Return the digest of everything the artifacts depend on, without compiling.

    shape: hex of a SHA-256 over sources, settings and the pinned compiler and library
    """
    locked = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    inputs = {
        "format": FORMAT,
        "pinned": {name: locked[f"node_modules/{name}"]["integrity"] for name in PINNED},
        "settings": SETTINGS,
        "sources": {name: _digest(text) for name, text in _sources(root).items()},
    }
    return _digest(_dumps(inputs))


def problems(root: Path) -> list[str]:
    """
    Return what is not as a fresh compilation would leave it; empty when all is fresh.

    shape: one sentence per file
    """
    index_file = root / INDEX
    if not index_file.is_file():
        return [f"{INDEX} is missing"]
    index = json.loads(index_file.read_text("utf-8"))
    if index.get("fingerprint") != fingerprint(root):
        return [f"{INDEX} was made from other sources, settings or compiler"]
    wanted: Mapping[str, str] = index["files"]
    found = {
        path.relative_to(root).as_posix(): path
        for folder in (ARTIFACTS, MOCK_ARTIFACTS)
        for path in sorted((root / folder).glob("*.json"))
        if path != index_file
    }
    changed = [
        f"{name} is missing or was changed by hand"
        for name, digest in wanted.items()
        if name not in found or _digest(found[name].read_text("utf-8")) != digest
    ]
    return changed + [f"{name} belongs to no contract" for name in found if name not in wanted]


def build(root: Path) -> Build:
    """
    Compile everything under contracts/ and lay out the files that hold the result.

    ensures: the same sources give the same bytes, on any machine
    :raises CompileFailed: if the compiler has an error or a warning, or a name is used twice
    """
    # Imported here because only this function needs a compiler.
    from solcx.wrapper import get_version_str_from_solc_binary

    sources = _sources(root)
    output = _compile(root, sources)
    files: dict[str, str] = {}
    contracts: dict[str, Any] = {}
    kinds = _kinds(output, sources)
    for source in sources:
        for name, contract in sorted(output["contracts"].get(source, {}).items()):
            kind = kinds[source, name]
            if kind not in ("contract", "interface"):
                continue
            _claim(contracts, name, {"kind": kind, "source": source})
            folder = MOCK_ARTIFACTS if source.startswith(f"{MOCKS}/") else ARTIFACTS
            files[f"{folder}/{name}.json"] = _dumps(_artifact(source, name, kind, contract))
    index = {
        "compiler": get_version_str_from_solc_binary(root / COMPILER),
        "contracts": contracts,
        "files": {name: _digest(text) for name, text in files.items()},
        "fingerprint": fingerprint(root),
        "settings": SETTINGS,
        **_types(output, sources),
    }
    return Build({**files, INDEX: _dumps(index)})


def write(root: Path, built: Build) -> None:
    """
    Write the files of a build and remove artifacts of contracts that are no more.

    ensures: the index is written last, so an interrupted run counts as stale
    """
    for folder in (ARTIFACTS, MOCK_ARTIFACTS):
        for path in (root / folder).glob("*.json"):
            if path.relative_to(root).as_posix() not in built.files:
                path.unlink()
    for name in sorted(built.files, key=lambda name: (name == INDEX, name)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(built.files[name], encoding="utf-8", newline="\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Compile when stale; with --check only say whether it would; with --force always."""
    parser = argparse.ArgumentParser(prog="python -m chain.compile", description=main.__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="exit 1 when an artifact is stale")
    mode.add_argument("--force", action="store_true", help="compile even when all is fresh")
    options = parser.parse_args(argv)
    stale = problems(ROOT)
    if options.check:
        for sentence in stale:
            sys.stderr.write(f"{sentence}\n")
        return 1 if stale else 0
    if not stale and not options.force:
        return 0
    try:
        write(ROOT, build(ROOT))
    except CompileFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


def _sources(root: Path) -> dict[str, str]:
    paths = sorted((root / SOURCES).rglob("*.sol"))
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in paths}


def _compile(root: Path, sources: Mapping[str, str]) -> Mapping[str, Any]:
    import solcx

    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            **SETTINGS,
            "outputSelection": {name: {"*": list(OUTPUTS), "": ["ast"]} for name in sources},
        },
    }
    # Named by itself, node_modules may also be a link to a folder elsewhere.
    readable = [str(root), str(root / "node_modules")]
    try:
        output: Mapping[str, Any] = solcx.compile_standard(
            request, solc_binary=root / COMPILER, base_path=str(root), allow_paths=readable
        )
    except solcx.exceptions.SolcError as failure:
        raise CompileFailed(str(failure.message)) from failure
    ours = [
        error["formattedMessage"]
        for error in output.get("errors", ())
        if not error.get("sourceLocation", {}).get("file", "").startswith("node_modules/")
    ]
    if ours:
        raise CompileFailed("\n".join(ours))
    return output


def _kinds(output: Mapping[str, Any], sources: Mapping[str, str]) -> dict[tuple[str, str], str]:
    return {
        (source, node["name"]): "abstract" if node["abstract"] else node["contractKind"]
        for source in sources
        for node in output["sources"][source]["ast"]["nodes"]
        if node["nodeType"] == "ContractDefinition"
    }


def _artifact(source: str, name: str, kind: str, contract: Mapping[str, Any]) -> dict[str, Any]:
    evm = contract["evm"]
    references = evm["deployedBytecode"].get("immutableReferences", {})
    return {
        "abi": contract["abi"],
        "bytecode": f"0x{evm['bytecode']['object']}",
        "contractName": name,
        "deployedBytecode": f"0x{evm['deployedBytecode']['object']}",
        "devdoc": contract["devdoc"],
        # [start, length] of every place where the constructor writes an immutable.
        "immutables": sorted(
            [place["start"], place["length"]] for places in references.values() for place in places
        ),
        "kind": kind,
        "methodIdentifiers": evm["methodIdentifiers"],
        "sourceName": source,
        "storage": _storage(contract.get("storageLayout", {})),
        "userdoc": contract["userdoc"],
    }


def _storage(layout: Mapping[str, Any]) -> dict[str, Any]:
    # Type keys carry AST numbers that move whenever any file changes; labels do not.
    types: Mapping[str, Any] = layout.get("types") or {}

    def slots(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {
                "label": entry["label"],
                "offset": entry["offset"],
                "slot": entry["slot"],
                "type": types[entry["type"]]["label"],
            }
            for entry in entries
        ]

    return {
        "structs": {
            kind["label"]: slots(kind["members"]) for kind in types.values() if "members" in kind
        },
        "variables": slots(layout.get("storage", ())),
    }


def _types(output: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    enums: dict[str, Any] = {}
    structs: dict[str, Any] = {}
    aliases: dict[str, Any] = {}
    for source in sources:
        if source.startswith(f"{MOCKS}/"):
            continue
        for node in _nodes(output["sources"][source]["ast"]):
            if node["nodeType"] == "EnumDefinition":
                _claim(enums, node["name"], [member["name"] for member in node["members"]])
            elif node["nodeType"] == "StructDefinition":
                _claim(structs, node["name"], _struct(node))
            elif node["nodeType"] == "UserDefinedValueTypeDefinition":
                _claim(aliases, node["name"], node["underlyingType"]["name"])
    return {"aliases": aliases, "enums": enums, "structs": structs}


def _struct(node: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "documentation": (node.get("documentation") or {}).get("text", "").strip(),
        "members": [
            {"name": member["name"], "type": member["typeDescriptions"]["typeString"]}
            for member in node["members"]
        ],
    }


def _nodes(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    # What a contract defines for itself alone is no part of its public face.
    for node in tree["nodes"]:
        yield node
        if node["nodeType"] == "ContractDefinition" and node["contractKind"] != "contract":
            yield from node["nodes"]


def _claim(table: dict[str, Any], name: str, value: Any) -> None:
    if name in table:
        raise CompileFailed(f"two definitions are called {name}")
    table[name] = value


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
