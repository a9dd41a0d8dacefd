// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause, Payee} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {AgreementId, AssessmentId, AssetId, CertificateId, ListingId, ParticipantId, RightId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {IAssets} from "./IAssets.sol";

/// @title IListings
/// @notice Offers of registered assets at a home venue, mirrored at other venues under an agreement (domain 4.5, G-01,
/// G-02).
/// @dev A listing asks whether its certificate and right are usable; nobody tells it. Price and terms are the home
/// version everywhere; a mirroring
/// venue may only hide.
interface IListings is IActing {
    /// @dev Stored states of domain 4.5. EXPIRED is derived from `listUntil` and the certificate.
    enum ListingState {
        NONE,
        UNDER_REVIEW,
        RETURNED,
        REJECTED,
        LISTED,
        SUSPENDED,
        DELISTED
    }

    enum TradeMode {
        NONE,
        FIXED,
        NEGOTIATED,
        BIDDING,
        SUBSCRIPTION,
        METERED,
        FREE,
        BARTER
    }

    /// @dev What the price is for (F-03).
    enum PriceUnit {
        NONE,
        ITEM,
        CALL,
        SECOND,
        BYTE,
        PERIOD
    }

    /// @notice What the seller offers, the same in the request and in the record.
    /// @param assetVersion A registered version of the asset.
    /// @param rightId The seller's OPERATE right.
    /// @param priceFen Price in fen of `unitQuantity` units, below 2^63; 0 in mode FREE.
    /// @param unitQuantity How many units the price is for; at least 1.
    /// @param quantityMax Most units one trade may take; 0 means no cap.
    /// @param deliveryForms Bit set of {DeliveryForm}: bit n for value n.
    /// @param inspectionSeconds How long the buyer may inspect a delivery, in seconds.
    /// @param termsDigest Digest of the licence terms (ODRL).
    /// @param declarationDigest Digest of the seller's declaration and undertaking (G-04).
    /// @param digestAlg How both digests were made.
    /// @param listUntil Seconds, exclusive; 0 means as long as the certificate.
    struct ListingTerms {
        AssetId assetId;
        uint32 assetVersion;
        RightId rightId;
        ParticipantId homeVenue;
        TradeMode mode;
        PriceUnit unit;
        uint64 priceFen;
        uint64 unitQuantity;
        uint64 quantityMax;
        uint16 deliveryForms;
        uint32 inspectionSeconds;
        bytes32 termsDigest;
        bytes32 declarationDigest;
        DigestAlg digestAlg;
        uint64 listUntil;
    }

    /// @notice An offer. `assetId` and `certificateId` are those of its right.
    /// @param sequence The listing's number: 1, 2, 3 …
    /// @param version 1, 2, 3 …; open trades keep theirs.
    /// @param documentsHash keccak256 of the ABI encoding of (termsDigest, declarationDigest, reports): these stand in
    /// the event.
    /// @param suspendedBy Authority class that suspended it; only this class resumes it.
    /// @param suspendedUntil Seconds when the suspension ends by itself; 0 means open.
    struct Listing {
        ListingId listingId;
        uint64 sequence;
        uint32 version;
        ListingState state;
        AssetId assetId;
        uint32 assetVersion;
        CertificateId certificateId;
        RightId rightId;
        ParticipantId seller;
        ParticipantId homeVenue;
        TradeMode mode;
        PriceUnit unit;
        uint64 priceFen;
        uint64 unitQuantity;
        uint64 quantityMax;
        uint16 deliveryForms;
        uint32 inspectionSeconds;
        DigestAlg digestAlg;
        bytes32 documentsHash;
        uint64 listUntil;
        uint8 suspendedBy;
        uint64 suspendedUntil;
    }

    /// @notice What a contract asks of an offered listing: its asset, and what the terms must fit.
    struct ListingBrief {
        uint32 version;
        AssetId assetId;
        uint32 assetVersion;
        ParticipantId seller;
        ParticipantId homeVenue;
        TradeMode mode;
        uint64 priceFen;
        uint64 unitQuantity;
        uint64 quantityMax;
        uint16 deliveryForms;
        uint32 inspectionSeconds;
    }

