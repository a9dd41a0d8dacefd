// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IAssets} from "../interfaces/IAssets.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {IRegistrations} from "../interfaces/IRegistrations.sol";
import {IRights} from "../interfaces/IRights.sol";
import {Actor} from "../types/Acting.sol";
import {AssetKind, AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {AssetId, CertificateId, ParticipantId} from "../types/Ids.sol";

/// @title Applications
/// @notice What an application for registration must satisfy before anybody examines it.
library Applications {
    uint256 internal constant RIGHTS_MAX = 16;

    uint8 private constant OPERATE_BIT = 4;
    ParticipantId private constant LEDGER = ParticipantId.wrap(0);

    /// @notice Reverts unless the applicant declared this version, which is not registered yet.
    function requireAsset(
        IRegistrations.RegistrationApplication calldata params,
        ParticipantId applicant,
        IAssets assets
    ) internal view {
        AssetId assetId = params.assetId;
        (uint32 latestVersion, uint32 registeredVersion) = assets.latestVersionOf(assetId);
        require(
            params.assetVersion != 0 && params.assetVersion <= latestVersion,
            IAssets.AssetNotFound(assetId, params.assetVersion)
        );
        require(assets.registrantOf(assetId) == applicant, IAssets.CallerNotRegistrant(assetId, applicant));
        require(params.assetVersion > registeredVersion, IAssets.AssetAlreadyRegistered(assetId, params.assetVersion));
    }

    /// @notice Reverts unless the registrar may register this applicant's data, and could write the certificate's code.
    function requireRegistrar(ParticipantId registrar, ParticipantId applicant, IParticipants participants)
        internal
        view
    {
        requireActive(registrar, participants);
        require(
            participants.hasRole(registrar, IParticipants.Role.REGISTRAR, LEDGER),
            IParticipants.RoleMissing(registrar, IParticipants.Role.REGISTRAR, LEDGER)
        );
        participants.issuerCodeOf(registrar);
        require(registrar != applicant, IRegistrations.RegistrarIsApplicant(applicant));
    }

    function requireActive(ParticipantId participantId, IParticipants participants) internal view {
        if (participants.isActive(participantId)) return;
        revert IParticipants.ParticipantNotActive(participantId, participants.participantOf(participantId).state);
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
    function requireRights(IRegistrations.RegistrationApplication calldata params, IRights rights, IAssets assets)
        internal
        view
    {
        bool isEntrusted = params.processingRole == IRegistrations.ProcessingRole.ENTRUSTED;
        bool mayOperate = params.sourceKind != IRegistrations.SourceKind.CRAWLED
            || assets.kindOf(params.assetId) == AssetKind.PRODUCT;
        require(isEntrusted || params.rights.length != 0, IActing.FieldInvalid("rights"));
        require(params.rights.length <= RIGHTS_MAX, IActing.FieldInvalid("rights"));
        for (uint256 i = 0; i < params.rights.length; i++) {
            uint8 kinds = params.rights[i].kinds;
            require(
                !isEntrusted && (mayOperate || kinds & OPERATE_BIT == 0),
                IRegistrations.RightNotSupported(params.sourceKind, params.processingRole, kinds)
            );
            rights.requireTerms(params.rights[i]);
        }
    }
}
