// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Payee} from "../types/Acting.sol";
import {AssetKind, Category, DigestAlg, Grade, Relation, Verdict} from "../types/Codes.sol";
import {AssetId, ParticipantId, RightId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";

/// @title IAssets
/// @notice Data resources, data elements and data products: versions, parents, revenue tables and security reviews.
/// @dev One graph for three levels. Parents must be registered and carry a lower sequence, so the graph has no cycles
/// by construction.
/// The flattened revenue table (at most 16 payees, sum 10 000) is checked when the link is made, so settlement never
/// walks the graph
/// (architecture 7). Lists stand in the event; storage keeps their hash.
interface IAssets is IActing {
    /// @dev The three security reviews of an element, S(X) = O and M and R (E-03, domain 4.4).
    enum ReviewKind {
        NONE,
        SOURCE,
        MODEL,
        ELEMENT
    }

    /// @notice A link to a parent.
    /// @param assetId The parent.
    /// @param version The parent's registered version.
    /// @param relation How the asset depends on it.
    /// @param consentRightId The registrant's own right on the parent, which allows processing it: the consent
    /// (architecture 7).
    struct Parent {
        AssetId assetId;
        uint32 version;
        Relation relation;
        RightId consentRightId;
    }

    /// @notice A declared version of an asset.
    /// @param sequence The asset's number: 1, 2, 3 …; a parent's is always lower.
    /// @param version 1, 2, 3 … of this asset.
    /// @param registeredVersion The highest version that has been registered; 0 before.
    /// @param contentDigest Digest of the content (file, service description or sealed package).
    /// @param metadataDigest Digest of the metadata document.
    /// @param modelDigest Digest of the element model document; zero for other kinds.
    /// @param linksHash keccak256 of the ABI encoding of (parents, revenueTable).
    /// @param declaredAt Seconds.
    struct Asset {
        AssetId assetId;
        uint32 version;
        AssetKind kind;
        Category category;
        Grade grade;
        DigestAlg digestAlg;
        uint64 sequence;
        ParticipantId registrant;
        bytes32 contentDigest;
        bytes32 metadataDigest;
        bytes32 modelDigest;
        bytes32 linksHash;
        uint64 declaredAt;
    }

    /// @notice What stands in an asset's first slot.
    /// @param registrant The registrant's number ({IParticipants.sequenceOf}).
    /// @param latestVersion The highest declared version.
    /// @param registeredVersion The highest registered version; 0 before.
    struct AssetBrief {
        AssetKind kind;
        uint32 registrant;
        uint32 latestVersion;
        uint32 registeredVersion;
    }

    /// @notice A security review of one version.
    struct Review {
        Verdict verdict;
        uint64 expiresAt;
        bytes32 reportDigest;
    }

    /// @notice One of the three security reviews of a version, as its reviewer signs it.
    /// @param reviewedDigest The digest that was reviewed: SOURCE the links hash, MODEL the model digest, ELEMENT the
    /// content digest.
    /// @param reportDigest Digest of the review report.
    /// @param digestAlg How the report's digest was made.
    /// @param expiresAt Seconds, exclusive; 0 means open.
    struct SecurityReview {
        AssetId assetId;
        uint32 version;
        ReviewKind kind;
        Verdict verdict;
        bytes32 reviewedDigest;
        bytes32 reportDigest;
        DigestAlg digestAlg;
        uint64 expiresAt;
    }

    /// @param parents At most 16; each registered, each with the registrant's right to process it.
    /// @param revenueTable At most 16 payees in ascending order of id, sum 10 000; holds every parent's payees at no
    /// less than the consent's share.
    /// @param parentTables The parents' own revenue tables, in the order of `parents`, checked against their stored
    /// hashes.
    /// @param parentLinks The parents' own parents, in the same order, for the same check.
    struct Declaration {
        AssetKind kind;
        Category category;
        Grade grade;
        bytes32 contentDigest;
        bytes32 metadataDigest;
        bytes32 modelDigest;
        DigestAlg digestAlg;
        Parent[] parents;
        Payee[] revenueTable;
        Payee[][] parentTables;
        Parent[][] parentLinks;
    }

    /// @notice A version of an asset was declared; nothing is registered yet.
    event AssetDeclared(
        AssetId indexed assetId,
        ParticipantId indexed registrant,
        bytes32 indexed contentDigest,
        uint32 version,
        uint64 sequence,
        AssetKind kind,
        Category category,
        Grade grade,
        bytes32 metadataDigest,
        bytes32 modelDigest,
        DigestAlg digestAlg,
        Parent[] parents,
        Payee[] revenueTable,
        address byAccount
    );
    /// @notice A version became registered by the deposit of its registration.
    event AssetRegistered(AssetId indexed assetId, uint32 version);
    /// @notice A reviewer signed one of the three security reviews of a version.
    /// @param reviewedDigest The digest that was reviewed: O the links hash, M the model digest, R the content digest.
    /// @param expiresAt Seconds, exclusive; 0 means open.
    event AssetReviewed(
        AssetId indexed assetId,
        uint32 indexed version,
        ReviewKind indexed kind,
        Verdict verdict,
        bytes32 reviewedDigest,
        bytes32 reportDigest,
        DigestAlg digestAlg,
        uint64 expiresAt,
        ParticipantId reviewer,
        address byAccount
    );
    /// @notice An external id was recorded for an asset (domain 7): unique per scheme.
    event AssetAliased(
        AssetId indexed assetId, bytes32 indexed scheme, string value, ParticipantId byParticipant, address byAccount
    );

    /// @notice The asset, or this version of it, is not known.
    /// @custom:family NotFound
    error AssetNotFound(AssetId assetId, uint32 version);
    /// @notice The asset is already declared.
    /// @custom:family Conflict
    error AssetAlreadyExists(AssetId assetId);
    /// @notice The version is already registered.
    /// @custom:family Conflict
    error AssetAlreadyRegistered(AssetId assetId, uint32 version);
    /// @notice Only the asset's registrant can do this.
    /// @custom:family Forbidden
    error CallerNotRegistrant(AssetId assetId, ParticipantId participantId);
    /// @notice The parent version is not registered.
    /// @custom:family Invalid
    error ParentNotRegistered(AssetId parentId, uint32 version);
    /// @notice The parent stands twice in the list.
    /// @custom:family Invalid
    error ParentDuplicate(AssetId parentId);
    /// @notice The parent was declared after the asset; parents always carry a lower sequence.
    /// @custom:family Invalid
    error ParentNotEarlier(AssetId parentId, uint64 parentSequence, uint64 sequence);
    /// @notice The lists brought along are not those of the asset.
    /// @custom:family Invalid
    error LinksWrong(AssetId assetId, uint32 version);
    /// @notice There are more parents than one asset may have.
    /// @custom:family Invalid
    error TooManyParents(uint256 count, uint256 maximum);
    /// @notice A parent's kind does not fit: resources have none, elements come from resources and elements, products
    /// from all.
    /// @custom:family Invalid
    error ParentKindWrong(AssetId parentId, AssetKind parentKind);
    /// @notice The shares do not add up to 10 000 basis points.
    /// @custom:family Invalid
    error SharesNotWhole(uint256 totalBps);
    /// @notice A revenue table has more payees than settlement can pay at once.
    /// @custom:family Invalid
    error TooManyPayees(uint256 count, uint256 maximum);
    /// @notice Payees must stand in ascending order of id, each once, each with a share.
    /// @custom:family Invalid
    error PayeesOutOfOrder(ParticipantId participantId);
    /// @notice The revenue table gives an upstream payee less than was consented.
    /// @custom:family Invalid
    error UpstreamShareMissing(ParticipantId payee, uint256 requiredBps, uint256 givenBps);
    /// @notice Core data is never admitted (C-04).
    /// @custom:family Forbidden
    error GradeRefused(Grade grade);
    /// @notice The element has not passed all three security reviews.
    /// @custom:family Conflict
    error SecurityReviewMissing(AssetId assetId, uint32 version);
    /// @notice The reviewed digest is not the version's.
    /// @custom:family Invalid
    error ReviewedDigestWrong(AssetId assetId, ReviewKind kind);
    /// @notice A reviewer may not review its own asset.
    /// @custom:family Forbidden
    error ReviewerIsRegistrant(AssetId assetId, ParticipantId participantId);
    /// @notice The external id is already recorded.
    /// @custom:family Conflict
    error AliasTaken(bytes32 scheme, AssetId assetId);

    /// @notice Declares the first version of an asset, whose id is {Hashing.assetId} of kind, caller and content
    /// digest.
    ///
    /// Requirements, in order:
    /// - the caller is active, the asset is not declared;
    /// - kind, category, grade, digests and digest algorithm are set, the model digest for elements only; the grade is
    /// not CORE;
    /// - a resource has no parents, an element at least one, none more than 16;
    /// - the revenue table is whole: 1 to 16 payees in ascending order, each with a share, together 10 000 basis
    /// points;
    /// - each parent version is registered, stands once, carries a lower sequence and fits by kind; an element passed
    /// S(X) before a product uses it;
    /// - each parent's lists are its own, and the caller's consent right on it is an active USE right;
    /// - the table gives each parent's payees no less than the floor of their share of the consent's share, summed over
    /// the parents;
    /// - every other payee is a participant.
    ///
    /// Emits an {AssetDeclared} event.
    function declare(Declaration calldata params, Authorization calldata authorization)
        external
        returns (AssetId assetId);

    /// @notice Declares the next version of an own asset; the sequence stays, the security reviews begin anew.
    ///
    /// Requirements, in order:
    /// - the caller is active, the asset exists, the caller is its registrant, the kind stays;
    /// - all that {declare} requires of a declaration.
    ///
    /// Emits an {AssetDeclared} event.
    function revise(AssetId assetId, Declaration calldata params, Authorization calldata authorization)
        external
        returns (uint32 version);

    /// @notice Records one of the three security reviews of an element's version; the latest of its kind counts.
    ///
    /// Requirements, in order:
    /// - the version exists;
    /// - the caller is a SECURITY_REVIEWER of the ledger, and not the registrant;
    /// - the asset is an element; kind, verdict and report are set; `expiresAt` is 0 or ahead;
    /// - the reviewed digest is the version's.
    ///
    /// Emits an {AssetReviewed} event.
    function review(SecurityReview calldata params, Authorization calldata authorization) external;

    /// @notice Records an external id of an own asset (domain 7), once per scheme and value.
    /// @param scheme ASCII name such as `DOI`, left-aligned.
    /// @param value 1 to 256 bytes.
    ///
    /// Requirements, in order:
    /// - the asset exists, the caller is its registrant;
    /// - the alias is not recorded;
    /// - scheme and value are set.
    ///
    /// Emits an {AssetAliased} event.
    function setAlias(AssetId assetId, bytes32 scheme, string calldata value, Authorization calldata authorization)
        external;

    /// @notice Marks a version as registered; earlier versions can no longer be.
    ///
    /// Requirements, in order:
    /// - the caller is a module ASSET_REGISTRAR;
    /// - the version exists, and is higher than the highest registered.
    ///
    /// Emits an {AssetRegistered} event.
    function markRegistered(AssetId assetId, uint32 version) external;

    /// @notice Returns a version; reverts with {AssetNotFound}.
    function assetOf(AssetId assetId, uint32 version) external view returns (Asset memory);

    /// @notice Returns an asset's kind; reverts with {AssetNotFound}.
    function kindOf(AssetId assetId) external view returns (AssetKind);

    /// @notice Returns who declares an asset's versions; reverts with {AssetNotFound}.
    function registrantOf(AssetId assetId) external view returns (ParticipantId);

    /// @notice Returns what a registration asks of an asset, with the registrant's number; reverts with
    /// {AssetNotFound}.
    function briefOf(AssetId assetId) external view returns (AssetBrief memory);

    /// @notice Returns the highest declared and the highest registered version (0 for none); reverts with
    /// {AssetNotFound}.
    function latestVersionOf(AssetId assetId) external view returns (uint32 version, uint32 registeredVersion);

    /// @notice Returns the latest review of a kind, PENDING if there is none; reverts with {AssetNotFound}.
    function reviewOf(AssetId assetId, uint32 version, ReviewKind kind) external view returns (Review memory);

    /// @notice S(X): whether all three reviews of the version passed and none has expired.
    function isSecurityPassed(AssetId assetId, uint32 version) external view returns (bool);

    /// @notice Reverts unless the lists are those of the version.
    function requireLinks(AssetId assetId, uint32 version, Parent[] calldata parents, Payee[] calldata revenueTable)
        external
        view;

    /// @notice Returns the asset with an external id; reverts with {AssetNotFound}.
    function aliasOf(bytes32 scheme, string calldata value) external view returns (AssetId);
}
