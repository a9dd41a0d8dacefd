// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Closed code lists shared by several nouns. Values are appended, never renumbered: they stand in events for ever.
/// @dev How a digest was made. NONE is only valid beside a zero digest.
enum DigestAlg {
    NONE,
    SHA256,
    SM3,
    KECCAK256
}

/// @dev What a certificate, flag or hold is about.
enum Noun {
    NONE,
    PARTICIPANT,
    ASSET,
    REGISTRATION,
    RIGHT,
    CERTIFICATE,
    ASSESSMENT,
    LISTING,
    TRADE,
    DELIVERY,
    SETTLEMENT
}

/// @dev The kind of authority behind an adverse act. A hold or flag is lifted only by its own class.
enum AuthorityClass {
    NONE,
    ISSUER,
    VENUE,
    REGULATOR,
    COURT,
    ARBITRATION,
    BANK,
    PARTY
}

/// @dev The three levels of the object hierarchy (domain 3.1).
enum AssetKind {
    NONE,
    RESOURCE,
    ELEMENT,
    PRODUCT
}

/// @dev Data category (C-01).
enum Category {
    NONE,
    PUBLIC,
    ENTERPRISE,
    PERSONAL
}

/// @dev Data grade (C-02).
enum Grade {
    NONE,
    GENERAL,
    IMPORTANT,
    CORE
}

/// @dev How an asset depends on its parent (domain 3.1).
enum Relation {
    NONE,
    DERIVED_FROM,
    COMPOSED_OF,
    REVISION_OF
}

/// @dev The three separable rights (D-01).
enum RightKind {
    NONE,
    HOLD,
    USE,
    OPERATE
}

/// @dev A reviewed matter's outcome.
enum Verdict {
    PENDING,
    PASS,
    FAIL
}

/// @dev Delivery forms (G-05).
enum DeliveryForm {
    NONE,
    MEDIA,
    DOWNLOAD,
    API,
    TERMINAL,
    CUSTOM,
    REPORT,
    PRIVACY_COMPUTING,
    IN_DOMAIN
}
