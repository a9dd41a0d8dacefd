"""
`shulian kit`: writes units, proxy and monitoring files that fit this installation.

What they hold is `api.kit`'s; installing them is the operator's (docs/operate.md).
"""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.failing import add
from api.commands.homes import HomeOption, JsonOption, told_settings
from api.commands.showing import print_json, print_pairs
from chain.durable import fresh_file, publish

MODE = 0o644


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, kit, name="kit", example="shulian kit /root/kit")


def kit(
    folder: Annotated[Path, typer.Argument(help="Where to write them; files there are replaced.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Write systemd units, a reverse proxy's configuration, and what Prometheus asks and alarms at.

    They are filled in from the settings that hold now. Nothing is installed.
    """
    from api.kit import kit as files_of

    told = told_settings(home)
    place = folder.expanduser().absolute()
    names = []
    for one in files_of(told.settings, config=told.config):
        target = place / one.name
        with fresh_file(target.parent) as file:
            file.write(one.text.encode("utf-8"))
            Path(file.name).chmod(MODE)
            publish(file, target)
        names.append(one.name)
    if as_json:
        print_json({"folder": str(place), "files": names})
    else:
        print_pairs([("folder", str(place)), *(("", name) for name in names)])
