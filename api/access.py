"""
Who may see what concerns only some: trades, deliveries, settlements, money. Every such look is
logged, also one that is refused.

It is not the sign-in (`api.auth`). Parties, their venue and its regulators see a trade; nobody
learns from a refusal whether a trade exists.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Select, insert

from api.auth import Viewer, resume
from api.deps import Reading, ReadingDep, Services, ServicesDep
from api.operational import ACCESSES
from api.paging import Where
from api.problems import SignInRequired
from chain.codes import Role
from chain.failure import LedgerError
from chain.values import ZERO_BYTES32, ParticipantId
from registry.participants import holds_role
from settlement.store import certificates_seen_by, trades_seen_by
from settlement.trades import Trade

NOWHERE: Final = ParticipantId(ZERO_BYTES32)
BEARER: Final = HTTPBearer(auto_error=False, description="The token that POST /v1/sessions gave.")


def token_of(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> str:
    """
    Return the session token that came with a request.

    :raises SignInRequired: if none did
    """
    if credentials is None:
        raise SignInRequired()
    return credentials.credentials


def supervised_by(viewer: Viewer, now: int) -> tuple[ParticipantId, ...] | None:
    """Return the venues that somebody supervises; None means all."""
    held = [
        grant
        for grant in viewer.roles
        if holds_role((grant,), role=Role.REGULATOR, venue=grant.venue, now=now)
    ]
    if any(grant.venue == NOWHERE for grant in held):
        return None
    return tuple(grant.venue for grant in held)


def sees_trade(viewer: Viewer, venues: tuple[ParticipantId, ...] | None, trade: Trade) -> bool:
    """Return whether somebody who supervises these venues may see a trade and what hangs on it."""
    concerned = (trade.buyer, trade.seller, trade.executing_venue)
    return viewer.participant_id in concerned or venues is None or trade.executing_venue in venues


@dataclass(frozen=True, slots=True)
class Privileged:
    """A privileged look at the mirror: who looks, at what, and the log of it."""

    viewer: Viewer
    reading: Reading
    request: Request
    services: Services

    def supervised(self) -> tuple[ParticipantId, ...] | None:
        """Return the venues that the viewer supervises; None means all."""
        return supervised_by(self.viewer, self.reading.newest().now)

    def sees(self, trade: Trade) -> bool:
        """Return whether the viewer may see a trade and all that hangs on it."""
        return sees_trade(self.viewer, self.supervised(), trade)

    def trades(self) -> Select[tuple[str]] | None:
        """Return which trades the viewer may see, as a query for their ids; None means all."""
        venues = self.supervised()
        if venues is None:
            return None
        return trades_seen_by(self.viewer.participant_id, venues)

    def within_trades(self, where: Where) -> Where:
        """Return a list's filters, kept to the trades that the viewer may see; log the look."""
        self.allow()
        seen = self.trades()
        asked = where.get("trade_id")
        if seen is None:
            return where
        if asked is not None:
            seen = seen.where(seen.selected_columns[0] == asked)
        return {**where, "trade_id": seen}

    def allow(self) -> None:
        """Log that the look is granted; called before anything is shown."""
        self._log(is_allowed=True)

    def require(self, trade: Trade | None, missing: LedgerError) -> Trade:
        """
        Return a trade that the viewer may see, and log the look either way.

        :raises LedgerError: `missing`, also when the trade exists but is not the viewer's to see
        """
        if not self.judge(trade) or trade is None:
            raise missing
        return trade

    def judge(self, trade: Trade | None) -> bool:
        """Return whether the viewer may see a trade, and log the look either way."""
        is_allowed = trade is not None and self.sees(trade)
        self._log(is_allowed=is_allowed)
        return is_allowed

    def _log(self, *, is_allowed: bool) -> None:
        with self.services.operational.begin() as connection:
            connection.execute(
                insert(ACCESSES).values(
                    at=self.services.clock(),
                    participant_id=self.viewer.participant_id,
                    account=self.viewer.account,
                    method=self.request.method,
                    path=self.request.url.path,
                    query=self.request.url.query,
                    is_allowed=int(is_allowed),
                )
            )


def privileged(
    request: Request,
    services: ServicesDep,
    reading: ReadingDep,
    token: Annotated[str, Depends(token_of)],
) -> Privileged:
    """Return who looks, if they are signed in and still in good standing."""
    # What somebody may see is a matter of now, whatever moment they ask about.
    return Privileged(resume(services, reading.newest(), token), reading, request, services)


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who looks at what is public, and sees more if signed in."""

    services: Services
    reading: Reading
    look: Privileged | None

    def sees(self, trade: Trade) -> bool:
        """Return whether the trade is theirs to see."""
        return self.look is not None and self.look.sees(trade)

    def judge(self, trade: Trade | None) -> bool:
        """Return whether the trade is theirs to see, and log the look of whoever is signed in."""
        return self.look is not None and self.look.judge(trade)

    def certificates(self) -> Select[tuple[str]] | None:
        """
        Return which certificates they may see whole, as a query for their ids; None means all.
        """
        if self.look is None:
            return certificates_seen_by(None)
        trades = self.look.trades()
        return None if trades is None else certificates_seen_by(trades)

    def log(self) -> None:
        """Log the look of somebody who is signed in."""
        if self.look is not None:
            self.look.allow()


def looker(
    request: Request,
    services: ServicesDep,
    reading: ReadingDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> Looker:
    """Return who looks, signed in or not."""
    if credentials is None:
        return Looker(services, reading, None)
    viewer = resume(services, reading.newest(), credentials.credentials)
    return Looker(services, reading, Privileged(viewer, reading, request, services))


LookerDep = Annotated[Looker, Depends(looker)]
TokenDep = Annotated[str, Depends(token_of)]
PrivilegedDep = Annotated[Privileged, Depends(privileged)]
