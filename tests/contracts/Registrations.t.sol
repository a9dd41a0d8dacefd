// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {IRegistrations} from "../../contracts/interfaces/IRegistrations.sol";
import {AssetKind, AuthorityClass, DigestAlg, Verdict} from "../../contracts/types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, ProfileId, RegistrationId} from "../../contracts/types/Ids.sol";
import {Registering} from "./Registering.sol";

/// @notice Application, acceptance and examination: D-04, D-06, D-07, D-09, D-10, D-21, domain 4.2.
contract RegistrationsTest is Registering {
    // ---------------------------------------------------------------- submit

    function test_submit_reverts_with_RegistrationAlreadyExists() external {
        _expect(IRegistrations.RegistrationAlreadyExists.selector);
        _submit(seller);
    }

    function test_submit_reverts_with_AssetNotFound() external {
        _fresh();
        application.assetVersion = 2;
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetNotFound.selector, application.assetId, 2));
        _submit(seller);
        application.assetVersion = 0;
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetNotFound.selector, application.assetId, 0));
        _submit(seller);
    }

    function test_submit_reverts_with_CallerNotRegistrant() external {
        _fresh();
        vm.expectRevert(
            abi.encodeWithSelector(IAssets.CallerNotRegistrant.selector, application.assetId, otherSeller.id)
        );
        _submit(otherSeller);
    }

    function test_submit_reverts_with_AssetAlreadyRegistered() external {
        _fresh();
        assets.markRegistered(application.assetId, 1);
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetAlreadyRegistered.selector, application.assetId, 1));
        _submit(seller);
    }

    function test_submit_reverts_with_ParticipantNotActive_given_the_registrar_is_suspended() external {
        _fresh();
        _suspend(registrar);
        _expectNotActive(registrar);
        _submit(seller);
    }

    function test_submit_reverts_with_RoleMissing() external {
        _fresh();
        application.registrar = exchange.id;
        _expectNoRegistrar(exchange);
        _submit(seller);
    }

    function test_submit_reverts_with_IssuerCodeMissing() external {
        _fresh();
        application.registrar = _serving("codeless", IParticipants.Role.REGISTRAR).id;
        vm.expectRevert(abi.encodeWithSelector(IParticipants.IssuerCodeMissing.selector, application.registrar));
        _submit(seller);
    }

    function test_submit_reverts_with_RegistrarIsApplicant() external {
        _fresh();
        _grant(seller, IParticipants.Role.REGISTRAR, NO_VENUE);
        _assignIssuerCode(seller, 12, 3);
        application.registrar = seller.id;
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.RegistrarIsApplicant.selector, seller.id));
        _submit(seller);
    }

    function test_submit_reverts_with_ActTypeNotServed() external {
        _fresh();
        for (uint256 i = 0; i <= uint256(type(IRegistrations.ActType).max); ++i) {
            IRegistrations.ActType actType = IRegistrations.ActType(i);
            if (actType == IRegistrations.ActType.INITIAL) continue;
            application.actType = actType;
            vm.expectRevert(abi.encodeWithSelector(IRegistrations.ActTypeNotServed.selector, actType));
            _submit(seller);
        }
    }

    function test_submit_reverts_with_PriorCertificateWrong() external {
        _fresh();
        application.priorCertificateId = CertificateId.wrap("prior");
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegistrations.PriorCertificateWrong.selector,
                IRegistrations.ActType.INITIAL,
                application.priorCertificateId
            )
        );
        _submit(seller);
    }

    function test_submit_reverts_with_FieldInvalid() external {
        _fresh();
        application.sourceKind = IRegistrations.SourceKind.NONE;
        _expectInvalid("sourceKind");
        _submit(seller);
        application.sourceKind = IRegistrations.SourceKind.COLLECTED;
        application.processingRole = IRegistrations.ProcessingRole.NONE;
        _expectInvalid("processingRole");
        _submit(seller);
        application.processingRole = IRegistrations.ProcessingRole.OWN;
        application.digestAlg = DigestAlg.NONE;
        _expectInvalid("documentDigest");
        _submit(seller);
        application.digestAlg = DigestAlg.SHA256;
        application.rights.pop();
        _expectInvalid("rights");
        _submit(seller);
        for (uint256 i = 0; i < 17; ++i) {
            application.rights.push(_terms(seller.id, 1));
        }
        _expectInvalid("rights");
        _submit(seller);
        while (application.rights.length > 1) application.rights.pop();
        application.rights[0].kinds = 0;
        _expectInvalid("kinds");
        _submit(seller);
    }

    /// @dev D-10.
    function test_submit_reverts_with_RightNotSupported() external {
        _fresh();
        application.sourceKind = IRegistrations.SourceKind.CRAWLED;
        _expectNotSupported(7);
        _submit(seller);
        application.rights[0].kinds = 3;
        _submit(seller);
        _fresh();
        application.sourceKind = IRegistrations.SourceKind.COLLECTED;
        application.processingRole = IRegistrations.ProcessingRole.ENTRUSTED;
        _expectNotSupported(3);
        _submit(seller);
    }

    function test_submit_reverts_with_ParticipantNotActive_given_a_right_holder_is_suspended() external {
        _fresh();
        application.rights.push(_terms(buyer.id, 2));
        _suspend(buyer);
        _expectNotActive(buyer);
        _submit(seller);
    }

    function test_submit_reverts_with_ProfileNotFound() external {
        _fresh();
        application.profileId = ProfileId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IProfiles.ProfileNotFound.selector, application.profileId));
        _submit(seller);
    }

    function test_submit_stores_the_application() external view {
        IRegistrations.Registration memory stored = registrations.registrationOf(id);
        vm.assertEq(stored.sequence, 1);
        vm.assertEq(AssetId.unwrap(stored.assetId), AssetId.unwrap(application.assetId));
        vm.assertEq(stored.assetVersion, 1);
        vm.assertTrue(stored.actType == IRegistrations.ActType.INITIAL);
        vm.assertTrue(stored.state == IRegistrations.RegistrationState.SUBMITTED);
        vm.assertEq(ProfileId.unwrap(stored.profileId), ProfileId.unwrap(profileId));
        vm.assertEq(ParticipantId.unwrap(stored.applicant), ParticipantId.unwrap(seller.id));
        vm.assertEq(ParticipantId.unwrap(stored.registrar), ParticipantId.unwrap(registrar.id));
        vm.assertEq(CertificateId.unwrap(stored.priorCertificateId), 0);
        vm.assertTrue(stored.sourceKind == IRegistrations.SourceKind.COLLECTED);
        vm.assertTrue(stored.processingRole == IRegistrations.ProcessingRole.OWN);
        vm.assertEq(stored.documentDigest, DOCUMENT);
        vm.assertTrue(stored.digestAlg == DigestAlg.SHA256);
        vm.assertEq(stored.rightsHash, keccak256(abi.encode(application.rights)));
        vm.assertTrue(stored.rightsVerdict == Verdict.PENDING);
        vm.assertEq(stored.stateUntil, ACCEPT_UNTIL);
        vm.assertEq(CertificateId.unwrap(stored.certificateId), 0);
    }

    function test_submit_emits_RegistrationSubmitted() external {
        _fresh();
        bytes32 registrationId = keccak256(
            abi.encode(bytes32("registration"), block.chainid, seller.id, application.assetId, application.salt)
        );
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationSubmitted(
            RegistrationId.wrap(registrationId),
            application.assetId,
            seller.id,
            application.assetVersion,
            application.actType,
            application.profileId,
            application.registrar,
            application.priorCertificateId,
            application.sourceKind,
            application.processingRole,
            application.documentDigest,
            application.digestAlg,
            application.rights,
            ACCEPT_UNTIL,
            seller.account,
            2
        );
        _submit(seller);
    }

    function test_submit_lets_a_crawled_product_be_operated() external {
        application.assetId = _declared(seller, _declaration(AssetKind.PRODUCT, "product", seller.id));
        application.sourceKind = IRegistrations.SourceKind.CRAWLED;
        _submit(seller);
    }

    function test_submit_registers_an_entrusted_asset_without_rights() external {
        _fresh();
        application.processingRole = IRegistrations.ProcessingRole.ENTRUSTED;
        application.rights.pop();
        id = _submit(seller);
        _clear();
        _deposit();
        (, uint32 registeredVersion) = assets.latestVersionOf(application.assetId);
        vm.assertEq(registeredVersion, 1);
    }

    // ---------------------------------------------------------------- requestSupplement

    function test_requestSupplement_reverts_with_RegistrationNotFound() external {
        id = RegistrationId.wrap("unknown");
        _expect(IRegistrations.RegistrationNotFound.selector);
        _requestSupplement(registrar, AuthorityClass.ISSUER);
    }

    function test_requestSupplement_reverts_with_AuthorityMissing() external {
        _expectAuthority(registrar, AuthorityClass.PARTY);
        _requestSupplement(registrar, AuthorityClass.PARTY);
    }

    function test_requestSupplement_reverts_with_CallerNotRegistrar() external {
        _expectNotRegistrar(otherRegistrar.id);
        _requestSupplement(otherRegistrar, AuthorityClass.ISSUER);
    }

    function test_requestSupplement_reverts_with_RegistrationStateWrong() external {
        _accept(registrar);
        _expectState(IRegistrations.RegistrationState.ACCEPTED);
        _requestSupplement(registrar, AuthorityClass.ISSUER);
    }

    function test_requestSupplement_reverts_with_DeadlinePassed() external {
        vm.warp(ACCEPT_UNTIL);
        _expectPassed(ACCEPT_UNTIL);
        _requestSupplement(registrar, AuthorityClass.ISSUER);
    }

    function test_requestSupplement_starts_the_supplement_s_deadline() external {
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationSupplementRequested(
            id, registrar.id, registrar.account, DECIDE_UNTIL, _cause(AuthorityClass.ISSUER)
        );
        _requestSupplement(registrar, AuthorityClass.ISSUER);
        _assertState(IRegistrations.RegistrationState.SUPPLEMENT_REQUIRED, DECIDE_UNTIL);
    }

    // ---------------------------------------------------------------- supplement

    function test_supplement_reverts_with_CallerNotApplicant() external {
        _requestSupplement(registrar, AuthorityClass.ISSUER);
        _expectNotApplicant(buyer.id);
        _supplement(buyer, "new");
    }

    function test_supplement_reverts_with_RegistrationStateWrong() external {
        _expectState(IRegistrations.RegistrationState.SUBMITTED);
        _supplement(seller, "new");
    }

    function test_supplement_reverts_with_DeadlinePassed() external {
        _requestSupplement(registrar, AuthorityClass.ISSUER);
        vm.warp(DECIDE_UNTIL);
        _expectPassed(DECIDE_UNTIL);
        _supplement(seller, "new");
    }

    function test_supplement_reverts_with_FieldInvalid() external {
        _requestSupplement(registrar, AuthorityClass.ISSUER);
        _expectInvalid("documentDigest");
        _supplement(seller, 0);
    }

    function test_supplement_submits_the_application_again() external {
        _requestSupplement(registrar, AuthorityClass.ISSUER);
        vm.warp(START + 7 days);
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationSupplemented(
            id, seller.id, seller.account, "new", DigestAlg.SM3, ACCEPT_UNTIL + 7 days
        );
        _supplement(seller, "new");
        _assertState(IRegistrations.RegistrationState.SUBMITTED, ACCEPT_UNTIL + 7 days);
        vm.assertEq(registrations.registrationOf(id).documentDigest, "new");
    }

    // ---------------------------------------------------------------- accept

    function test_accept_reverts_with_CallerNotRegistrar() external {
        _expectNotRegistrar(otherRegistrar.id);
        _accept(otherRegistrar);
    }

    function test_accept_reverts_with_RoleMissing() external {
        _expectNoRegistrar(seller);
        _accept(seller);
    }

    function test_accept_reverts_with_RegistrationStateWrong() external {
        _accept(registrar);
        _expectState(IRegistrations.RegistrationState.ACCEPTED);
        _accept(registrar);
    }

    function test_accept_reverts_with_DeadlinePassed() external {
        vm.warp(ACCEPT_UNTIL);
        _expectPassed(ACCEPT_UNTIL);
        _accept(registrar);
    }

    function test_accept_starts_the_decision_s_clock() external {
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationAccepted(id, registrar.id, registrar.account, false, DECIDE_UNTIL);
        _accept(registrar);
        _assertState(IRegistrations.RegistrationState.ACCEPTED, DECIDE_UNTIL);
    }

    // ---------------------------------------------------------------- deemAccepted

    function test_deemAccepted_reverts_with_DeadlineNotReached() external {
        vm.warp(ACCEPT_UNTIL - 1);
        vm.expectRevert(abi.encodeWithSelector(IActing.DeadlineNotReached.selector, ACCEPT_UNTIL, ACCEPT_UNTIL - 1));
        _deemAccepted(buyer);
    }

    function test_deemAccepted_reverts_with_RegistrationStateWrong() external {
        _accept(registrar);
        vm.warp(ACCEPT_UNTIL);
        _expectState(IRegistrations.RegistrationState.ACCEPTED);
        _deemAccepted(buyer);
    }

    /// @dev D-06.
    function test_deemAccepted_lets_anyone_record_the_acceptance() external {
        vm.warp(ACCEPT_UNTIL);
        uint64 until = profiles.deadlineAfter(ACCEPT_UNTIL, _workingDays(10), false);
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationAccepted(id, buyer.id, buyer.account, true, until);
        _deemAccepted(buyer);
        _assertState(IRegistrations.RegistrationState.ACCEPTED, until);
    }

    // ---------------------------------------------------------------- examine

    function test_examine_reverts_with_CallerNotRegistrar_when_another_registrar_asks() external {
        _accept(registrar);
        _expectNotRegistrar(otherRegistrar.id);
        _examine(otherRegistrar, _examination(true));
    }

    function test_examine_reverts_with_CallerNotRegistrar_when_a_reviewer_is_not_the_registrar_s() external {
        _accept(registrar);
        IRegistrations.Examination memory examination = _examination(true);
        examination.rightsReviewer = seller.account;
        _expectNotRegistrar(seller.id);
        _examine(registrar, examination);
    }

    function test_examine_reverts_with_RegistrationStateWrong() external {
        _expectState(IRegistrations.RegistrationState.SUBMITTED);
        _examine(registrar, _examination(true));
    }

    /// @dev D-09.
    function test_examine_reverts_with_ExaminationNotPassed() external {
        _accept(registrar);
        for (uint256 i = 0; i < 3; ++i) {
            IRegistrations.Examination memory examination = _examination(true);
            if (i == 0) examination.descriptionVerdict = Verdict.FAIL;
            if (i == 1) examination.sourceVerdict = Verdict.PENDING;
            if (i == 2) examination.rightsVerdict = Verdict.FAIL;
            _expect(IRegistrations.ExaminationNotPassed.selector);
            _examine(registrar, examination);
        }
    }

    function test_examine_reverts_with_FieldInvalid() external {
        _accept(registrar);
        IRegistrations.Examination memory examination = _examination(true);
        examination.reportDigest = 0;
        _expectInvalid("documentDigest");
        _examine(registrar, examination);
    }

    function test_examine_stops_the_decision_s_clock() external {
        _accept(registrar);
        vm.warp(START + 1 days);
        _examine(registrar, _examination(false));
        IRegistrations.Registration memory stored = registrations.registrationOf(id);
        vm.assertTrue(stored.state == IRegistrations.RegistrationState.REVIEW_PASSED);
        vm.assertEq(stored.stateUntil, 0);
        vm.assertEq(stored.remainingSeconds, DECIDE_UNTIL - START - 1 days);
        vm.assertTrue(stored.descriptionVerdict == Verdict.PASS && stored.sourceVerdict == Verdict.PASS);
        vm.assertTrue(stored.rightsVerdict == Verdict.PASS);
    }

    function test_examine_emits_RegistrationExamined() external {
        _accept(registrar);
        IRegistrations.Examination memory examination = _examination(false);
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationExamined(
            id,
            registrar.id,
            registrar.account,
            Verdict.PASS,
            Verdict.PASS,
            Verdict.PASS,
            registrar.account,
            registrar.account,
            registrar.account,
            examination.reportDigest,
            examination.digestAlg,
            DECIDE_UNTIL - START
        );
        _examine(registrar, examination);
    }

    function test_examine_publishes_in_the_same_act() external {
        _accept(registrar);
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationNoticePublished(id, registrar.id, registrar.account, NOTICE_UNTIL);
        _examine(registrar, _examination(true));
        _assertState(IRegistrations.RegistrationState.PUBLIC_NOTICE, NOTICE_UNTIL);
    }

    function test_examine_records_a_late_decision() external {
        _accept(registrar);
        vm.warp(DECIDE_UNTIL + 1 days);
        _examine(registrar, _examination(false));
        vm.assertEq(registrations.registrationOf(id).remainingSeconds, 0);
    }

    // ---------------------------------------------------------------- refuse

    function test_refuse_reverts_with_RegistrationStateWrong_given_it_is_not_accepted_yet() external {
        _expectState(IRegistrations.RegistrationState.SUBMITTED);
        _refuse(registrar);
    }

    function test_refuse_reverts_with_CallerNotRegistrar() external {
        _accept(registrar);
        _expectNotRegistrar(otherRegistrar.id);
        _refuse(otherRegistrar);
    }

    function test_refuse_reverts_with_RegistrationStateWrong_given_it_is_deposited() external {
        _clear();
        _deposit();
        _expectState(IRegistrations.RegistrationState.DEPOSITED);
        _refuse(registrar);
    }

    function test_refuse_refuses_for_cause() external {
        _accept(registrar);
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationRefused(id, registrar.id, registrar.account, _cause(AuthorityClass.ISSUER));
        _refuse(registrar);
        _assertState(IRegistrations.RegistrationState.REFUSED, 0);
    }

    // ---------------------------------------------------------------- withdraw

    function test_withdraw_reverts_with_CallerNotApplicant() external {
        _expectNotApplicant(buyer.id);
        _withdraw(buyer);
    }

    function test_withdraw_reverts_with_RegistrationStateWrong() external {
        _withdraw(seller);
        _expectState(IRegistrations.RegistrationState.WITHDRAWN);
        _withdraw(seller);
    }

    function test_withdraw_ends_the_application() external {
        _clear();
        vm.expectEmit(address(registrations));
        emit IRegistrations.RegistrationWithdrawn(id, seller.id, seller.account);
        _withdraw(seller);
        _assertState(IRegistrations.RegistrationState.WITHDRAWN, 0);
        _expectState(IRegistrations.RegistrationState.WITHDRAWN);
        _deposit();
    }

    // ---------------------------------------------------------------- registrationOf

    function test_registrationOf_reverts_with_RegistrationNotFound() external {
        id = RegistrationId.wrap("unknown");
        _expect(IRegistrations.RegistrationNotFound.selector);
        registrations.registrationOf(id);
    }
}
