"""
The ledger as Python writes to it and asks it: one method for all acts, one for all views.

It knows no business rule. Every act goes through the outbox, so a repeat under the same key is the
same act; whatever a contract refuses comes out as its named error, before anything was sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from eth_account.signers.local import LocalAccount

from chain.act import Act
from chain.artifacts import artifact
from chain.deployments import Deployment, verify_deployment
from chain.entries import Entry, Kind, State
from chain.errors import SignatureInvalid
from chain.failure import LedgerError
from chain.repeats import actor_of_same, is_call, topic_of_repeat
from chain.sender import Order, Sender
from chain.signing import (
    BY_SENDER,
    TypedData,
    act_typed_data,
    join_typed_data,
    sign,
    terms_typed_data,
)
from chain.structs import Authorization, TradeTerms
from chain.values import Address, Bytes32, HexBytes, ParticipantId, address, raw
from chain.views import decode_view, encode_view

T = TypeVar("T")

TRADES: Final = "Trades"
PARTICIPANTS: Final = "Participants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """
    What became of an act.

    shape: `transaction_hash` is None if the record was there already and nobody here sent it;
           `is_repeat` if this call sent nothing new; `block_number` None while it is not mined
    """

    key: str
    noun_id: str
    transaction_hash: Bytes32 | None
    is_repeat: bool
    state: State
    block_number: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An act among several, with its business key and the id of what it makes."""

    act: Act
    key: str
    noun_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """
    An act among those of several, with whose account sends it.

    shape: with an `authorization` the relayer's account sends what `by` only signed
    """

    request: Request
    by: LocalAccount
    authorization: Authorization | None = None


