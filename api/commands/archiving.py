"""
`shulian mirror export`: blocks and events for analysts and for ever, as Parquet files.

The writing is `chain.archive`'s.
"""

from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer

from api.commands.failing import add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.progress import parts
from api.commands.showing import print_json, print_pairs
from api.commands.signals import stoppable

EXAMPLE: Final = "shulian mirror export ./archive --format parquet"


class Form(Enum):
    """How the archive is written."""

    PARQUET = "parquet"


def register(group: typer.Typer) -> None:
    """Add the command."""
    add(group, export, name="export", example=EXAMPLE)


def export(
    folder: Annotated[
        Path, typer.Argument(help="Where the archive is, or shall be.", metavar="FOLDER")
    ],
    form: Annotated[Form, typer.Option("--format", help="The form of the files.")] = Form.PARQUET,
    from_block: Annotated[
        int | None, typer.Option(min=0, help="The first block; by default the mirror's first.")
    ] = None,
    to_block: Annotated[
        int | None, typer.Option(min=0, help="The last block; by default the last final one.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Write final blocks and their events, raw and read, by range of blocks, with digests.

    Run again, it goes on where the archive ends; what is there is not written anew.
    """
    from api.commands.mirroring import opened
    from chain.archive import export_events

    settings = settings_for(home)
    require_home(settings.home)
    with stoppable(), opened(settings) as mirror, parts(is_quiet=as_json) as shown:
        shown.begin("write blocks and events")
        made = export_events(
            mirror,
            folder.expanduser().absolute(),
            first=from_block,
            last=to_block,
            note=shown.count,
        )
    told = {
        "folder": str(folder),
        "format": form.value,
        "chain_id": made.chain_id,
        "parts": len(made.parts),
        "first_block": made.parts[0].first if made.parts else None,
        "last_block": made.parts[-1].last if made.parts else None,
        "events": sum(one.events for one in made.parts),
        "checksum": made.parts[-1].checksum if made.parts else "",
    }
    if as_json:
        print_json(told)
        return
    print_pairs([(name.replace("_", " "), str(value)) for name, value in told.items()])
