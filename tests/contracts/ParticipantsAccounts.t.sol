// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass} from "../../contracts/types/Codes.sol";
import {ParticipantId} from "../../contracts/types/Ids.sol";
import {Admitting} from "./Admitting.sol";

/// @dev A contract wallet that takes any signature whose first byte is 7.
contract Wallet {
    function isValidSignature(bytes32, bytes calldata signature) external pure returns (bytes4) {
        return signature[0] == 0x07 ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Keys come and go, the organisation stays.
contract ParticipantsAccountsTest is Admitting {
    uint8 private constant ADMINISTER = 1;
    uint8 private constant ACT = 2;
    uint8 private constant CO_SIGN = 4;

    // ---------------------------------------------------------------- addAccount

    function test_addAccount_reverts_with_AccountNotActive_when_the_caller_does_not_administer() external {
        Member memory clerk = _added("clerk", ACT);
        bytes memory consent = _consent("newcomer", seller.id, ACT);
        _expectAccountNotActive(clerk.account, ADMINISTER);
        _add(clerk.account, _accountOf("newcomer"), ACT, 0, 0, consent);
    }

    function test_addAccount_reverts_with_AccountAlreadyExists() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountAlreadyExists.selector, buyer.account));
        _add(seller.account, buyer.account, ACT, 0, 0, _consent("buyer", seller.id, ACT));
    }

    function test_addAccount_reverts_with_ParticipantNotActive() external {
        bytes memory consent = _consent("newcomer", applicant.id, ACT);
        _expect(IParticipants.ParticipantNotActive.selector, applicant.id, IParticipants.ParticipantState.APPLIED);
        _add(applicant.account, _accountOf("newcomer"), ACT, 0, 0, consent);
    }

    function test_addAccount_reverts_with_FieldInvalid_when_purposes_are_unknown() external {
        _expectInvalid("purposes");
        _add(seller.account, _accountOf("newcomer"), 0, 0, 0, _consent("newcomer", seller.id, 0));
        _expectInvalid("purposes");
        _add(seller.account, _accountOf("newcomer"), 8, 0, 0, _consent("newcomer", seller.id, 8));
    }

    function test_addAccount_reverts_with_TimeInPast() external {
        _expectTimeInPast(START);
        _add(seller.account, _accountOf("newcomer"), ACT, 0, START, _consent("newcomer", seller.id, ACT));
    }

    function test_addAccount_reverts_with_FieldInvalid_when_the_term_is_empty() external {
        uint64 end = START + 10;
        _expectInvalid("validFrom");
        _add(seller.account, _accountOf("newcomer"), ACT, end, end, _consent("newcomer", seller.id, ACT));
    }

    function test_addAccount_reverts_with_FieldInvalid_when_the_key_is_no_compressed_point() external {
        bytes memory consent = _consent("newcomer", seller.id, ACT);
        address account = _accountOf("newcomer");
        _expectInvalid("encryptionKey");
        vm.prank(seller.account);
        participants.addAccount(account, ACT, 0, 0, hex"02", consent, _direct());
    }

    function test_addAccount_reverts_with_SignatureInvalid_when_the_consent_is_for_another() external {
        address account = _accountOf("newcomer");
        bytes memory consent = _consent("newcomer", buyer.id, ACT);
        vm.expectRevert(abi.encodeWithSelector(IActing.SignatureInvalid.selector, account));
        _add(seller.account, account, ACT, 0, 0, consent);

        consent = _consent("newcomer", seller.id, ACT);
        vm.expectRevert(abi.encodeWithSelector(IActing.SignatureInvalid.selector, account));
        _add(seller.account, account, CO_SIGN, 0, 0, consent);
    }

    function test_addAccount_stores_the_account() external {
        address account = _accountOf("clerk");
        vm.expectEmit(address(participants));
        emit IParticipants.AccountAdded(
            account, seller.id, seller.account, 3, START + 1, START + 9, _encryptionKey("key")
        );
        _add(seller.account, account, 3, START + 1, START + 9, _consent("clerk", seller.id, 3));

        IParticipants.Account memory record = participants.accountOf(account);
        vm.assertTrue(record.participantId == seller.id);
        vm.assertEq(record.purposes, 3);
        vm.assertEq(record.validFrom, START + 1);
        vm.assertEq(record.validUntil, START + 9);
        vm.assertEq(record.encryptionKeyHash, keccak256(_encryptionKey("key")));
    }

    function test_addAccount_takes_the_consent_of_a_contract_wallet() external {
        address wallet = address(new Wallet());
        vm.expectRevert(abi.encodeWithSelector(IActing.SignatureInvalid.selector, wallet));
        _add(seller.account, wallet, ACT, 0, 0, hex"08");
        _add(seller.account, wallet, ACT, 0, 0, hex"07");
        vm.assertTrue(participants.actorOf(wallet).participantId == seller.id);
    }

    // ---------------------------------------------------------------- actorOf

    function test_actorOf_reverts_with_AccountNotActive_when_the_account_serves_another_purpose() external {
        Member memory signer = _added("signer", ADMINISTER | CO_SIGN);
        _expectAccountNotActive(signer.account, ACT);
        participants.actorOf(signer.account);
    }

    function test_actorOf_reverts_with_AccountNotActive_outside_the_term() external {
        address account = _accountOf("clerk");
        _add(seller.account, account, ACT, START + 1, START + 9, _consent("clerk", seller.id, ACT));
        _expectAccountNotActive(account, ACT);
        participants.actorOf(account);
        vm.warp(START + 8);
        vm.assertTrue(participants.actorOf(account).participantId == seller.id);
        vm.warp(START + 9);
        _expectAccountNotActive(account, ACT);
        participants.actorOf(account);
    }

    // ---------------------------------------------------------------- revokeAccount

    function test_revokeAccount_reverts_with_AccountNotFound() external {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountNotFound.selector, stranger.account));
        _revoke(seller, stranger.account, AuthorityClass.PARTY);
    }

    function test_revokeAccount_reverts_with_CallerNotAdmitter_when_it_is_anothers() external {
        _expectNotAdmitter(buyer.id, seller.id);
        _revoke(buyer, seller.account, AuthorityClass.PARTY);
        _expectNotAdmitter(otherExchange.id, seller.id);
        _revoke(otherExchange, seller.account, AuthorityClass.VENUE);
    }

    function test_revokeAccount_reverts_with_CauseIncomplete() external {
        Cause memory cause = _cause(AuthorityClass.PARTY);
        cause.reasonCode = 0;
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, 0, cause.documentDigest));
        vm.prank(seller.account);
        participants.revokeAccount(seller.account, cause, _direct());
    }

    function test_revokeAccount_reverts_with_AccountNotActive_given_it_is_revoked() external {
        Member memory clerk = _added("clerk", ACT);
        _revoke(seller, clerk.account, AuthorityClass.PARTY);
        _expectAccountNotActive(clerk.account, ACT);
        _revoke(seller, clerk.account, AuthorityClass.PARTY);
    }

    function test_revokeAccount_reverts_with_AccountLastAdministrator() external {
        _added("clerk", ACT);
        vm.warp(START + 1);
        address passing = _accountOf("passing");
        _add(seller.account, passing, ADMINISTER, 0, START + 9, _consent("passing", seller.id, ADMINISTER));
        address later = _accountOf("later");
        _add(seller.account, later, ADMINISTER, START + 9, 0, _consent("later", seller.id, ADMINISTER));

        bytes4 selector = IParticipants.AccountLastAdministrator.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, seller.account));
        _revoke(seller, seller.account, AuthorityClass.PARTY);
        vm.expectRevert(abi.encodeWithSelector(selector, seller.account));
        _revoke(exchange, seller.account, AuthorityClass.VENUE);
    }

    function test_revokeAccount_ends_the_account_and_keeps_the_organisation() external {
        Member memory successor = _added("successor", 7);
        vm.expectEmit(address(participants));
        emit IParticipants.AccountRevoked(
            seller.account, seller.id, seller.id, successor.account, START, _cause(AuthorityClass.PARTY)
        );
        vm.prank(successor.account);
        participants.revokeAccount(seller.account, _cause(AuthorityClass.PARTY), _direct());

        vm.assertTrue(participants.actorOf(successor.account).participantId == seller.id);
        vm.assertTrue(participants.hasRole(seller.id, IParticipants.Role.SELLER, exchange.id));
        vm.assertEq(participants.accountOf(seller.account).revokedAt, START);
        _expectAccountNotActive(seller.account, ACT);
        participants.actorOf(seller.account);
    }

    function test_revokeAccount_keeps_the_address_with_its_organisation() external {
        Member memory clerk = _added("clerk", ACT);
        _revoke(exchange, clerk.account, AuthorityClass.VENUE);
        bytes memory consent = _consent("clerk", buyer.id, ACT);
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountAlreadyExists.selector, clerk.account));
        _add(buyer.account, clerk.account, ACT, 0, 0, consent);
    }

    // ---------------------------------------------------------------- primaryAccountOf

    function test_primaryAccountOf_reverts_with_ParticipantNotFound() external {
        ParticipantId unknown = ParticipantId.wrap("unknown");
        _expect(IParticipants.ParticipantNotFound.selector, unknown);
        participants.primaryAccountOf(unknown);
    }

    function test_primaryAccountOf_returns_the_first_account_while_it_is_active() external {
        _added("clerk", ACT);
        vm.assertEq(participants.primaryAccountOf(seller.id), seller.account);
    }

    function test_primaryAccountOf_returns_the_last_business_account_after_that() external {
        Member memory successor = _added("successor", 7);
        _added("signer", CO_SIGN);
        _revoke(successor, seller.account, AuthorityClass.PARTY);
        vm.assertEq(participants.primaryAccountOf(seller.id), successor.account);
    }

    // ---------------------------------------------------------------- helpers

    function _accountOf(string memory name) private returns (address account) {
        (account,) = makeAccount(name);
    }

    function _consent(string memory name, ParticipantId id, uint8 purposes) private returns (bytes memory) {
        (address account, uint256 key) = makeAccount(name);
        bytes32 typeHash = keccak256("JoinParticipant(bytes32 participantId,address account,uint8 purposes)");
        bytes32 structHash = keccak256(abi.encode(typeHash, id, account, purposes));
        return signatureOf(key, _typedDigest(address(participants), structHash));
    }

    function _added(string memory name, uint8 purposes) private returns (Member memory member) {
        (member.account, member.key) = makeAccount(name);
        member.id = seller.id;
        _add(seller.account, member.account, purposes, 0, 0, _consent(name, seller.id, purposes));
    }

    function _add(
        address administrator,
        address account,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes memory consent
    ) private {
        vm.prank(administrator);
        participants.addAccount(account, purposes, validFrom, validUntil, _encryptionKey("key"), consent, _direct());
    }

    function _revoke(Member memory caller, address account, AuthorityClass authority) private {
        vm.prank(caller.account);
        participants.revokeAccount(account, _cause(authority), _direct());
    }
}
