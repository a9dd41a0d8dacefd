// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IAssessments} from "../interfaces/IAssessments.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {IListings} from "../interfaces/IListings.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {AssetKind, DigestAlg} from "../types/Codes.sol";
import {AssetId, ParticipantId} from "../types/Ids.sol";
import {Clock} from "./Clock.sol";
import {Shares} from "./Shares.sol";

/// @title Offers
/// @notice Whether an offer is fit to be listed: its asset, its reports and its terms.
library Offers {
    /// @dev Amounts stay below 2^63 fen.
    uint256 internal constant AMOUNT_MAX = type(uint64).max >> 1;
    uint256 private constant REPORTS_MAX = 16;
    /// @dev One bit per {DeliveryForm}, without NONE.
    uint16 private constant DELIVERY_FORMS = 0x01fe;

    /// @notice Reverts unless the version is the right's, its elements have passed S(X) and its reports are in force
    /// (G-01, E-03, G-04).
    /// @param rightVersion The version that was registered with the seller's right: each is a registration of its own
    /// (D-14).
    function requireAdmissible(
        IListings.Offer calldata offer,
        uint32 rightVersion,
        IAssets assets,
        IAssessments assessments
    ) internal view {
        AssetId assetId = offer.terms.assetId;
        uint32 version = offer.terms.assetVersion;
        require(version == rightVersion, IListings.AssetNotRegistered(assetId, version));
        assets.requireLinks(assetId, version, offer.parents, offer.revenueTable);
        _requireSecurity(assetId, version, assets.kindOf(assetId), assets);
        for (uint256 i = 0; i < offer.parents.length; ++i) {
            AssetId parent = offer.parents[i].assetId;
            _requireSecurity(parent, offer.parents[i].version, assets.kindOf(parent), assets);
        }
        require(offer.reports.length <= REPORTS_MAX, IActing.FieldInvalid("reports"));
        for (uint256 i = 0; i < offer.reports.length; ++i) {
            assessments.requireValid(offer.reports[i], assetId, version);
        }
    }

    /// @notice Reverts with {IParticipants.RoleMissing} unless the organisation may still sell at the home venue.
    function requireSeller(IParticipants participants, ParticipantId seller, ParticipantId homeVenue) internal view {
        IParticipants.Role role = IParticipants.Role.SELLER;
        require(participants.hasRole(seller, role, homeVenue), IParticipants.RoleMissing(seller, role, homeVenue));
    }

    /// @notice Reverts unless all fields are given and within range.
    function requireComplete(IListings.ListingTerms calldata terms) internal view {
        require(terms.mode != IListings.TradeMode.NONE, IActing.FieldInvalid("mode"));
        require(terms.unit != IListings.PriceUnit.NONE, IActing.FieldInvalid("unit"));
        require(
            terms.deliveryForms != 0 && terms.deliveryForms & ~DELIVERY_FORMS == 0,
            IActing.FieldInvalid("deliveryForms")
        );
        require(terms.termsDigest != 0, IActing.FieldInvalid("termsDigest"));
        require(terms.declarationDigest != 0, IActing.FieldInvalid("declarationDigest"));
        require(terms.digestAlg != DigestAlg.NONE, IActing.FieldInvalid("digestAlg"));
        uint64 time = Clock.nowSeconds();
        require(terms.listUntil == 0 || terms.listUntil > time, IActing.TimeInPast(terms.listUntil, time));
        requirePrice(terms.mode, terms.priceFen, terms.unitQuantity);
    }

    /// @notice Reverts unless the price fits the ledger, is for at least one unit, and is nothing where the product is
    /// free.
    function requirePrice(IListings.TradeMode mode, uint64 priceFen, uint64 unitQuantity) internal pure {
        require(unitQuantity != 0, IActing.FieldInvalid("unitQuantity"));
        require(priceFen <= AMOUNT_MAX, IListings.AmountTooLarge(priceFen));
        require(mode != IListings.TradeMode.FREE || priceFen == 0, IActing.FieldInvalid("priceFen"));
    }

    /// @notice Returns the price of a quantity in fen; reverts with {IListings.FractionOfFen} or
    /// {IListings.AmountTooLarge}.
    function grossFen(uint64 priceFen, uint64 unitQuantity, uint64 quantity) internal pure returns (uint64) {
        require(unitQuantity != 0, IActing.FieldInvalid("unitQuantity"));
        (uint256 amountFen, uint256 remainder) = Shares.divideFloor(uint256(priceFen) * quantity, unitQuantity);
        require(remainder == 0, IListings.FractionOfFen(priceFen, quantity, unitQuantity));
        require(amountFen <= AMOUNT_MAX, IListings.AmountTooLarge(amountFen));
        return uint64(amountFen);
    }

    function _requireSecurity(AssetId assetId, uint32 version, AssetKind kind, IAssets assets) private view {
        require(
            kind != AssetKind.ELEMENT || assets.isSecurityPassed(assetId, version),
            IAssets.SecurityReviewMissing(assetId, version)
        );
    }
}
