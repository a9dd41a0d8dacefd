// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IRegistrations} from "../../contracts/interfaces/IRegistrations.sol";
import {AssetKind, AuthorityClass, DigestAlg, Verdict} from "../../contracts/types/Codes.sol";
import {CertificateId, ParticipantId, RegistrationId} from "../../contracts/types/Ids.sol";
import {Registry} from "./Registry.sol";

/// @notice The seller's application for a resource, submitted under the national profile, and the steps that follow.
abstract contract Registering is Registry {
    /// @dev Monday 2 March 2026 plus 3, 10 and 5 working days, each at 24:00 in Shanghai.
    uint64 internal constant MIDNIGHT = START - 10 hours;
    uint64 internal constant ACCEPT_UNTIL = MIDNIGHT + 4 days;
    uint64 internal constant DECIDE_UNTIL = MIDNIGHT + 15 days;
    uint64 internal constant NOTICE_UNTIL = MIDNIGHT + 8 days;
    uint64 internal constant OBJECTION_UNTIL = DECIDE_UNTIL;

    Member internal otherRegistrar;

    IRegistrations.RegistrationApplication internal application;
    RegistrationId internal id;

    uint256 private _count;

    function setUp() public virtual override {
        super.setUp();
        otherRegistrar = _serving("otherRegistrar", IParticipants.Role.REGISTRAR);
        application.assetVersion = 1;
        application.actType = IRegistrations.ActType.INITIAL;
        application.profileId = profileId;
        application.registrar = registrar.id;
        application.sourceKind = IRegistrations.SourceKind.COLLECTED;
        application.processingRole = IRegistrations.ProcessingRole.OWN;
        application.documentDigest = DOCUMENT;
        application.digestAlg = DigestAlg.SHA256;
        application.rights.push(_terms(seller.id, 7));
        _fresh();
        id = _submit(seller);
    }

    // ---------------------------------------------------------------- steps

    /// @notice Makes the application one for another resource of the seller.
    function _fresh() internal {
        _count += 1;
        string memory name = string(abi.encodePacked("asset", bytes32(_count)));
        application.assetId = _declared(seller, _declaration(AssetKind.RESOURCE, name, seller.id));
        application.salt = bytes32(_count);
    }

    function _submit(Member memory member) internal returns (RegistrationId) {
        vm.prank(member.account);
        return registrations.submit(application, _direct());
    }

    function _requestSupplement(Member memory member, AuthorityClass authority) internal {
        vm.prank(member.account);
        registrations.requestSupplement(id, _cause(authority), _direct());
    }

    function _supplement(Member memory member, bytes32 documentDigest) internal {
        vm.prank(member.account);
        registrations.supplement(id, documentDigest, DigestAlg.SM3, _direct());
    }

    function _accept(Member memory member) internal {
        vm.prank(member.account);
        registrations.accept(id, _direct());
    }

    function _deemAccepted(Member memory member) internal {
        vm.prank(member.account);
        registrations.deemAccepted(id, _direct());
    }

    function _examination(bool publishNotice) internal view returns (IRegistrations.Examination memory) {
        return IRegistrations.Examination({
            registrationId: id,
            descriptionVerdict: Verdict.PASS,
            sourceVerdict: Verdict.PASS,
            rightsVerdict: Verdict.PASS,
            descriptionReviewer: registrar.account,
            sourceReviewer: registrar.account,
            rightsReviewer: registrar.account,
            reportDigest: keccak256("report"),
            digestAlg: DigestAlg.SHA256,
            publishNotice: publishNotice
        });
    }

    function _examine(Member memory member, IRegistrations.Examination memory examination) internal {
        vm.prank(member.account);
        registrations.examine(examination, _direct());
    }

    function _publishNotice(Member memory member) internal {
        vm.prank(member.account);
        registrations.publishNotice(id, _direct());
    }

    function _waiveNotice(Member memory member) internal {
        vm.prank(member.account);
        registrations.waiveNotice(id, _cause(AuthorityClass.ISSUER), _direct());
    }

    function _object(Member memory member, AuthorityClass authority) internal {
        vm.prank(member.account);
        registrations.object(id, _cause(authority), _direct());
    }

    function _dismiss(Member memory member, uint16 objectionIndex) internal {
        vm.prank(member.account);
        registrations.dismissObjection(id, objectionIndex, _cause(AuthorityClass.ISSUER), _direct());
    }

    function _refuse(Member memory member) internal {
        vm.prank(member.account);
        registrations.refuse(id, _cause(AuthorityClass.ISSUER), _direct());
    }

    function _withdraw(Member memory member) internal {
        vm.prank(member.account);
        registrations.withdraw(id, _direct());
    }

    /// @notice Accepts, examines and publishes, all on the first day.
    function _notice() internal {
        _accept(registrar);
        _examine(registrar, _examination(true));
    }

    /// @notice Goes on to the end of the notice.
    function _clear() internal {
        _notice();
        vm.warp(NOTICE_UNTIL);
    }

    function _depositParams() internal view returns (IRegistrations.Deposit memory) {
        return IRegistrations.Deposit({
            registrationId: id,
            rights: application.rights,
            documentDigest: keccak256("certificate"),
            digestAlg: DigestAlg.SHA256,
            validUntil: 0
        });
    }

    function _depositAs(Member memory member, IRegistrations.Deposit memory params) internal returns (CertificateId) {
        vm.prank(member.account);
        return registrations.deposit(params, _direct());
    }

    function _deposit() internal returns (CertificateId) {
        return _depositAs(registrar, _depositParams());
    }

    // ---------------------------------------------------------------- expectations

    function _expect(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, id));
    }

    function _expectState(IRegistrations.RegistrationState state) internal {
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.RegistrationStateWrong.selector, id, state));
    }

    function _expectNotRegistrar(ParticipantId participantId) internal {
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.CallerNotRegistrar.selector, id, participantId));
    }

    function _expectNotApplicant(ParticipantId participantId) internal {
        vm.expectRevert(abi.encodeWithSelector(IRegistrations.CallerNotApplicant.selector, id, participantId));
    }

    function _expectNoRegistrar(Member memory member) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.RoleMissing.selector, member.id, IParticipants.Role.REGISTRAR, NO_VENUE
            )
        );
    }

    function _expectNotActive(Member memory member) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.ParticipantNotActive.selector, member.id, IParticipants.ParticipantState.SUSPENDED
            )
        );
    }

    function _expectPassed(uint64 deadline) internal {
        vm.expectRevert(abi.encodeWithSelector(IActing.DeadlinePassed.selector, deadline, uint64(block.timestamp)));
    }

    function _expectNotSupported(uint8 kinds) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IRegistrations.RightNotSupported.selector, application.sourceKind, application.processingRole, kinds
            )
        );
    }

    function _assertState(IRegistrations.RegistrationState state, uint64 stateUntil) internal view {
        IRegistrations.Registration memory stored = registrations.registrationOf(id);
        vm.assertTrue(stored.state == state);
        vm.assertEq(stored.stateUntil, stateUntil);
    }
}
