"""
Sends what is due to webhooks: in order for each, several at once, again and again until it arrives.

It runs beside the mirror's one writer, so that nothing is sent twice at once; what it has to do is
in the operational database (`api.webhooks.deliveries`), so whatever ends it, the next one goes on
there.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from api.auth import Viewer
from api.deps import Reading, Services
from api.problems import MirrorEmpty
from api.statuses import is_active_participant
from api.streaming.audience import Audience
from api.streaming.feed import read_feed, snapshot
from api.streaming.positions import Position, PositionForeign
from api.webhooks.calls import RETRY_AFTER_MAX, Called, Outcome, call
from api.webhooks.deliveries import DeliveryState, Sending, enqueue, note_attempt, waiting
from api.webhooks.endpoints import Webhook, Webhooks, WebhookState
from api.webhooks.signing import headers_for
from registry.participants import Participant
from registry.store import list_roles

LOG: Final = logging.getLogger(__name__)

AT_ONCE: Final = 8
PAGE: Final = 50
LOOK_SECONDS: Final = 1.0
# After so long it is another's turn: some that answer slowly must not take all places for good.
TURN_SECONDS: Final = 20.0
# A webhook that wants little stays behind in its row; so far, not farther.
BEHIND_BLOCKS_MAX: Final = 1_000
GONE: Final = 410
NOT_ACTIVE: Final = "its organisation is not active"
HEADERS: Final = {"content-type": "application/json", "user-agent": "Shulian-Webhook/1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after a failure: twice as long each time, up to a bound, and never alike."""

    first_seconds: int = 5
    longest_seconds: int = 3_600
    attempts_max: int = 16

    def pause(self, failures: int, chance: random.Random) -> int:
        """Return the seconds to wait after so many failures in a row."""
        doubled: int = self.first_seconds << min(failures - 1, 30)
        whole = min(self.longest_seconds, doubled)
        return round(whole * chance.uniform(0.5, 1.0))


