"""
`shulian asset check`: reads a data package and says what would be registered of it.

It registers nothing and needs no home; the reading is `api.packages.packages`'.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.failing import add
from api.commands.homes import JsonOption
from api.commands.nouns import Noun
from api.commands.showing import print_json, print_pairs, print_table

if TYPE_CHECKING:
    from api.packages.packages import DataPackage


def register(app: typer.Typer, noun: Noun) -> None:
    """Add the command to the assets."""
    if noun.name == "asset":
        add(app, check, name="check", example="shulian asset check ./my-data-package")


def check(
    path: Annotated[
        Path, typer.Argument(help="The package's folder or its datapackage.json.", metavar="PATH")
    ],
    as_json: JsonOption = False,
) -> None:
    """Read a data package, and show what would be registered of it; nothing is recorded."""
    from api.packages.packages import read_package

    package = read_package(path)
    if as_json:
        print_json(_told(package))
        return
    print_pairs([("package", package.name), ("title", package.title)])
    print_table(
        ("resource", "kind", "rows", "bytes", "encoding", "sha256"),
        [
            (
                one.name,
                "table" if one.table else "file",
                "–" if one.rows is None else str(one.rows),
                str(one.size_bytes),
                one.encoding or "–",
                one.content_sha256,
            )
            for one in package.resources
        ],
    )


def _told(package: "DataPackage") -> dict[str, Any]:
    return {
        "name": package.name,
        "title": package.title,
        "descriptor_sha256": package.descriptor_sha256,
        "resources": [
            {
                "name": one.name,
                "title": one.title,
                "is_table": one.table is not None,
                "rows": one.rows,
                "size_bytes": one.size_bytes,
                "encoding": one.encoding,
                "delimiter": one.delimiter,
                "content_sha256": one.content_sha256,
                "fingerprint": one.fingerprint,
                "metadata": dict(one.metadata),
            }
            for one in package.resources
        ],
    }
