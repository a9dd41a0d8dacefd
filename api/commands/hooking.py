"""
`shulian webhook`: where events are sent to, as the operator of the home sees and changes it.

The same as an organisation does with its own through the API. It sends nothing: a running server
does, and finds what is changed here.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from api.commands.failing import add
from api.commands.homes import HomeOption, JsonOption, chain_id_of, require_home, settings_for
from api.commands.showing import print_json, print_pairs, print_table, say, short

if TYPE_CHECKING:
    from api.config import Settings
    from api.webhooks.endpoints import Webhooks
    from chain.values import ParticipantId

HELP: Final = "Addresses that events are sent to, signed."
EXAMPLE: Final = "\b\nExample:\n  shulian webhook ls"

WebhookArgument = Annotated[str, typer.Argument(help="The webhook's id.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help=HELP, epilog=EXAMPLE, rich_markup_mode=None, no_args_is_help=True)
    app.add_typer(group, name="webhook")
    add(group, ls, name="ls", example="shulian webhook ls --json")
    add(
        group,
        make,
        name="add",
        example="shulian webhook add https://exchange.example/events --owner 0x1f3a5c7e",
    )
    add(group, rm, name="rm", example="shulian webhook rm wh_0f2c…")
    add(group, rotate, name="rotate", example="shulian webhook rotate wh_0f2c…")
    add(group, resume, name="resume", example="shulian webhook resume wh_0f2c…")
    add(group, deliveries, name="deliveries", example="shulian webhook deliveries wh_0f2c…")
    add(group, redeliver, name="redeliver", example="shulian webhook redeliver wh_0f2c… 17")


def ls(
    owner: Annotated[
        str | None, typer.Option(help="Only those of this organisation: its id or the beginning.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List webhooks with their state."""
    from api.webhooks.answers import tell_webhook

    settings = _settings(home)
    whose = None if owner is None else _participant(settings, owner)
    with _opened(settings) as webhooks:
        found = [tell_webhook(one) for one in webhooks.browse(whose)]
    if as_json:
        print_json({"items": found})
        return
    columns = ("webhook_id", "url", "state", "failures", "participant_id", "reason")
    rows = [
        [short(one[name]) if name == "participant_id" else str(one[name]) for name in columns]
        for one in found
    ]
    print_table([name.replace("_", " ") for name in columns], rows)


def make(
    url: Annotated[str, typer.Argument(help="Where events are sent.")],
    owner: Annotated[
        str, typer.Option(help="Whose it is: the organisation's id or the beginning of it.")
    ],
    about: Annotated[
        str | None, typer.Option(help="Only events that hold this id as an indexed value.")
    ] = None,
    contract: Annotated[str | None, typer.Option(help="Only events of this contract.")] = None,
    name: Annotated[str | None, typer.Option(help="Only events of this name.")] = None,
    after: Annotated[
        str, typer.Option(help="From where on: newest, oldest, a block, or a position.")
    ] = "newest",
    unfinal: Annotated[
        bool, typer.Option("--unfinal", help="Also what a fork may undo; forks are told.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have events sent to an address; the secret that signs them is shown this once."""
    from api.deps import open_reading
    from api.webhooks.answers import tell_made
    from api.webhooks.asking import Asked, make_webhook
    from chain.reading import Snapshots
    from chain.values import ZERO_ADDRESS, bytes32

    settings = _settings(home)
    whose = _participant(settings, owner)
    asked = Asked(
        url=url,
        about=None if about is None else bytes32(about),
        contract=contract,
        name=name,
        is_final=not unfinal,
        after=after,
    )
    snapshots = Snapshots(settings.mirror_url)
    try:
        with _opened(settings) as webhooks, snapshots.open() as snapshot:
            made = make_webhook(
                webhooks,
                open_reading(snapshot),
                asked,
                participant_id=whose,
                account=ZERO_ADDRESS,
                now=int(time.time()),
            )
    finally:
        snapshots.dispose()
    _print(tell_made(*made), as_json=as_json)
    if not as_json:
        say("Give the secret to whoever receives the events; it is not shown again.")


def rm(webhook: WebhookArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """End a webhook; what was sent stays in the log of this home."""
    with _opened(_settings(home)) as webhooks:
        webhooks.end(webhooks.require(webhook), now=int(time.time()))
    if as_json:
        print_json({"webhook_id": webhook, "state": "ENDED"})
        return
    say(f"ended {webhook}")


def rotate(webhook: WebhookArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Change the secret; the one before signs beside it for a day."""
    from api.webhooks.answers import tell_made

    with _opened(_settings(home)) as webhooks:
        made = webhooks.rotate(webhooks.require(webhook), now=int(time.time()))
    _print(tell_made(*made), as_json=as_json)


def resume(webhook: WebhookArgument, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Go on with a webhook that was paused; nothing that happened meanwhile is left out."""
    from api.webhooks.answers import tell_webhook

    with _opened(_settings(home)) as webhooks:
        found = webhooks.resume(webhooks.require(webhook), now=int(time.time()))
    _print(tell_webhook(found), as_json=as_json)


def deliveries(
    webhook: WebhookArgument,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 50,
    before: Annotated[int | None, typer.Option(min=1, help="Only those below this number.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was sent to a webhook, the newest first."""
    from api.webhooks.answers import tell_deliveries

    with _opened(_settings(home)) as webhooks:
        found = webhooks.require(webhook)
        told = tell_deliveries(found, webhooks.engine, before=before, limit=limit)
    if as_json:
        print_json(told)
        return
    columns = ("number", "type", "state", "attempt_count", "outcome", "status", "attempted_at")
    rows = [
        ["–" if one[name] is None else str(one[name]) for name in columns] for one in told["items"]
    ]
    print_table([name.replace("_", " ") for name in columns], rows)


def redeliver(
    webhook: WebhookArgument,
    number: Annotated[int, typer.Argument(min=1, help="The delivery's number.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have something that was delivered sent once more, with the same id."""
    from api.webhooks.answers import tell_sending
    from api.webhooks.deliveries import ask_again

    with _opened(_settings(home)) as webhooks:
        asked = ask_again(webhooks.engine, webhooks.require(webhook).webhook_id, number)
    if as_json:
        print_json(tell_sending(asked, ()))
        return
    say(f"{asked.kind} is sent again as {asked.message_id} once the server runs")


def _settings(home: Any) -> "Settings":
    settings = settings_for(home)
    require_home(settings.home)
    return settings


@contextmanager
def _opened(settings: "Settings") -> "Iterator[Webhooks]":
    from api.compose import webhooks_of
    from api.migrations import open_operational

    engine = open_operational(settings.operational)
    try:
        yield webhooks_of(settings, engine, chain_id=chain_id_of(settings.home))
    finally:
        engine.dispose()


def _participant(settings: "Settings", text: str) -> "ParticipantId":
    from api.commands.mirrors import open_reading
    from chain.values import ParticipantId
    from registry.participants import Participant

    with open_reading(settings) as mirror:
        return ParticipantId(mirror.resolve("participant", Participant, text))


def _print(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    print_pairs(
        (name.replace("_", " "), "–" if value is None else str(value))
        for name, value in told.items()
    )
