// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause, Payee} from "../types/Acting.sol";
import {DeliveryForm, DigestAlg} from "../types/Codes.sol";
import {CertificateId, ListingId, ParticipantId, TradeId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {IAssets} from "./IAssets.sol";

/// @title ITrades
/// @notice Contracts between a buyer and a seller, signed by both, verified by the executing venue, with the money held
/// in the same act.
/// @dev State names follow the Dataspace Protocol's contract negotiation (domain 4.6). REQUESTED, OFFERED, ACCEPTED and
/// AGREED happen off chain as
/// signatures over {TradeTerms}; the chain records the contract when the venue verifies it: EFFECTIVE. The terms need
/// no nonce: their
/// digest is consumed by the TradeId.
interface ITrades is IActing {
    enum TradeState {
        NONE,
        EFFECTIVE,
        PERFORMING,
        FULFILLED,
        CLOSED,
        TERMINATED
    }

    /// @dev The four contract templates (H-02).
    enum ContractTemplate {
        NONE,
        DATA_PROVISION,
        ENTRUSTED_PROCESSING,
        FUSED_DEVELOPMENT,
        INTERMEDIARY
    }

    /// @dev How money moves. Amounts on PREFUNDED are visible to chain members; a confidential price settles on
    /// BANK_INSTRUCTED.
    enum Rail {
        NONE,
        PREFUNDED,
        BANK_INSTRUCTED
    }

    enum LegKind {
        NONE,
        SHARE,
        FEE,
        TAX,
        REFUND
    }

    /// @notice One payment out of the gross amount.
    /// @param payee SHARE: a payee of the revenue table; FEE: the listing venue, the executing venue or the broker;
    /// TAX: a tax collector.
    /// @param amountFen Amount in fen, at least 1.
    struct Leg {
        LegKind kind;
        ParticipantId payee;
        uint64 amountFen;
    }

    /// @notice What both sides sign, in the clear (EIP-712 type `TradeTerms`, fields in this order).
    /// @param listingVersion The version whose price was seen.
    /// @param listingVenue The listing's home venue.
    /// @param executingVenue The venue that verifies and clears.
    /// @param broker Zero if none.
    /// @param isOffExchange A deal made elsewhere and recorded here (A-09).
    /// @param predecessorDigest Digest of the last offer of the negotiation, or zero.
    /// @param contractDigest Digest of the contract document.
    /// @param policyDigest Digest of the usage policy (ODRL).
    /// @param rightKinds Bit set of the rights granted to the buyer: 1 HOLD, 2 USE, 4 OPERATE.
    /// @param rightUntil Seconds, exclusive; 0 means open.
    /// @param grossFen Whole price, tax included; must equal the listing's price times quantity in mode FIXED.
    /// @param priceCommitment Salted commitment of a confidential price; zero on PREFUNDED.
    /// @param bank Settlement bank whose account pays and is paid.
    /// @param legsHash keccak256 of the ABI encoding of the legs; their sum is `grossFen` (J-04: fixed before the
    /// trade).
    /// @param deliverBy Seconds, exclusive: after it the venue may terminate for non-delivery.
    /// @param isUseNotAcceptance Whether conformity can only be judged by using the data (I-04).
    /// @param offerUntil Seconds, exclusive: from this moment neither signature counts.
    /// @param salt From the buyer's business key.
    struct TradeTerms {
        ListingId listingId;
        uint32 listingVersion;
        ParticipantId listingVenue;
        ParticipantId executingVenue;
        ParticipantId broker;
        ParticipantId buyer;
        ParticipantId seller;
        bool isOffExchange;
        ContractTemplate template;
        bytes32 predecessorDigest;
        bytes32 contractDigest;
        bytes32 policyDigest;
        DigestAlg digestAlg;
        uint8 rightKinds;
        uint64 rightUntil;
        uint64 quantity;
        uint64 grossFen;
        bytes32 priceCommitment;
        Rail rail;
        ParticipantId bank;
        bytes32 legsHash;
        DeliveryForm deliveryForm;
        uint32 inspectionSeconds;
        uint64 deliverBy;
        bool isUseNotAcceptance;
        uint64 offerUntil;
        bytes32 salt;
    }

    /// @param buyerAccount The account that signs for the buyer.
    /// @param parents The asset's parents and `revenueTable` its revenue table, checked against the stored hash: SHARE
    /// legs must follow it.
    /// @param documentDigest Digest of the trade certificate's document.
    struct Conclusion {
        TradeTerms terms;
        Leg[] legs;
        address buyerAccount;
        bytes buyerSignature;
        address sellerAccount;
        bytes sellerSignature;
        IAssets.Parent[] parents;
        Payee[] revenueTable;
        bytes32 documentDigest;
        DigestAlg digestAlg;
    }

    /// @notice A contract in force.
    /// @param termsDigest The EIP-712 digest that both sides signed.
    /// @param legsHash As signed.
    struct Trade {
        TradeId tradeId;
        uint64 sequence;
        TradeState state;
        ListingId listingId;
        uint32 listingVersion;
        ParticipantId buyer;
        ParticipantId seller;
        ParticipantId executingVenue;
        ParticipantId bank;
        Rail rail;
        uint64 grossFen;
        bytes32 termsDigest;
        bytes32 legsHash;
        DeliveryForm deliveryForm;
        uint32 inspectionSeconds;
        uint64 deliverBy;
        bool isUseNotAcceptance;
        CertificateId certificateId;
    }

    /// @notice What delivery asks of a trade: one word of storage, organisations by their number.
    struct TradeBrief {
        TradeState state;
        uint32 buyer;
        uint32 seller;
        uint32 executingVenue;
        DeliveryForm deliveryForm;
        uint32 inspectionSeconds;
        bool isUseNotAcceptance;
    }

    /// @notice What settlement asks of a trade, and authorities that hold it.
    struct TradeBasis {
        TradeId tradeId;
        TradeState state;
        ParticipantId seller;
        ParticipantId executingVenue;
        ParticipantId bank;
        uint64 grossFen;
        bytes32 legsHash;
    }

    /// @notice The venue verified a contract that both sides signed; the buyer's money is held.
    event TradeConcluded(
        TradeId indexed tradeId,
        ParticipantId indexed buyer,
        ParticipantId indexed seller,
        uint64 sequence,
        TradeTerms terms,
        Leg[] legs,
        bytes32 termsDigest,
        address buyerAccount,
        address sellerAccount,
        CertificateId certificateId,
        ParticipantId byParticipant,
        address byAccount
    );
    /// @notice Delivery or settlement moved the contract on.
    event TradeAdvanced(TradeId indexed tradeId, TradeState state);
    /// @notice The contract was terminated before it was fulfilled; the payer got back what was held.
    event TradeTerminated(TradeId indexed tradeId, ParticipantId byParticipant, address byAccount, Cause cause);

    /// @notice The trade is not known.
    /// @custom:family NotFound
    error TradeNotFound(TradeId tradeId);
    /// @notice The contract is already recorded.
    /// @custom:family Conflict
    error TradeAlreadyExists(TradeId tradeId);
    /// @notice The act does not fit the trade's state.
    /// @custom:family Conflict
    error TradeStateWrong(TradeId tradeId, TradeState state);
    /// @notice The terms differ from the listing.
    /// @custom:family Invalid
    error TermsDifferFromListing(ListingId listingId, bytes32 field);
    /// @notice An organisation is on two sides: buyer and seller, broker and a party, or executing venue and a party.
    /// @custom:family Invalid
    error PartiesSame(ParticipantId participantId);
    /// @notice The account does not belong to the party it signs for.
    /// @custom:family Forbidden
    error SignerNotParty(address account, ParticipantId participantId);
    /// @notice The legs do not add up to the gross amount.
    /// @custom:family Invalid
    error LegsNotWhole(uint256 totalFen, uint256 grossFen);
    /// @notice The legs brought along are not those signed.
    /// @custom:family Invalid
    error LegsWrong(bytes32 legsHash);
    /// @notice There are more legs than settlement can pay at once.
    /// @custom:family Invalid
    error TooManyLegs(uint256 count, uint256 maximum);
    /// @notice A share leg departs from the asset's revenue table by more than the rounding of one fen.
    /// @custom:family Invalid
    error ShareLegWrong(ParticipantId payee, uint256 requiredFen, uint256 givenFen);
    /// @notice A fee goes to the venues or the broker, tax to a tax collector; other kinds are not agreed beforehand.
    /// @custom:family Invalid
    error LegPayeeWrong(LegKind kind, ParticipantId payee);
    /// @notice This deployment does not settle on this rail.
    /// @custom:family Invalid
    error RailNotServed(Rail rail);

    /// @notice Records a contract that both sides signed, and holds the buyer's money.
    ///
    /// Requirements, in order:
    /// - the trade is new;
    /// - the caller operates the executing venue;
    /// - the offer has not lapsed, and the listing is offered at the executing venue now;
    /// - the terms are complete and fit the listing: version, venue, seller, price, quantity, form, inspection;
    /// - buyer, seller and broker differ, and the executing venue is neither side (A-07);
    /// - both accounts belong to the parties and are active; the buyer has the role BUYER, the broker (if any) BROKER;
    /// - both accounts signed the terms;
    /// - the legs are those signed, add up to the gross amount, and leave a net amount, which is shared by the asset's
    ///   revenue table;
    /// - digest and algorithm of the certificate are given;
    /// - the buyer has as much available at the bank.
    ///
    /// Emits a {TradeConcluded} event.
    function conclude(Conclusion calldata params, Authorization calldata authorization)
        external
        returns (TradeId tradeId);

    /// @notice Ends a contract that was not fulfilled; the payer gets back what is held.
    ///
    /// Requirements, in order:
    /// - the trade is known;
    /// - the caller operates the executing venue (VENUE), or speaks for a regulator, court or arbitrator there;
    /// - it is in force and not fulfilled;
    /// - as VENUE: the time for delivery is over;
    /// - no authority blocks the money.
    ///
    /// Emits a {TradeTerminated} event.
    function terminate(TradeId tradeId, Cause calldata cause, Authorization calldata authorization) external;

    /// @notice Moves a trade one state on: performing, fulfilled, closed.
    /// @dev Module TRADE_ADVANCER only.
    ///
    /// Requirements, in order:
    /// - the caller is a module of this kind;
    /// - the trade is known;
    /// - the state is the next one.
    ///
    /// Emits a {TradeAdvanced} event.
    function advance(TradeId tradeId, TradeState state) external;

    /// @notice Returns a trade; reverts with {TradeNotFound}.
    function tradeOf(TradeId tradeId) external view returns (Trade memory);
    /// @notice Returns what delivery needs of a trade; reverts with {TradeNotFound}.
    function briefOf(TradeId tradeId) external view returns (TradeBrief memory);
    /// @notice Returns what settlement needs of a trade; reverts with {TradeNotFound}.
    function basisOf(TradeId tradeId) external view returns (TradeBasis memory);
    /// @notice Returns the EIP-712 digest of terms at this contract: what both sides sign.
    function digestOf(TradeTerms calldata terms) external view returns (bytes32);
    /// @notice Returns keccak256 of the ABI encoding of legs.
    function legsHashOf(Leg[] calldata legs) external pure returns (bytes32);
}
