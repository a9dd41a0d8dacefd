// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {IFunds} from "../../contracts/interfaces/IFunds.sol";
import {IListings} from "../../contracts/interfaces/IListings.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {IRights} from "../../contracts/interfaces/IRights.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {Listings} from "../../contracts/market/Listings.sol";
import {Trades} from "../../contracts/market/Trades.sol";
import {Assessments} from "../../contracts/registry/Assessments.sol";
import {Assets} from "../../contracts/registry/Assets.sol";
import {Certificates} from "../../contracts/registry/Certificates.sol";
import {Rights} from "../../contracts/registry/Rights.sol";
import {Deliveries} from "../../contracts/settlement/Deliveries.sol";
import {Funds} from "../../contracts/settlement/Funds.sol";
import {Settlements} from "../../contracts/settlement/Settlements.sol";
import {Payee} from "../../contracts/types/Acting.sol";
import {
    AssetKind,
    AuthorityClass,
    Category,
    DeliveryForm,
    DigestAlg,
    Grade,
    Noun
} from "../../contracts/types/Codes.sol";
import {
    AgreementId,
    AssessmentId,
    AssetId,
    CertificateId,
    DeliveryId,
    ListingId,
    ParticipantId,
    RightId,
    SettlementId,
    TradeId
} from "../../contracts/types/Ids.sol";
import {Ledger} from "./Ledger.sol";

