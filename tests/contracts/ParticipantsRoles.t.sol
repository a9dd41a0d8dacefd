// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Participants} from "../../contracts/governance/Participants.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass} from "../../contracts/types/Codes.sol";
import {ParticipantId} from "../../contracts/types/Ids.sol";
import {Admitting} from "./Admitting.sol";

/// @notice Roles, recognition, issuer codes, modules and the governor: domain 3.2, A-07, K-08.
contract ParticipantsRolesTest is Admitting {
    IParticipants.Role private constant OPERATOR = IParticipants.Role.EXCHANGE_OPERATOR;
    IParticipants.Role private constant SELLER = IParticipants.Role.SELLER;
    IParticipants.Role private constant BROKER = IParticipants.Role.BROKER;
    IParticipants.Role private constant REGISTRAR = IParticipants.Role.REGISTRAR;

    // ---------------------------------------------------------------- grantRole

    function test_grantRole_reverts_with_ParticipantNotFound_when_it_is_unknown() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        _expect(IParticipants.ParticipantNotFound.selector, unknown);
        _grantAs(exchange, unknown, BROKER, exchange.id, 0);
    }

    function test_grantRole_reverts_with_ParticipantNotFound_when_the_venue_is_unknown() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        _expect(IParticipants.ParticipantNotFound.selector, unknown);
        _grantAs(exchange, seller.id, BROKER, unknown, 0);
    }

    function test_grantRole_reverts_with_FieldInvalid_when_a_venue_role_has_no_venue() external {
        _expectInvalid("venue");
        _grantAs(governor, seller.id, BROKER, NO_VENUE, 0);
    }

    function test_grantRole_reverts_with_CallerNotAdmitter_when_an_exchange_grants_a_ledger_role() external {
        _expectNotAdmitter(exchange.id, seller.id);
        _grantAs(exchange, seller.id, REGISTRAR, NO_VENUE, 0);
    }

    function test_grantRole_reverts_with_CallerNotAdmitter_when_an_exchange_grants_for_another_venue() external {
        _expectNotAdmitter(exchange.id, seller.id);
        _grantAs(exchange, seller.id, BROKER, otherExchange.id, 0);
    }

    function test_grantRole_reverts_with_ParticipantNotActive() external {
        _expect(IParticipants.ParticipantNotActive.selector, applicant.id, IParticipants.ParticipantState.APPLIED);
        _grantAs(exchange, applicant.id, BROKER, exchange.id, 0);
    }

    function test_grantRole_reverts_with_FieldInvalid_when_there_is_no_role() external {
        _expectInvalid("role");
        _grantAs(governor, seller.id, IParticipants.Role.NONE, NO_VENUE, 0);
    }

    function test_grantRole_reverts_with_FieldInvalid_when_an_operator_would_serve_a_strange_venue() external {
        _expectInvalid("venue");
        _grantAs(governor, registrar.id, OPERATOR, exchange.id, 0);
        _expectInvalid("venue");
        _grantAs(governor, registrar.id, OPERATOR, NO_VENUE, 0);
    }

    function test_grantRole_reverts_with_RolesIncompatible() external {
        IParticipants.Role[3] memory roles = [SELLER, IParticipants.Role.BUYER, BROKER];
        for (uint256 i = 0; i < roles.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IParticipants.RolesIncompatible.selector, exchange.id, roles[i], OPERATOR)
            );
            _grantAs(exchange, exchange.id, roles[i], exchange.id, 0);
        }
    }

    function test_grantRole_reverts_with_TimeInPast() external {
        _expectTimeInPast(START);
        _grantAs(exchange, seller.id, BROKER, exchange.id, START);
    }

    function test_grantRole_gives_the_role_at_one_venue_for_a_term() external {
        vm.expectEmit(address(participants));
        emit IParticipants.RoleGranted(seller.id, BROKER, exchange.id, START + 9, exchange.id, exchange.account);
        _grantAs(exchange, seller.id, BROKER, exchange.id, START + 9);

        (bool granted, uint64 until) = participants.roleUntil(seller.id, BROKER, exchange.id);
        vm.assertTrue(granted);
        vm.assertEq(until, START + 9);
        vm.assertTrue(participants.hasRole(seller.id, BROKER, exchange.id));
        vm.assertFalse(participants.hasRole(seller.id, BROKER, otherExchange.id));
        vm.assertFalse(participants.hasRole(seller.id, BROKER, NO_VENUE));
        vm.warp(START + 9);
        vm.assertFalse(participants.hasRole(seller.id, BROKER, exchange.id));
    }

    function test_grantRole_gives_a_ledger_role_at_every_venue() external view {
        vm.assertTrue(participants.hasRole(registrar.id, REGISTRAR, exchange.id));
        vm.assertTrue(participants.hasRole(registrar.id, REGISTRAR, NO_VENUE));
        (bool granted, uint64 until) = participants.roleUntil(registrar.id, REGISTRAR, NO_VENUE);
        vm.assertTrue(granted);
        vm.assertEq(until, 0);
    }

    function test_grantRole_lets_an_exchange_sell_elsewhere() external {
        _grantAs(exchange, otherExchange.id, SELLER, exchange.id, 0);
        vm.assertTrue(participants.hasRole(otherExchange.id, SELLER, exchange.id));
        vm.assertFalse(participants.hasRole(otherExchange.id, SELLER, otherExchange.id));
    }

    /// @dev A-07 over every role, granter and venue.
    function testFuzz_grantRole_never_lets_an_operator_trade_at_its_venue(uint8 role, bool isGovernor, uint8 atVenue)
        external
    {
        ParticipantId[3] memory venues = [NO_VENUE, exchange.id, otherExchange.id];
        vm.prank(isGovernor ? governor.account : exchange.account);
        try participants.grantRole(
            exchange.id,
            IParticipants.Role(bound(role, 0, uint8(type(IParticipants.Role).max))),
            venues[bound(atVenue, 0, 2)],
            0,
            _direct()
        ) {}
            catch {}

        vm.assertTrue(participants.hasRole(exchange.id, OPERATOR, exchange.id));
        vm.assertFalse(participants.hasRole(exchange.id, SELLER, exchange.id));
        vm.assertFalse(participants.hasRole(exchange.id, IParticipants.Role.BUYER, exchange.id));
        vm.assertFalse(participants.hasRole(exchange.id, BROKER, exchange.id));
        vm.assertFalse(participants.hasRole(exchange.id, OPERATOR, otherExchange.id));
    }

    // ---------------------------------------------------------------- actorInRole

    function test_actorInRole_reverts_with_RoleMissing() external {
        _expectRoleMissing(seller.id, BROKER, exchange.id);
        participants.actorInRole(seller.account, BROKER, exchange.id);
    }

    function test_actorInRole_reverts_with_ParticipantNotActive() external {
        _suspend(seller);
        _expect(IParticipants.ParticipantNotActive.selector, seller.id, IParticipants.ParticipantState.SUSPENDED);
        participants.actorInRole(seller.account, SELLER, exchange.id);
    }

    function test_actorInRole_returns_who_acts() external view {
        vm.assertTrue(participants.actorInRole(seller.account, SELLER, exchange.id).participantId == seller.id);
    }

    // ---------------------------------------------------------------- revokeRole

    function test_revokeRole_reverts_with_CallerNotAdmitter() external {
        _expectNotAdmitter(otherExchange.id, seller.id);
        _revokeAs(otherExchange, SELLER, _cause(AuthorityClass.VENUE));
    }

    function test_revokeRole_reverts_with_CauseIncomplete() external {
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, 0, 0));
        _revokeAs(exchange, SELLER, _noCause());
    }

    function test_revokeRole_reverts_with_AuthorityMissing() external {
        _expectAuthority(exchange.id, AuthorityClass.PARTY);
        _revokeAs(exchange, SELLER, _cause(AuthorityClass.PARTY));
    }

    function test_revokeRole_reverts_with_RoleMissing() external {
        _expectRoleMissing(seller.id, BROKER, exchange.id);
        _revokeAs(exchange, BROKER, _cause(AuthorityClass.VENUE));
    }

    function test_revokeRole_takes_the_role() external {
        _revokeAs(exchange, SELLER, _cause(AuthorityClass.VENUE));
        vm.assertFalse(participants.hasRole(seller.id, SELLER, exchange.id));
        (bool granted,) = participants.roleUntil(seller.id, SELLER, exchange.id);
        vm.assertFalse(granted);
    }

    // ---------------------------------------------------------------- setVenueRecognition

    function test_setVenueRecognition_reverts_with_RoleMissing() external {
        _expectRoleMissing(buyer.id, OPERATOR, buyer.id);
        _recognize(buyer, IParticipants.Recognition.RECOGNIZED, _noCause());
    }

    function test_setVenueRecognition_reverts_with_FieldInvalid_when_it_is_the_home_venue() external {
        _expectInvalid("participantId");
        _recognize(exchange, IParticipants.Recognition.RECOGNIZED, _noCause());
    }

    function test_setVenueRecognition_reverts_with_FieldInvalid_when_it_does_not_follow() external {
        Cause memory cause = _cause(AuthorityClass.VENUE);
        _expectInvalid("recognition");
        _recognize(otherExchange, IParticipants.Recognition.NONE, cause);
        _expectInvalid("recognition");
        _recognize(otherExchange, IParticipants.Recognition.REVOKED, cause);
        _recognize(otherExchange, IParticipants.Recognition.RECOGNIZED, _noCause());
        _expectInvalid("recognition");
        _recognize(otherExchange, IParticipants.Recognition.RECOGNIZED, _noCause());
        _expectInvalid("recognition");
        _recognize(otherExchange, IParticipants.Recognition.DECLINED, cause);
    }

    function test_setVenueRecognition_reverts_with_ParticipantNotActive() external {
        _suspend(seller);
        _expect(IParticipants.ParticipantNotActive.selector, seller.id, IParticipants.ParticipantState.SUSPENDED);
        _recognize(otherExchange, IParticipants.Recognition.RECOGNIZED, _noCause());
    }

    function test_setVenueRecognition_reverts_with_CauseIncomplete() external {
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, 0, 0));
        _recognize(otherExchange, IParticipants.Recognition.DECLINED, _noCause());
    }

    function test_setVenueRecognition_stores_each_step() external {
        Cause memory cause = _cause(AuthorityClass.VENUE);
        _recognize(otherExchange, IParticipants.Recognition.DECLINED, cause);
        _assertRecognition(IParticipants.Recognition.DECLINED);
        _recognize(otherExchange, IParticipants.Recognition.RECOGNIZED, _noCause());
        _assertRecognition(IParticipants.Recognition.RECOGNIZED);
        _recognize(otherExchange, IParticipants.Recognition.REVOKED, cause);
        _assertRecognition(IParticipants.Recognition.REVOKED);
    }

    // ---------------------------------------------------------------- assignIssuerCode

    function test_assignIssuerCode_reverts_with_CallerNotGovernor() external {
        _expectNotGovernor(exchange.account);
        _assignAs(exchange, 12, 3);
    }

    function test_assignIssuerCode_reverts_with_FieldInvalid_when_it_does_not_fit() external {
        _expectInvalid("region");
        _assignAs(governor, 9, 3);
        _expectInvalid("region");
        _assignAs(governor, 100, 3);
        _expectInvalid("digit");
        _assignAs(governor, 12, 10);
    }

    function test_assignIssuerCode_reverts_with_IssuerCodeTaken() external {
        _assignAs(governor, 12, 3);
        _assignAs(governor, 12, 4);
        vm.expectRevert(abi.encodeWithSelector(IParticipants.IssuerCodeTaken.selector, 12, 3));
        _assignAs(governor, 12, 3);
    }

    function test_assignIssuerCode_stores_the_code() external {
        bytes memory missing = abi.encodeWithSelector(IParticipants.IssuerCodeMissing.selector, regulator.id);
        vm.expectRevert(missing);
        participants.issuerCodeOf(regulator.id);
        _assignAs(governor, 99, 0);
        (uint8 region, uint8 digit) = participants.issuerCodeOf(regulator.id);
        vm.assertEq(region, 99);
        vm.assertEq(digit, 0);
    }

    // ---------------------------------------------------------------- setModule

    function test_setModule_reverts_with_CallerNotGovernor() external {
        _expectNotGovernor(exchange.account);
        _moduleAs(exchange, IParticipants.ModuleKind.RIGHT_GRANTER, address(this), true);
    }

    function test_setModule_reverts_with_FieldInvalid_when_a_field_is_empty() external {
        _expectInvalid("kind");
        _moduleAs(governor, IParticipants.ModuleKind.NONE, address(this), true);
        _expectInvalid("module");
        _moduleAs(governor, IParticipants.ModuleKind.RIGHT_GRANTER, address(0), true);
    }

    function test_setModule_names_the_module() external {
        IParticipants.ModuleKind kind = IParticipants.ModuleKind.RIGHT_GRANTER;
        _moduleAs(governor, kind, address(this), true);
        vm.assertTrue(participants.isModule(kind, address(this)));
        vm.assertFalse(participants.isModule(IParticipants.ModuleKind.FUNDS_HOLDER, address(this)));
        _moduleAs(governor, kind, address(this), false);
        vm.assertFalse(participants.isModule(kind, address(this)));
    }

    function test_setModule_keeps_the_kinds_apart() external {
        IParticipants.ModuleKind kind = IParticipants.ModuleKind.RIGHT_GRANTER;
        IParticipants.ModuleKind otherKind = IParticipants.ModuleKind.TRADE_ADVANCER;
        _moduleAs(governor, kind, address(this), true);
        _moduleAs(governor, otherKind, address(this), true);
        _moduleAs(governor, kind, address(this), false);
        vm.assertFalse(participants.isModule(kind, address(this)));
        vm.assertTrue(participants.isModule(otherKind, address(this)));
    }

    function test_setModule_emits_nothing_when_nothing_changes() external {
        vm.recordLogs();
        _moduleAs(governor, IParticipants.ModuleKind.RIGHT_GRANTER, address(this), false);
        vm.assertEq(vm.getRecordedLogs().length, 0);
    }

    // ---------------------------------------------------------------- transferGovernor

    function test_transferGovernor_reverts_with_CallerNotGovernor() external {
        _expectNotGovernor(exchange.account);
        vm.prank(exchange.account);
        participants.transferGovernor(exchange.account, _direct());
    }

    function test_transferGovernor_reverts_with_FieldInvalid() external {
        _expectInvalid("newGovernor");
        vm.prank(governor.account);
        participants.transferGovernor(address(0), _direct());
    }

    function test_transferGovernor_hands_the_ledger_over() external {
        vm.expectEmit(address(participants));
        emit IParticipants.GovernorTransferred(governor.account, stranger.account);
        vm.prank(governor.account);
        participants.transferGovernor(stranger.account, _direct());
        vm.assertEq(participants.governor(), stranger.account);
        _expectNotGovernor(governor.account);
        _moduleAs(governor, IParticipants.ModuleKind.RIGHT_GRANTER, address(this), true);
    }

    function test_constructor_reverts_with_FieldInvalid() external {
        _expectInvalid("governor");
        new Participants(address(0));
    }

    // ---------------------------------------------------------------- helpers

    function _grantAs(
        Member memory caller,
        ParticipantId id,
        IParticipants.Role role,
        ParticipantId venue,
        uint64 until
    ) private {
        vm.prank(caller.account);
        participants.grantRole(id, role, venue, until, _direct());
    }

    function _revokeAs(Member memory caller, IParticipants.Role role, Cause memory cause) private {
        vm.prank(caller.account);
        participants.revokeRole(seller.id, role, exchange.id, cause, _direct());
    }

    function _recognize(Member memory venue, IParticipants.Recognition recognition, Cause memory cause) private {
        vm.prank(venue.account);
        participants.setVenueRecognition(seller.id, recognition, cause, _direct());
    }

    function _assertRecognition(IParticipants.Recognition recognition) private view {
        vm.assertTrue(participants.recognitionOf(seller.id, otherExchange.id) == recognition);
    }

    function _assignAs(Member memory caller, uint8 region, uint8 digit) private {
        vm.prank(caller.account);
        participants.assignIssuerCode(regulator.id, region, digit, _direct());
    }

    function _moduleAs(Member memory caller, IParticipants.ModuleKind kind, address module, bool enabled) private {
        vm.prank(caller.account);
        participants.setModule(kind, module, enabled, _direct());
    }
}
