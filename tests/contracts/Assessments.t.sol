// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssessments} from "../../contracts/interfaces/IAssessments.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg, Verdict} from "../../contracts/types/Codes.sol";
import {AssessmentId, AssetId, ParticipantId} from "../../contracts/types/Ids.sol";
import {Registry} from "./Registry.sol";

/// @notice Reports by admitted assessors: B-07, G-04, domain 3.2.
contract AssessmentsTest is Registry {
    AssessmentId private constant UNKNOWN = AssessmentId.wrap("unknown");

    Registered private resource;
    IAssessments.Report private report;

    function setUp() public override {
        super.setUp();
        resource = _resource(seller, "resource");
        report = IAssessments.Report({
            assetId: resource.assetId,
            assetVersion: 1,
            kind: IAssessments.AssessmentKind.VALUE,
            verdict: Verdict.PASS,
            score: 0.5e18,
            formulaId: "I_X_1",
            reportDigest: keccak256("report"),
            digestAlg: DigestAlg.SHA256,
            expiresAt: START + 10 days,
            salt: "salt"
        });
    }

    // ---------------------------------------------------------------- record

    function test_record_reverts_with_AssetNotFound() external {
        report.assetVersion = 2;
        _expectNotFound(report.assetId, 2);
        _record(assessor);
        report.assetId = AssetId.wrap("unknown");
        _expectNotFound(report.assetId, 2);
        _record(assessor);
    }

    function test_record_reverts_with_AssessmentAlreadyExists() external {
        AssessmentId assessmentId = _record(assessor);
        vm.expectRevert(abi.encodeWithSelector(IAssessments.AssessmentAlreadyExists.selector, assessmentId));
        _record(assessor);
    }

    function test_record_reverts_with_RoleMissing_given_the_role_is_of_another_venue() external {
        _grant(broker, IParticipants.Role.ASSESSOR, otherExchange.id);
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.RoleMissing.selector, broker.id, IParticipants.Role.ASSESSOR, exchange.id
            )
        );
        _record(broker);
    }

    function test_record_reverts_with_RoleMissing_when_the_caller_is_no_assessor() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.RoleMissing.selector, buyer.id, IParticipants.Role.ASSESSOR, exchange.id
            )
        );
        _record(buyer);
    }

    function test_record_reverts_with_AssessorIsRegistrant() external {
        _grant(seller, IParticipants.Role.ASSESSOR, exchange.id);
        vm.expectRevert(abi.encodeWithSelector(IAssessments.AssessorIsRegistrant.selector, resource.assetId, seller.id));
        _record(seller);
    }

    function test_record_reverts_with_FieldInvalid() external {
        report.kind = IAssessments.AssessmentKind.NONE;
        _expectInvalid("kind");
        _record(assessor);
        report.kind = IAssessments.AssessmentKind.VALUE;
        report.verdict = Verdict.PENDING;
        _expectInvalid("verdict");
        _record(assessor);
        report.verdict = Verdict.PASS;
        report.formulaId = 0;
        _expectInvalid("formulaId");
        _record(assessor);
        report.score = 0;
        report.reportDigest = 0;
        _expectInvalid("reportDigest");
        _record(assessor);
        report.reportDigest = "report";
        report.expiresAt = 1 << 40;
        _expectInvalid("expiresAt");
        _record(assessor);
    }

    function test_record_reverts_with_TimeInPast() external {
        report.expiresAt = START;
        _expectTimeInPast(START);
        _record(assessor);
    }

    function test_record_stores_the_report() external {
        IAssessments.Assessment memory stored = assessments.assessmentOf(_record(assessor));
        vm.assertEq(AssetId.unwrap(stored.assetId), AssetId.unwrap(resource.assetId));
        vm.assertEq(stored.assetVersion, 1);
        vm.assertTrue(stored.kind == IAssessments.AssessmentKind.VALUE && stored.verdict == Verdict.PASS);
        vm.assertEq(stored.score, 0.5e18);
        vm.assertEq(stored.formulaId, "I_X_1");
        vm.assertEq(stored.reportDigest, report.reportDigest);
        vm.assertTrue(stored.digestAlg == DigestAlg.SHA256);
        vm.assertEq(ParticipantId.unwrap(stored.assessor), ParticipantId.unwrap(assessor.id));
        vm.assertEq(stored.assessedAt, START);
        vm.assertEq(stored.expiresAt, START + 10 days);
        vm.assertEq(stored.withdrawnAt, 0);
    }

    function test_record_emits_AssessmentRecorded() external {
        bytes32 assessmentId =
            keccak256(abi.encode(bytes32("assessment"), block.chainid, assessor.id, resource.assetId, report.salt));
        vm.expectEmit(address(assessments));
        emit IAssessments.AssessmentRecorded(
            AssessmentId.wrap(assessmentId),
            report.assetId,
            assessor.id,
            1,
            report.kind,
            report.verdict,
            report.score,
            report.formulaId,
            report.reportDigest,
            report.digestAlg,
            report.expiresAt,
            assessor.account
        );
        _record(assessor);
    }

    // ---------------------------------------------------------------- withdraw

    function test_withdraw_reverts_with_AssessmentNotFound() external {
        _expectUnknown();
        _withdraw(assessor, UNKNOWN, AuthorityClass.PARTY);
        _expectUnknown();
        assessments.assessmentOf(UNKNOWN);
    }

    function test_withdraw_reverts_with_AuthorityMissing() external {
        AssessmentId assessmentId = _record(assessor);
        _expectAuthority(court, AuthorityClass.COURT);
        _withdraw(court, assessmentId, AuthorityClass.COURT);
    }

    function test_withdraw_reverts_with_CallerNotAssessor() external {
        AssessmentId assessmentId = _record(assessor);
        vm.expectRevert(abi.encodeWithSelector(IAssessments.CallerNotAssessor.selector, assessmentId, seller.id));
        _withdraw(seller, assessmentId, AuthorityClass.PARTY);
    }

    function test_withdraw_reverts_with_AssessmentAlreadyWithdrawn() external {
        AssessmentId assessmentId = _record(assessor);
        _withdraw(assessor, assessmentId, AuthorityClass.PARTY);
        vm.expectRevert(abi.encodeWithSelector(IAssessments.AssessmentAlreadyWithdrawn.selector, assessmentId));
        _withdraw(regulator, assessmentId, AuthorityClass.REGULATOR);
    }

    function test_withdraw_ends_the_report() external {
        AssessmentId assessmentId = _record(assessor);
        uint256 snapshot = vm.snapshotState();
        _withdraw(regulator, assessmentId, AuthorityClass.REGULATOR);
        vm.assertEq(assessments.assessmentOf(assessmentId).withdrawnAt, START);
        vm.revertToState(snapshot);

        Cause memory cause = _cause(AuthorityClass.PARTY);
        vm.expectEmit(address(assessments));
        emit IAssessments.AssessmentWithdrawn(assessmentId, assessor.id, assessor.account, START, cause);
        _withdraw(assessor, assessmentId, AuthorityClass.PARTY);
    }

    // ---------------------------------------------------------------- requireValid

    function test_requireValid_reverts_with_AssessmentNotFound() external {
        _expectUnknown();
        assessments.requireValid(UNKNOWN, resource.assetId, 1);
    }

    function test_requireValid_reverts_with_AssessmentNotValid_given_it_failed_expired_or_was_withdrawn() external {
        AssessmentId assessmentId = _record(assessor);
        uint256 snapshot = vm.snapshotState();
        vm.warp(START + 10 days);
        _expectNotValid(assessmentId, resource.assetId, 1);
        vm.revertToState(snapshot);
        _withdraw(assessor, assessmentId, AuthorityClass.PARTY);
        _expectNotValid(assessmentId, resource.assetId, 1);
        report.verdict = Verdict.FAIL;
        report.salt = "failed";
        _expectNotValid(_record(assessor), resource.assetId, 1);
    }

    function test_requireValid_reverts_with_AssessmentNotValid_when_it_is_about_another_version() external {
        AssessmentId assessmentId = _record(assessor);
        _expectNotValid(assessmentId, resource.assetId, 2);
        _expectNotValid(assessmentId, AssetId.wrap("other"), 1);
    }

    function test_requireValid_says_nothing() external {
        AssessmentId assessmentId = _record(assessor);
        assessments.requireValid(assessmentId, resource.assetId, 1);
        vm.warp(START + 10 days - 1);
        assessments.requireValid(assessmentId, resource.assetId, 1);
    }

    // ---------------------------------------------------------------- steps

    function _record(Member memory member) private returns (AssessmentId) {
        vm.prank(member.account);
        return assessments.record(report, _direct());
    }

    function _withdraw(Member memory member, AssessmentId assessmentId, AuthorityClass authority) private {
        vm.prank(member.account);
        assessments.withdraw(assessmentId, _cause(authority), _direct());
    }

    function _expectUnknown() private {
        vm.expectRevert(abi.encodeWithSelector(IAssessments.AssessmentNotFound.selector, UNKNOWN));
    }

    function _expectNotFound(AssetId assetId, uint32 version) private {
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetNotFound.selector, assetId, version));
    }

    function _expectNotValid(AssessmentId assessmentId, AssetId assetId, uint32 version) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAssessments.AssessmentNotValid.selector, assessmentId, assetId, version)
        );
        assessments.requireValid(assessmentId, assetId, version);
    }
}
