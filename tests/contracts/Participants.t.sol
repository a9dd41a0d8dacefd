// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Authorization, Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId} from "../../contracts/types/Ids.sol";
import {Admitting} from "./Admitting.sol";

/// @dev A contract wallet that takes whatever its owner's key signed, as the plain ones do.
contract OwnedWallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        bytes32 r = bytes32(signature[:32]);
        bytes32 s = bytes32(signature[32:64]);
        return ecrecover(digest, uint8(signature[64]), r, s) == _owner ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Admission: domain 4.1, B-01.
contract ParticipantsTest is Admitting {
    bytes32 private constant PROFILE = keccak256("new profile");

    // ---------------------------------------------------------------- applyForAdmission

    function test_applyForAdmission_reverts_with_ParticipantAlreadyExists() external {
        _expect(IParticipants.ParticipantAlreadyExists.selector, applicant.id);
        _apply(stranger.account, _application("applicant", exchange.id));
    }

    function test_applyForAdmission_reverts_with_AccountAlreadyExists() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountAlreadyExists.selector, seller.account));
        _apply(seller.account, _application("newcomer", exchange.id));
    }

    function test_applyForAdmission_reverts_with_FieldInvalid_when_a_field_is_empty() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        application.usccDigest = 0;
        _expectInvalid("usccDigest");
        _apply(stranger.account, application);

        application = _application("newcomer", exchange.id);
        application.usccLast4 = 0;
        _expectInvalid("usccLast4");
        _apply(stranger.account, application);

        application = _application("newcomer", exchange.id);
        application.participantType = IParticipants.ParticipantType.NONE;
        _expectInvalid("participantType");
        _apply(stranger.account, application);

        application = _application("newcomer", exchange.id);
        application.digestAlg = DigestAlg.NONE;
        _expectInvalid("profileDigest");
        _apply(stranger.account, application);

        application = _application("newcomer", exchange.id);
        application.profileDigest = 0;
        _expectInvalid("profileDigest");
        _apply(stranger.account, application);
    }

    function test_applyForAdmission_reverts_with_FieldInvalid_when_the_key_is_no_compressed_point() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        application.encryptionKey[0] = 0x04;
        _expectInvalid("encryptionKey");
        _apply(stranger.account, application);

        application.encryptionKey = abi.encodePacked(bytes32(uint256(2) << 248));
        _expectInvalid("encryptionKey");
        _apply(stranger.account, application);
    }

    function test_applyForAdmission_reverts_with_ParticipantNotFound() external {
        ParticipantId nowhere = ParticipantId.wrap("nowhere");
        _expect(IParticipants.ParticipantNotFound.selector, nowhere);
        _apply(stranger.account, _application("newcomer", nowhere));
    }

    function test_applyForAdmission_reverts_with_RoleMissing() external {
        IParticipants.Role role = IParticipants.Role.EXCHANGE_OPERATOR;
        vm.expectRevert(abi.encodeWithSelector(IParticipants.RoleMissing.selector, seller.id, role, seller.id));
        _apply(stranger.account, _application("newcomer", seller.id));
    }

    function test_applyForAdmission_reverts_with_ParticipantNotActive() external {
        _suspend(exchange);
        _expect(IParticipants.ParticipantNotActive.selector, exchange.id, IParticipants.ParticipantState.SUSPENDED);
        _apply(stranger.account, _application("newcomer", exchange.id));
    }

    function test_applyForAdmission_stores_the_application() external view {
        IParticipants.Participant memory record = participants.participantOf(applicant.id);
        vm.assertTrue(record.state == IParticipants.ParticipantState.APPLIED);
        vm.assertTrue(record.homeVenue == exchange.id);
        vm.assertEq(record.usccDigest, keccak256("applicant"));
        vm.assertEq(record.profileDigest, keccak256(abi.encode("profile", "applicant")));
        vm.assertEq(uint256(record.admittedAt) + record.validUntil + record.supplementUntil, 0);
        vm.assertTrue(participants.participantBySequence(record.sequence) == applicant.id);
        vm.assertEq(participants.sequenceOf(applicant.id), record.sequence);
        vm.assertFalse(participants.isActive(applicant.id));
    }

    function test_applyForAdmission_gives_the_account_all_purposes() external view {
        IParticipants.Account memory account = participants.accountOf(applicant.account);
        vm.assertTrue(account.participantId == applicant.id);
        vm.assertEq(account.purposes, 7);
        vm.assertEq(account.validFrom, START);
        vm.assertEq(account.encryptionKeyHash, keccak256(_encryptionKey("applicant")));
        vm.assertEq(participants.primaryAccountOf(applicant.id), applicant.account);
    }

    function test_applyForAdmission_emits_ParticipantApplied() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        ParticipantId id = ParticipantId.wrap(keccak256(abi.encode(bytes32("participant"), application.usccDigest)));
        uint32 sequence = participants.sequenceOf(applicant.id) + 1;
        vm.expectEmit(address(participants));
        emit IParticipants.ParticipantApplied(
            id,
            stranger.account,
            exchange.id,
            sequence,
            application.participantType,
            application.usccDigest,
            application.usccLast4,
            application.profileDigest,
            application.digestAlg,
            7,
            application.encryptionKey
        );
        _apply(stranger.account, application);
    }

    function test_applyForAdmission_replaces_the_account_given_another_was_rejected() external {
        _reject();
        vm.expectEmit(address(participants));
        emit IParticipants.AccountRevoked(
            applicant.account, applicant.id, applicant.id, stranger.account, START, _noCause()
        );
        _apply(stranger.account, _application("applicant", otherExchange.id));
        _admitAt(otherExchange, 0);

        vm.assertTrue(participants.actorOf(stranger.account).participantId == applicant.id);
        _expectAccountNotActive(applicant.account, 2);
        participants.actorOf(applicant.account);
    }

    function test_applyForAdmission_keeps_the_account_given_its_supplement_lapsed() external {
        uint32 sequence = participants.sequenceOf(applicant.id);
        _requestSupplement(START + 10);
        vm.warp(START + 9);
        _expect(IParticipants.ParticipantAlreadyExists.selector, applicant.id);
        _apply(applicant.account, _application("applicant", exchange.id));

        vm.warp(START + 10);
        _apply(applicant.account, _application("applicant", exchange.id));
        _admitAt(exchange, 0);

        vm.assertEq(participants.actorOf(applicant.account).sequence, sequence);
    }

    // ---------------------------------------------------------------- authorization

    function test_authorization_lets_anybody_relay() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        Authorization memory signed = _signed(application, 0);
        vm.expectEmit(address(participants));
        emit IActing.AuthorizationUsed(stranger.account, 0);
        vm.prank(buyer.account);
        ParticipantId id = participants.applyForAdmission(application, signed);

        vm.assertTrue(participants.accountOf(stranger.account).participantId == id);
        vm.assertTrue(participants.isNonceUsed(stranger.account, 0));
        vm.assertFalse(participants.isNonceUsed(stranger.account, 1));
    }

    function test_authorization_reverts_with_SignatureInvalid_when_an_argument_differs() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        Authorization memory signed = _signed(application, 3);
        application.profileDigest = PROFILE;
        vm.expectRevert(abi.encodeWithSelector(IActing.SignatureInvalid.selector, stranger.account));
        participants.applyForAdmission(application, signed);
    }

    /// @dev T6: one key may own several contract wallets; what it signs for one account serves no other.
    function test_authorization_reverts_with_SignatureInvalid_when_it_was_signed_for_another_account() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        Authorization memory signed = _signed(application, 3);
        signed.account = address(new OwnedWallet(stranger.account));
        vm.expectRevert(abi.encodeWithSelector(IActing.SignatureInvalid.selector, signed.account));
        participants.applyForAdmission(application, signed);
    }

    function test_authorization_reverts_with_AuthorizationAlreadyUsed() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        Authorization memory signed = _signed(application, 3);
        participants.applyForAdmission(application, signed);
        vm.expectRevert(abi.encodeWithSelector(IActing.AuthorizationAlreadyUsed.selector, stranger.account, 3));
        participants.applyForAdmission(application, signed);
    }

    function test_authorization_reverts_with_AuthorizationExpired() external {
        IParticipants.Application memory application = _application("newcomer", exchange.id);
        Authorization memory signed = _signed(application, 3);
        vm.warp(signed.deadline);
        vm.expectRevert(abi.encodeWithSelector(IActing.AuthorizationExpired.selector, signed.deadline, signed.deadline));
        participants.applyForAdmission(application, signed);
    }

    function test_authorization_reverts_with_SenderNotAccount() external {
        Authorization memory authorization;
        authorization.account = seller.account;
        vm.expectRevert(abi.encodeWithSelector(IActing.SenderNotAccount.selector, stranger.account, seller.account));
        vm.prank(stranger.account);
        participants.requestExit(authorization);
    }

    // ---------------------------------------------------------------- requestSupplement

    function test_requestSupplement_reverts_with_ParticipantNotFound() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        _expect(IParticipants.ParticipantNotFound.selector, unknown);
        vm.prank(exchange.account);
        participants.requestSupplement(unknown, START + 1, _cause(AuthorityClass.VENUE), _direct());
    }

    function test_requestSupplement_reverts_with_CallerNotAdmitter() external {
        _expectNotAdmitter(otherExchange.id, applicant.id);
        vm.prank(otherExchange.account);
        participants.requestSupplement(applicant.id, START + 1, _cause(AuthorityClass.VENUE), _direct());
    }

    function test_requestSupplement_reverts_with_CauseIncomplete() external {
        Cause memory cause = _cause(AuthorityClass.VENUE);
        cause.reasonCode = 0;
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, 0, cause.documentDigest));
        vm.prank(exchange.account);
        participants.requestSupplement(applicant.id, START + 1, cause, _direct());
    }

    function test_requestSupplement_reverts_with_AuthorityMissing() external {
        _expectAuthority(exchange.id, AuthorityClass.COURT);
        vm.prank(exchange.account);
        participants.requestSupplement(applicant.id, START + 1, _cause(AuthorityClass.COURT), _direct());
    }

    function test_requestSupplement_reverts_with_ParticipantStateWrong() external {
        _requestSupplement(START + 10);
        _expect(
            IParticipants.ParticipantStateWrong.selector,
            applicant.id,
            IParticipants.ParticipantState.SUPPLEMENT_REQUIRED
        );
        _requestSupplement(START + 10);
    }

    function test_requestSupplement_reverts_with_TimeInPast() external {
        _expectTimeInPast(START);
        _requestSupplement(START);
    }

    function test_requestSupplement_sets_the_deadline() external {
        _requestSupplement(START + 10);
        vm.assertEq(participants.participantOf(applicant.id).supplementUntil, START + 10);
    }

    // ---------------------------------------------------------------- supplement

    function test_supplement_reverts_with_CallerNotAdmitter() external {
        _requestSupplement(START + 10);
        _expectNotAdmitter(seller.id, applicant.id);
        vm.prank(seller.account);
        participants.supplement(applicant.id, PROFILE, DigestAlg.SM3, _direct());
    }

    function test_supplement_reverts_with_ParticipantStateWrong() external {
        _expect(IParticipants.ParticipantStateWrong.selector, applicant.id, IParticipants.ParticipantState.APPLIED);
        _supplement(PROFILE);
    }

    function test_supplement_reverts_with_DeadlinePassed() external {
        _requestSupplement(START + 10);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IActing.DeadlinePassed.selector, START + 10, START + 10));
        _supplement(PROFILE);
    }

    function test_supplement_reverts_with_FieldInvalid() external {
        _requestSupplement(START + 10);
        _expectInvalid("profileDigest");
        _supplement(0);
    }

    function test_supplement_stores_the_new_profile() external {
        _requestSupplement(START + 10);
        vm.warp(START + 9);
        _supplement(PROFILE);

        IParticipants.Participant memory record = participants.participantOf(applicant.id);
        vm.assertTrue(record.state == IParticipants.ParticipantState.APPLIED);
        vm.assertEq(record.profileDigest, PROFILE);
        vm.assertTrue(record.digestAlg == DigestAlg.SM3);
        vm.assertEq(record.supplementUntil, 0);
    }

    // ---------------------------------------------------------------- reject

    function test_reject_reverts_with_CallerNotAdmitter_when_the_governor_has_changed() external {
        Member memory served = _applied("served", NO_VENUE);
        vm.prank(governor.account);
        participants.transferGovernor(stranger.account, _direct());

        _expectNotAdmitter(NO_VENUE, served.id);
        vm.prank(governor.account);
        participants.reject(served.id, _cause(AuthorityClass.VENUE), _direct());
    }

    function test_reject_reverts_with_ParticipantStateWrong() external {
        _reject();
        _expect(IParticipants.ParticipantStateWrong.selector, applicant.id, IParticipants.ParticipantState.REJECTED);
        _reject();
    }

    function test_reject_rejects_the_application() external {
        vm.expectEmit(address(participants));
        emit IParticipants.ParticipantRejected(
            applicant.id, exchange.id, exchange.account, _cause(AuthorityClass.VENUE)
        );
        _reject();
        vm.assertTrue(participants.participantOf(applicant.id).state == IParticipants.ParticipantState.REJECTED);
    }
}
