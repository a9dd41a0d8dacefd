"""
The ledger's one way in: acts sent once, refusals by name, signatures that the contracts accept.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from chain.acts import (
    ParticipantsAdmit,
    ParticipantsAssignIssuerCode,
    ParticipantsGrantRole,
)
from chain.client import Ledger, Request
from chain.codes import (
    DigestAlg,
    ParticipantState,
    Role,
)
from chain.entries import State
from chain.errors import (
    AccountNotFound,
    AuthorizationExpired,
    CallerNotGovernor,
    ParticipantAlreadyExists,
    ParticipantNotFound,
    SignatureInvalid,
)
from chain.fetch import WrongChain
from chain.outbox import OutboxConflict
from chain.structs import Authorization
from chain.values import ZERO_ADDRESS, ZERO_BYTES32, HexBytes, ParticipantId, address, bytes32
from tests.chain.place import Place, applicant_id, application, open_place

NUMBERS = count(1)
DIGEST = bytes32("0x" + "cd" * 32)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("home")) as opened:
        yield opened


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return place.ledger


@pytest.fixture
def number() -> int:
    return next(NUMBERS)


@pytest.fixture
def holder() -> LocalAccount:
    account: LocalAccount = Account.create()
    return account


def sent_by(ledger: Ledger, account: LocalAccount) -> int:
    return ledger.sender.connection.transaction_count(address(account.address))


class TestAct:
    def test_is_in_a_block_when_it_returns(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        sent = ledger.act(
            application(holder, number),
            by=holder,
            key=f"apply/{number}",
            noun_id=applicant_id(number),
        )

        found = ledger.call("Participants", "participantOf", applicant_id(number))
        assert sent.state is State.MINED
        assert sent.block_number is not None
        assert not sent.is_repeat
        assert found.participant_id == sent.noun_id
        assert found.state is ParticipantState.APPLIED

    def test_sends_once_for_one_key(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        act = application(holder, number)

        first = ledger.act(act, by=holder, key=f"apply/{number}")
        again = ledger.act(act, by=holder, key=f"apply/{number}")

        assert again == replace(first, is_repeat=True)
        assert sent_by(ledger, holder) == 1

    def test_refuses_a_key_for_another_act(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        ledger.act(application(holder, number), by=holder, key=f"apply/{number}")

        with pytest.raises(OutboxConflict):
            ledger.act(
                application(holder, number, profile_digest=DIGEST), by=holder, key=f"apply/{number}"
            )

    def test_names_a_refusal_before_anything_is_kept(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        act = ParticipantsAdmit(
            participant_id=applicant_id(number),
            valid_until=0,
            evidence_digest=DIGEST,
            digest_alg=DigestAlg.SHA256,
        )

        with pytest.raises(ParticipantNotFound) as raised:
            ledger.act(act, by=holder, key=f"admit/{number}")

        assert raised.value.participant_id == applicant_id(number)
        assert ledger.sender.outbox.find(f"admit/{number}") is None
        assert sent_by(ledger, holder) == 0

    def test_does_not_wait_when_told_so(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        sent = ledger.act(application(holder, number), by=holder, key=f"apply/{number}", wait=False)

        assert sent.state is State.SENT
        assert sent.transaction_hash is not None
        ledger.sender.connection.wait([sent.transaction_hash], timeout_seconds=5)
        found = ledger.refresh(sent.transaction_hash)
        assert found is not None
        assert found.state is State.MINED

    def test_serves_two_threads_with_one_account(self, ledger: Ledger, place: Place) -> None:
        numbers = [next(NUMBERS) for _ in range(10)]
        for number in numbers:
            account = Account.create()
            ledger.act(application(account, number), by=account, key=f"apply/{number}")

        def admit(some: list[int]) -> None:
            for number in some:
                act = ParticipantsAdmit(
                    participant_id=applicant_id(number),
                    valid_until=0,
                    evidence_digest=DIGEST,
                    digest_alg=DigestAlg.SHA256,
                )
                ledger.act(act, by=place.governor, key=f"admit/{number}")

        threads = [threading.Thread(target=admit, args=(half,)) for half in halves(numbers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        states = {
            ledger.call("Participants", "participantOf", applicant_id(one)).state for one in numbers
        }
        assert states == {ParticipantState.ADMITTED}


class TestAlreadyExists:
    """Joint 14: it counts as success only if the fields match."""

    def test_is_success_for_the_same_act_by_the_same(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        ledger.act(application(holder, number), by=holder, key=f"apply/{number}")

        sent = ledger.act(application(holder, number), by=holder, key=f"lost/{number}")

        assert sent.is_repeat
        assert sent.transaction_hash is None
        assert sent_by(ledger, holder) == 1

    def test_stays_a_conflict_for_other_content(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        ledger.act(application(holder, number), by=holder, key=f"apply/{number}")

        with pytest.raises(ParticipantAlreadyExists):
            ledger.act(
                application(holder, number, profile_digest=DIGEST), by=holder, key=f"lost/{number}"
            )

    def test_stays_a_conflict_for_somebody_else(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        stranger = Account.create()
        act = application(holder, number)
        ledger.act(act, by=holder, key=f"apply/{number}")

        with pytest.raises(ParticipantAlreadyExists):
            ledger.act(act, by=stranger, key=f"lost/{number}")


class TestActMany:
    def test_hands_all_over_at_once(self, ledger: Ledger, place: Place) -> None:
        pairs = [(next(NUMBERS), Account.create()) for _ in range(12)]
        for number, account in pairs:
            ledger.act(application(account, number), by=account, key=f"apply/{number}")
        requests = [
            Request(
                act=ParticipantsAdmit(
                    participant_id=applicant_id(number),
                    valid_until=0,
                    evidence_digest=DIGEST,
                    digest_alg=DigestAlg.SHA256,
                ),
                key=f"admit/{number}",
            )
            for number, _ in pairs
        ]

        sent = ledger.act_many(requests, by=place.governor)
        again = ledger.act_many(requests, by=place.governor)

        assert all(one.state is State.MINED and not one.is_repeat for one in sent)
        assert [one.transaction_hash for one in again] == [one.transaction_hash for one in sent]
        assert all(one.is_repeat for one in again)

    def test_sends_none_if_one_would_fail(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        role = ParticipantsGrantRole(
            participant_id=applicant_id(number),
            role=Role.REGULATOR,
            venue=ParticipantId(ZERO_BYTES32),
            valid_until=0,
        )
        good = Request(act=application(holder, number), key=f"apply/{number}")
        bad = Request(act=role, key=f"role/{number}")

        with pytest.raises(ParticipantNotFound):
            ledger.act_many([good, bad], by=holder)

        assert ledger.sender.outbox.find(f"apply/{number}") is None
        assert sent_by(ledger, holder) == 0


class TestRelay:
    def test_carries_out_what_another_signed(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        act = application(holder, number)
        signed = ledger.sign_act(act, holder, nonce=2**200, deadline=ledger.now() + 600)

        ledger.relay(act, signed, key=f"apply/{number}")

        account = ledger.call("Participants", "accountOf", signed.account)
        assert account.participant_id == applicant_id(number)
        assert ledger.call("Participants", "isNonceUsed", signed.account, 2**200)
        assert sent_by(ledger, holder) == 0

    def test_takes_a_newer_signature_for_the_same_act(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        act = application(holder, number)
        first, second = (
            ledger.sign_act(act, holder, nonce=nonce, deadline=ledger.now() + 600)
            for nonce in (1, 2)
        )

        sent = ledger.relay(act, first, key=f"apply/{number}")
        again = ledger.relay(act, second, key=f"apply/{number}")

        assert again.transaction_hash == sent.transaction_hash

    def test_refuses_what_has_ended(
        self, ledger: Ledger, holder: LocalAccount, number: int
    ) -> None:
        act = application(holder, number)
        signed = ledger.sign_act(act, holder, nonce=1, deadline=ledger.now())

        with pytest.raises(AuthorizationExpired):
            ledger.relay(act, signed, key=f"apply/{number}")

    @pytest.mark.parametrize("changed", ["nonce", "deadline", "account", "act"])
    def test_refuses_any_change(
        self, ledger: Ledger, holder: LocalAccount, number: int, changed: str
    ) -> None:
        act = application(holder, number)
        signed = ledger.sign_act(act, holder, nonce=1, deadline=ledger.now() + 600)
        other: dict[str, Authorization] = {
            "nonce": replace(signed, nonce=2),
            "deadline": replace(signed, deadline=signed.deadline + 1),
            "account": replace(signed, account=address(Account.create().address)),
        }
        sent = replace(act, profile_digest=DIGEST) if changed == "act" else act

        with pytest.raises(SignatureInvalid):
            ledger.relay(sent, other.get(changed, signed), key=f"apply/{number}")


class TestCall:
    def test_answers_one_value_as_itself(self, ledger: Ledger, place: Place) -> None:
        assert ledger.call("Participants", "governor") == address(place.governor.address)

    def test_answers_several_as_a_tuple(self, ledger: Ledger, number: int) -> None:
        venue = ParticipantId(ZERO_BYTES32)

        answer = ledger.call("Participants", "roleUntil", applicant_id(number), Role.BUYER, venue)

        assert answer == (False, 0)

    def test_names_a_refusal(self, ledger: Ledger) -> None:
        with pytest.raises(AccountNotFound):
            ledger.call("Participants", "accountOf", "0x" + "99" * 20)

    def test_counts_the_arguments(self, ledger: Ledger) -> None:
        with pytest.raises(TypeError, match="accountOf takes 1 arguments, not 0"):
            ledger.call("Participants", "accountOf")


class TestLedger:
    def test_refuses_another_chain(self, place: Place) -> None:
        elsewhere = replace(place.ledger.deployment, chain_id=place.ledger.chain_id + 1)

        with pytest.raises(WrongChain):
            Ledger(place.sender, elsewhere)

    @pytest.mark.parametrize("as_relayer", [False, True])
    def test_relays_nothing_that_nobody_signed(self, place: Place, as_relayer: bool) -> None:
        act = application(place.relayer, 999_998)
        account = address(place.relayer.address) if as_relayer else ZERO_ADDRESS
        unsigned = Authorization(account=account, nonce=0, deadline=0, signature=HexBytes("0x"))
        before = sent_by(place.ledger, place.relayer)

        with pytest.raises(SignatureInvalid):
            place.ledger.relay(act, unsigned, key="unsigned")

        assert place.sender.outbox.find("unsigned") is None
        assert sent_by(place.ledger, place.relayer) == before

    def test_needs_a_relayer_to_relay(self, place: Place, holder: LocalAccount) -> None:
        ledger = Ledger(place.sender, place.ledger.deployment)
        act = application(holder, 999_999)
        signed = ledger.sign_act(act, holder, nonce=1, deadline=ledger.now() + 600)

        with pytest.raises(ValueError, match="without a relayer"):
            ledger.relay(act, signed, key="never")

    def test_moves_its_time_forward_only(self, ledger: Ledger) -> None:
        target = ledger.now() + 86_400

        assert ledger.clock(target) == target
        assert ledger.clock(target - 10) >= target
        assert ledger.now() >= target

    def test_names_the_caller_who_may_not(self, ledger: Ledger, holder: LocalAccount) -> None:
        act = ParticipantsAssignIssuerCode(participant_id=applicant_id(1), region=44, digit=1)

        with pytest.raises(CallerNotGovernor):
            ledger.act(act, by=holder, key="code")


def halves(items: list[int]) -> list[list[int]]:
    middle = len(items) // 2
    return [items[:middle], items[middle:]]


def test_hex_is_lower_case(place: Place) -> None:
    governor: HexBytes = place.ledger.call("Participants", "governor")

    assert governor == governor.lower() != place.governor.address
