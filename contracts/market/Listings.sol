// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../interfaces/IAgreements.sol";
import {IAssessments} from "../interfaces/IAssessments.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {ICertificates} from "../interfaces/ICertificates.sol";
import {IListings} from "../interfaces/IListings.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRights} from "../interfaces/IRights.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Offers} from "../libraries/Offers.sol";
import {Venues} from "../libraries/Venues.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg, RightKind} from "../types/Codes.sol";
import {AgreementId, AssetId, ListingId, ParticipantId, RightId} from "../types/Ids.sol";

/// @title Listings
/// @notice Offers of registered assets at a home venue, mirrored at others.
contract Listings is IListings, Acting {
    // ---------------------------------------------------------------- types

    /// @dev Asset and certificate are those of the right; documents stand in the event, covered by their hash.
    struct StoredListing {
        // slot 0
        uint64 priceFen;
        uint64 unitQuantity;
        uint64 quantityMax;
        uint40 listUntil;
        TradeMode mode;
        PriceUnit unit;
        DigestAlg digestAlg;
        // slot 1
        uint32 sequence;
        uint24 version;
        uint32 assetVersion;
        uint32 seller;
        uint32 homeVenue;
        uint32 inspectionSeconds;
        uint16 deliveryForms;
        ListingState state;
        AuthorityClass suspendedBy;
        uint40 suspendedUntil;
        // slot 2
        bytes32 rightId;
        // slot 3
        bytes32 documentsHash;
    }

    // ---------------------------------------------------------------- constants

    /// @dev The agreement scope for listings ({IAgreements.Agreement}).
    uint8 private constant SCOPE_LISTING = 4;

    IParticipants public immutable participants;
    IAgreements public immutable agreements;
    ICertificates public immutable certificates;
    IRights public immutable rights;
    IAssets public immutable assets;
    IAssessments public immutable assessments;

    // ---------------------------------------------------------------- storage

    mapping(ListingId => StoredListing) private _listings;
    mapping(ListingId => mapping(ParticipantId venue => AgreementId)) private _mirrors;
    mapping(ListingId => mapping(ParticipantId venue => bool)) private _hiddenMirrors;
    uint32 private _sequence;

    // ---------------------------------------------------------------- constructor

    constructor(
        IParticipants participants_,
        IAgreements agreements_,
        ICertificates certificates_,
        IRights rights_,
        IAssets assets_,
        IAssessments assessments_
    ) {
        participants = participants_;
        agreements = agreements_;
        certificates = certificates_;
        rights = rights_;
        assets = assets_;
        assessments = assessments_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IListings
    function listingOf(ListingId listingId) external view returns (Listing memory) {
        StoredListing storage stored = _listings[listingId];
        require(stored.state != ListingState.NONE, ListingNotFound(listingId));
        return _read(listingId, stored);
    }

    /// @inheritdoc IListings
    function mirrorOf(ListingId listingId, ParticipantId venue)
        external
        view
        returns (AgreementId agreementId, bool isHidden)
    {
        return (_mirrors[listingId][venue], _hiddenMirrors[listingId][venue]);
    }

    /// @inheritdoc IListings
    function requireOffered(ListingId listingId, ParticipantId venue) external view returns (Listing memory) {
        requireBrief(listingId, venue);
        return _read(listingId, _listings[listingId]);
    }

    /// @inheritdoc IListings
    function requireBrief(ListingId listingId, ParticipantId venue) public view returns (ListingBrief memory brief) {
        StoredListing storage stored = _listings[listingId];
        require(stored.state != ListingState.NONE, ListingNotFound(listingId));
        brief.homeVenue = participants.requireActiveBySequence(stored.homeVenue);
        RightId rightId = RightId.wrap(stored.rightId);
        IRights.Right memory right = rights.rightOf(rightId);
        Offers.requireSeller(participants, right.holder, brief.homeVenue);
        require(
            _isListed(stored) && (stored.listUntil == 0 || Clock.nowSeconds() < stored.listUntil)
                && (brief.homeVenue == venue || _isMirrored(listingId, brief.homeVenue, venue))
                && participants.isActive(right.holder),
            ListingNotOffered(listingId, venue)
        );
        certificates.requireUsable(right.certificateId, ICertificates.CertificatePurpose.TRADE);
        rights.requireRight(rightId, right.assetId, right.holder, RightKind.OPERATE);
        (brief.assetId, brief.assetVersion, brief.seller) = (right.assetId, stored.assetVersion, right.holder);
        (brief.version, brief.mode) = (stored.version, stored.mode);
        (brief.priceFen, brief.unitQuantity) = (stored.priceFen, stored.unitQuantity);
        (brief.quantityMax, brief.deliveryForms) = (stored.quantityMax, stored.deliveryForms);
        brief.inspectionSeconds = stored.inspectionSeconds;
    }

    /// @inheritdoc IListings
    function grossFen(uint64 priceFen, uint64 unitQuantity, uint64 quantity) external pure returns (uint64) {
        return Offers.grossFen(priceFen, unitQuantity, quantity);
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IListings
    function submit(Offer calldata params, Authorization calldata authorization)
        external
        returns (ListingId listingId)
    {
        address account = _authorize(
            _isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization
        );
        ListingTerms calldata terms = params.terms;
        Actor memory actor = participants.actorInRole(account, IParticipants.Role.SELLER, terms.homeVenue);
        rights.requireRight(terms.rightId, terms.assetId, actor.participantId, RightKind.OPERATE);
        IRights.Right memory right = rights.rightOf(terms.rightId);
        listingId =
            ListingId.wrap(Hashing.actId("listing", actor.participantId, AssetId.unwrap(terms.assetId), params.salt));
        require(_listings[listingId].state == ListingState.NONE, ListingAlreadyExists(listingId));
        certificates.requireUsable(right.certificateId, ICertificates.CertificatePurpose.LIST);
        Offers.requireAdmissible(params, right.assetVersion, assets, assessments);
        Offers.requireComplete(terms);

        _sequence += 1;
        _store(listingId, params, actor.sequence);
        emit ListingSubmitted(
            listingId,
            terms.assetId,
            actor.participantId,
            _sequence,
            right.certificateId,
            terms,
            params.reports,
            account
        );
    }

    /// @inheritdoc IListings
    function approve(ListingId listingId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(listingId)), authorization);
        StoredListing storage stored = _listings[listingId];
        ParticipantId homeVenue = _homeVenueOf(listingId, stored);
        Venues.requireOperator(participants, account, homeVenue);
        require(stored.state == ListingState.UNDER_REVIEW, ListingStateWrong(listingId, stored.state));

        stored.state = ListingState.LISTED;
        emit ListingApproved(listingId, homeVenue, account, Clock.nowSeconds());
    }

    /// @inheritdoc IListings
    function reject(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(listingId, cause)), authorization);
        StoredListing storage stored = _listings[listingId];
        ParticipantId homeVenue = _homeVenueOf(listingId, stored);
        Venues.requireVenue(participants, account, cause, homeVenue);
        require(stored.state == ListingState.UNDER_REVIEW, ListingStateWrong(listingId, stored.state));

        stored.state = ListingState.REJECTED;
        emit ListingRejected(listingId, homeVenue, account, cause);
    }

    /// @inheritdoc IListings
    function reprice(ListingId listingId, uint64 priceFen, uint64 unitQuantity, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(listingId, priceFen, unitQuantity)), authorization);
        StoredListing storage stored = _listings[listingId];
        require(stored.state != ListingState.NONE, ListingNotFound(listingId));
        Actor memory actor = participants.actorOf(account);
        require(actor.sequence == stored.seller, CallerNotSeller(listingId, actor.participantId));
        _requireOpen(listingId, stored);
        Offers.requirePrice(stored.mode, priceFen, unitQuantity);

        stored.version += 1;
        stored.priceFen = priceFen;
        stored.unitQuantity = unitQuantity;
        emit ListingRepriced(listingId, stored.version, priceFen, unitQuantity, account);
    }

    /// @inheritdoc IListings
    function suspend(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(listingId, cause)), authorization);
        StoredListing storage stored = _listings[listingId];
        Actor memory actor = _requireStanding(listingId, stored, account, cause);
        _requireOpen(listingId, stored);
        require(
            _isListed(stored) || Venues.outranks(cause.authority, stored.suspendedBy),
            ListingStateWrong(listingId, stored.state)
        );

        stored.state = ListingState.SUSPENDED;
        stored.suspendedBy = cause.authority;
        stored.suspendedUntil = Clock.pack(cause.until);
        emit ListingSuspended(listingId, actor.participantId, account, cause);
    }

    /// @inheritdoc IListings
    function resume(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(listingId, cause)), authorization);
        StoredListing storage stored = _listings[listingId];
        Actor memory actor = _requireStanding(listingId, stored, account, cause);
        require(stored.state == ListingState.SUSPENDED, ListingStateWrong(listingId, stored.state));
        require(cause.authority == stored.suspendedBy, SuspensionHeld(listingId, uint8(stored.suspendedBy)));

        stored.state = ListingState.LISTED;
        stored.suspendedBy = AuthorityClass.NONE;
        stored.suspendedUntil = 0;
        emit ListingResumed(listingId, actor.participantId, account, cause);
    }

    /// @inheritdoc IListings
    function delist(ListingId listingId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(listingId, cause)), authorization);
        StoredListing storage stored = _listings[listingId];
        Actor memory actor = _requireStanding(listingId, stored, account, cause);
        _requireOpen(listingId, stored);

        stored.state = ListingState.DELISTED;
        stored.suspendedBy = AuthorityClass.NONE;
        stored.suspendedUntil = 0;
        emit ListingDelisted(listingId, actor.participantId, account, cause);
    }

    /// @inheritdoc IListings
    function mirror(ListingId listingId, AgreementId agreementId, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(listingId, agreementId)), authorization);
        StoredListing storage stored = _listings[listingId];
        ParticipantId homeVenue = _homeVenueOf(listingId, stored);
        ParticipantId venue = participants.actorOf(account).participantId;
        Venues.requireOperator(participants, account, venue);
        require(
            agreements.covers(agreementId, homeVenue, venue, SCOPE_LISTING),
            IAgreements.AgreementNotCovering(agreementId, homeVenue, venue, SCOPE_LISTING)
        );
        require(_isListed(stored), ListingStateWrong(listingId, stored.state));
        require(
            venue != homeVenue && !_isCovered(_mirrors[listingId][venue], homeVenue, venue),
            MirrorAlreadyExists(listingId, venue)
        );

        _mirrors[listingId][venue] = agreementId;
        emit ListingMirrored(listingId, venue, agreementId, account);
    }

    /// @inheritdoc IListings
    function setMirrorHidden(
        ListingId listingId,
        bool isHidden,
        Cause calldata cause,
        Authorization calldata authorization
    ) external {
        address account = _authorize(keccak256(abi.encode(listingId, isHidden, cause)), authorization);
        require(_listings[listingId].state != ListingState.NONE, ListingNotFound(listingId));
        ParticipantId venue = participants.actorOf(account).participantId;
        Venues.requireVenue(participants, account, cause, venue);
        require(AgreementId.unwrap(_mirrors[listingId][venue]) != 0, ListingNotOffered(listingId, venue));
        if (_hiddenMirrors[listingId][venue] == isHidden) return;

        _hiddenMirrors[listingId][venue] = isHidden;
        emit ListingMirrorHidden(listingId, venue, isHidden, account, cause);
    }

    // ---------------------------------------------------------------- internal: records

    function _store(ListingId listingId, Offer calldata params, uint32 seller) private {
        ListingTerms calldata terms = params.terms;
        _listings[listingId] = StoredListing({
            priceFen: terms.priceFen,
            unitQuantity: terms.unitQuantity,
            quantityMax: terms.quantityMax,
            listUntil: Clock.pack(terms.listUntil),
            mode: terms.mode,
            unit: terms.unit,
            digestAlg: terms.digestAlg,
            sequence: _sequence,
            version: 1,
            assetVersion: terms.assetVersion,
            seller: seller,
            homeVenue: participants.sequenceOf(terms.homeVenue),
            inspectionSeconds: terms.inspectionSeconds,
            deliveryForms: terms.deliveryForms,
            state: ListingState.UNDER_REVIEW,
            suspendedBy: AuthorityClass.NONE,
            suspendedUntil: 0,
            rightId: RightId.unwrap(terms.rightId),
            documentsHash: keccak256(abi.encode(terms.termsDigest, terms.declarationDigest, params.reports))
        });
    }

    function _read(ListingId listingId, StoredListing storage stored) private view returns (Listing memory listing) {
        RightId rightId = RightId.wrap(stored.rightId);
        IRights.Right memory right = rights.rightOf(rightId);
        listing.listingId = listingId;
        listing.sequence = stored.sequence;
        listing.version = stored.version;
        listing.state = stored.state;
        listing.assetId = right.assetId;
        listing.assetVersion = stored.assetVersion;
        listing.certificateId = right.certificateId;
        listing.rightId = rightId;
        listing.seller = right.holder;
        listing.homeVenue = participants.participantBySequence(stored.homeVenue);
        listing.mode = stored.mode;
        listing.unit = stored.unit;
        listing.priceFen = stored.priceFen;
        listing.unitQuantity = stored.unitQuantity;
        listing.quantityMax = stored.quantityMax;
        listing.deliveryForms = stored.deliveryForms;
        listing.inspectionSeconds = stored.inspectionSeconds;
        listing.digestAlg = stored.digestAlg;
        listing.documentsHash = stored.documentsHash;
        listing.listUntil = stored.listUntil;
        listing.suspendedBy = uint8(stored.suspendedBy);
        listing.suspendedUntil = stored.suspendedUntil;
    }

    function _homeVenueOf(ListingId listingId, StoredListing storage stored) private view returns (ParticipantId) {
        require(stored.state != ListingState.NONE, ListingNotFound(listingId));
        return participants.participantBySequence(stored.homeVenue);
    }

    /// @dev Listed, or suspended until a moment that has passed.
    function _isListed(StoredListing storage stored) private view returns (bool) {
        if (stored.state == ListingState.LISTED) return true;
        return stored.state == ListingState.SUSPENDED && stored.suspendedUntil != 0
            && Clock.nowSeconds() >= stored.suspendedUntil;
    }

    function _isMirrored(ListingId listingId, ParticipantId home, ParticipantId venue) private view returns (bool) {
        return !_hiddenMirrors[listingId][venue] && _isCovered(_mirrors[listingId][venue], home, venue);
    }

    function _isCovered(AgreementId agreementId, ParticipantId home, ParticipantId venue) private view returns (bool) {
        return AgreementId.unwrap(agreementId) != 0 && agreements.covers(agreementId, home, venue, SCOPE_LISTING);
    }

    // ---------------------------------------------------------------- internal: guards

    /// @dev The seller as PARTY, the home venue as VENUE, a regulator or court of the home venue.
    function _requireStanding(ListingId listingId, StoredListing storage stored, address account, Cause calldata cause)
        private
        view
        returns (Actor memory actor)
    {
        ParticipantId homeVenue = _homeVenueOf(listingId, stored);
        if (cause.authority == AuthorityClass.PARTY) {
            actor = participants.actorForCause(account, cause, homeVenue);
            require(actor.sequence == stored.seller, CallerNotSeller(listingId, actor.participantId));
        } else {
            actor = Venues.requireAuthority(participants, account, cause, homeVenue);
            bool isArbitrator = cause.authority == AuthorityClass.ARBITRATION;
            require(!isArbitrator, IParticipants.AuthorityMissing(actor.participantId, uint8(cause.authority)));
        }
    }

    function _requireOpen(ListingId listingId, StoredListing storage stored) private view {
        require(
            stored.state == ListingState.LISTED || stored.state == ListingState.SUSPENDED,
            ListingStateWrong(listingId, stored.state)
        );
    }
}
