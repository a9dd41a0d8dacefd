"""
Takes an order through its life: simulated, kept with its nonce, handed over, seen in a block.

The only place that gives out nonces. It knows no contract: what an order means, and whose it is,
is `chain.client`'s; putting lost orders back is `chain.replay`'s.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from chain.answers import Head, Receipt
from chain.connection import ClockNotMovable, Connection, TransactionUnseen
from chain.entries import Draft, Ended, Entry, Kind, Place, Signed, State
from chain.failure import LedgerError
from chain.fetch import WrongChain
from chain.outbox import Outbox, OutboxConflict
from chain.refusals import decode_revert
from chain.rpc import NodeContradicts, NodeRefused
from chain.transactions import sign_transaction
from chain.values import Address, Bytes32, HexBytes, address

LOG: Final = logging.getLogger(__name__)

# What is estimated may grow a little until it is mined.
GAS_NUMERATOR: Final = 5
GAS_DENOMINATOR: Final = 4

# More at once, sent without waiting, may not fit into one block.
PIPELINE_MAX: Final = 100
# A node that mines at once has mined by then, or never will unless it is told to.
INSTANT_SECONDS: Final = 5

# A contract and its function.
Shape = tuple[str, str]


class TransactionFailed(LedgerError):
    """A block holds the transaction, but no reason for its failure can be found again."""

    transaction_hash: Bytes32


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    What shall be sent, by whom.

    shape: `act` is what a repeat is compared by, `actor` whose act it is (a relayer's `account`
           differs); `to` is None for a new contract
    """

    kind: Kind
    key: str
    contract: str
    function: str
    act: Mapping[str, Any]
    actor: Address
    account: LocalAccount
    to: Address | None
    data: HexBytes
    noun_id: str = ""

    @property
    def sender(self) -> Address:
        """Return the address that pays and whose nonce is used."""
        return address(self.account.address)

    @property
    def shape(self) -> Shape:
        """Return what orders that need about as much gas have in common."""
        return self.contract, self.function

    def call(self) -> dict[str, Any]:
        """Return it as a node simulates it."""
        call = {"from": self.sender, "data": self.data}
        return call if self.to is None else {**call, "to": self.to}


