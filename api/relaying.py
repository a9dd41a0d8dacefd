"""
Handing over acts that others signed, and the answer to whoever brought them.

It judges nothing: the ledger simulates the act first, and the contract judges it again. The id of
what an act makes is known at once, because it is a hash.
"""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Response

from api.deps import Services
from api.models import Json, described
from api.problems import RelayNotServed
from api.wire import make_model
from chain.act import Act
from chain.acts import RegistrationsSubmit, TradesConclude
from chain.client import PARTICIPANTS, Ledger
from chain.structs import Authorization
from chain.values import Address, Bytes32, ParticipantId, act_id

RELAYED: Final = make_model(
    "Relayed",
    described(
        {
            "id": (str, "The id of what the act makes."),
            "transaction_hash": (
                str | None,
                "The transaction that carries it; null if somebody else sent the same act before.",
            ),
        }
    ),
    doc="An act that is on its way, or was before.",
)


def relay(services: Services, act: Act, authorization: Authorization, response: Response) -> Json:
    """
    Hand over a signed act: 202 with where to look, or 200 if the same was handed over before.

    ensures: nothing is kept and nothing sent if the contract would refuse it
    :raises RelayNotServed: if this server has no relayer
    :raises LedgerError: the contract's named error
    """
    ledger = services.ledger
    if ledger is None:
        raise RelayNotServed()
    noun, noun_id = _NAMES[type(act)](ledger, act, authorization.account)
    sent = ledger.relay(
        act, authorization, key=f"relay/{noun}/{noun_id}", noun_id=noun_id, wait=False
    )
    if sent.is_repeat:
        response.status_code = 200
    if sent.transaction_hash is not None:
        response.headers["Location"] = f"/v1/transactions/{sent.transaction_hash}"
    return {"id": noun_id, "transaction_hash": sent.transaction_hash}


def _registration(ledger: Ledger, act: Any, account: Address) -> tuple[str, Bytes32]:
    applicant: ParticipantId = ledger.call(PARTICIPANTS, "accountOf", account).participant_id
    return "registration", act_id(
        "registration",
        chain_id=ledger.chain_id,
        actor=applicant,
        subject=act.asset_id,
        salt=act.salt,
    )


def _trade(ledger: Ledger, act: Any, _: Address) -> tuple[str, Bytes32]:
    terms = act.terms
    return "trade", act_id(
        "trade",
        chain_id=ledger.chain_id,
        actor=terms.buyer,
        subject=terms.listing_id,
        salt=terms.salt,
    )


_NAMES: Final[dict[type[Act], Callable[[Ledger, Any, Address], tuple[str, Bytes32]]]] = {
    RegistrationsSubmit: _registration,
    TradesConclude: _trade,
}
