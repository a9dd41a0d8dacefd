// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {AssetKind, Category, DigestAlg, Grade} from "../types/Codes.sol";

/// @title Declarations
/// @notice What a declaration of an asset must give, whatever its parents are.
library Declarations {
    uint256 internal constant PARENTS_MAX = 16;

    /// @notice Reverts unless kind, category, grade and digests are set, and parents fit the kind in number.
    function requireFields(IAssets.Declaration calldata params) internal pure {
        require(params.kind != AssetKind.NONE, IActing.FieldInvalid("kind"));
        require(params.category != Category.NONE, IActing.FieldInvalid("category"));
        require(params.grade != Grade.NONE, IActing.FieldInvalid("grade"));
        require(params.grade != Grade.CORE, IAssets.GradeRefused(params.grade));
        require(params.contentDigest != 0, IActing.FieldInvalid("contentDigest"));
        require(params.metadataDigest != 0, IActing.FieldInvalid("metadataDigest"));
        require((params.modelDigest != 0) == (params.kind == AssetKind.ELEMENT), IActing.FieldInvalid("modelDigest"));
        require(params.digestAlg != DigestAlg.NONE, IActing.FieldInvalid("digestAlg"));
        _requireParentCount(params);
    }

    function _requireParentCount(IAssets.Declaration calldata params) private pure {
        uint256 count = params.parents.length;
        uint256 maximum = params.kind == AssetKind.RESOURCE ? 0 : PARENTS_MAX;
        require(count <= maximum, IAssets.TooManyParents(count, maximum));
        require(count != 0 || params.kind != AssetKind.ELEMENT, IActing.FieldInvalid("parents"));
        require(params.parentTables.length == count, IActing.FieldInvalid("parentTables"));
        require(params.parentLinks.length == count, IActing.FieldInvalid("parentLinks"));
    }
}
