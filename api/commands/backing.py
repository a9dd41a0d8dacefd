"""
`shulian backup` and `shulian restore`: everything that the chain cannot tell again, in one file.

The copying is `api.upkeep.backups`', the proving and putting back `api.upkeep.restores`'.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import FileNotTaken, Misused, add
from api.commands.homes import HomeOption, JsonOption, require_home, settings_for
from api.commands.progress import parts
from api.commands.showing import print_json, print_pairs, say
from api.commands.signals import stoppable
from chain.durable import make_folder

if TYPE_CHECKING:
    from api.config import Settings
    from api.upkeep.archives import Manifest

LISTED: Final = ("members", "content")

DeepOption = Annotated[
    bool,
    typer.Option(
        "--deep", help="Also fold all stored events anew, and compare the records that this makes."
    ),
]


class TargetMissing(Misused):
    """A backup needs a place: name one, or set backup_folder."""


class KeepNeedsFolder(Misused):
    """How many backups to keep is for a folder of them; a file was named."""

    file: str


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, backup, name="backup", example="shulian backup /var/backups/shulian --content")
    add(app, restore, name="restore", example="shulian restore shulian.tar.gz --home .shulian")


def backup(
    target: Annotated[
        Path | None,
        typer.Argument(
            help="The file, ending in .tar.gz, or a folder in which it gets a name, made if it is"
            " missing; by default backup_folder. Nothing that is there is replaced.",
            metavar="FILE|FOLDER",
        ),
    ] = None,
    content: Annotated[
        bool, typer.Option("--content", help="Also what the content store of the home holds.")
    ] = False,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave out the key files and their password.")
    ] = False,
    without_password: Annotated[
        bool,
        typer.Option(
            "--without-password",
            help="Leave out the password, and the key of webhooks: the other key files stay"
            " encrypted wherever the backup goes.",
        ),
    ] = False,
    deep: DeepOption = False,
    keep: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="When the new one is proven, remove older ones of this chain in that folder, but"
            " for the newest so many.",
            metavar="N",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Back up a home while it runs, and prove the backup by restoring it beside.

    It holds the operational database (what was sent, sessions, access log, drafts), the mirror,
    deployments, exports and key files, with a manifest of SHA-256 digests.
    """
    from api.databases import open_current
    from api.upkeep.backups import SUFFIX, What, back_up
    from api.upkeep.retention import keep_newest

    settings = settings_for(home)
    require_home(settings.home)
    place = _place(target, settings)
    if keep is not None and place.name.endswith(SUFFIX):
        raise KeepNeedsFolder(file=str(place))
    what = What(
        has_keys=not without_keys,
        has_password=not (without_keys or without_password),
        has_content=content,
    )
    with stoppable(), parts(is_quiet=as_json) as shown:
        mirror = open_current(settings.mirror_url, settings.mirror_lock)
        try:
            made = back_up(
                settings,
                mirror,
                place,
                what=what,
                is_deep=deep,
                step=shown.begin,
            )
        finally:
            mirror.dispose()
    removed = [str(one) for one in keep_newest(made.path, keep)] if keep is not None else []
    told = {
        "file": str(made.path),
        "size_bytes": made.size_bytes,
        "removed": removed,
        **told_of(made.manifest),
    }
    if as_json:
        print_json(told)
        return
    print_pairs([("backup", told["file"]), *_pairs(told), *(("removed", one) for one in removed)])
    if made.manifest.has_password:
        say("It holds the keys with their password: keep it where you would keep the home.")


def _place(target: Path | None, settings: "Settings") -> Path:
    if target is not None:
        return target.expanduser().absolute()
    if not settings.backup_folder:
        raise TargetMissing()
    folder = Path(settings.backup_folder)
    make_folder(folder)
    return folder


def restore(
    file: Annotated[Path, typer.Argument(help="What `shulian backup` made.", metavar="FILE")],
    deep: DeepOption = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Make a new home out of a backup; a folder that holds anything is refused.

    With SHULIAN_MIRROR_URL set, the mirror goes into that database, which must be empty. Then
    `shulian up` goes on where the backup was made.
    """
    from api.upkeep.restores import restore as put_back

    settings = settings_for(home)
    path = file.expanduser().absolute()
    if not path.is_file():
        reason = "it is no file" if path.exists() else "it is not there"
        raise FileNotTaken(path=str(file), reason=reason)
    with stoppable(), parts(is_quiet=as_json) as shown:
        shown.begin("restore and compare")
        manifest = put_back(path, settings, is_deep=deep)
    told = {"home": str(settings.home), **told_of(manifest)}
    if as_json:
        print_json(told)
        return
    print_pairs([("home", told["home"]), *_pairs(told)])
    if not manifest.has_keys:
        say("Put the key files and their password into its folder keys before `shulian up`.")
    elif not manifest.has_password:
        say("Put the password of the keys into its file keys/password before `shulian up`.")
    if not manifest.has_content:
        say("The content store was not in the backup: give it back, or point to it.")


def told_of(manifest: "Manifest") -> dict[str, Any]:
    """Return what a backup holds, without the lists of its files."""
    told = {name: value for name, value in asdict(manifest).items() if name not in LISTED}
    return {**told, **{name: len(getattr(manifest, name)) for name in LISTED}, "verified": True}


def _pairs(told: dict[str, Any]) -> list[tuple[str, str]]:
    mirror = told["mirror"]
    return [
        ("made at", told["made_at"]),
        ("chain", str(told["chain_id"])),
        ("mirror", f"block {mirror['block_number']}, {mirror['events']} events"),
        ("checksum", mirror["checksum"]),
        ("files", str(told["members"])),
        ("content", f"{told['content']} files, {'in' if told['has_content'] else 'not in'} it"),
        ("restored and compared", "equal"),
    ]
