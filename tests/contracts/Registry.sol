// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {IRights} from "../../contracts/interfaces/IRights.sol";
import {Assessments} from "../../contracts/registry/Assessments.sol";
import {Assets} from "../../contracts/registry/Assets.sol";
import {Certificates} from "../../contracts/registry/Certificates.sol";
import {Registrations} from "../../contracts/registry/Registrations.sol";
import {Rights} from "../../contracts/registry/Rights.sol";
import {Payee} from "../../contracts/types/Acting.sol";
import {AssetKind, AuthorityClass, Category, DigestAlg, Grade, Noun, Relation} from "../../contracts/types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RightId} from "../../contracts/types/Ids.sol";
import {Ledger} from "./Ledger.sol";

/// @notice The ledger with its registry and registered assets.
/// @dev This contract is itself a registering module, so that tests of one noun do not depend on how a registration
/// goes.
abstract contract Registry is Ledger {
    /// @param certificateId The registration certificate, held by the asset's registrant.
    /// @param rightId The registrant's root right with all kinds, which asks 20 % for the registrant's side.
    struct Registered {
        AssetId assetId;
        CertificateId certificateId;
        RightId rightId;
    }

    bytes32 internal constant DOCUMENT = keccak256("document");
    uint64 internal constant VALID_UNTIL = START + 900 days;
    uint16 internal constant SHARE_BPS = 2000;

    Certificates internal certificates;
    Rights internal rights;
    Assets internal assets;
    Assessments internal assessments;
    Registrations internal registrations;

    mapping(AssetId assetId => bytes declaration) private _declarations;

    // ---------------------------------------------------------------- the ledger

    function setUp() public virtual override {
        super.setUp();
        address[2] memory modules = [address(registrations), address(this)];
        for (uint256 i = 0; i < modules.length; ++i) {
            _setModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER, modules[i]);
            _setModule(IParticipants.ModuleKind.RIGHT_GRANTER, modules[i]);
            _setModule(IParticipants.ModuleKind.ASSET_REGISTRAR, modules[i]);
        }
    }

    function _deploy() internal virtual override {
        super._deploy();
        certificates = new Certificates(participants);
        rights = new Rights(participants, certificates);
        assets = new Assets(participants, rights);
        assessments = new Assessments(participants, assets);
        registrations = new Registrations(participants, profiles, certificates, rights, assets);
    }

    // ---------------------------------------------------------------- assets

    /// @notice A declaration whose whole revenue goes to one payee.
    function _declaration(AssetKind kind, string memory name, ParticipantId payee)
        internal
        pure
        returns (IAssets.Declaration memory declaration)
    {
        declaration.kind = kind;
        declaration.category = Category.ENTERPRISE;
        declaration.grade = Grade.GENERAL;
        declaration.contentDigest = sha256(bytes(name));
        declaration.metadataDigest = keccak256(bytes(name));
        if (kind == AssetKind.ELEMENT) declaration.modelDigest = keccak256("model");
        declaration.digestAlg = DigestAlg.SHA256;
        declaration.revenueTable = new Payee[](1);
        declaration.revenueTable[0] = Payee(payee, 10_000);
    }

    /// @notice The same declaration with parents, each used under the right given with it.
    function _derived(IAssets.Declaration memory declaration, Registered[] memory parents, RightId[] memory consents)
        internal
        view
        returns (IAssets.Declaration memory)
    {
        declaration.parents = new IAssets.Parent[](parents.length);
        declaration.parentTables = new Payee[][](parents.length);
        declaration.parentLinks = new IAssets.Parent[][](parents.length);
        for (uint256 i = 0; i < parents.length; ++i) {
            declaration.parents[i] = IAssets.Parent(parents[i].assetId, 1, Relation.DERIVED_FROM, consents[i]);
            IAssets.Declaration memory parent = abi.decode(_declarations[parents[i].assetId], (IAssets.Declaration));
            declaration.parentTables[i] = parent.revenueTable;
            declaration.parentLinks[i] = parent.parents;
        }
        return declaration;
    }

    function _derivedFrom(IAssets.Declaration memory declaration, Registered memory parent, RightId consent)
        internal
        view
        returns (IAssets.Declaration memory)
    {
        Registered[] memory parents = new Registered[](1);
        RightId[] memory consents = new RightId[](1);
        (parents[0], consents[0]) = (parent, consent);
        return _derived(declaration, parents, consents);
    }

    /// @notice Two payees in ascending order of id.
    function _pair(ParticipantId one, uint16 oneBps, ParticipantId other, uint16 otherBps)
        internal
        pure
        returns (Payee[] memory table)
    {
        table = new Payee[](2);
        bool isFirst = ParticipantId.unwrap(one) < ParticipantId.unwrap(other);
        table[isFirst ? 0 : 1] = Payee(one, oneBps);
        table[isFirst ? 1 : 0] = Payee(other, otherBps);
    }

    function _declared(Member memory registrant, IAssets.Declaration memory declaration) internal returns (AssetId) {
        vm.prank(registrant.account);
        return assets.declare(declaration, _direct());
    }

    /// @notice Declares an asset and registers its first version, with a certificate and a root right.
    function _registered(Member memory registrant, IAssets.Declaration memory declaration)
        internal
        returns (Registered memory registered)
    {
        registered.assetId = _declared(registrant, declaration);
        _declarations[registered.assetId] = abi.encode(declaration);
        (registered.certificateId,) = certificates.issue(_request(registrant.id, registered.assetId), 0);
        registered.rightId = rights.enter(
            _terms(registrant.id, 7),
            registered.assetId,
            1,
            registered.certificateId,
            0,
            registrar.id,
            registrar.account
        );
        assets.markRegistered(registered.assetId, 1);
    }

    function _resource(Member memory registrant, string memory name) internal returns (Registered memory) {
        return _registered(registrant, _declaration(AssetKind.RESOURCE, name, registrant.id));
    }

    // ---------------------------------------------------------------- rights and certificates

    /// @param kinds Bit set: 1 HOLD, 2 USE, 4 OPERATE.
    function _terms(ParticipantId holder, uint8 kinds) internal pure returns (IRights.RightTerms memory terms) {
        terms.holder = holder;
        terms.kinds = kinds;
        terms.basis = IRights.RightBasis.CONTRACT;
        terms.evidenceDigest = keccak256("evidence");
        terms.scopeDigest = keccak256("scope");
        terms.digestAlg = DigestAlg.SHA256;
        terms.maySubGrant = true;
        terms.shareBps = SHARE_BPS;
    }

    function _granted(Member memory grantor, RightId parentRightId, IRights.RightTerms memory terms)
        internal
        returns (RightId)
    {
        vm.prank(grantor.account);
        return rights.grant(IRights.RightGrant(parentRightId, terms, keccak256(abi.encode(terms))), _direct());
    }

    function _request(ParticipantId holder, AssetId assetId)
        internal
        view
        returns (ICertificates.CertificateRequest memory)
    {
        return ICertificates.CertificateRequest({
            kind: ICertificates.CertificateKind.REGISTRATION,
            subjectNoun: Noun.ASSET,
            subjectId: AssetId.unwrap(assetId),
            subjectVersion: 1,
            issuer: registrar.id,
            holder: holder,
            documentDigest: DOCUMENT,
            digestAlg: DigestAlg.SHA256,
            validUntil: VALID_UNTIL,
            codeFormat: IProfiles.CodeFormat.NATIONAL
        });
    }

    /// @notice The fields of a certificate issued at {START} by {_request}, the first of its issuer.
    function _fieldsOf(ICertificates.CertificateRequest memory request, CertificateId certificateId)
        internal
        pure
        returns (ICertificates.CertificateFields memory)
    {
        return ICertificates.CertificateFields({
            certificateId: certificateId,
            kind: request.kind,
            subjectNoun: request.subjectNoun,
            subjectId: request.subjectId,
            subjectVersion: request.subjectVersion,
            code: "SJ4422026030001",
            issuer: request.issuer,
            holder: request.holder,
            documentDigest: request.documentDigest,
            digestAlg: request.digestAlg,
            issuedAt: START,
            validUntil: request.validUntil
        });
    }

    // ---------------------------------------------------------------- expectations

    function _expectInvalid(bytes32 field) internal {
        vm.expectRevert(abi.encodeWithSelector(IActing.FieldInvalid.selector, field));
    }

    function _expectTimeInPast(uint64 time) internal {
        vm.expectRevert(abi.encodeWithSelector(IActing.TimeInPast.selector, time, uint64(block.timestamp)));
    }

    function _expectAuthority(Member memory member, AuthorityClass authority) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AuthorityMissing.selector, member.id, uint8(authority)));
    }

    function _expectNotModule(IParticipants.ModuleKind kind) internal {
        vm.expectRevert(abi.encodeWithSelector(IParticipants.CallerNotModule.selector, stranger.account, kind));
    }
}