class Deliverer:
    """The thread that sends."""

    def __init__(
        self,
        services: Services,
        webhooks: Webhooks,
        *,
        backoff: Backoff | None = None,
        send: Callable[..., Called] = call,
    ) -> None:
        self._services = services
        self._webhooks = webhooks
        self._backoff = backoff or Backoff()
        self._send = send
        self._longest_seconds = max(self._backoff.longest_seconds, RETRY_AFTER_MAX)
        self._chance = random.Random()
        self._busy: dict[str, Future[None]] = {}
        self._read_to: dict[str, Position] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Send in threads of this process."""
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def notify(self) -> None:
        """Look at once: the mirror has moved."""
        self._wake.set()

    def stop(self) -> None:
        """Stop after the messages at hand, and wait for that."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._pool.shutdown(wait=True)

    def look(self) -> list[Future[None]]:
        """Begin to serve every webhook that is due and not being served, and return what runs."""
        now = self._services.clock()
        for webhook in self._webhooks.browse():
            running = self._busy.get(webhook.webhook_id)
            if running is not None and running.done():
                del self._busy[webhook.webhook_id]
                running = None
            is_due = _is_due(webhook, now, longest_seconds=self._longest_seconds)
            if running is None and is_due and not self._stopping.is_set():
                self._busy[webhook.webhook_id] = self._pool.submit(self._guarded, webhook)
        return list(self._busy.values())

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.look()
            except Exception:
                # The database may be busy or full; what is due stays due.
                LOG.exception("webhooks not looked at")
            self._wake.wait(LOOK_SECONDS)

    def _guarded(self, webhook: Webhook) -> None:
        try:
            self._serve(webhook)
        except MirrorEmpty:
            return
        except Exception:
            LOG.exception("webhook not served webhook_id=%s", webhook.webhook_id)

    def _serve(self, webhook: Webhook) -> None:
        ends_at = time.monotonic() + TURN_SECONDS
        while not self._stopping.is_set():
            queue = waiting(self._webhooks.engine, webhook.webhook_id, limit=PAGE)
            if not queue:
                if not self._fill(webhook):
                    return
                webhook = self._webhooks.require(webhook.webhook_id)
                continue
            for sending in queue:
                if self._stopping.is_set() or not self._may_go_on(webhook):
                    return
                if not self._deliver(webhook, sending) or time.monotonic() >= ends_at:
                    return
                webhook = self._webhooks.require(webhook.webhook_id)

    def _may_go_on(self, webhook: Webhook) -> bool:
        """Say whether the next message may be sent: its owner may have changed since the last."""
        if webhook.state is not WebhookState.ACTIVE:
            return False
        with snapshot(self._services) as reading:
            is_owned = _owner(reading, webhook) is not None
        if not is_owned:
            self._pause(webhook, NOT_ACTIVE)
        return is_owned

    def _fill(self, webhook: Webhook) -> bool:
        """Put what comes next into the queue, and say whether anything was to be put there."""
        start = self._read_to.get(webhook.webhook_id, webhook.position)
        try:
            with snapshot(self._services) as reading:
                viewer = _owner(reading, webhook)
                if viewer is None:
                    self._pause(webhook, NOT_ACTIVE)
                    return False
                audience = Audience.at(reading.session, viewer, reading.now)
                told = read_feed(reading, start, webhook.wanted, audience, limit=PAGE)
        except PositionForeign:
            self._pause(webhook, "the mirror holds another chain than the one it was told of")
            return False
        is_behind = told.after.block_number - webhook.position.block_number >= BEHIND_BLOCKS_MAX
        if told.entries or told.rewound_to is not None or is_behind:
            self._read_to.pop(webhook.webhook_id, None)
            return enqueue(self._webhooks.engine, webhook, told, now=self._services.clock())
        self._read_to[webhook.webhook_id] = told.after
        return not told.is_current

    def _deliver(self, webhook: Webhook, sending: Sending) -> bool:
        """Send one message, and say whether to go on with the next."""
        now = self._services.clock()
        keys = self._webhooks.keys(webhook, now=now)
        signed = headers_for(
            message_id=sending.message_id, timestamp=now, body=sending.body, keys=keys
        )
        started = time.monotonic()
        called = self._send(webhook.url, {**HEADERS, **signed}, sending.body, self._webhooks.reach)
        milliseconds = round((time.monotonic() - started) * 1_000)
        note_attempt(self._webhooks.engine, sending, called, at=now, milliseconds=milliseconds)
        self._services.metrics.webhook(called.outcome.name)
        if called.outcome is Outcome.DELIVERED:
            if webhook.failures:
                self._webhooks.put_off(webhook, failures=0, due_at=now)
            return True
        return sending.state is DeliveryState.ASKED or self._put_off(webhook, called, now)

    def _put_off(self, webhook: Webhook, called: Called, now: int) -> bool:
        failures = webhook.failures + 1
        pause = max(self._backoff.pause(failures, self._chance), called.retry_after)
        self._webhooks.put_off(webhook, failures=failures, due_at=now + pause)
        LOG.warning(
            "webhook failed webhook_id=%s outcome=%s status=%s failures=%s pause_seconds=%s",
            webhook.webhook_id,
            called.outcome.name,
            called.status,
            failures,
            pause,
        )
        if called.status == GONE:
            self._pause(webhook, "its server says that it is gone (410)")
        elif failures >= self._backoff.attempts_max:
            self._pause(webhook, f"it failed {failures} times in a row: {called.outcome.name}")
        return False

    def _pause(self, webhook: Webhook, reason: str) -> None:
        self._webhooks.pause(webhook, reason=reason, now=self._services.clock())
        LOG.error("webhook paused webhook_id=%s reason=%s", webhook.webhook_id, reason)


def _is_due(webhook: Webhook, now: int, *, longest_seconds: int) -> bool:
    # Farther off than anybody is put off to: the machine's clock was ahead when that was noted.
    is_time = not now < webhook.due_at <= now + longest_seconds
    return webhook.state is WebhookState.ACTIVE and is_time


def _owner(reading: Reading, webhook: Webhook) -> Viewer | None:
    """Return the organisation whose webhook it is, with its roles as of now, if it is active."""
    found = reading.find(Participant, webhook.participant_id)
    if found is None or not is_active_participant(found, reading.now):
        return None
    roles = list_roles(reading.session, webhook.participant_id)
    return Viewer(account=webhook.account, participant_id=webhook.participant_id, roles=roles)
