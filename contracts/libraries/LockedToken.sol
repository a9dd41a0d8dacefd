// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";

import {ICertificates} from "../interfaces/ICertificates.sol";
import {IERC5192} from "../interfaces/IERC5192.sol";

/// @title LockedToken
/// @notice The part of ERC-721 and ERC-5192 that is the same for every certificate: nothing moves, nobody is approved.
/// @dev Written out instead of inherited from a general token, so that no path remains to be closed.
abstract contract LockedToken is IERC721Metadata, IERC5192 {
    // ---------------------------------------------------------------- constants

    bytes4 private constant ERC5192_ID = 0xb45a3c0e;

    // ---------------------------------------------------------------- views

    /// @inheritdoc IERC721Metadata
    function name() external pure returns (string memory) {
        return "Shulian certificates";
    }

    /// @inheritdoc IERC721Metadata
    function symbol() external pure returns (string memory) {
        return "SHULIAN";
    }

    /// @inheritdoc IERC721
    function isApprovedForAll(address, address) external pure returns (bool) {
        return false;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC721).interfaceId
            || interfaceId == type(IERC721Metadata).interfaceId || interfaceId == ERC5192_ID;
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IERC721
    function approve(address, uint256 tokenId) external pure {
        revert ICertificates.CertificateLocked(tokenId);
    }

    /// @inheritdoc IERC721
    function setApprovalForAll(address, bool) external pure {
        revert ICertificates.CertificateLocked(0);
    }

    /// @inheritdoc IERC721
    function transferFrom(address, address, uint256 tokenId) external pure {
        revert ICertificates.CertificateLocked(tokenId);
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address, address, uint256 tokenId) external pure {
        revert ICertificates.CertificateLocked(tokenId);
    }

    /// @inheritdoc IERC721
    function safeTransferFrom(address, address, uint256 tokenId, bytes calldata) external pure {
        revert ICertificates.CertificateLocked(tokenId);
    }
}
