// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {IRegistrations} from "../../contracts/interfaces/IRegistrations.sol";
import {AuthorityClass, DigestAlg, Noun, RightKind} from "../../contracts/types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RegistrationId, RightId} from "../../contracts/types/Ids.sol";
import {Registering} from "./Registering.sol";

/// @notice Public notice, objections and deposit: D-04 to D-08, O-03.
contract RegistrationsDepositTest is Registering {
    // ---------------------------------------------------------------- publishNotice

    function test_publishNotice_reverts_with_CallerNotRegistrar() external {
        _expectNotRegistrar(otherRegistrar.id);
        _publishNotice(otherRegistrar);
    }

    function test_publishNotice_reverts_with_RegistrationStateWrong() external {
        _accept(registrar);
        _expectState(IRegistrations.RegistrationState.ACCEPTED);
        _publishNotice(registrar);
    }

    function test_publishNotice_starts_the_notice() external {
        _accept(registrar);
        _examine(registrar, _examination(false));
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationNoticePublished(id, registrar.id, registrar.account, NOTICE_UNTIL);
        _publishNotice(registrar);
        _assertState(IRegistrations.RegistrationState.PUBLIC_NOTICE, NOTICE_UNTIL);
    }

    // ---------------------------------------------------------------- waiveNotice

    function test_waiveNotice_reverts_with_NoticeNotWaivable() external {
        IProfiles.Profile memory profile = _nationalProfile();
        profile.noticeWaivable = false;
        vm.prank(governor.account);
        application.profileId = profiles.publish(profile, _direct());
        _fresh();
        id = _submit(seller);
        _accept(registrar);
        _examine(registrar, _examination(false));
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.NoticeNotWaivable.selector, application.profileId));
        _waiveNotice(registrar);
    }

    function test_waiveNotice_reverts_with_RegistrationStateWrong() external {
        _notice();
        _expectState(IRegistrations.RegistrationState.PUBLIC_NOTICE);
        _waiveNotice(registrar);
    }

    function test_waiveNotice_waives_for_cause() external {
        _accept(registrar);
        _examine(registrar, _examination(false));
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationNoticeWaived(id, registrar.id, registrar.account, _cause(AuthorityClass.ISSUER));
        _waiveNotice(registrar);
        _assertState(IRegistrations.RegistrationState.NOTICE_WAIVED, 0);
    }

    // ---------------------------------------------------------------- object

    function test_object_reverts_with_AuthorityMissing() external {
        _notice();
        _expectAuthority(court, AuthorityClass.COURT);
        _object(court, AuthorityClass.COURT);
    }

    function test_object_reverts_with_RegistrationStateWrong() external {
        _expectState(IRegistrations.RegistrationState.SUBMITTED);
        _object(buyer, AuthorityClass.PARTY);
    }

    function test_object_reverts_with_DeadlinePassed() external {
        _clear();
        _expectPassed(NOTICE_UNTIL);
        _object(buyer, AuthorityClass.PARTY);
    }

    function test_object_counts_objections() external {
        _notice();
        _object(buyer, AuthorityClass.PARTY);
        _object(regulator, AuthorityClass.REGULATOR);
        vm.assertEq(registrations.registrationOf(id).openObjections, 2);
        _assertState(IRegistrations.RegistrationState.PUBLIC_NOTICE, OBJECTION_UNTIL);
    }

    function test_object_emits_RegistrationObjected() external {
        _notice();
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationObjected(
            id, 1, buyer.id, buyer.account, 1, OBJECTION_UNTIL, _cause(AuthorityClass.PARTY)
        );
        _object(buyer, AuthorityClass.PARTY);
    }

    // ---------------------------------------------------------------- dismissObjection

    function test_dismissObjection_reverts_with_ObjectionNotFound() external {
        _notice();
        _object(buyer, AuthorityClass.PARTY);
        _expectNoObjection(2);
        _dismiss(registrar, 2);
        _dismiss(registrar, 1);
        _expectNoObjection(1);
        _dismiss(registrar, 1);
    }

    function test_dismissObjection_reverts_with_CallerNotRegistrar() external {
        _notice();
        _object(buyer, AuthorityClass.PARTY);
        _expectNotRegistrar(otherRegistrar.id);
        _dismiss(otherRegistrar, 1);
    }

    function test_dismissObjection_reverts_with_RegistrationStateWrong() external {
        _notice();
        _object(buyer, AuthorityClass.PARTY);
        _refuse(registrar);
        _expectState(IRegistrations.RegistrationState.REFUSED);
        _dismiss(registrar, 1);
    }

    function test_dismissObjection_goes_back_to_the_notice_s_end_after_the_last() external {
        _notice();
        _object(buyer, AuthorityClass.PARTY);
        _object(broker, AuthorityClass.PARTY);
        _dismiss(registrar, 2);
        _assertState(IRegistrations.RegistrationState.PUBLIC_NOTICE, OBJECTION_UNTIL);
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationObjectionDismissed(
            id, 1, registrar.id, registrar.account, 0, NOTICE_UNTIL, _cause(AuthorityClass.ISSUER)
        );
        _dismiss(registrar, 1);
        _assertState(IRegistrations.RegistrationState.PUBLIC_NOTICE, NOTICE_UNTIL);
    }

    // ---------------------------------------------------------------- deposit

    function test_deposit_reverts_with_CallerNotRegistrar() external {
        _clear();
        IRegistrations.Deposit memory params = _depositParams();
        _expectNotRegistrar(otherRegistrar.id);
        _depositAs(otherRegistrar, params);
    }

    function test_deposit_reverts_with_RegistrationStateWrong() external {
        _expectState(IRegistrations.RegistrationState.SUBMITTED);
        _deposit();
        _accept(registrar);
        _examine(registrar, _examination(false));
        _expectState(IRegistrations.RegistrationState.REVIEW_PASSED);
        _deposit();
    }

    /// @dev Domain invariant 2.
    function test_deposit_reverts_with_ObjectionsOpen() external {
        _notice();
        _object(buyer, AuthorityClass.PARTY);
        vm.warp(OBJECTION_UNTIL + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.ObjectionsOpen.selector, id, uint16(1)));
        _deposit();
    }

    function test_deposit_reverts_with_DeadlineNotReached() external {
        _notice();
        vm.warp(NOTICE_UNTIL - 1);
        vm.expectRevert(abi.encodeWithSelector(IActing.DeadlineNotReached.selector, NOTICE_UNTIL, NOTICE_UNTIL - 1));
        _deposit();
    }

    function test_deposit_reverts_with_RightsWrong() external {
        _clear();
        IRegistrations.Deposit memory params = _depositParams();
        params.rights[0].holder = buyer.id;
        _expect(IRegistrations.RightsWrong.selector);
        _depositAs(registrar, params);
    }

    function test_deposit_reverts_with_FieldInvalid() external {
        _clear();
        IRegistrations.Deposit memory params = _depositParams();
        params.documentDigest = 0;
        _expectInvalid("documentDigest");
        _depositAs(registrar, params);
    }

    /// @dev D-08.
    function test_deposit_reverts_with_ValidityTooLong() external {
        _clear();
        IRegistrations.Deposit memory params = _depositParams();
        params.validUntil = _validityEnd() + 1;
        vm.expectRevert(
            abi.encodeWithSelector(IRegistrations.ValidityTooLong.selector, params.validUntil, _validityEnd())
        );
        _depositAs(registrar, params);
        params.validUntil = NOTICE_UNTIL;
        _expectTimeInPast(NOTICE_UNTIL);
        _depositAs(registrar, params);
    }

    function test_deposit_reverts_with_ParticipantNotActive() external {
        _clear();
        _suspend(seller);
        _expectNotActive(seller);
        _deposit();
    }

    /// @dev D-22: two applications for one version, at two registrars.
    function test_deposit_reverts_with_AssetAlreadyRegistered() external {
        _assignIssuerCode(otherRegistrar, 12, 1);
        application.registrar = otherRegistrar.id;
        application.salt = "other registrar";
        RegistrationId second = _submit(seller);
        _clear();
        _deposit();
        id = second;
        vm.warp(START);
        _acceptAndClear(otherRegistrar);
        IRegistrations.Deposit memory params = _depositParams();
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetAlreadyRegistered.selector, application.assetId, 1));
        _depositAs(otherRegistrar, params);
    }

    function test_deposit_issues_the_certificate() external {
        _clear();
        CertificateId certificateId = _deposit();
        ICertificates.CertificateStatus memory status = certificates.certificateOf(certificateId);
        vm.assertEq(status.owner, seller.account);
        vm.assertEq(status.leaf, certificates.leafOf(_certificateFields(certificateId)));
        IRegistrations.Registration memory stored = registrations.registrationOf(id);
        vm.assertEq(CertificateId.unwrap(stored.certificateId), CertificateId.unwrap(certificateId));
        vm.assertTrue(stored.state == IRegistrations.RegistrationState.DEPOSITED);
        vm.assertEq(stored.stateUntil, 0);
    }

    function test_deposit_enters_the_rights() external {
        application.rights.push(_terms(buyer.id, 2));
        _fresh();
        id = _submit(seller);
        _clear();
        CertificateId certificateId = _deposit();
        ParticipantId[2] memory holders = [seller.id, buyer.id];
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 salt = keccak256(abi.encode(id, i));
            RightId rightId = RightId.wrap(
                keccak256(abi.encode(bytes32("right"), block.chainid, registrar.id, application.assetId, salt))
            );
            vm.assertEq(rights.requireRight(rightId, application.assetId, holders[i], RightKind.USE), SHARE_BPS);
            vm.assertEq(
                CertificateId.unwrap(rights.rightOf(rightId).certificateId), CertificateId.unwrap(certificateId)
            );
        }
    }

    function test_deposit_marks_the_version() external {
        _clear();
        vm.expectEmit(address(assets));
        emit IAssets.AssetRegistered(application.assetId, 1);
        _deposit();
    }

    function test_deposit_emits_RegistrationDeposited() external {
        _clear();
        bytes32 certificateId =
            keccak256(abi.encode(bytes32("certificate"), block.chainid, registrar.id, application.assetId, id));
        IRegistrations.Deposit memory params = _depositParams();
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationDeposited(
            id, CertificateId.wrap(certificateId), registrar.id, registrar.account, NOTICE_UNTIL
        );
        _depositAs(registrar, params);
    }

    function test_deposit_deposits_once() external {
        _clear();
        _deposit();
        _expectState(IRegistrations.RegistrationState.DEPOSITED);
        _deposit();
    }

    function test_deposit_takes_the_profile_s_validity() external {
        _clear();
        vm.assertEq(certificates.certificateOf(_deposit()).validUntil, _validityEnd());
    }

    function test_deposit_deposits_after_a_waiver() external {
        _accept(registrar);
        _examine(registrar, _examination(false));
        _waiveNotice(registrar);
        vm.assertTrue(certificates.isUsable(_deposit(), ICertificates.CertificatePurpose.LIST));
    }

    // ---------------------------------------------------------------- walk

    /// @dev Domain invariant 2 and 6 for any order of steps; every refusal is one of the named ones.
    function testFuzz_walk_never_deposits_with_an_open_objection_or_before_the_notice_ends(uint256 seed) external {
        bool isWaived = false;
        for (uint256 step = 0; step < 24; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            IRegistrations.Registration memory before = registrations.registrationOf(id);
            bool isDone = _tryStep(seed % 12, uint16(seed >> 64) % 3 + 1);
            IRegistrations.Registration memory later = registrations.registrationOf(id);
            if (isDone && seed % 12 == 6) isWaived = true;
            if (before.state >= IRegistrations.RegistrationState.DEPOSITED) {
                vm.assertTrue(later.state == before.state);
            }
            if (later.state == before.state || later.state != IRegistrations.RegistrationState.DEPOSITED) continue;
            vm.assertEq(before.openObjections, 0);
            vm.assertTrue(isWaived || block.timestamp >= before.stateUntil);
        }
    }

    function _tryStep(uint256 step, uint16 objectionIndex) private returns (bool isDone) {
        bytes memory call;
        Member memory actor = step < 8 ? registrar : seller;
        if (step == 0) call = abi.encodeCall(registrations.accept, (id, _direct()));
        if (step == 1 || step == 2) call = abi.encodeCall(registrations.examine, (_examination(step == 1), _direct()));
        if (step == 3) call = abi.encodeCall(registrations.publishNotice, (id, _direct()));
        if (step == 4 || step == 5) call = abi.encodeCall(registrations.deposit, (_depositParams(), _direct()));
        if (step == 6) {
            call = abi.encodeCall(registrations.waiveNotice, (id, _cause(AuthorityClass.ISSUER), _direct()));
        }
        if (step == 7) {
            call = abi.encodeCall(
                registrations.dismissObjection, (id, objectionIndex, _cause(AuthorityClass.ISSUER), _direct())
            );
        }
        if (step == 8) call = abi.encodeCall(registrations.object, (id, _cause(AuthorityClass.PARTY), _direct()));
        if (step == 9) call = abi.encodeCall(registrations.deemAccepted, (id, _direct()));
        if (step == 10) vm.warp(block.timestamp + 1 days);
        if (step == 11) vm.warp(block.timestamp + 6 days);
        if (call.length == 0) return false;
        vm.prank(actor.account);
        (isDone,) = address(registrations).call(call);
    }

    // ---------------------------------------------------------------- steps

    function _acceptAndClear(Member memory by) private {
        _accept(by);
        IRegistrations.Examination memory examination = _examination(true);
        examination.descriptionReviewer = by.account;
        examination.sourceReviewer = by.account;
        examination.rightsReviewer = by.account;
        _examine(by, examination);
        vm.warp(NOTICE_UNTIL);
    }

    function _validityEnd() private pure returns (uint64) {
        return NOTICE_UNTIL + 1826 days;
    }

    function _certificateFields(CertificateId certificateId)
        private
        view
        returns (ICertificates.CertificateFields memory fields)
    {
        fields.certificateId = certificateId;
        fields.kind = ICertificates.CertificateKind.REGISTRATION;
        fields.subjectNoun = Noun.ASSET;
        fields.subjectId = AssetId.unwrap(application.assetId);
        fields.subjectVersion = 1;
        fields.code = "SJ4422026030001";
        fields.issuer = registrar.id;
        fields.holder = seller.id;
        fields.documentDigest = keccak256("certificate");
        fields.digestAlg = DigestAlg.SHA256;
        fields.issuedAt = NOTICE_UNTIL;
        fields.validUntil = _validityEnd();
    }

    function _expectNoObjection(uint16 objectionIndex) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.ObjectionNotFound.selector, id, objectionIndex));
    }
}
