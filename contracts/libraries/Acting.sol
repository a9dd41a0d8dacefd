// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IActing} from "../interfaces/IActing.sol";
import {Authorization} from "../types/Acting.sol";
import {Clock} from "./Clock.sol";
import {Signatures} from "./Signatures.sol";

/// @title Acting
/// @notice Finds the account behind a call: the sender, or whoever signed what somebody relays.
/// @dev The EIP-712 type hashes are folded by the compiler, so signatures need a chain whose run-time hash is Keccak (domain 8.1).
abstract contract Acting is IActing, EIP712 {
    // ---------------------------------------------------------------- constants

    bytes32 private constant ACT_TYPEHASH =
        keccak256("Act(address account,bytes4 selector,bytes32 argumentsHash,uint256 nonce,uint64 deadline)");

    // ---------------------------------------------------------------- storage

    /// @dev 256 nonces share a word, so that sequential nonces cost little.
    mapping(address account => mapping(uint256 word => uint256 bits)) private _usedNonces;

    // ---------------------------------------------------------------- constructor

    constructor() EIP712("Shulian", "1") {}

    // ---------------------------------------------------------------- views

    /// @inheritdoc IActing
    function isNonceUsed(address account, uint256 nonce) public view returns (bool) {
        return _usedNonces[account][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    // ---------------------------------------------------------------- internal

    /// @dev Says whether a signature is relayed. Only then are the arguments hashed where there are many: a sender who
    /// acts for itself needs no hash.
    function _isRelayed(Authorization calldata authorization) internal pure returns (bool) {
        return authorization.signature.length != 0;
    }

    /// @dev Returns the acting account, and uses up the nonce of a relayed authorization.
    /// @param argumentsHash keccak256 of the ABI encoding of the arguments before the authorization; ignored without a
    /// signature.
    ///
    /// Requirements, in order:
    /// - without a signature: the account is the sender, or zero;
    /// - with one: the deadline has not passed, the nonce is unused, the account signed.
    ///
    /// Emits an {AuthorizationUsed} event when relayed.
    function _authorize(bytes32 argumentsHash, Authorization calldata authorization)
        internal
        returns (address account)
    {
        account = authorization.account;
        if (!_isRelayed(authorization)) {
            require(account == msg.sender || account == address(0), SenderNotAccount(msg.sender, account));
            return msg.sender;
        }
        uint64 time = Clock.nowSeconds();
        require(time < authorization.deadline, AuthorizationExpired(authorization.deadline, time));
        require(!isNonceUsed(account, authorization.nonce), AuthorizationAlreadyUsed(account, authorization.nonce));
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(ACT_TYPEHASH, account, msg.sig, argumentsHash, authorization.nonce, authorization.deadline)
            )
        );
        _usedNonces[account][authorization.nonce >> 8] |= 1 << (authorization.nonce & 0xff);
        emit AuthorizationUsed(account, authorization.nonce);
        require(Signatures.isSigned(account, digest, authorization.signature), SignatureInvalid(account));
    }
}
