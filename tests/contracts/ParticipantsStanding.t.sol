// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId} from "../../contracts/types/Ids.sol";
import {Admitting} from "./Admitting.sol";

/// @notice From admission to exit, and who may act meanwhile: domain 4.1, B-01.
contract ParticipantsStandingTest is Admitting {
    // ---------------------------------------------------------------- admit

    function test_admit_reverts_with_ParticipantNotFound() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        _expect(IParticipants.ParticipantNotFound.selector, unknown);
        vm.prank(exchange.account);
        participants.admit(unknown, 0, EVIDENCE, DigestAlg.SHA256, _direct());
    }

    function test_admit_reverts_with_CallerNotAdmitter_when_another_venue_admits() external {
        _expectNotAdmitter(otherExchange.id, applicant.id);
        _admitAt(otherExchange, 0);
    }

    function test_admit_reverts_with_CallerNotAdmitter_when_the_venue_lost_its_role() external {
        vm.prank(governor.account);
        participants.revokeRole(
            exchange.id, IParticipants.Role.EXCHANGE_OPERATOR, exchange.id, _cause(AuthorityClass.VENUE), _direct()
        );
        _expectNotAdmitter(exchange.id, applicant.id);
        _admitAt(exchange, 0);
    }

    function test_admit_reverts_with_AccountNotFound_when_the_governor_admits_for_a_venue() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountNotFound.selector, governor.account));
        _admitAt(governor, 0);
    }

    function test_admit_reverts_with_ParticipantStateWrong() external {
        _reject();
        _expect(IParticipants.ParticipantStateWrong.selector, applicant.id, IParticipants.ParticipantState.REJECTED);
        _admitAt(exchange, 0);
    }

    function test_admit_reverts_with_FieldInvalid() external {
        _expectInvalid("evidenceDigest");
        vm.prank(exchange.account);
        participants.admit(applicant.id, 0, EVIDENCE, DigestAlg.NONE, _direct());
    }

    function test_admit_reverts_with_TimeInPast() external {
        _expectTimeInPast(START);
        _admitAt(exchange, START);
    }

    function test_admit_makes_it_active_until_its_term_ends() external {
        _admitAt(exchange, START + 100);
        vm.assertEq(participants.participantOf(applicant.id).admittedAt, START);
        vm.warp(START + 99);
        vm.assertTrue(participants.actorOf(applicant.account).participantId == applicant.id);

        vm.warp(START + 100);
        vm.assertFalse(participants.isActive(applicant.id));
        _expect(IParticipants.ParticipantNotActive.selector, applicant.id, IParticipants.ParticipantState.ADMITTED);
        participants.actorOf(applicant.account);
    }

    function test_admit_makes_it_active_until_its_term_ends_on_a_millisecond_chain() external {
        vm.warp(uint256(START) * 1000);
        _admitAt(exchange, START + 100);
        vm.assertEq(participants.participantOf(applicant.id).admittedAt, START);
        vm.warp(uint256(START + 100) * 1000 - 1);
        vm.assertTrue(participants.isActive(applicant.id));
        vm.warp(uint256(START + 100) * 1000);
        vm.assertFalse(participants.isActive(applicant.id));
    }

    function test_admit_renews_the_term() external {
        _admitAt(exchange, START + 100);
        vm.warp(START + 200);
        _admitAt(exchange, START + 300);
        vm.assertTrue(participants.isActive(applicant.id));
        vm.assertEq(participants.participantOf(applicant.id).validUntil, START + 300);
    }

    // ---------------------------------------------------------------- suspend

    function test_suspend_reverts_with_CallerNotAdmitter() external {
        _expectNotAdmitter(otherExchange.id, seller.id);
        _suspendAs(otherExchange, AuthorityClass.VENUE);
    }

    function test_suspend_reverts_with_AuthorityMissing_when_the_caller_is_no_regulator() external {
        _expectAuthority(exchange.id, AuthorityClass.REGULATOR);
        _suspendAs(exchange, AuthorityClass.REGULATOR);
    }

    function test_suspend_reverts_with_AuthorityMissing_when_the_class_may_not() external {
        _expectAuthority(exchange.id, AuthorityClass.PARTY);
        _suspendAs(exchange, AuthorityClass.PARTY);
    }

    function test_suspend_reverts_with_ParticipantStateWrong_when_a_venue_follows_a_regulator() external {
        _suspendAs(regulator, AuthorityClass.REGULATOR);
        _expect(IParticipants.ParticipantStateWrong.selector, seller.id, IParticipants.ParticipantState.SUSPENDED);
        _suspendAs(exchange, AuthorityClass.VENUE);
    }

    function test_suspend_stops_every_act() external {
        _suspendAs(exchange, AuthorityClass.VENUE);
        _assertState(seller.id, IParticipants.ParticipantState.SUSPENDED);
        vm.assertFalse(participants.isActive(seller.id));
        _expect(IParticipants.ParticipantNotActive.selector, seller.id, IParticipants.ParticipantState.SUSPENDED);
        participants.actorOf(seller.account);
    }

    function test_suspend_ends_by_itself() external {
        Cause memory cause = _cause(AuthorityClass.VENUE);
        cause.until = START + 50;
        vm.prank(exchange.account);
        participants.suspend(seller.id, cause, _direct());
        vm.warp(START + 49);
        vm.assertFalse(participants.isActive(seller.id));
        vm.warp(START + 50);
        vm.assertTrue(participants.isActive(seller.id));

        _suspendAs(exchange, AuthorityClass.VENUE);
        vm.assertFalse(participants.isActive(seller.id));
    }

    function test_suspend_lets_a_regulator_take_over() external {
        _suspendAs(exchange, AuthorityClass.VENUE);
        _suspendAs(regulator, AuthorityClass.REGULATOR);
        _expectAuthority(exchange.id, AuthorityClass.REGULATOR);
        _restoreAs(exchange, AuthorityClass.VENUE);
        _restoreAs(regulator, AuthorityClass.REGULATOR);
        vm.assertTrue(participants.isActive(seller.id));
    }

    // ---------------------------------------------------------------- restore

    function test_restore_reverts_with_ParticipantStateWrong() external {
        _expect(IParticipants.ParticipantStateWrong.selector, seller.id, IParticipants.ParticipantState.ADMITTED);
        _restoreAs(exchange, AuthorityClass.VENUE);
    }

    function test_restore_reverts_with_AuthorityMissing_when_another_class_suspended() external {
        _suspendAs(exchange, AuthorityClass.VENUE);
        _expectAuthority(regulator.id, AuthorityClass.VENUE);
        _restoreAs(regulator, AuthorityClass.REGULATOR);
    }

    function test_restore_lets_it_act_again() external {
        _suspendAs(exchange, AuthorityClass.VENUE);
        _restoreAs(exchange, AuthorityClass.VENUE);
        _assertState(seller.id, IParticipants.ParticipantState.ADMITTED);
        vm.assertTrue(participants.actorOf(seller.account).participantId == seller.id);
    }

    // ---------------------------------------------------------------- requestExit and exit

    function test_requestExit_reverts_with_AccountNotFound() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountNotFound.selector, stranger.account));
        vm.prank(stranger.account);
        participants.requestExit(_direct());
    }

    function test_requestExit_reverts_with_ParticipantStateWrong() external {
        _expect(IParticipants.ParticipantStateWrong.selector, applicant.id, IParticipants.ParticipantState.APPLIED);
        vm.prank(applicant.account);
        participants.requestExit(_direct());
    }

    function test_requestExit_begins_the_exit() external {
        _suspendAs(exchange, AuthorityClass.VENUE);
        vm.prank(seller.account);
        participants.requestExit(_direct());
        _assertState(seller.id, IParticipants.ParticipantState.EXITING);
        vm.assertFalse(participants.isActive(seller.id));
    }

    function test_exit_reverts_with_CallerNotAdmitter() external {
        _expectNotAdmitter(otherExchange.id, seller.id);
        vm.prank(otherExchange.account);
        participants.exit(seller.id, _direct());
    }

    function test_exit_reverts_with_ParticipantStateWrong() external {
        _expect(IParticipants.ParticipantStateWrong.selector, seller.id, IParticipants.ParticipantState.ADMITTED);
        vm.prank(exchange.account);
        participants.exit(seller.id, _direct());
    }

    function test_exit_ends_it_for_good() external {
        vm.prank(seller.account);
        participants.requestExit(_direct());
        vm.prank(exchange.account);
        participants.exit(seller.id, _direct());

        _assertState(seller.id, IParticipants.ParticipantState.EXITED);
        _expect(IParticipants.ParticipantAlreadyExists.selector, seller.id);
        _apply(seller.account, _application("seller", exchange.id));
    }

    // ---------------------------------------------------------------- actorForCause

    function test_actorForCause_reverts_with_AccountNotFound() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountNotFound.selector, stranger.account));
        participants.actorForCause(stranger.account, _cause(AuthorityClass.PARTY), exchange.id);
    }

    function test_actorForCause_reverts_with_CauseIncomplete() external {
        Cause memory cause = _cause(AuthorityClass.PARTY);
        cause.documentDigest = 0;
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, cause.reasonCode, 0));
        participants.actorForCause(seller.account, cause, exchange.id);

        cause = _cause(AuthorityClass.PARTY);
        cause.digestAlg = DigestAlg.NONE;
        vm.expectRevert(
            abi.encodeWithSelector(IActing.CauseIncomplete.selector, cause.reasonCode, cause.documentDigest)
        );
        participants.actorForCause(seller.account, cause, exchange.id);
    }

    function test_actorForCause_reverts_with_TimeInPast() external {
        Cause memory cause = _cause(AuthorityClass.PARTY);
        cause.until = START;
        _expectTimeInPast(START);
        participants.actorForCause(seller.account, cause, exchange.id);
    }

    function test_actorForCause_reverts_with_AuthorityMissing() external {
        for (uint8 class = 0; class < uint8(AuthorityClass.PARTY); ++class) {
            _expectAuthority(seller.id, AuthorityClass(class));
            participants.actorForCause(seller.account, _cause(AuthorityClass(class)), exchange.id);
        }
        _expectAuthority(exchange.id, AuthorityClass.VENUE);
        participants.actorForCause(exchange.account, _cause(AuthorityClass.VENUE), otherExchange.id);
    }

    function test_actorForCause_returns_who_speaks_for_each_class() external view {
        _assertSpeaks(registrar, AuthorityClass.ISSUER);
        _assertSpeaks(exchange, AuthorityClass.ISSUER);
        _assertSpeaks(exchange, AuthorityClass.VENUE);
        _assertSpeaks(regulator, AuthorityClass.REGULATOR);
        _assertSpeaks(court, AuthorityClass.COURT);
        _assertSpeaks(arbitrator, AuthorityClass.ARBITRATION);
        _assertSpeaks(bank, AuthorityClass.BANK);
        _assertSpeaks(seller, AuthorityClass.PARTY);
    }

    // ---------------------------------------------------------------- requireIssuer

    function test_requireIssuer_reverts_with_ParticipantNotFound() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantNotFound.selector, unknown));
        participants.requireIssuer(unknown, IParticipants.Role.REGISTRAR);
    }

    function test_requireIssuer_reverts_with_ParticipantNotActive() external {
        _suspend(registrar);
        _expect(IParticipants.ParticipantNotActive.selector, registrar.id, IParticipants.ParticipantState.SUSPENDED);
        participants.requireIssuer(registrar.id, IParticipants.Role.REGISTRAR);
    }

    function test_requireIssuer_reverts_with_RoleMissing() external {
        IParticipants.Role role = IParticipants.Role.REGISTRAR;
        vm.expectRevert(abi.encodeWithSelector(IParticipants.RoleMissing.selector, exchange.id, role, NO_VENUE));
        participants.requireIssuer(exchange.id, role);
    }

    function test_requireIssuer_reverts_with_IssuerCodeMissing() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.IssuerCodeMissing.selector, bank.id));
        participants.requireIssuer(bank.id, IParticipants.Role.SETTLEMENT_BANK);
    }

    function test_requireIssuer_returns_the_number() external view {
        uint32 sequence = participants.requireIssuer(registrar.id, IParticipants.Role.REGISTRAR);
        vm.assertEq(sequence, participants.sequenceOf(registrar.id));
    }

    // ---------------------------------------------------------------- requireActive

    function test_requireActive_reverts_with_ParticipantNotFound() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantNotFound.selector, unknown));
        participants.requireActive(unknown);
        vm.expectRevert(abi.encodeWithSelector(IParticipants.ParticipantNotFound.selector, NO_VENUE));
        participants.requireActiveBySequence(0);
    }

    function test_requireActive_reverts_with_ParticipantNotActive() external {
        uint32 sequence = participants.requireActive(seller.id);
        _suspend(seller);
        _expect(IParticipants.ParticipantNotActive.selector, seller.id, IParticipants.ParticipantState.SUSPENDED);
        participants.requireActive(seller.id);
        _expect(IParticipants.ParticipantNotActive.selector, seller.id, IParticipants.ParticipantState.SUSPENDED);
        participants.requireActiveBySequence(sequence);
    }

    function test_requireActive_returns_number_and_id() external view {
        uint32 sequence = participants.requireActive(seller.id);
        vm.assertEq(sequence, participants.sequenceOf(seller.id));
        vm.assertTrue(participants.requireActiveBySequence(sequence) == seller.id);
    }

    // ---------------------------------------------------------------- helpers

    function _assertSpeaks(Member memory member, AuthorityClass authority) private view {
        ParticipantId actor = participants.actorForCause(member.account, _cause(authority), exchange.id).participantId;
        vm.assertTrue(actor == member.id);
    }
}
