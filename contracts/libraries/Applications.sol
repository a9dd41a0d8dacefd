// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRegistrations} from "../interfaces/IRegistrations.sol";
import {Actor} from "../types/Acting.sol";
import {AssetKind, AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId} from "../types/Ids.sol";
import {RightsTerms} from "./RightsTerms.sol";

/// @title Applications
/// @notice What an application for registration must satisfy before anybody examines it.
library Applications {
    uint256 internal constant RIGHTS_MAX = 16;

    uint8 private constant OPERATE_BIT = 4;

    /// @notice Returns what the asset is, and reverts unless the applicant declared this version, which is not
    /// registered yet.
    function requireAsset(
        IRegistrations.RegistrationApplication calldata params,
        Actor memory applicant,
        IAssets assets
    ) internal view returns (AssetKind) {
        (AssetId assetId, uint32 version) = (params.assetId, params.assetVersion);
        IAssets.AssetBrief memory asset = assets.briefOf(assetId);
        require(version != 0 && version <= asset.latestVersion, IAssets.AssetNotFound(assetId, version));
        bool isOwn = asset.registrant == applicant.sequence;
        require(isOwn, IAssets.CallerNotRegistrant(assetId, applicant.participantId));
        require(version > asset.registeredVersion, IAssets.AssetAlreadyRegistered(assetId, version));
        require(version <= type(uint24).max, IActing.FieldInvalid("assetVersion"));
        return asset.kind;
    }

    /// @notice Returns the registrar's number, and reverts unless it may register this applicant's data, and could write
    /// the certificate's code.
    function requireRegistrar(ParticipantId registrar, ParticipantId applicant, IParticipants participants)
        internal
        view
        returns (uint32 sequence)
    {
        sequence = participants.requireIssuer(registrar, IParticipants.Role.REGISTRAR);
        require(registrar != applicant, IRegistrations.RegistrarIsApplicant(applicant));
    }

    /// @notice Reverts unless the objection is raised as a party or as a regulator.
    function requireObjector(Actor memory actor, AuthorityClass authority) internal pure {
        require(
            authority == AuthorityClass.PARTY || authority == AuthorityClass.REGULATOR,
            IParticipants.AuthorityMissing(actor.participantId, uint8(authority))
        );
    }

    function requireFields(IRegistrations.RegistrationApplication calldata params) internal pure {
        require(params.actType == IRegistrations.ActType.INITIAL, IRegistrations.ActTypeNotServed(params.actType));
        require(
            CertificateId.unwrap(params.priorCertificateId) == 0,
            IRegistrations.PriorCertificateWrong(params.actType, params.priorCertificateId)
        );
        require(params.sourceKind != IRegistrations.SourceKind.NONE, IActing.FieldInvalid("sourceKind"));
        require(params.processingRole != IRegistrations.ProcessingRole.NONE, IActing.FieldInvalid("processingRole"));
        requireDigest(params.documentDigest, params.digestAlg);
    }

    function requireDigest(bytes32 digest, DigestAlg digestAlg) internal pure {
        require(digest != 0 && digestAlg != DigestAlg.NONE, IActing.FieldInvalid("documentDigest"));
    }

    /// @notice Reverts unless source and processing role support every right applied for (D-10).
    /// @dev An entrusted processor gains none. Data collected from public sources by a program gives HOLD and USE;
    /// OPERATE only for a product,
    /// which the registrar finds not to replace its source.
    function requireRights(
        IRegistrations.RegistrationApplication calldata params,
        AssetKind kind,
        IParticipants participants
    ) internal view {
        bool isEntrusted = params.processingRole == IRegistrations.ProcessingRole.ENTRUSTED;
        bool mayOperate = params.sourceKind != IRegistrations.SourceKind.CRAWLED || kind == AssetKind.PRODUCT;
        require(isEntrusted || params.rights.length != 0, IActing.FieldInvalid("rights"));
        require(params.rights.length <= RIGHTS_MAX, IActing.FieldInvalid("rights"));
        for (uint256 i = 0; i < params.rights.length; i++) {
            uint8 kinds = params.rights[i].kinds;
            require(
                !isEntrusted && (mayOperate || kinds & OPERATE_BIT == 0),
                IRegistrations.RightNotSupported(params.sourceKind, params.processingRole, kinds)
            );
            RightsTerms.requireValid(params.rights[i], participants);
        }
    }
}