    /// @param terms What is offered.
    /// @param reports Assessment ids, each in force for this version; at most 16.
    /// @param parents The asset's parents, checked against its stored hash: each element among them must have passed
    /// S(X) (E-03).
    /// @param revenueTable The asset's revenue table, for the same check.
    /// @param salt From the caller's business key.
    struct Offer {
        ListingTerms terms;
        AssessmentId[] reports;
        IAssets.Parent[] parents;
        Payee[] revenueTable;
        bytes32 salt;
    }

    /// @notice A seller submitted an offer to its home venue.
    event ListingSubmitted(
        ListingId indexed listingId,
        AssetId indexed assetId,
        ParticipantId indexed seller,
        uint64 sequence,
        CertificateId certificateId,
        ListingTerms terms,
        AssessmentId[] reports,
        address byAccount
    );
    /// @notice The home venue approved: the offer is listed.
    /// @param listedAt Seconds.
    event ListingApproved(ListingId indexed listingId, ParticipantId byParticipant, address byAccount, uint64 listedAt);
    /// @notice The home venue rejected the offer.
    event ListingRejected(ListingId indexed listingId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice The seller set a new price: a new version of the listing.
    /// @param priceFen Price in fen of `unitQuantity` units.
    event ListingRepriced(
        ListingId indexed listingId, uint32 version, uint64 priceFen, uint64 unitQuantity, address byAccount
    );
    /// @notice The listing was suspended.
    event ListingSuspended(ListingId indexed listingId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice The listing was resumed by the class that suspended it.
    event ListingResumed(ListingId indexed listingId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice The listing ended.
    event ListingDelisted(ListingId indexed listingId, ParticipantId byParticipant, address byAccount, Cause cause);
    /// @notice Another venue mirrored the listing under an agreement.
    event ListingMirrored(
        ListingId indexed listingId, ParticipantId indexed venue, AgreementId agreementId, address byAccount
    );
    /// @notice A mirroring venue hid or showed the listing.
    event ListingMirrorHidden(
        ListingId indexed listingId, ParticipantId indexed venue, bool isHidden, address byAccount, Cause cause
    );

    /// @notice The listing is not known.
    /// @custom:family NotFound
    error ListingNotFound(ListingId listingId);
    /// @notice The offer was already submitted.
    /// @custom:family Conflict
    error ListingAlreadyExists(ListingId listingId);
    /// @notice The act does not fit the listing's state.
    /// @custom:family Conflict
    error ListingStateWrong(ListingId listingId, ListingState state);
    /// @notice Only the seller can do this.
    /// @custom:family Forbidden
    error CallerNotSeller(ListingId listingId, ParticipantId participantId);
    /// @notice The amount is not a whole number of fen.
    /// @custom:family Invalid
    error FractionOfFen(uint256 priceFen, uint256 quantity, uint256 unitQuantity);
    /// @notice The amount exceeds what the ledger can hold.
    /// @custom:family Invalid
    error AmountTooLarge(uint256 amountFen);
    /// @notice This version of the asset is not the one that was registered with the right to operate.
    /// @custom:family Conflict
    error AssetNotRegistered(AssetId assetId, uint32 version);
    /// @notice The listing is already mirrored at this venue.
    /// @custom:family Conflict
    error MirrorAlreadyExists(ListingId listingId, ParticipantId venue);
    /// @notice The listing is not offered at this venue now.
    /// @custom:family Conflict
    error ListingNotOffered(ListingId listingId, ParticipantId venue);
    /// @notice Another class suspended the listing.
    /// @custom:family Forbidden
    error SuspensionHeld(ListingId listingId, uint8 authority);

    /// @notice Submits an offer to the home venue, which reviews it.
    ///
    /// Requirements, in order:
    /// - the caller has the role SELLER at the home venue, and the right to operate the asset;
    /// - the offer is new;
    /// - the certificate behind the right may be relied on for listing, and the version is the one registered with it;
    /// - the lists brought along are the version's; the version and its parents have passed S(X) where they are
    ///   elements (E-03);
    /// - every report is in force for the version;
    /// - all fields are given and within range.
    ///
    /// Emits a {ListingSubmitted} event.
    function submit(Offer calldata params, Authorization calldata authorization) external returns (ListingId listingId);

    /// @notice Lists an offer.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller operates its home venue;
    /// - it is under review.
    ///
    /// Emits a {ListingApproved} event.
    function approve(ListingId listingId, Authorization calldata authorization) external;

    /// @notice Refuses an offer for good.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller operates its home venue and speaks as VENUE;
    /// - it is under review.
    ///
    /// Emits a {ListingRejected} event.
    function reject(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Sets a new price; trades signed at the old version no longer conclude.
    /// @param priceFen Price in fen of `unitQuantity` units, below 2^63; 0 in mode FREE.
    /// @param unitQuantity How many units the price is for; at least 1.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller is its seller;
    /// - it is listed or suspended;
    /// - price and unit quantity are within range.
    ///
    /// Emits a {ListingRepriced} event.
    function reprice(ListingId listingId, uint64 priceFen, uint64 unitQuantity, Authorization calldata authorization)
        external;

    /// @notice Suspends a listing. A venue takes over the seller's suspension, a regulator or court takes over
    /// either's.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller is its seller (PARTY), operates its home venue (VENUE), or speaks for a regulator or court there;
    /// - it is listed, or suspended by a lower class.
    ///
    /// Emits a {ListingSuspended} event.
    function suspend(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Lists a suspended listing again.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller has standing, as for {suspend};
    /// - it is suspended, by the same class.
    ///
    /// Emits a {ListingResumed} event.
    function resume(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Ends a listing; open trades go on.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller has standing, as for {suspend};
    /// - it is listed or suspended.
    ///
    /// Emits a {ListingDelisted} event.
    function delist(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Offers the listing at the caller's venue too, at the home version's price and terms (G-02).
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller operates another venue;
    /// - the agreement covers listings between both venues now;
    /// - the listing is listed, and not mirrored there under an agreement that still covers it.
    ///
    /// Emits a {ListingMirrored} event.
    function mirror(ListingId listingId, AgreementId agreementId, Authorization calldata authorization) external;

    /// @notice Hides the listing at the caller's venue, or shows it again; a repeat does nothing.
    ///
    /// Requirements, in order:
    /// - the listing is known;
    /// - the caller operates a venue and speaks as VENUE;
    /// - the listing is mirrored there.
    ///
    /// Emits a {ListingMirrorHidden} event.
    function setMirrorHidden(
        ListingId listingId,
        bool isHidden,
        Cause calldata cause,
        Authorization calldata authorization
    ) external;

    /// @notice Returns a listing; reverts with {ListingNotFound}.
    function listingOf(ListingId listingId) external view returns (Listing memory);
    /// @notice Returns the agreement under which a venue mirrors a listing, zero if none, and whether the venue hides
    /// it.
    function mirrorOf(ListingId listingId, ParticipantId venue)
        external
        view
        returns (AgreementId agreementId, bool isHidden);
    /// @notice Reverts unless the listing is offered at the venue now, with its home venue, its seller and the seller's
    /// role there, its certificate and right in force; returns it.
    function requireOffered(ListingId listingId, ParticipantId venue) external view returns (Listing memory);
    /// @notice As {requireOffered}, and returns only what a contract asks of the listing.
    function requireBrief(ListingId listingId, ParticipantId venue) external view returns (ListingBrief memory);
    /// @notice Returns the price of a quantity in fen; reverts with {FractionOfFen} or {AmountTooLarge}.
    function grossFen(uint64 priceFen, uint64 unitQuantity, uint64 quantity) external pure returns (uint64);
}
