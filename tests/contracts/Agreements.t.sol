// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {AgreementId, ParticipantId} from "../../contracts/types/Ids.sol";
import {Ledger} from "./Ledger.sol";

/// @notice Mutual recognition between exchanges: domain 4.14, R-01, K-08.
contract AgreementsTest is Ledger {
    uint8 private constant VENDOR = 1;
    uint8 private constant LISTING = 4;
    uint64 private constant UNTIL = START + 1000;

    Member private thirdExchange;

    function setUp() public override {
        super.setUp();
        thirdExchange = _admitted("thirdExchange", NO_VENUE);
        _grant(thirdExchange, IParticipants.Role.EXCHANGE_OPERATOR, thirdExchange.id);
    }

    // ---------------------------------------------------------------- propose

    function test_propose_reverts_with_RoleMissing_when_the_caller_is_no_exchange() external {
        _expectNoExchange(seller.id);
        _propose(seller, _proposal());
    }

    function test_propose_reverts_with_AgreementAlreadyExists() external {
        AgreementId id = _proposed();
        _expect(IAgreements.AgreementAlreadyExists.selector, id);
        _propose(exchange, _proposal());
    }

    function test_propose_reverts_with_MembersInvalid_when_the_number_is_wrong() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        proposal.members = new ParticipantId[](1);
        proposal.members[0] = exchange.id;
        _expectMembers(1);
        _propose(exchange, proposal);
        proposal.members = new ParticipantId[](65);
        _expectMembers(65);
        _propose(exchange, proposal);
    }

    function test_propose_reverts_with_MembersInvalid_when_they_do_not_ascend() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        (proposal.members[0], proposal.members[1]) = (proposal.members[1], proposal.members[0]);
        _expectMembers(2);
        _propose(exchange, proposal);
        proposal.members[1] = proposal.members[0];
        _expectMembers(2);
        _propose(exchange, proposal);
    }

    function test_propose_reverts_with_FieldInvalid() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        proposal.scopes = 0;
        _expectInvalid("scopes");
        _propose(exchange, proposal);
        proposal.scopes = 64;
        _expectInvalid("scopes");
        _propose(exchange, proposal);

        proposal = _proposal();
        proposal.maxAgeSeconds = 0;
        _expectInvalid("maxAgeSeconds");
        _propose(exchange, proposal);

        proposal = _proposal();
        proposal.documentDigest = 0;
        _expectInvalid("documentDigest");
        _propose(exchange, proposal);
    }

    function test_propose_reverts_with_TimeInPast() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        proposal.validUntil = START;
        vm.expectRevert(abi.encodeWithSelector(IActing.TimeInPast.selector, START, START));
        _propose(exchange, proposal);
    }

    function test_propose_reverts_with_RoleMissing_when_a_member_is_no_exchange() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        proposal.members = _pair(exchange.id, seller.id);
        _expectNoExchange(seller.id);
        _propose(exchange, proposal);
    }

    function test_propose_reverts_with_CallerNotMember() external {
        vm.expectPartialRevert(IAgreements.CallerNotMember.selector);
        _propose(thirdExchange, _proposal());
    }

    function test_propose_stores_the_agreement_signed_by_the_proposer() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        AgreementId id = _proposed();
        IAgreements.Agreement memory record = agreements.agreementOf(id);
        vm.assertTrue(record.state == IAgreements.AgreementState.PROPOSED);
        vm.assertEq(record.membersHash, keccak256(abi.encode(proposal.members)));
        vm.assertEq(record.memberCount, 2);
        vm.assertEq(record.signedCount, 1);
        vm.assertEq(record.effectiveAt, 0);
        vm.assertTrue(agreements.hasSigned(id, exchange.id));
        vm.assertFalse(agreements.hasSigned(id, otherExchange.id));
        vm.assertFalse(agreements.covers(id, exchange.id, otherExchange.id, VENDOR));
    }

    function test_propose_emits_AgreementProposed() external {
        IAgreements.AgreementProposal memory p = _proposal();
        bytes32 membersHash = keccak256(abi.encode(p.members));
        bytes32 id = keccak256(abi.encode(bytes32("agreement"), block.chainid, exchange.id, membersHash, p.salt));
        vm.expectEmit(address(agreements));
        emit IAgreements.AgreementProposed(
            AgreementId.wrap(id),
            exchange.id,
            exchange.account,
            p.members,
            p.scopes,
            p.maxAgeSeconds,
            p.documentDigest,
            p.digestAlg,
            p.validUntil
        );
        _propose(exchange, p);
    }

    function test_propose_takes_64_members() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        proposal.members = new ParticipantId[](64);
        proposal.members[0] = exchange.id;
        for (uint256 i = 1; i < 64; ++i) {
            Member memory member = _admitted(string(abi.encodePacked("exchange", uint8(i))), NO_VENUE);
            _grant(member, IParticipants.Role.EXCHANGE_OPERATOR, member.id);
            proposal.members[i] = member.id;
        }
        _sort(proposal.members);
        AgreementId id = _propose(exchange, proposal);
        vm.assertEq(agreements.agreementOf(id).memberCount, 64);
    }

    // ---------------------------------------------------------------- sign

    function test_sign_reverts_with_AgreementNotFound() external {
        AgreementId unknown = AgreementId.wrap("unknown");
        _expect(IAgreements.AgreementNotFound.selector, unknown);
        _sign(otherExchange, unknown);
    }

    function test_sign_reverts_with_RoleMissing() external {
        AgreementId id = _proposed();
        _expectNoExchange(seller.id);
        _sign(seller, id);
    }

    function test_sign_reverts_with_CallerNotMember() external {
        AgreementId id = _proposed();
        vm.expectRevert(abi.encodeWithSelector(IAgreements.CallerNotMember.selector, id, thirdExchange.id));
        _sign(thirdExchange, id);
    }

    function test_sign_reverts_with_AgreementStateWrong() external {
        AgreementId id = _inForce();
        _expectStateWrong(id, IAgreements.AgreementState.ACTIVE);
        _sign(otherExchange, id);
    }

    function test_sign_reverts_with_MemberAlreadySigned() external {
        AgreementId id = _proposed();
        vm.expectRevert(abi.encodeWithSelector(IAgreements.MemberAlreadySigned.selector, id, exchange.id));
        _sign(exchange, id);
    }

    function test_sign_reverts_with_DeadlinePassed() external {
        AgreementId id = _proposed();
        vm.warp(UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IActing.DeadlinePassed.selector, UNTIL, UNTIL));
        _sign(otherExchange, id);
    }

    function test_sign_counts_while_signatures_are_missing() external {
        IAgreements.AgreementProposal memory proposal = _proposal();
        ParticipantId[] memory members = new ParticipantId[](3);
        (members[0], members[1], members[2]) = (exchange.id, otherExchange.id, thirdExchange.id);
        _sort(members);
        proposal.members = members;
        AgreementId id = _propose(exchange, proposal);

        vm.expectEmit(address(agreements));
        emit IAgreements.AgreementSigned(id, thirdExchange.id, thirdExchange.account, 2, 0);
        _sign(thirdExchange, id);
        vm.assertFalse(agreements.covers(id, exchange.id, thirdExchange.id, VENDOR));
    }

    function test_sign_brings_it_into_force_with_the_last() external {
        AgreementId id = _proposed();
        vm.warp(START + 5);
        vm.expectEmit(address(agreements));
        emit IAgreements.AgreementSigned(id, otherExchange.id, otherExchange.account, 2, START + 5);
        _sign(otherExchange, id);
        IAgreements.Agreement memory record = agreements.agreementOf(id);
        vm.assertTrue(record.state == IAgreements.AgreementState.ACTIVE);
        vm.assertEq(record.effectiveAt, START + 5);
    }

    // ---------------------------------------------------------------- covers

    function test_covers_holds_both_ways_until_its_term_ends() external {
        AgreementId id = _inForce();
        vm.assertTrue(agreements.covers(id, exchange.id, otherExchange.id, VENDOR));
        vm.assertTrue(agreements.covers(id, otherExchange.id, exchange.id, VENDOR | LISTING));
        vm.warp(UNTIL - 1);
        vm.assertTrue(agreements.covers(id, exchange.id, otherExchange.id, VENDOR));
        vm.warp(UNTIL);
        vm.assertFalse(agreements.covers(id, exchange.id, otherExchange.id, VENDOR));
    }

    function test_covers_holds_for_nothing_else() external {
        AgreementId id = _inForce();
        vm.assertFalse(agreements.covers(id, exchange.id, otherExchange.id, VENDOR | 2));
        vm.assertFalse(agreements.covers(id, exchange.id, otherExchange.id, 0));
        vm.assertFalse(agreements.covers(id, exchange.id, thirdExchange.id, VENDOR));
        vm.assertFalse(agreements.covers(id, thirdExchange.id, exchange.id, VENDOR));
        vm.assertFalse(agreements.covers(id, exchange.id, exchange.id, VENDOR));
        vm.assertFalse(agreements.covers(AgreementId.wrap("unknown"), exchange.id, otherExchange.id, VENDOR));
    }

    function test_hasSigned_reverts_with_AgreementNotFound() external {
        AgreementId unknown = AgreementId.wrap("unknown");
        _expect(IAgreements.AgreementNotFound.selector, unknown);
        agreements.hasSigned(unknown, exchange.id);
    }

    // ---------------------------------------------------------------- terminate

    function test_terminate_reverts_with_AgreementNotFound() external {
        AgreementId unknown = AgreementId.wrap("unknown");
        _expect(IAgreements.AgreementNotFound.selector, unknown);
        _terminate(exchange, unknown, _cause(AuthorityClass.PARTY));
    }

    function test_terminate_reverts_with_CauseIncomplete() external {
        AgreementId id = _inForce();
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, 0, 0));
        _terminate(exchange, id, _noCause());
    }

    function test_terminate_reverts_with_AuthorityMissing() external {
        AgreementId id = _inForce();
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.AuthorityMissing.selector, exchange.id, AuthorityClass.COURT)
        );
        _terminate(exchange, id, _cause(AuthorityClass.COURT));
    }

    function test_terminate_reverts_with_CallerNotMember() external {
        AgreementId id = _inForce();
        vm.expectRevert(abi.encodeWithSelector(IAgreements.CallerNotMember.selector, id, thirdExchange.id));
        _terminate(thirdExchange, id, _cause(AuthorityClass.PARTY));
    }

    function test_terminate_reverts_with_AgreementStateWrong() external {
        AgreementId id = _inForce();
        _terminate(exchange, id, _cause(AuthorityClass.PARTY));
        _expectStateWrong(id, IAgreements.AgreementState.TERMINATED);
        _terminate(otherExchange, id, _cause(AuthorityClass.PARTY));
    }

    function test_terminate_ends_it() external {
        AgreementId id = _inForce();
        vm.expectEmit(address(agreements));
        emit IAgreements.AgreementTerminated(id, otherExchange.id, otherExchange.account, _cause(AuthorityClass.VENUE));
        _terminate(otherExchange, id, _cause(AuthorityClass.VENUE));
        vm.assertFalse(agreements.covers(id, exchange.id, otherExchange.id, VENDOR));
        vm.assertTrue(agreements.agreementOf(id).state == IAgreements.AgreementState.TERMINATED);
    }

    // ---------------------------------------------------------------- helpers

    function _pair(ParticipantId one, ParticipantId other) private pure returns (ParticipantId[] memory members) {
        members = new ParticipantId[](2);
        (members[0], members[1]) = (one, other);
        _sort(members);
    }

    function _sort(ParticipantId[] memory ids) private pure {
        for (uint256 i = 1; i < ids.length; ++i) {
            for (uint256 j = i; j > 0; --j) {
                if (ParticipantId.unwrap(ids[j - 1]) < ParticipantId.unwrap(ids[j])) break;
                (ids[j - 1], ids[j]) = (ids[j], ids[j - 1]);
            }
        }
    }

    function _proposal() private view returns (IAgreements.AgreementProposal memory) {
        return IAgreements.AgreementProposal({
            members: _pair(exchange.id, otherExchange.id),
            scopes: VENDOR | LISTING,
            maxAgeSeconds: 3600,
            documentDigest: keccak256("agreement"),
            digestAlg: DigestAlg.SHA256,
            validUntil: UNTIL,
            salt: "salt"
        });
    }

    function _proposed() private returns (AgreementId) {
        return _propose(exchange, _proposal());
    }

    function _inForce() private returns (AgreementId id) {
        id = _proposed();
        _sign(otherExchange, id);
    }

    function _propose(Member memory caller, IAgreements.AgreementProposal memory proposal)
        private
        returns (AgreementId)
    {
        vm.prank(caller.account);
        return agreements.propose(proposal, _direct());
    }

    function _sign(Member memory caller, AgreementId id) private {
        vm.prank(caller.account);
        agreements.sign(id, _direct());
    }

    function _terminate(Member memory caller, AgreementId id, Cause memory cause) private {
        vm.prank(caller.account);
        agreements.terminate(id, cause, _direct());
    }

    function _expect(bytes4 selector, AgreementId id) private {
        vm.expectRevert(abi.encodeWithSelector(selector, id));
    }

    function _expectStateWrong(AgreementId id, IAgreements.AgreementState state) private {
        vm.expectRevert(abi.encodeWithSelector(IAgreements.AgreementStateWrong.selector, id, state));
    }

    function _expectMembers(uint256 count) private {
        vm.expectRevert(abi.encodeWithSelector(IAgreements.MembersInvalid.selector, count));
    }

    function _expectInvalid(bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(IActing.FieldInvalid.selector, field));
    }

    function _expectNoExchange(ParticipantId id) private {
        IParticipants.Role role = IParticipants.Role.EXCHANGE_OPERATOR;
        vm.expectRevert(abi.encodeWithSelector(IParticipants.RoleMissing.selector, id, role, id));
    }
}
