// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Participants} from "../../contracts/governance/Participants.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {Authorization, Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId} from "../../contracts/types/Ids.sol";
import {Ledger} from "./Ledger.sol";
import {Test} from "./Test.sol";

/// @notice Two organisations add and revoke keys at random, each trying the other's too; old relayed messages are sent again.
contract KeyHandler is Test {
    uint256 internal constant MAX_KEYS = 10;

    Participants private immutable _participants;
    bytes32 private immutable _domain;

    ParticipantId[2] public ids;
    address[] public accounts;
    mapping(address account => uint256) public keyOf;
    mapping(address account => ParticipantId) public ownerOf;
    mapping(address account => bool) public isRevoked;
    mapping(ParticipantId id => uint256) public administratorsOf;
    mapping(address account => bool) public isAdministrator;
    uint256 public replays;
    bytes[] private _spent;

    constructor(Participants participants, ParticipantId[2] memory ids_, uint256[2] memory keys, bytes32 domain) {
        (_participants, ids, _domain) = (participants, ids_, domain);
        for (uint256 i = 0; i < 2; ++i) {
            _note(ids_[i], keys[i], true);
        }
    }

    function count() external view returns (uint256) {
        return accounts.length;
    }

    function add(uint256 callerSeed, uint8 purposes, bool isPassing) external {
        if (accounts.length == MAX_KEYS) return;
        address caller = accounts[callerSeed % accounts.length];
        uint256 key = uint256(keccak256(abi.encode("key", accounts.length)));
        purposes = uint8(bound(purposes, 1, 7));
        bytes memory consent = _consent(ownerOf[caller], key, purposes);
        Authorization memory direct;
        uint64 until = isPassing ? uint64(block.timestamp) + 1 days : 0;
        bytes memory encryptionKey = abi.encodePacked(bytes1(0x03), key);
        vm.prank(caller);
        try _participants.addAccount(vm.addr(key), purposes, 0, until, encryptionKey, consent, direct) {
            _note(ownerOf[caller], key, purposes & 1 != 0 && !isPassing);
        } catch {}
    }

    /// @dev Relayed, so that the message can be sent again.
    function revoke(uint256 callerSeed, uint256 accountSeed, uint256 nonce) external {
        address caller = accounts[callerSeed % accounts.length];
        address account = accounts[accountSeed % accounts.length];
        Cause memory cause = Cause(7, keccak256("decision"), DigestAlg.SHA256, AuthorityClass.PARTY, 0);
        Authorization memory signed = _signed(caller, keccak256(abi.encode(account, cause)), nonce);
        try _participants.revokeAccount(account, cause, signed) {
            isRevoked[account] = true;
            if (isAdministrator[account]) --administratorsOf[ownerOf[account]];
            _spent.push(abi.encodeCall(IParticipants.revokeAccount, (account, cause, signed)));
        } catch {}
    }

    function replay(uint256 seed) external {
        if (_spent.length == 0) return;
        (bool success,) = address(_participants).call(_spent[seed % _spent.length]);
        if (success) ++replays;
    }

    function _note(ParticipantId id, uint256 key, bool administers) private {
        address account = vm.addr(key);
        accounts.push(account);
        (keyOf[account], ownerOf[account]) = (key, id);
        isAdministrator[account] = administers;
        if (administers) ++administratorsOf[id];
    }

    function _consent(ParticipantId id, uint256 key, uint8 purposes) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("JoinParticipant(bytes32 participantId,address account,uint8 purposes)");
        bytes32 structHash = keccak256(abi.encode(typeHash, id, vm.addr(key), purposes));
        return signatureOf(key, keccak256(abi.encodePacked(hex"1901", _domain, structHash)));
    }

    function _signed(address account, bytes32 argumentsHash, uint256 nonce)
        private
        view
        returns (Authorization memory authorization)
    {
        authorization.account = account;
        authorization.nonce = nonce;
        authorization.deadline = type(uint64).max;
        bytes32 typeHash =
            keccak256("Act(address account,bytes4 selector,bytes32 argumentsHash,uint256 nonce,uint64 deadline)");
        bytes4 selector = IParticipants.revokeAccount.selector;
        bytes32 structHash =
            keccak256(abi.encode(typeHash, account, selector, argumentsHash, nonce, authorization.deadline));
        authorization.signature =
            signatureOf(keyOf[account], keccak256(abi.encodePacked(hex"1901", _domain, structHash)));
    }
}

/// @notice What holds whatever organisations do with their keys (reliability 4.1, P1 to P5).
contract ParticipantsInvariantsTest is Ledger {
    KeyHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new KeyHandler(
            participants, [seller.id, buyer.id], [seller.key, buyer.key], _domainOf(address(participants))
        );
        targetContract(address(handler));
    }

    /// @dev One invariant, not three: forge plays a whole campaign for each.
    function invariant_key_serves_one_organisation_and_never_leaves_it_headless() external {
        _checkOwners();
        _checkAdministrators();
        vm.assertEq(handler.replays(), 0); // P3: a message that was sent once never works again
    }

    /// @dev P1: an address belongs to one organisation, for ever. P2: a revoked key authorises nothing.
    function _checkOwners() private {
        for (uint256 i = 0; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            IParticipants.Account memory record = participants.accountOf(account);
            vm.assertTrue(record.participantId == handler.ownerOf(account));
            vm.assertEq(record.revokedAt != 0, handler.isRevoked(account));
            if (record.revokedAt == 0) continue;
            vm.expectPartialRevert(IParticipants.AccountNotActive.selector);
            participants.actorOf(account);
        }
    }

    /// @dev P4 and P5: each organisation keeps a key that administers it for good.
    function _checkAdministrators() private view {
        for (uint256 i = 0; i < 2; ++i) {
            vm.assertGe(handler.administratorsOf(handler.ids(i)), 1);
        }
        uint256 living;
        for (uint256 i = 0; i < handler.count(); ++i) {
            address account = handler.accounts(i);
            if (handler.isAdministrator(account) && participants.accountOf(account).revokedAt == 0) ++living;
        }
        vm.assertEq(living, handler.administratorsOf(seller.id) + handler.administratorsOf(buyer.id));
    }
}