class Ledger:
    """The contracts of one deployment."""

    def __init__(
        self, sender: Sender, deployment: Deployment, *, relayer: LocalAccount | None = None
    ) -> None:
        """
        Join a deployment to whoever sends.

        :raises WrongChain: if the node serves another chain than the contracts are on
        :raises CodeDiffers: if the contracts are not those that this version knows
        """
        verify_deployment(sender.connection, deployment)
        self.deployment = deployment
        self.sender = sender
        self._relayer = relayer

    @property
    def chain_id(self) -> int:
        """Return the chain's id."""
        return self.deployment.chain_id

    def address_of(self, contract: str) -> Address:
        """Return where a contract is."""
        return self.deployment.address_of(contract)

    # --- writing ----------------------------------------------------------------------------------

    def act(
        self, act: Act, *, by: LocalAccount, key: str, noun_id: str = "", wait: bool = True
    ) -> Sent:
        """
        Carry out an act through an account whose key is here.

        shape: `key` says what makes the act unique to its caller; `noun_id` is kept for look-ups;
               without `wait` the answer may be SENT, and `refresh` tells later
        :raises LedgerError: the contract's named error; nothing was sent if it comes at once
        :raises OutboxConflict: if the key was used for another act
        """
        order = self._order(
            act, BY_SENDER, by, address(by.address), Request(act=act, key=key, noun_id=noun_id)
        )
        return self._one(order, act, wait=wait)

    def relay(
        self,
        act: Act,
        authorization: Authorization,
        *,
        key: str,
        noun_id: str = "",
        wait: bool = True,
    ) -> Sent:
        """
        Send an act that somebody else signed, through the relayer's account.

        shape: a repeat under the same key may carry a newer signature; the first one counts
        :raises ValueError: if the ledger was opened without a relayer
        :raises SignatureInvalid: if nobody signed; the contracts would take it for the relayer's
        """
        relayer = self._sends(authorization)
        request = Request(act=act, key=key, noun_id=noun_id)
        order = self._order(act, authorization, relayer, authorization.account, request)
        return self._one(order, act, wait=wait)

    def act_many(self, requests: Sequence[Request], *, by: LocalAccount) -> list[Sent]:
        """
        Carry out acts that do not need one another, handed over at once in this order.

        shape: at most `chain.sender.PIPELINE_MAX`
        :raises LedgerError: the named error of the first that fails; if at once, none was sent
        """
        return self.act_together([Signing(request=one, by=by) for one in requests])

    def act_together(self, signings: Sequence[Signing]) -> list[Sent]:
        """
        Carry out acts of several that do not need one another, handed over at once in this order.

        shape: at most `chain.sender.PIPELINE_MAX`; what others authorized is sent by the relayer
        :raises LedgerError: the named error of the first that fails; if at once, none was sent
        """
        orders = [self._order_of(one) for one in signings]
        repeats = self.sender.living([order.key for order in orders])
        entries = self.sender.carry_out(orders)
        return [_sent(entry, is_repeat=entry.key in repeats) for entry in entries]

    def _order_of(self, signing: Signing) -> Order:
        request, by = signing.request, signing.by
        if signing.authorization is None:
            return self._order(request.act, BY_SENDER, by, address(by.address), request)
        authorization = signing.authorization
        return self._order(
            request.act, authorization, self._sends(authorization), authorization.account, request
        )

    def _sends(self, authorization: Authorization) -> LocalAccount:
        if self._relayer is None:
            raise ValueError("a ledger without a relayer cannot relay")
        if not raw(authorization.signature):
            raise SignatureInvalid(account=authorization.account)
        return self._relayer

    def refresh(self, transaction_hash: Bytes32) -> Entry | None:
        """Return what became of a transaction, after a look at the chain; None if not ours."""
        entry = self.sender.outbox.find_transaction(transaction_hash)
        return None if entry is None else self.sender.refresh(entry)

    def _one(self, order: Order, act: Act, *, wait: bool) -> Sent:
        is_repeat = order.key in self.sender.living([order.key])
        try:
            done = self.sender.carry_out([order]) if wait else self.sender.submit([order])
        except LedgerError as error:
            if not self._exists_alike(act, order.actor, error):
                raise
            return Sent(
                key=order.key,
                noun_id=order.noun_id,
                transaction_hash=None,
                is_repeat=True,
                state=State.MINED,
                block_number=None,
            )
        return _sent(done[0], is_repeat=is_repeat)

    def _order(
        self,
        act: Act,
        authorization: Authorization,
        account: LocalAccount,
        actor: Address,
        request: Request,
    ) -> Order:
        return Order(
            kind=Kind.ACT,
            key=request.key,
            contract=act.CONTRACT,
            function=act.FUNCTION,
            act=act.to_json(),
            actor=actor,
            account=account,
            to=self.address_of(act.CONTRACT),
            data=act.encode(authorization),
            noun_id=request.noun_id,
        )

    def _exists_alike(self, act: Act, actor: Address, error: LedgerError) -> bool:
        topic = topic_of_repeat(error)
        if topic is None:
            return False
        contract = self.address_of(act.CONTRACT)
        connection = self.sender.connection
        for made in reversed(connection.transactions_about(contract, topic)):
            if is_call(act, made, contract):
                return self._is_own(actor, actor_of_same(act, made))
        return False

    def _is_own(self, actor: Address, other: Address | None) -> bool:
        if other is None or other == actor:
            return other is not None
        try:
            return self._participant_of(actor) == self._participant_of(other)
        except LedgerError:
            return False

    def _participant_of(self, account: Address) -> ParticipantId:
        found: ParticipantId = self.call(PARTICIPANTS, "accountOf", account).participant_id
        return found

    # --- signing ----------------------------------------------------------------------------------

    def act_typed_data(self, act: Act, *, account: Address, nonce: int, deadline: int) -> TypedData:
        """Return what a wallet signs to let this ledger relay an act."""
        return act_typed_data(
            act,
            account=account,
            chain_id=self.chain_id,
            contract=self.address_of(act.CONTRACT),
            nonce=nonce,
            deadline=deadline,
        )

    def sign_act(
        self, act: Act, account: LocalAccount, *, nonce: int, deadline: int
    ) -> Authorization:
        """
        Return an account's authorization of an act.

        shape: `nonce` any number the account has not used at the contract, in any order
        units: `deadline` in seconds since 1970 UTC, exclusive
        """
        signer = address(account.address)
        typed = self.act_typed_data(act, account=signer, nonce=nonce, deadline=deadline)
        return Authorization(
            account=signer,
            nonce=nonce,
            deadline=deadline,
            signature=sign(typed, account),
        )

    def terms_typed_data(self, terms: TradeTerms) -> TypedData:
        """Return the terms of a trade as both sides sign them."""
        contract = self.address_of(TRADES)
        return terms_typed_data(terms, chain_id=self.chain_id, contract=contract)

    def sign_terms(self, terms: TradeTerms, account: LocalAccount) -> HexBytes:
        """Return one side's signature of the terms of a trade."""
        return sign(self.terms_typed_data(terms), account)

    def join_consent(
        self, participant_id: ParticipantId, account: LocalAccount, *, purposes: int
    ) -> HexBytes:
        """Return a new account's consent to become one of a participant's."""
        typed = join_typed_data(
            participant_id,
            account=address(account.address),
            purposes=purposes,
            chain_id=self.chain_id,
            contract=self.address_of(PARTICIPANTS),
        )
        return sign(typed, account)

    # --- reading ----------------------------------------------------------------------------------

    def call(self, contract: str, view: str, *arguments: Any) -> Any:
        """
        Return a view's answer: one value, or several as a tuple.

        shape: structs and codes as the generated classes, as of the chain's time now
        :raises LedgerError: the contract's named error
        """
        found = tuple(self.call_named(contract, view, *arguments).values())
        return found[0] if len(found) == 1 else found

    def call_named(self, contract: str, view: str, *arguments: Any) -> dict[str, Any]:
        """Return a view's answers by their names."""
        entry = artifact(contract).function(view)
        call = {"to": self.address_of(contract), "data": encode_view(entry, arguments)}
        return decode_view(entry, self.sender.connection.call(call))

    # --- time -------------------------------------------------------------------------------------

    def now(self) -> int:
        """Return the chain's time in seconds since 1970 UTC."""
        return self.sender.connection.now()

    def clock(self, target: int) -> int:
        """Move an embedded chain's time forward, and return what it then is."""
        return self.sender.clock(target)


def _sent(entry: Entry, *, is_repeat: bool) -> Sent:
    return Sent(
        key=entry.key,
        noun_id=entry.noun_id,
        transaction_hash=entry.transaction_hash,
        is_repeat=is_repeat,
        state=entry.state,
        block_number=entry.block_number,
    )
