"""
Which events a reader wants, whoever reads them: a list, a stream, a webhook.

Not which of them somebody may see (`api.streaming.audience`).
"""

from dataclasses import dataclass
from typing import Final

from chain.event import UnknownEvent
from chain.events import EVENTS
from chain.failure import Invalid

NAMES: Final = frozenset({*EVENTS, UnknownEvent.__name__})


class EventNameUnknown(Invalid):
    """No event of the ledger has this name."""

    name: str


class ContractUnknown(Invalid):
    """The ledger has no contract of this name."""

    contract: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    Which events a reader wants; what is None narrows nothing.

    shape: `about` is an id that stands in the event as an indexed value
    """

    about: str | None = None
    contract: str | None = None
    name: str | None = None
    is_final: bool = False

    def __post_init__(self) -> None:
        if self.name is not None and self.name not in NAMES:
            raise EventNameUnknown(name=self.name)
