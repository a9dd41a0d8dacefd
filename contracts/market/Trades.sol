// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssets} from "../interfaces/IAssets.sol";
import {ICertificates} from "../interfaces/ICertificates.sol";
import {IFunds} from "../interfaces/IFunds.sol";
import {IListings} from "../interfaces/IListings.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IProfiles} from "../interfaces/IProfiles.sol";
import {ITrades} from "../interfaces/ITrades.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Legs} from "../libraries/Legs.sol";
import {Offers} from "../libraries/Offers.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Venues} from "../libraries/Venues.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DeliveryForm, DigestAlg, Noun} from "../types/Codes.sol";
import {CertificateId, ListingId, ParticipantId, TradeId} from "../types/Ids.sol";

/// @title Trades
/// @notice Contracts in force between buyers and sellers.
contract Trades is ITrades, Acting {
    // ---------------------------------------------------------------- types

    /// @dev Price and bank are those of the hold ({IFunds.paymentOf}): this deployment settles on PREFUNDED alone.
    struct StoredTrade {
        // slot 0
        uint40 sequence;
        TradeState state;
        uint32 buyer;
        uint32 seller;
        uint32 executingVenue;
        DeliveryForm deliveryForm;
        uint32 inspectionSeconds;
        bool isUseNotAcceptance;
        uint40 deliverBy;
        uint24 listingVersion;
        // slot 1
        ListingId listingId;
        // slot 2
        bytes32 termsDigest;
        // slot 3
        bytes32 legsHash;
    }

    /// @dev What conclusion finds out on its way.
    struct Found {
        TradeId tradeId;
        bytes32 termsDigest;
        uint32 buyer;
        uint32 seller;
        Actor venue;
        CertificateId certificateId;
    }

    // ---------------------------------------------------------------- constants

    bytes32 private constant TERMS_TYPEHASH = keccak256(
        "TradeTerms(bytes32 listingId,uint32 listingVersion,bytes32 listingVenue,bytes32 executingVenue,"
        "bytes32 broker,bytes32 buyer,bytes32 seller,bool isOffExchange,uint8 template,bytes32 predecessorDigest,"
        "bytes32 contractDigest,bytes32 policyDigest,uint8 digestAlg,uint8 rightKinds,uint64 rightUntil,"
        "uint64 quantity,uint64 grossFen,bytes32 priceCommitment,uint8 rail,bytes32 bank,bytes32 legsHash,"
        "uint8 deliveryForm,uint32 inspectionSeconds,uint64 deliverBy,bool isUseNotAcceptance,uint64 offerUntil,"
        "bytes32 salt)"
    );
    uint8 private constant RIGHT_KINDS_MAX = 7;
    /// @dev A trade has one certificate.
    bytes32 private constant CERTIFICATE_SALT = 0;

    IParticipants public immutable participants;
    IListings public immutable listings;
    IAssets public immutable assets;
    IFunds public immutable funds;
    ICertificates public immutable certificates;

    // ---------------------------------------------------------------- storage

    mapping(TradeId => StoredTrade) private _trades;
    uint40 private _sequence;

    // ---------------------------------------------------------------- constructor

    constructor(
        IParticipants participants_,
        IListings listings_,
        IAssets assets_,
        IFunds funds_,
        ICertificates certificates_
    ) {
        participants = participants_;
        listings = listings_;
        assets = assets_;
        funds = funds_;
        certificates = certificates_;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITrades
    function tradeOf(TradeId tradeId) external view returns (Trade memory trade) {
        StoredTrade storage stored = _tradeOf(tradeId);
        trade.tradeId = tradeId;
        trade.sequence = stored.sequence;
        trade.state = stored.state;
        trade.listingId = stored.listingId;
        trade.listingVersion = stored.listingVersion;
        trade.buyer = participants.participantBySequence(stored.buyer);
        trade.seller = participants.participantBySequence(stored.seller);
        trade.executingVenue = participants.participantBySequence(stored.executingVenue);
        (trade.bank, trade.grossFen) = funds.paymentOf(tradeId);
        trade.rail = Rail.PREFUNDED;
        trade.termsDigest = stored.termsDigest;
        trade.legsHash = stored.legsHash;
        trade.deliveryForm = stored.deliveryForm;
        trade.inspectionSeconds = stored.inspectionSeconds;
        trade.deliverBy = stored.deliverBy;
        trade.isUseNotAcceptance = stored.isUseNotAcceptance;
        trade.certificateId = CertificateId.wrap(
            Hashing.actId("certificate", trade.executingVenue, TradeId.unwrap(tradeId), CERTIFICATE_SALT)
        );
    }

    /// @inheritdoc ITrades
    function briefOf(TradeId tradeId) external view returns (TradeBrief memory) {
        StoredTrade storage stored = _tradeOf(tradeId);
        return TradeBrief({
            state: stored.state,
            buyer: stored.buyer,
            seller: stored.seller,
            executingVenue: stored.executingVenue,
            deliveryForm: stored.deliveryForm,
            inspectionSeconds: stored.inspectionSeconds,
            isUseNotAcceptance: stored.isUseNotAcceptance
        });
    }

    /// @inheritdoc ITrades
    function basisOf(TradeId tradeId) external view returns (TradeBasis memory basis) {
        StoredTrade storage stored = _tradeOf(tradeId);
        basis.tradeId = tradeId;
        basis.state = stored.state;
        basis.seller = participants.participantBySequence(stored.seller);
        basis.executingVenue = participants.participantBySequence(stored.executingVenue);
        (basis.bank, basis.grossFen) = funds.paymentOf(tradeId);
        basis.legsHash = stored.legsHash;
    }

    /// @inheritdoc ITrades
    function digestOf(TradeTerms calldata terms) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TERMS_TYPEHASH, terms)));
    }

    /// @inheritdoc ITrades
    function legsHashOf(Leg[] calldata legs) public pure returns (bytes32) {
        return keccak256(abi.encode(legs));
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc ITrades
    function conclude(Conclusion calldata params, Authorization calldata authorization)
        external
        returns (TradeId tradeId)
    {
        address account =
            _authorize(_isRelayed(authorization) ? keccak256(abi.encode(params)) : bytes32(0), authorization);
        TradeTerms calldata terms = params.terms;
        tradeId = TradeId.wrap(Hashing.actId("trade", terms.buyer, ListingId.unwrap(terms.listingId), terms.salt));
        require(_trades[tradeId].state == TradeState.NONE, TradeAlreadyExists(tradeId));
        Found memory found;
        found.tradeId = tradeId;
        found.venue = Venues.requireOperator(participants, account, terms.executingVenue);
        uint64 time = Clock.nowSeconds();
        require(time < terms.offerUntil, DeadlinePassed(terms.offerUntil, time));
        IListings.ListingBrief memory listing = listings.requireBrief(terms.listingId, terms.executingVenue);
        _requireComplete(terms, time);
        _requireFit(terms, listing);
        found.termsDigest = digestOf(terms);
        (found.buyer, found.seller) = _requireSigned(params, found.termsDigest);
        _requireLegs(params, listing);

        _store(terms, found);
        found.certificateId = _issue(params, tradeId);
        _emitConcluded(params, found);
        if (terms.grossFen != 0) funds.hold(tradeId, terms.buyer, terms.bank, terms.grossFen);
    }

    /// @inheritdoc ITrades
    function terminate(TradeId tradeId, Cause calldata cause, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(tradeId, cause)), authorization);
        StoredTrade storage stored = _tradeOf(tradeId);
        ParticipantId executingVenue = participants.participantBySequence(stored.executingVenue);
        Actor memory actor = Venues.requireAuthority(participants, account, cause, executingVenue);
        require(
            stored.state == TradeState.EFFECTIVE || stored.state == TradeState.PERFORMING,
            TradeStateWrong(tradeId, stored.state)
        );
        uint64 time = Clock.nowSeconds();
        require(
            cause.authority != AuthorityClass.VENUE || time >= stored.deliverBy,
            DeadlineNotReached(stored.deliverBy, time)
        );

        stored.state = TradeState.TERMINATED;
        emit TradeTerminated(tradeId, actor.participantId, account, cause);
        (, uint64 grossFen) = funds.paymentOf(tradeId);
        if (grossFen != 0) funds.release(tradeId);
    }

    /// @inheritdoc ITrades
    function advance(TradeId tradeId, TradeState state) external {
        IParticipants.ModuleKind kind = IParticipants.ModuleKind.TRADE_ADVANCER;
        require(participants.isModule(kind, msg.sender), IParticipants.CallerNotModule(msg.sender, kind));
        StoredTrade storage stored = _tradeOf(tradeId);
        require(
            state <= TradeState.CLOSED && uint8(state) == uint8(stored.state) + 1,
            TradeStateWrong(tradeId, stored.state)
        );

        stored.state = state;
        emit TradeAdvanced(tradeId, state);
    }

    // ---------------------------------------------------------------- internal: records

    function _tradeOf(TradeId tradeId) private view returns (StoredTrade storage stored) {
        stored = _trades[tradeId];
        require(stored.state != TradeState.NONE, TradeNotFound(tradeId));
    }

    function _store(TradeTerms calldata terms, Found memory found) private {
        _sequence += 1;
        _trades[found.tradeId] = StoredTrade({
            sequence: _sequence,
            state: TradeState.EFFECTIVE,
            buyer: found.buyer,
            seller: found.seller,
            executingVenue: found.venue.sequence,
            deliveryForm: terms.deliveryForm,
            inspectionSeconds: terms.inspectionSeconds,
            isUseNotAcceptance: terms.isUseNotAcceptance,
            deliverBy: Clock.pack(terms.deliverBy),
            listingVersion: uint24(terms.listingVersion), // the listing's own, which is no longer
            listingId: terms.listingId,
            termsDigest: found.termsDigest,
            legsHash: terms.legsHash
        });
    }

    /// @dev Issued before the event, which carries the certificate's id.
    function _issue(Conclusion calldata params, TradeId tradeId) private returns (CertificateId certificateId) {
        require(params.documentDigest != 0, FieldInvalid("documentDigest"));
        require(params.digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));
        (certificateId,) = certificates.issue(
            ICertificates.CertificateRequest({
                kind: ICertificates.CertificateKind.TRADE,
                subjectNoun: Noun.TRADE,
                subjectId: TradeId.unwrap(tradeId),
                subjectVersion: 0,
                issuer: params.terms.executingVenue,
                holder: params.terms.buyer,
                documentDigest: params.documentDigest,
                digestAlg: params.digestAlg,
                validUntil: 0,
                codeFormat: IProfiles.CodeFormat.VENUE
            }),
            CERTIFICATE_SALT
        );
    }

    function _emitConcluded(Conclusion calldata params, Found memory found) private {
        emit TradeConcluded(
            found.tradeId,
            params.terms.buyer,
            params.terms.seller,
            _sequence,
            params.terms,
            params.legs,
            found.termsDigest,
            params.buyerAccount,
            params.sellerAccount,
            found.certificateId,
            found.venue.participantId,
            found.venue.account
        );
    }

    // ---------------------------------------------------------------- internal: guards

    function _requireComplete(TradeTerms calldata terms, uint64 time) private pure {
        require(terms.rail == Rail.PREFUNDED, RailNotServed(terms.rail));
        require(terms.priceCommitment == 0, FieldInvalid("priceCommitment"));
        require(terms.template != ContractTemplate.NONE, FieldInvalid("template"));
        require(terms.contractDigest != 0, FieldInvalid("contractDigest"));
        require(terms.policyDigest != 0, FieldInvalid("policyDigest"));
        require(terms.digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));
        require(terms.rightKinds != 0 && terms.rightKinds <= RIGHT_KINDS_MAX, FieldInvalid("rightKinds"));
        require(terms.rightUntil == 0 || terms.rightUntil > time, TimeInPast(terms.rightUntil, time));
        require(terms.deliverBy > time, TimeInPast(terms.deliverBy, time));
        require(terms.grossFen <= Offers.AMOUNT_MAX, IListings.AmountTooLarge(terms.grossFen));
        require(terms.grossFen != 0 || ParticipantId.unwrap(terms.bank) == 0, FieldInvalid("bank"));
    }

    /// @dev The price and conditions of the version that was seen; only a negotiated price is free.
    function _requireFit(TradeTerms calldata terms, IListings.ListingBrief memory listing) private pure {
        ListingId listingId = terms.listingId;
        require(terms.listingVersion == listing.version, TermsDifferFromListing(listingId, "listingVersion"));
        require(terms.listingVenue == listing.homeVenue, TermsDifferFromListing(listingId, "listingVenue"));
        require(terms.seller == listing.seller, TermsDifferFromListing(listingId, "seller"));
        require(
            terms.quantity != 0 && (listing.quantityMax == 0 || terms.quantity <= listing.quantityMax),
            TermsDifferFromListing(listingId, "quantity")
        );
        require(
            uint256(listing.deliveryForms) >> uint8(terms.deliveryForm) & 1 != 0,
            TermsDifferFromListing(listingId, "deliveryForm")
        );
        require(
            terms.inspectionSeconds == listing.inspectionSeconds, TermsDifferFromListing(listingId, "inspectionSeconds")
        );
        if (listing.mode == IListings.TradeMode.NEGOTIATED) return;
        require(
            listing.mode == IListings.TradeMode.FIXED || listing.mode == IListings.TradeMode.FREE,
            TermsDifferFromListing(listingId, "mode")
        );
        uint64 listedFen = Offers.grossFen(listing.priceFen, listing.unitQuantity, terms.quantity);
        require(terms.grossFen == listedFen, TermsDifferFromListing(listingId, "grossFen"));
    }

    /// @dev T4: two distinct organisations' accounts, active now, signed the same digest.
    function _requireSigned(Conclusion calldata params, bytes32 termsDigest)
        private
        view
        returns (uint32 buyer, uint32 seller)
    {
        TradeTerms calldata terms = params.terms;
        _requireDistinct(terms);
        buyer = _requireSigner(params.buyerAccount, terms.buyer);
        seller = _requireSigner(params.sellerAccount, terms.seller);
        _requireRole(terms.buyer, IParticipants.Role.BUYER, terms.executingVenue, true);
        if (ParticipantId.unwrap(terms.broker) != 0) {
            bool isActive = participants.isActive(terms.broker);
            _requireRole(terms.broker, IParticipants.Role.BROKER, terms.executingVenue, isActive);
        }
        require(
            Signatures.isSigned(params.buyerAccount, termsDigest, params.buyerSignature),
            SignatureInvalid(params.buyerAccount)
        );
        require(
            Signatures.isSigned(params.sellerAccount, termsDigest, params.sellerSignature),
            SignatureInvalid(params.sellerAccount)
        );
    }

    /// @dev A-07: buyer, seller and broker are distinct, and the executing venue is neither side.
    function _requireDistinct(TradeTerms calldata terms) private pure {
        require(terms.buyer != terms.seller, PartiesSame(terms.buyer));
        require(terms.buyer != terms.executingVenue, PartiesSame(terms.buyer));
        require(terms.seller != terms.executingVenue, PartiesSame(terms.seller));
        require(terms.broker != terms.buyer && terms.broker != terms.seller, PartiesSame(terms.broker));
    }

    function _requireSigner(address account, ParticipantId party) private view returns (uint32 sequence) {
        Actor memory signer = participants.actorOf(account);
        require(signer.participantId == party, SignerNotParty(account, party));
        return signer.sequence;
    }

    /// @param isActive Known for whoever signed: an account acts for an active organisation only.
    function _requireRole(ParticipantId participantId, IParticipants.Role role, ParticipantId venue, bool isActive)
        private
        view
    {
        require(
            isActive && participants.hasRole(participantId, role, venue),
            IParticipants.RoleMissing(participantId, role, venue)
        );
    }

    /// @dev J-04: who gets what is fixed before the trade, and follows the revenue table.
    function _requireLegs(Conclusion calldata params, IListings.ListingBrief memory listing) private view {
        TradeTerms calldata terms = params.terms;
        require(params.legs.length <= Legs.MAX, TooManyLegs(params.legs.length, Legs.MAX));
        require(legsHashOf(params.legs) == terms.legsHash, LegsWrong(terms.legsHash));
        (uint256 totalFen, uint256 netFen) = Legs.sum(params.legs, terms, participants);
        require(totalFen == terms.grossFen, LegsNotWhole(totalFen, terms.grossFen));
        if (totalFen == 0) return;
        assets.requireLinks(listing.assetId, listing.assetVersion, params.parents, params.revenueTable);
        Legs.requireShares(params.legs, params.revenueTable, netFen);
    }
}
