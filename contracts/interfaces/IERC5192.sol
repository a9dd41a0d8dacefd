// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IERC5192
/// @notice Minimal soulbound tokens (ERC-5192), as published: wallets learn here that a token cannot be moved.
interface IERC5192 {
    /// @notice The token became locked.
    event Locked(uint256 tokenId);
    /// @notice The token became free to move; never emitted here.
    event Unlocked(uint256 tokenId);

    /// @notice Says whether a token is locked; reverts for unknown tokens.
    function locked(uint256 tokenId) external view returns (bool);
}