/// @notice The ledger with a market: one registered resource, and helpers that list, trade, deliver and settle it.
/// @dev This contract is itself the module that registers, so that market tests do not depend on how a registration
/// goes.
abstract contract Market is Ledger {
    /// @param certificateId The registration certificate, held by the asset's registrant.
    /// @param rightId The registrant's root right with all kinds.
    struct Registered {
        AssetId assetId;
        CertificateId certificateId;
        RightId rightId;
        bytes32 code;
    }

    /// @dev 1 000 yuan for one unit.
    uint64 internal constant PRICE_FEN = 100_000;
    uint64 internal constant DEPOSIT_FEN = 10_000_000;
    uint32 internal constant INSPECTION_SECONDS = 3 days;
    bytes32 internal constant DOCUMENT = keccak256("document");

    Funds internal funds;
    Certificates internal certificates;
    Rights internal rights;
    Assets internal assets;
    Assessments internal assessments;
    Listings internal listings;
    Trades internal trades;
    Deliveries internal deliveries;
    Settlements internal settlements;

    /// @dev Who is paid for the resource, 60 % to the seller and 40 % to the other seller, in ascending order of id.
    Payee[] internal table;
    Registered internal resource;
    ListingId internal listingId;

    uint256 private _references;

    // ---------------------------------------------------------------- the ledger

    function setUp() public virtual override {
        super.setUp();
        _setModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER, address(trades));
        _setModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER, address(deliveries));
        _setModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER, address(settlements));
        _setModule(IParticipants.ModuleKind.FUNDS_HOLDER, address(trades));
        _setModule(IParticipants.ModuleKind.FUNDS_SPLITTER, address(settlements));
        _setModule(IParticipants.ModuleKind.TRADE_ADVANCER, address(deliveries));
        _setModule(IParticipants.ModuleKind.TRADE_ADVANCER, address(settlements));
        _setModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER, address(this));
        _setModule(IParticipants.ModuleKind.RIGHT_GRANTER, address(this));
        _setModule(IParticipants.ModuleKind.ASSET_REGISTRAR, address(this));
        _pay(seller.id, 6000);
        _pay(otherSeller.id, 4000);
        resource = _registered(seller, _declaration(AssetKind.RESOURCE, "resource"));
        listingId = _listed(_offer(resource));
        _deposit(buyer.id, DEPOSIT_FEN);
    }

    function _deploy() internal virtual override {
        super._deploy();
        funds = new Funds(participants);
        certificates = new Certificates(participants);
        rights = new Rights(participants, certificates);
        assets = new Assets(participants, rights);
        assessments = new Assessments(participants, assets);
        listings = new Listings(participants, agreements, certificates, rights, assets, assessments);
        trades = new Trades(participants, listings, assets, funds, certificates);
        deliveries = new Deliveries(participants, trades, certificates);
        settlements = new Settlements(participants, trades, deliveries, funds, certificates);
    }

    // ---------------------------------------------------------------- assets

    /// @notice Adds a payee to {table}, in ascending order of id.
    function _pay(ParticipantId payee, uint16 shareBps) internal {
        table.push(Payee(payee, shareBps));
        for (uint256 i = table.length - 1; i > 0; --i) {
            Payee memory low = table[i - 1];
            Payee memory high = table[i];
            if (ParticipantId.unwrap(low.participantId) < ParticipantId.unwrap(high.participantId)) break;
            (table[i - 1], table[i]) = (high, low);
        }
    }

    function _declaration(AssetKind kind, string memory name)
        internal
        view
        returns (IAssets.Declaration memory declaration)
    {
        declaration.kind = kind;
        declaration.category = Category.ENTERPRISE;
        declaration.grade = Grade.GENERAL;
        declaration.contentDigest = sha256(bytes(name));
        declaration.metadataDigest = keccak256(bytes(name));
        if (kind == AssetKind.ELEMENT) declaration.modelDigest = keccak256("model");
        declaration.digestAlg = DigestAlg.SHA256;
        declaration.revenueTable = table;
    }

    /// @notice Declares an asset and registers its first version, with a certificate and a root right.
    function _registered(Member memory registrant, IAssets.Declaration memory declaration)
        internal
        returns (Registered memory registered)
    {
        vm.prank(registrant.account);
        registered.assetId = assets.declare(declaration, _direct());
        (registered.certificateId, registered.code) = certificates.issue(
            ICertificates.CertificateRequest({
                kind: ICertificates.CertificateKind.REGISTRATION,
                subjectNoun: Noun.ASSET,
                subjectId: AssetId.unwrap(registered.assetId),
                subjectVersion: 1,
                issuer: registrar.id,
                holder: registrant.id,
                documentDigest: DOCUMENT,
                digestAlg: DigestAlg.SHA256,
                validUntil: START + 900 days,
                codeFormat: IProfiles.CodeFormat.NATIONAL
            }),
            0
        );
        registered.rightId = rights.enter(
            _rightTerms(registrant.id, 7),
            registered.assetId,
            1,
            registered.certificateId,
            0,
            registrant.id,
            registrant.account
        );
        assets.markRegistered(registered.assetId, 1);
    }

    /// @notice The fields of the resource's registration certificate, as its leaf covers them.
    function _registrationFields() internal view returns (ICertificates.CertificateFields memory) {
        return ICertificates.CertificateFields({
            certificateId: resource.certificateId,
            kind: ICertificates.CertificateKind.REGISTRATION,
            subjectNoun: Noun.ASSET,
            subjectId: AssetId.unwrap(resource.assetId),
            subjectVersion: 1,
            code: resource.code,
            issuer: registrar.id,
            holder: seller.id,
            documentDigest: DOCUMENT,
            digestAlg: DigestAlg.SHA256,
            issuedAt: START,
            validUntil: START + 900 days
        });
    }

    /// @param kinds Bit set: 1 HOLD, 2 USE, 4 OPERATE.
    function _rightTerms(ParticipantId holder, uint8 kinds) internal pure returns (IRights.RightTerms memory terms) {
        terms.holder = holder;
        terms.kinds = kinds;
        terms.basis = IRights.RightBasis.LAW;
        terms.evidenceDigest = DOCUMENT;
        terms.scopeDigest = DOCUMENT;
        terms.digestAlg = DigestAlg.SHA256;
        terms.maySubGrant = true;
    }

    // ---------------------------------------------------------------- listings

    /// @notice The seller's offer of an asset at a fixed price.
    function _offer(Registered memory asset) internal view returns (IListings.Offer memory offer) {
        offer.terms = IListings.ListingTerms({
            assetId: asset.assetId,
            assetVersion: 1,
            rightId: asset.rightId,
            homeVenue: exchange.id,
            mode: IListings.TradeMode.FIXED,
            unit: IListings.PriceUnit.ITEM,
            priceFen: PRICE_FEN,
            unitQuantity: 1,
            quantityMax: 50,
            deliveryForms: uint16(1 << uint8(DeliveryForm.DOWNLOAD)),
            inspectionSeconds: INSPECTION_SECONDS,
            termsDigest: keccak256("terms"),
            declarationDigest: keccak256("declaration"),
            digestAlg: DigestAlg.SHA256,
            listUntil: START + 300 days
        });
        offer.reports = new AssessmentId[](0);
        offer.revenueTable = table;
        offer.salt = keccak256("offer");
    }

    function _submitted(IListings.Offer memory offer) internal returns (ListingId) {
        vm.prank(seller.account);
        return listings.submit(offer, _direct());
    }

    function _listed(IListings.Offer memory offer) internal returns (ListingId submitted) {
        submitted = _submitted(offer);
        vm.prank(exchange.account);
        listings.approve(submitted, _direct());
    }

    /// @notice An agreement in force between the two exchanges.
    function _agreed(uint8 scopes, bytes32 salt) internal returns (AgreementId agreementId) {
        ParticipantId[] memory members = new ParticipantId[](2);
        (members[0], members[1]) = (exchange.id, otherExchange.id);
        if (ParticipantId.unwrap(members[0]) > ParticipantId.unwrap(members[1])) {
            (members[0], members[1]) = (members[1], members[0]);
        }
        vm.prank(exchange.account);
        agreementId = agreements.propose(
            IAgreements.AgreementProposal({
                members: members,
                scopes: scopes,
                maxAgeSeconds: 1 days,
                documentDigest: DOCUMENT,
                digestAlg: DigestAlg.SHA256,
                validUntil: 0,
                salt: salt
            }),
            _direct()
        );
        vm.prank(otherExchange.account);
        agreements.sign(agreementId, _direct());
    }

    /// @notice The exchange takes the role from the seller, whose listings stay.
    function _revokeSeller() internal {
        vm.prank(exchange.account);
        participants.revokeRole(
            seller.id, IParticipants.Role.SELLER, exchange.id, _cause(AuthorityClass.VENUE), _direct()
        );
    }

    // ---------------------------------------------------------------- money

    function _deposit(ParticipantId participantId, uint64 amountFen) internal {
        vm.prank(bank.account);
        funds.attestDeposit(_bankDeposit(participantId, amountFen), _direct());
    }

    function _bankDeposit(ParticipantId participantId, uint64 amountFen) internal returns (IFunds.BankDeposit memory) {
        _references += 1;
        return IFunds.BankDeposit({
            participantId: participantId,
            amountFen: amountFen,
            currency: "CNY",
            bankReferenceDigest: keccak256(abi.encode("reference", _references)),
            digestAlg: DigestAlg.SHA256,
            valueDate: 20_260_302
        });
    }

    function _availableOf(Member memory member) internal view returns (uint64) {
        return funds.fundsAccountOf(member.id, bank.id).availableFen;
    }

    function _heldOf(Member memory member) internal view returns (uint64) {
        return funds.fundsAccountOf(member.id, bank.id).heldFen;
    }

    // ---------------------------------------------------------------- trades

    /// @notice The buyer's terms for a quantity of the listing: 2 % to the venue, 6 % tax, the rest by {table}.
    function _terms(uint64 quantity, bytes32 salt) internal view returns (ITrades.TradeTerms memory terms) {
        terms.listingId = listingId;
        terms.listingVersion = 1;
        terms.listingVenue = exchange.id;
        terms.executingVenue = exchange.id;
        terms.buyer = buyer.id;
        terms.seller = seller.id;
        terms.template = ITrades.ContractTemplate.DATA_PROVISION;
        terms.contractDigest = keccak256("contract");
        terms.policyDigest = keccak256("policy");
        terms.digestAlg = DigestAlg.SHA256;
        terms.rightKinds = 2;
        terms.quantity = quantity;
        terms.grossFen = PRICE_FEN * quantity;
        terms.rail = ITrades.Rail.PREFUNDED;
        terms.bank = bank.id;
        terms.deliveryForm = DeliveryForm.DOWNLOAD;
        terms.inspectionSeconds = INSPECTION_SECONDS;
        terms.deliverBy = START + 30 days;
        terms.offerUntil = START + 1 days;
        terms.salt = salt;
        terms.legsHash = keccak256(abi.encode(_legs(terms.grossFen)));
    }

    /// @notice Shares in table order, rounding fen to the first payees that lost a part, then fee and tax; zero legs
    /// left out.
    function _legs(uint64 grossFen) internal view returns (ITrades.Leg[] memory legs) {
        uint64 feeFen = grossFen * 2 / 100;
        uint64 taxFen = grossFen * 6 / 106;
        uint64 netFen = grossFen - feeFen - taxFen;
        legs = new ITrades.Leg[](table.length + 2);
        uint64 left = netFen;
        for (uint256 i = 0; i < table.length; ++i) {
            uint64 part = uint64(uint256(netFen) * table[i].shareBps / 10_000);
            legs[i] = ITrades.Leg(ITrades.LegKind.SHARE, table[i].participantId, part);
            left -= part;
        }
        for (uint256 i = 0; left > 0; ++i) {
            if (uint256(netFen) * table[i].shareBps % 10_000 == 0) continue;
            legs[i].amountFen += 1;
            left -= 1;
        }
        legs[table.length] = ITrades.Leg(ITrades.LegKind.FEE, exchange.id, feeFen);
        legs[table.length + 1] = ITrades.Leg(ITrades.LegKind.TAX, taxOffice.id, taxFen);
        return _withoutZero(legs);
    }

    function _withoutZero(ITrades.Leg[] memory legs) private pure returns (ITrades.Leg[] memory kept) {
        uint256 count = 0;
        for (uint256 i = 0; i < legs.length; ++i) {
            if (legs[i].amountFen != 0) ++count;
        }
        kept = new ITrades.Leg[](count);
        count = 0;
        for (uint256 i = 0; i < legs.length; ++i) {
            if (legs[i].amountFen != 0) kept[count++] = legs[i];
        }
    }

    /// @notice Terms, signed by buyer and seller.
    function _conclusion(ITrades.TradeTerms memory terms, ITrades.Leg[] memory legs)
        internal
        view
        returns (ITrades.Conclusion memory conclusion)
    {
        bytes32 digest = trades.digestOf(terms);
        conclusion.terms = terms;
        conclusion.legs = legs;
        conclusion.buyerAccount = buyer.account;
        conclusion.buyerSignature = signatureOf(buyer.key, digest);
        conclusion.sellerAccount = seller.account;
        conclusion.sellerSignature = signatureOf(seller.key, digest);
        conclusion.revenueTable = table;
        conclusion.documentDigest = DOCUMENT;
        conclusion.digestAlg = DigestAlg.SHA256;
    }

    function _concluded(ITrades.TradeTerms memory terms) internal returns (TradeId) {
        ITrades.Conclusion memory conclusion = _conclusion(terms, _legs(terms.grossFen));
        vm.prank(exchange.account);
        return trades.conclude(conclusion, _direct());
    }

    /// @notice A trade of the product for nothing: no money is held.
    function _concludedFree() internal returns (TradeId) {
        IListings.Offer memory offer = _offer(resource);
        offer.terms.mode = IListings.TradeMode.FREE;
        offer.terms.priceFen = 0;
        offer.salt = "free";
        listingId = _listed(offer);
        ITrades.TradeTerms memory terms = _terms(1, "a");
        ITrades.Leg[] memory none = new ITrades.Leg[](0);
        terms.grossFen = 0;
        terms.bank = NO_VENUE;
        terms.legsHash = keccak256(abi.encode(none));
        ITrades.Conclusion memory conclusion = _conclusion(terms, none);
        vm.prank(exchange.account);
        return trades.conclude(conclusion, _direct());
    }

    function _delivered(TradeId tradeId) internal returns (DeliveryId) {
        vm.prank(seller.account);
        return deliveries.deliver(
            tradeId, DeliveryForm.DOWNLOAD, keccak256("package"), keccak256("keys"), DigestAlg.SHA256, _direct()
        );
    }

    function _accepted(TradeId tradeId) internal returns (DeliveryId deliveryId) {
        deliveryId = _delivered(tradeId);
        vm.prank(buyer.account);
        deliveries.accept(deliveryId, keccak256("receipt"), DOCUMENT, DigestAlg.SHA256, _direct());
    }

    function _settled(TradeId tradeId, DeliveryId deliveryId) internal returns (SettlementId) {
        ITrades.Leg[] memory legs = _legs(trades.tradeOf(tradeId).grossFen);
        vm.prank(exchange.account);
        return settlements.settle(tradeId, deliveryId, legs, DOCUMENT, DigestAlg.SHA256, _direct());
    }
}
