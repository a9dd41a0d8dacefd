"""
`shulian kit`: writes units, proxy and monitoring files that fit this installation.

What they hold is `api.kit`'s; installing them is the operator's (docs/operate.md).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.failing import add
from api.commands.homes import HomeOption, JsonOption, told_settings
from api.commands.showing import print_json, print_pairs, say
from chain.durable import fresh_file, publish

if TYPE_CHECKING:
    from api.config import Told

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
    notes = list(_notes(told))
    if as_json:
        print_json({"folder": str(place), "files": names, "notes": notes})
        return
    print_pairs([("folder", str(place)), *(("", name) for name in names)])
    for note in notes:
        say(note)


def _notes(told: "Told") -> Iterator[str]:
    """Say what these files need and do not find."""
    from api.kit import CONFIG

    if told.config is None:
        yield (
            f"No file of settings holds here, so the units name {CONFIG}: write it with"
            f" `shulian config init {CONFIG}`, and `shulian --config {CONFIG} kit` once more."
        )
    if not told.settings.backup_folder:
        yield (
            "No backup_folder is set: shulian-backup.service would end with TargetMissing every"
            " night, and nothing would alarm. Set it in the file of settings."
        )
