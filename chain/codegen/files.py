"""
All generated files at once: their texts, whether those on disk are fresh, and writing them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from chain.codegen.decoders import decoders
from chain.codegen.emit import acts, codes, errors, events, structs
from chain.codegen.model import check_errors, face_of, read_artifacts, struct_notice

PACKAGE: Final = "chain"


def texts(
    index: Mapping[str, Any], artifacts: Sequence[Mapping[str, Any]], package: str = PACKAGE
) -> dict[str, str]:
    """
    Return every generated module by its file name.

    :raises CannotGenerate: if the artifacts hold something ambiguous or without a family
    """
    face = face_of(index, artifacts)
    check_errors(face.errors)
    notices = {kind.name: struct_notice(index, kind.name) for kind in face.structs}
    return {
        "codes.py": codes(face),
        "structs.py": structs(face, notices, package),
        "events.py": events(face, package),
        "errors.py": errors(face, package),
        "acts.py": acts(face, package),
        "decoders.py": decoders(face, package),
    }


def stale(root: Path) -> list[str]:
    """Return the names of the generated files that are not what the artifacts give."""
    folder = root / PACKAGE
    fresh = texts(*read_artifacts(folder / "artifacts"))
    return [
        name
        for name, text in fresh.items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != text
    ]


def write(root: Path) -> list[str]:
    """Write what is stale and return its names."""
    folder = root / PACKAGE
    fresh = texts(*read_artifacts(folder / "artifacts"))
    changed = stale(root)
    for name in changed:
        (folder / name).write_text(fresh[name], encoding="utf-8", newline="\n")
    return changed
