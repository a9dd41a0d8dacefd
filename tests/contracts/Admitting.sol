// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Authorization} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId} from "../../contracts/types/Ids.sol";
import {Ledger} from "./Ledger.sol";

/// @notice The ledger with an applicant at the exchange, and what the tests of Participants do and expect.
abstract contract Admitting is Ledger {
    bytes32 internal constant EVIDENCE = keccak256("evidence");

    Member internal applicant;

    function setUp() public virtual override {
        super.setUp();
        applicant = _applied("applicant", exchange.id);
    }

    // ---------------------------------------------------------------- acts

    function _apply(address account, IParticipants.Application memory application) internal {
        vm.prank(account);
        participants.applyForAdmission(application, _direct());
    }

    function _requestSupplement(uint64 until) internal {
        vm.prank(exchange.account);
        participants.requestSupplement(applicant.id, until, _cause(AuthorityClass.VENUE), _direct());
    }

    function _supplement(bytes32 profileDigest) internal {
        vm.prank(applicant.account);
        participants.supplement(applicant.id, profileDigest, DigestAlg.SM3, _direct());
    }

    function _reject() internal {
        vm.prank(exchange.account);
        participants.reject(applicant.id, _cause(AuthorityClass.VENUE), _direct());
    }

    function _admitAt(Member memory venue, uint64 validUntil) internal {
        vm.prank(venue.account);
        participants.admit(applicant.id, validUntil, EVIDENCE, DigestAlg.SHA256, _direct());
    }

    function _suspendAs(Member memory supervisor, AuthorityClass authority) internal {
        vm.prank(supervisor.account);
        participants.suspend(seller.id, _cause(authority), _direct());
    }

    function _restoreAs(Member memory supervisor, AuthorityClass authority) internal {
        vm.prank(supervisor.account);
        participants.restore(seller.id, _cause(authority), _direct());
    }

    // ---------------------------------------------------------------- expectations

    function _expect(bytes4 selector, ParticipantId id) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, id));
    }

    function _expect(bytes4 selector, ParticipantId id, IParticipants.ParticipantState state) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, id, state));
    }

    function _expectInvalid(bytes32 field) internal {
        vm.expectRevert(abi.encodeWithSelector(IActing.FieldInvalid.selector, field));
    }

    function _expectNotAdmitter(ParticipantId caller, ParticipantId id) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.CallerNotAdmitter.selector, caller, id));
    }

    function _expectNotGovernor(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.CallerNotGovernor.selector, account));
    }

    function _expectAuthority(ParticipantId caller, AuthorityClass authority) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AuthorityMissing.selector, caller, authority));
    }

    function _expectAccountNotActive(address account, uint8 purpose) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountNotActive.selector, account, purpose));
    }

    function _expectTimeInPast(uint64 time) internal {
        vm.expectRevert(abi.encodeWithSelector(IActing.TimeInPast.selector, time, block.timestamp));
    }

    function _expectRoleMissing(ParticipantId id, IParticipants.Role role, ParticipantId venue) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.RoleMissing.selector, id, role, venue));
    }

    function _assertState(ParticipantId id, IParticipants.ParticipantState state) internal view {
        vm.assertEq(uint256(participants.participantOf(id).state), uint256(state));
    }

    /// @notice The stranger's application, signed for a relay.
    function _signed(IParticipants.Application memory application, uint256 nonce)
        internal
        view
        returns (Authorization memory)
    {
        bytes4 selector = IParticipants.applyForAdmission.selector;
        return _relayed(stranger, address(participants), selector, keccak256(abi.encode(application)), nonce);
    }
}