class Sender:
    """The one relayer of a chain: its outbox, and the way to a node."""

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        *,
        gas_price_wei: int = 0,
        timeout_seconds: int = 60,
    ) -> None:
        """
        Join an outbox to a node.

        :raises WrongChain: if the outbox holds the acts of another chain
        """
        if outbox.chain_id != connection.chain_id:
            raise WrongChain(expected_chain_id=outbox.chain_id, found_chain_id=connection.chain_id)
        self.connection = connection
        self.outbox = outbox
        self._gas_price_wei = gas_price_wei
        self._timeout_seconds = timeout_seconds
        self._gas_max = connection.latest().gas_limit
        self._enough: dict[Shape, int] = {}
        # How many transactions of each account the chain had when it was first sent from.
        self._counts: dict[Address, int] = {}
        self._offset_seconds = outbox.clock_offset()

    # --- the life of an order ---------------------------------------------------------------------

    def carry_out(self, orders: Sequence[Order]) -> list[Entry]:
        """
        Submit and settle.

        :raises LedgerError: as `submit` and `settle` do
        """
        return self.settle(self._submit(orders))

    def submit(self, orders: Sequence[Order]) -> list[Entry]:
        """
        Simulate, keep and hand over; what was kept under the same key before is only handed over.

        shape: at most PIPELINE_MAX, each of which must hold without the others
        ensures: nothing is kept or sent if the simulation of one new order fails
        :raises LedgerError: the contract's named error
        :raises OutboxConflict: if a key was used for something else
        """
        entries = self._submit(orders)
        self.outbox.mark_sent([one.sequence for one in entries])
        return self.outbox.reread(entries)

    def _submit(self, orders: Sequence[Order]) -> list[Entry]:
        if len(orders) > PIPELINE_MAX:
            raise ValueError(f"{len(orders)=} is more than {PIPELINE_MAX=}")
        with self.outbox.sending:
            living = self.living([order.key for order in orders])
            drafts = self._drafts(orders, living)
            # Before the database is locked: a node may be slow.
            for sender in {order.sender for order in orders} - self._counts.keys():
                self._counts[sender] = self.connection.transaction_count(sender)
            entries = self.outbox.prepare(drafts, first_nonce=self._counts.__getitem__)
            new = {order.key for order in orders} - living
            self.hand_over([one for one in entries if one.state is not State.MINED], new=new)
            return entries

    def _drafts(
        self, orders: Sequence[Order], living: Set[str]
    ) -> list[tuple[Draft, Callable[[int], Signed]]]:
        new = [order for order in orders if order.key not in living]
        gas = self._simulated(new)
        now = int(time.time()) + self._offset_seconds
        return [(_draft(order, now), self._signer(order, gas.get(order.key))) for order in orders]

    def living(self, keys: Sequence[str]) -> set[str]:
        """Return those business keys under which something was sent, or is about to be."""
        known = self.outbox.find_many(keys)
        return {key for key, entry in known.items() if entry.state is not State.FAILED}

    def _simulated(self, orders: Sequence[Order]) -> dict[str, int]:
        try:
            return self._judged(orders)
        except LedgerError:
            # A fork may have taken for a moment what these build on; else the refusal stands.
            if not self._await_moved():
                raise
            return self._judged(orders)

    def _await_moved(self) -> bool:
        """Wait for what a fork moved to be in a block again; say whether anything was moved."""
        connection = self.connection
        if connection.profile.is_instant:
            return False
        depth = connection.profile.finality.depth or 0
        recent = self.outbox.unsettled(connection.latest().number - depth)
        noted = {one.transaction_hash: one for one in recent if one.transaction_hash and one.place}
        receipts = connection.receipts(list(noted))
        moved = {
            hash_: entry
            for (hash_, entry), found in zip(noted.items(), receipts, strict=True)
            if found is None or found.block_hash != entry.block_hash
        }
        if moved:
            LOG.info("fork waited for moved=%d", len(moved))
            self.record(connection.wait(list(moved), timeout_seconds=self._timeout_seconds), moved)
        return bool(moved)

    def _judged(self, orders: Sequence[Order]) -> dict[str, int]:
        # What sufficed for such a call before is tried first, less what may be missing when it is
        # mined; only where that fails does the node search for the gas, or say what is wrong.
        first = {order.shape: order for order in reversed(orders)}
        self._estimate([one for shape, one in first.items() if shape not in self._enough])
        calls = [
            {**one.call(), "gas": hex(self._enough[one.shape] * GAS_DENOMINATOR // GAS_NUMERATOR)}
            for one in orders
        ]
        passed = self.connection.passes(calls)
        self._estimate(
            [one for one, is_enough in zip(orders, passed, strict=True) if not is_enough]
        )
        return {one.key: self._enough[one.shape] for one in orders}

    def _estimate(self, orders: Sequence[Order]) -> None:
        estimates = self.connection.estimate([one.call() for one in orders])
        for order, estimate in zip(orders, estimates, strict=True):
            gas = min(estimate * GAS_NUMERATOR // GAS_DENOMINATOR + 1, self._gas_max)
            self._enough[order.shape] = max(gas, self._enough.get(order.shape, 0))

    def _signer(self, order: Order, gas: int | None) -> Callable[[int], Signed]:
        def sign(nonce: int) -> Signed:
            if gas is None:
                # It lived when it was looked for and failed since: what it needs is not known.
                raise OutboxConflict(key=order.key)
            return sign_transaction(
                key=order.account.key,
                chain_id=self.outbox.chain_id,
                nonce=nonce,
                gas_price_wei=self._gas_price_wei,
                gas=gas,
                to=order.to,
                data=order.data,
            )

        return sign

    def hand_over(self, entries: Sequence[Entry], *, new: Set[str] = frozenset()) -> None:
        """
        Give the node transactions that are kept, whether it has them already or not.

        shape:   `new` are the keys of those that no node was ever given
        ensures: a new one that it refuses is taken back, unless a later nonce needs it; another
                 node may have any other, so that its nonce is used
        :raises LedgerError: for the first refusal
        """
        if not entries:
            return
        refusals = self.connection.send([HexBytes(one.raw or "") for one in entries])
        if len(entries) > 1 and self.connection.profile.is_remakable:
            # Left alone it makes a block of each, or of some, and may rest between them.
            self.connection.mine()
        refused = [
            (entry, decode_revert(refusal))
            for entry, refusal in zip(entries, refusals, strict=True)
            if refusal is not None
        ]
        for entry, error in reversed(refused):
            if entry.key in new:
                self.outbox.release(entry.sequence, problem_of(error))
        for entry, error in refused:
            LOG.warning("transaction refused key=%s error=%s", entry.key, error)
            raise error

    def settle(self, entries: Sequence[Entry]) -> list[Entry]:
        """
        Wait until blocks hold the entries, note where, and return them as they are now.

        :raises LedgerError: the named error of the first that a block holds but a contract refused
        :raises TransactionUnseen: if one is in no block in time; it stays SENT
        """
        waiting = {
            entry.transaction_hash: entry
            for entry in entries
            if entry.transaction_hash is not None and entry.state is not State.MINED
        }
        failures = self.record(self._wait(waiting), waiting)
        for error in failures:
            raise error
        return self.outbox.reread(entries)

    def refresh(self, entry: Entry) -> Entry:
        """Return an entry after a look at whether a block holds it by now."""
        if entry.transaction_hash is None or entry.state in (State.MINED, State.FAILED):
            return entry
        receipt = self.connection.receipt(entry.transaction_hash)
        if receipt is not None:
            self.record([receipt], {entry.transaction_hash: entry})
        return self.outbox.reread([entry])[0]

    def _wait(self, waiting: Mapping[Bytes32, Entry]) -> list[Receipt]:
        hashes = list(waiting)
        first = max(1, self._timeout_seconds // 2)
        if self.connection.profile.is_instant:
            first = min(first, INSTANT_SECONDS)
        try:
            return self.connection.wait(hashes, timeout_seconds=first)
        except TransactionUnseen:
            # A node that restarted, or lost its pool, gets the same bytes again.
            self.outbox.mark_sent([one.sequence for one in waiting.values()])
            self.hand_over(list(waiting.values()))
            self.connection.nudge()
            rest = max(1, self._timeout_seconds - first)
            return self.connection.wait(hashes, timeout_seconds=rest)

    def record(
        self, receipts: Sequence[Receipt], entries: Mapping[Bytes32, Entry]
    ) -> list[LedgerError]:
        """Note what became of entries, and return the errors of those that failed."""
        blocks = self.connection.heads(sorted({one.block_number for one in receipts}))
        ends, failures = [], []
        for receipt in receipts:
            if receipt.block_number not in blocks:
                raise NodeContradicts(reason=f"a receipt in block {receipt.block_number}, of none")
            entry = entries[receipt.transaction_hash]
            place = Place(
                block_number=receipt.block_number,
                block_hash=receipt.block_hash,
                timestamp=blocks[receipt.block_number].timestamp,
                transaction_index=receipt.transaction_index,
            )
            problem = None
            if not receipt.succeeded:
                failures.append(self._reason(receipt))
                problem = problem_of(failures[-1])
            ends.append(Ended(sequence=entry.sequence, place=place, problem=problem))
        self.outbox.mark_ended(ends)
        return failures

    def _reason(self, receipt: Receipt) -> LedgerError:
        sent = self.connection.request("eth_getTransactionByHash", receipt.transaction_hash)
        if sent is None:  # a fork took it out of its block meanwhile, or another node answered
            return TransactionFailed(transaction_hash=receipt.transaction_hash)
        call = {name: sent[name] for name in ("from", "to", "gas") if sent.get(name)}
        call["data"] = sent["input"]
        # Before its block, and after it for what an earlier transaction of the block changed.
        for number in (receipt.block_number - 1, receipt.block_number):
            try:
                self.connection.call(call, block=hex(number))
            except NodeRefused:  # it no longer has that block's state
                continue
            except LedgerError as error:
                return error
        return TransactionFailed(transaction_hash=receipt.transaction_hash)

    # --- the clock --------------------------------------------------------------------------------

    def clock(self, target: int) -> int:
        """
        Move the chain's clock forward and return the time it then has.

        units: seconds since 1970 UTC; a moment that has passed moves nothing
        :raises ClockNotMovable: on a chain whose time is not ours
        """
        if not self.connection.profile.is_instant:
            raise ClockNotMovable()
        with self.outbox.sending:
            now = self.connection.now()
            if target <= now:
                return now
            offset = target - int(time.time())
            entry = self.outbox.prepare_clock(
                f"clock/{target}", target=target, offset_seconds=offset, prepared_at=now
            )
            self.connection.mine_at(target)
            head = self.connection.latest()
            self.outbox.mark_mined(entry.sequence, place_of(head))
            self._offset_seconds = offset
            LOG.info("clock moved to=%d block=%d", target, head.number)
            return head.timestamp


def place_of(head: Head) -> Place:
    """Return the place of a move of the clock: a block of its own."""
    return Place(
        block_number=head.number,
        block_hash=head.hash,
        timestamp=head.timestamp,
        transaction_index=0,
    )


def problem_of(error: LedgerError) -> dict[str, Any]:
    """Return an error as the outbox keeps it."""
    return {"type": error.slug(), "title": error.title, "detail": str(error), **error.to_fields()}


def _draft(order: Order, now: int) -> Draft:
    return Draft(
        kind=order.kind,
        key=order.key,
        contract=order.contract,
        function=order.function,
        act=order.act,
        actor=order.actor,
        sender=order.sender,
        noun_id=order.noun_id,
        prepared_at=now,
    )
