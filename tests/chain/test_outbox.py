"""
The outbox and the sender: kept before sent, sent once, one nonce each, whoever dies meanwhile.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys import keys

from chain.connection import Connection, TransactionUnseen
from chain.entries import Draft, Ended, Entry, Kind, Place, Signed, State
from chain.failure import LedgerError
from chain.fetch import WrongChain
from chain.outbox import Outbox, OutboxConflict
from chain.refusals import CallRefused
from chain.rpc import NodeRefused, NodeUnavailable
from chain.sender import Sender
from chain.values import Address, Bytes32, HexBytes
from tests.chain.fault_proxy import fault_proxy
from tests.chain.journal import Desk

CHAIN_ID = 77
SENDER = Address("0x" + "0a" * 20)
OTHER = Address("0x" + "0b" * 20)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "operational.db", chain_id=CHAIN_ID)
    yield outbox
    outbox.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk.open(tmp_path)
    yield desk
    desk.close()


def draft(key: str = "k", *, line: int = 1, sender: Address = SENDER) -> Draft:
    return Draft(
        kind=Kind.ACT,
        key=key,
        contract="Journal",
        function="write",
        act={"line": line},
        actor=sender,
        sender=sender,
        noun_id="",
        prepared_at=1_000,
    )


def sign(key: str) -> Callable[[int], Signed]:
    return lambda nonce: Signed(
        raw=HexBytes(f"0x{nonce:04x}"),
        transaction_hash=Bytes32(f"0x{key.encode().hex()}{nonce:04x}"),
    )


def first_nonce(_: Address) -> int:
    return 7


def prepare(outbox: Outbox, *drafts: Draft) -> list[Entry]:
    pairs = [(one, sign(one.key)) for one in drafts]
    return outbox.prepare(pairs, first_nonce=first_nonce)


def place(number: int, index: int = 0) -> Place:
    return Place(
        block_number=number,
        block_hash=Bytes32(f"0x{number:064x}"),
        timestamp=1_000 + number,
        transaction_index=index,
    )


class TestRemember:
    def test_makes_an_intent_once(self, outbox: Outbox) -> None:
        made = iter([{"salt": "first"}, {"salt": "second"}])

        answers = [outbox.remember("trade/1", lambda: next(made)) for _ in range(2)]

        assert answers == [{"salt": "first"}] * 2

    def test_outlives_the_process(self, outbox: Outbox, tmp_path: Path) -> None:
        outbox.remember("trade/1", lambda: {"salt": "first"})
        outbox.close()

        again = Outbox.open(tmp_path / "operational.db", chain_id=CHAIN_ID)

        assert again.remember("trade/1", lambda: {"salt": "second"}) == {"salt": "first"}
        again.close()

    def test_keeps_the_intents_of_two_chains_apart(self, outbox: Outbox, tmp_path: Path) -> None:
        outbox.remember("trade/1", lambda: {"salt": "first"})

        other = Outbox.open(tmp_path / "operational.db", chain_id=CHAIN_ID + 1)

        assert other.remember("trade/1", lambda: {"salt": "second"}) == {"salt": "second"}
        other.close()


class TestPrepare:
    def test_counts_nonces_itself(self, outbox: Outbox) -> None:
        entries = prepare(outbox, draft("a"), draft("b"), draft("c", sender=OTHER), draft("d"))

        assert [one.nonce for one in entries] == [7, 8, 7, 9]
        assert all(one.state is State.PREPARED for one in entries)

    def test_gives_a_repeat_what_it_had(self, outbox: Outbox) -> None:
        first = prepare(outbox, draft())

        assert prepare(outbox, draft()) == first

    @pytest.mark.parametrize(
        "other", [draft(line=2), draft(sender=OTHER), replace(draft(), function="erase")]
    )
    def test_refuses_a_key_for_something_else(self, outbox: Outbox, other: Draft) -> None:
        prepare(outbox, draft())

        with pytest.raises(OutboxConflict):
            prepare(outbox, other)

    def test_keeps_all_or_none(self, outbox: Outbox) -> None:
        prepare(outbox, draft("b"))

        with pytest.raises(OutboxConflict):
            prepare(outbox, draft("a"), draft("b", line=2))

        assert outbox.find("a") is None

    def test_tries_again_after_a_failure_with_a_new_nonce(self, outbox: Outbox) -> None:
        (failed,) = prepare(outbox, draft())
        outbox.mark_ended(
            [Ended(sequence=failed.sequence, place=place(3), problem={"type": "line-taken"})]
        )

        (again,) = prepare(outbox, draft())

        assert (failed.nonce, again.nonce) == (7, 8)
        assert outbox.reread([failed])[0].problem == {"type": "line-taken"}

    def test_gives_no_nonce_twice_to_many_threads(self, outbox: Outbox) -> None:
        def work(name: str) -> None:
            for number in range(10):
                prepare(outbox, draft(f"{name}/{number}"))

        threads = [threading.Thread(target=work, args=(name,)) for name in ("east", "west")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        nonces = sorted(one.nonce or 0 for one in outbox.unsettled(-1))
        assert nonces == list(range(7, 27))


class TestRelease:
    def test_frees_the_last_nonce(self, outbox: Outbox) -> None:
        (refused,) = prepare(outbox, draft("a"))

        released = outbox.release(refused.sequence, {"type": "node-refused"})

        (later,) = prepare(outbox, draft("b"))
        assert released
        assert later.nonce == refused.nonce

    def test_keeps_a_nonce_that_later_ones_need(self, outbox: Outbox) -> None:
        first, _ = prepare(outbox, draft("a"), draft("b"))

        assert not outbox.release(first.sequence, {"type": "node-refused"})
        assert outbox.reread([first])[0].state is State.PREPARED


class TestUnsettled:
    def test_follows_the_blocks_and_then_the_order_of_preparing(self, outbox: Outbox) -> None:
        a, b, c, d = prepare(outbox, *(draft(key) for key in "abcd"))
        outbox.mark_mined(a.sequence, place(5))
        outbox.mark_mined(b.sequence, place(4, index=1))
        outbox.mark_mined(d.sequence, place(4))

        assert [one.key for one in outbox.unsettled(-1)] == ["d", "b", "a", "c"]
        assert [one.key for one in outbox.unsettled(4)] == ["a", "c"]
        assert c.place is None


class TestSubmit:
    def test_sends_one_transaction_for_one_key(self, desk: Desk) -> None:
        first = desk.write(1)
        count = desk.connection.transaction_count(first_sender(desk))

        again = desk.write(1)

        assert again == first
        assert desk.connection.transaction_count(first_sender(desk)) == count

    def test_keeps_nothing_of_what_a_simulation_refuses(self, desk: Desk) -> None:
        desk.write(1)

        with pytest.raises(LedgerError):
            desk.write(1, key="another")

        assert desk.outbox.find("another") is None
        assert desk.write(2).state is State.MINED

    def test_keeps_what_no_node_answered(self, desk: Desk) -> None:
        """A node that dies between keeping and sending: the next start sends it, once."""
        order = replace(desk.order(1), account=LastSigner(desk))
        with pytest.raises(NodeUnavailable):
            desk.sender.carry_out([order])
        kept = desk.outbox.find("line/1")

        desk.reopen()

        assert kept is not None
        assert kept.state is State.PREPARED
        assert desk.lines() == 1
        assert desk.write(1).transaction_hash == kept.transaction_hash

    def test_goes_on_after_what_the_chain_has_more_of_than_is_kept(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        """A home that came back out of a backup, on a chain that others kept going."""
        desk.write(1)
        backup = tmp_path / "backup.db"
        driver = sqlite3.connect(tmp_path / "operational.db")
        driver.execute("VACUUM INTO ?", (str(backup),))
        driver.close()
        desk.write(2)
        last = desk.write(3)
        old = Outbox.open(backup, chain_id=desk.connection.chain_id)

        sender = Sender(desk.connection, old, timeout_seconds=4)
        (entry,) = sender.carry_out([desk.order(4)])

        assert entry.state is State.MINED
        assert entry.nonce == (last.nonce or 0) + 1
        old.close()

    def test_takes_nothing_back_that_another_node_may_have(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The node that took it is away, and the one that is asked instead has a full pool."""
        desk.connection.set_automine(False)
        (sent,) = desk.sender.submit([desk.order(1)])
        full = CallRefused("eth_sendRawTransaction", {"code": -32000, "message": "txpool is full"})
        with monkeypatch.context() as patched:
            patched.setattr(desk.connection, "send", lambda raws: [full] * len(raws))
            with pytest.raises(NodeRefused):
                desk.sender.submit([desk.order(1)])
        desk.connection.mine()
        desk.connection.set_automine(True)

        again = desk.write(1)

        assert (again.state, again.transaction_hash) == (State.MINED, sent.transaction_hash)
        assert desk.write(2).nonce == (sent.nonce or 0) + 1
        assert desk.lines() == 2

    def test_says_why_a_block_refused(self, desk: Desk) -> None:
        late = desk.connection.now() + 100
        order = desk.order(1, deadline=late)
        desk.connection.set_automine(False)
        submitted = desk.sender.submit([order])
        desk.connection.mine_at(late + 1)
        desk.connection.set_automine(True)

        with pytest.raises(LedgerError, match="error that this version does not know"):
            desk.sender.settle(submitted)

        failed = desk.outbox.find("line/1")
        assert failed is not None
        assert failed.state is State.FAILED
        assert desk.write(2).nonce == (failed.nonce or 0) + 1

    def test_refuses_the_outbox_of_another_chain(self, desk: Desk, tmp_path: Path) -> None:
        other = Outbox.open(tmp_path / "other.db", chain_id=desk.connection.chain_id + 1)

        with pytest.raises(WrongChain):
            Sender(desk.connection, other)
        other.close()

    def test_serves_many_threads_with_one_account(self, desk: Desk) -> None:
        failures: list[BaseException] = []

        def work(start: int) -> None:
            try:
                for line in range(start, start + 15):
                    desk.write(line)
            except BaseException as failure:
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(start,)) for start in (100, 200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert desk.lines() == 30

    def test_hands_many_over_at_once(self, desk: Desk) -> None:
        entries = desk.sender.carry_out([desk.order(line) for line in range(1, 101)])

        assert [one.nonce for one in entries] == list(range(1, 101))
        assert desk.lines() == 100
        numbers = [one.block_number for one in entries]
        desk.kill()
        desk.reopen()
        # anvil may end a burst with empty blocks, which nothing here knows of; whatever holds
        # a transaction has the number that it had.
        again = desk.sender.outbox.reread(entries)
        assert desk.lines() == 100
        assert [one.block_number for one in again] == numbers

    def test_lets_a_node_mine_what_it_missed(self, desk: Desk) -> None:
        """As anvil does at times: it mines at once, and what waits waits on."""
        running = desk.node.running()
        assert running is not None
        desk.connection.set_automine(False)
        with (
            fault_proxy(running.url) as proxy,
            Connection.to(proxy.url, timeout_seconds=5) as connection,
        ):
            proxy.spoil = lambda method, _, answer: (
                {**answer, "result": True} if method == "hardhat_getAutomine" else answer
            )
            sender = Sender(connection, desk.outbox, timeout_seconds=4)

            (done,) = sender.carry_out([desk.order(1)])

        assert done.state is State.MINED
        assert desk.lines() == 1

    def test_lets_no_node_mine_that_is_to_be_told(self, desk: Desk) -> None:
        desk.connection.set_automine(False)
        sender = Sender(desk.connection, desk.outbox, timeout_seconds=2)

        with pytest.raises(TransactionUnseen):
            sender.carry_out([desk.order(1)])

        sent = desk.outbox.find("line/1")
        assert sent is not None
        assert sent.state is State.SENT


def first_sender(desk: Desk) -> Address:
    return Address(desk.writer.address.lower())


class LastSigner(LocalAccount):
    """The writer's key, at whose use the node dies."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(keys.PrivateKey(desk.writer.key), Account())
        self._desk = desk

    @property
    def key(self) -> bytes:
        self._desk.kill()
        return super().key
