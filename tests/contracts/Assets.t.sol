// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IRights} from "../../contracts/interfaces/IRights.sol";
import {Authorization, Payee} from "../../contracts/types/Acting.sol";
import {
    AssetKind,
    AuthorityClass,
    Category,
    DigestAlg,
    Grade,
    Relation,
    Verdict
} from "../../contracts/types/Codes.sol";
import {RightKind} from "../../contracts/types/Codes.sol";
import {AssetId, CertificateId, ParticipantId, RightId} from "../../contracts/types/Ids.sol";
import {Registry} from "./Registry.sol";

/// @notice Declarations, parents and revenue tables: C-01, C-02, C-04, D-22, E-01, R1 to R6.
contract AssetsTest is Registry {
    AssetId private constant UNKNOWN = AssetId.wrap("unknown");

    /// @dev The other seller's resource, and the seller's right to use it for 20 %.
    Registered private resource;
    RightId private consent;

    function setUp() public override {
        super.setUp();
        (resource, consent) = _consented("resource", 2000);
    }

    // ---------------------------------------------------------------- declare

    function test_declare_reverts_with_AccountNotFound() external {
        IAssets.Declaration memory declaration = _declaration(AssetKind.RESOURCE, "x", seller.id);
        vm.expectRevert(abi.encodeWithSelector(IParticipants.AccountNotFound.selector, stranger.account));
        _declared(stranger, declaration);
    }

    /// @dev R1.
    function test_declare_reverts_with_AssetAlreadyExists() external {
        IAssets.Declaration memory declaration = _declaration(AssetKind.RESOURCE, "x", seller.id);
        AssetId assetId = _declared(seller, declaration);
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetAlreadyExists.selector, assetId));
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_FieldInvalid_when_a_field_is_missing() external {
        IAssets.Declaration memory declaration = _product();
        declaration.kind = AssetKind.NONE;
        _refuse(declaration, "kind");
        declaration = _product();
        declaration.category = Category.NONE;
        _refuse(declaration, "category");
        declaration = _product();
        declaration.grade = Grade.NONE;
        _refuse(declaration, "grade");
        declaration = _product();
        declaration.contentDigest = 0;
        _refuse(declaration, "contentDigest");
        declaration = _product();
        declaration.metadataDigest = 0;
        _refuse(declaration, "metadataDigest");
        declaration = _product();
        declaration.modelDigest = "model";
        _refuse(declaration, "modelDigest");
        declaration = _element();
        declaration.modelDigest = 0;
        _refuse(declaration, "modelDigest");
        declaration = _product();
        declaration.digestAlg = DigestAlg.NONE;
        _refuse(declaration, "digestAlg");
        declaration = _product();
        declaration.parents[0].relation = Relation.NONE;
        _refuse(declaration, "relation");
    }

    function test_declare_reverts_with_GradeRefused() external {
        IAssets.Declaration memory declaration = _product();
        declaration.grade = Grade.CORE;
        vm.expectRevert(abi.encodeWithSelector(IAssets.GradeRefused.selector, Grade.CORE));
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_TooManyParents() external {
        IAssets.Declaration memory declaration = _product();
        declaration.kind = AssetKind.RESOURCE;
        vm.expectRevert(abi.encodeWithSelector(IAssets.TooManyParents.selector, 1, 0));
        _declared(seller, declaration);
        declaration = _product();
        declaration.parents = new IAssets.Parent[](17);
        vm.expectRevert(abi.encodeWithSelector(IAssets.TooManyParents.selector, 17, 16));
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_FieldInvalid_when_an_element_has_no_parent() external {
        _refuse(_declaration(AssetKind.ELEMENT, "x", seller.id), "parents");
    }

    function test_declare_reverts_with_FieldInvalid_when_the_lists_do_not_match_the_parents() external {
        IAssets.Declaration memory declaration = _product();
        declaration.parentTables = new Payee[][](0);
        _refuse(declaration, "parentTables");
        declaration = _product();
        declaration.parentLinks = new IAssets.Parent[][](2);
        _refuse(declaration, "parentLinks");
    }

    function test_declare_reverts_with_PayeesOutOfOrder() external {
        IAssets.Declaration memory declaration = _product();
        (declaration.revenueTable[0], declaration.revenueTable[1]) =
        (declaration.revenueTable[1], declaration.revenueTable[0]);
        _expectOutOfOrder(declaration.revenueTable[1].participantId);
        _declared(seller, declaration);
        declaration.revenueTable[1] = declaration.revenueTable[0];
        _expectOutOfOrder(declaration.revenueTable[1].participantId);
        _declared(seller, declaration);
        declaration = _product();
        declaration.revenueTable[0].shareBps = 0;
        _expectOutOfOrder(declaration.revenueTable[0].participantId);
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_TooManyPayees() external {
        IAssets.Declaration memory declaration = _product();
        declaration.revenueTable = new Payee[](17);
        vm.expectRevert(abi.encodeWithSelector(IAssets.TooManyPayees.selector, 17, 16));
        _declared(seller, declaration);
    }

    /// @dev R3.
    function test_declare_reverts_with_SharesNotWhole() external {
        IAssets.Declaration memory declaration = _product();
        declaration.revenueTable[0].shareBps += 1;
        vm.expectRevert(abi.encodeWithSelector(IAssets.SharesNotWhole.selector, 10_001));
        _declared(seller, declaration);
        declaration.revenueTable = new Payee[](0);
        vm.expectRevert(abi.encodeWithSelector(IAssets.SharesNotWhole.selector, 0));
        _declared(seller, declaration);
    }

    /// @dev R4.
    function test_declare_reverts_with_ParentNotRegistered() external {
        IAssets.Declaration memory declaration = _product();
        declaration.parents[0].version = 2;
        _expectNotRegistered(resource.assetId, 2);
        _declared(seller, declaration);
        declaration.parents[0].version = 0;
        _expectNotRegistered(resource.assetId, 0);
        _declared(seller, declaration);
        declaration.parents[0].assetId = _declared(otherSeller, _declaration(AssetKind.RESOURCE, "x", otherSeller.id));
        declaration.parents[0].version = 1;
        _expectNotRegistered(declaration.parents[0].assetId, 1);
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_ParentDuplicate() external {
        Registered[] memory parents = new Registered[](2);
        RightId[] memory consents = new RightId[](2);
        (parents[0], consents[0]) = (resource, consent);
        (parents[1], consents[1]) = (resource, consent);
        IAssets.Declaration memory declaration = _derived(_product(), parents, consents);
        vm.expectRevert(abi.encodeWithSelector(IAssets.ParentDuplicate.selector, resource.assetId));
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_ParentKindWrong() external {
        Registered memory product = _registered(seller, _product());
        IAssets.Declaration memory declaration =
            _derivedFrom(_declaration(AssetKind.ELEMENT, "e", seller.id), product, product.rightId);
        declaration.revenueTable = _pair(seller.id, 9000, otherSeller.id, 1000);
        vm.expectRevert(abi.encodeWithSelector(IAssets.ParentKindWrong.selector, product.assetId, AssetKind.PRODUCT));
        _declared(seller, declaration);
    }

    /// @dev E-03.
    function test_declare_reverts_with_SecurityReviewMissing() external {
        Registered memory element = _registered(seller, _element());
        IAssets.Declaration memory declaration = _fromElement(element);
        _passReviews(element, 2);
        vm.expectRevert(abi.encodeWithSelector(IAssets.SecurityReviewMissing.selector, element.assetId, 1));
        _declared(seller, declaration);
        _passReviews(element, 3);
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_LinksWrong() external {
        IAssets.Declaration memory declaration = _product();
        declaration.parentTables[0][0].participantId = seller.id;
        vm.expectRevert(abi.encodeWithSelector(IAssets.LinksWrong.selector, resource.assetId, 1));
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_RightMissing() external {
        IAssets.Declaration memory declaration = _product();
        declaration.parents[0].consentRightId = resource.rightId;
        _expectRightMissing(resource.rightId);
        _declared(seller, declaration);
        IRights.RightTerms memory terms = _terms(seller.id, 5);
        declaration.parents[0].consentRightId = _granted(otherSeller, resource.rightId, terms);
        _expectRightMissing(declaration.parents[0].consentRightId);
        _declared(seller, declaration);
    }

    /// @dev D-14: each version is a registration of its own, so a right on one is no consent to another.
    function test_declare_reverts_with_RightMissing_when_the_consent_is_for_another_version() external {
        IAssets.Declaration memory first = _declaration(AssetKind.RESOURCE, "first", seller.id);
        AssetId assetId = _declared(seller, first);
        IAssets.Declaration memory second = _declaration(AssetKind.RESOURCE, "second", seller.id);
        second.revenueTable = _pair(seller.id, 5000, otherSeller.id, 5000);
        vm.prank(seller.account);
        assets.revise(assetId, second, _direct());
        (CertificateId certificateId,) = certificates.issue(_request(seller.id, assetId), 0);
        RightId root = rights.enter(_terms(seller.id, 7), assetId, 2, certificateId, 0, registrar.id, registrar.account);
        assets.markRegistered(assetId, 2);
        IAssets.Declaration memory child = _declaration(AssetKind.PRODUCT, "child", seller.id);
        child.parents = new IAssets.Parent[](1);
        child.parents[0] = IAssets.Parent(assetId, 1, Relation.DERIVED_FROM, root);
        child.parentTables = new Payee[][](1);
        child.parentTables[0] = first.revenueTable;
        child.parentLinks = new IAssets.Parent[][](1);
        vm.expectRevert(abi.encodeWithSelector(IRights.RightMissing.selector, root, assetId, seller.id, RightKind.USE));
        _declared(seller, child);
    }

    function test_declare_reverts_with_RightNotActive() external {
        vm.prank(otherSeller.account);
        rights.revoke(consent, _cause(AuthorityClass.PARTY), _direct());
        IAssets.Declaration memory declaration = _product();
        vm.expectRevert(abi.encodeWithSelector(IRights.RightNotActive.selector, consent));
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_UpstreamShareMissing() external {
        IAssets.Declaration memory declaration = _product();
        declaration.revenueTable = _pair(seller.id, 8001, otherSeller.id, 1999);
        _expectShareMissing(otherSeller.id, 2000, 1999);
        _declared(seller, declaration);
        declaration.revenueTable = _pair(seller.id, 8000, buyer.id, 2000);
        _expectShareMissing(otherSeller.id, 2000, 0);
        _declared(seller, declaration);
    }

    function test_declare_reverts_with_ParticipantNotFound() external {
        IAssets.Declaration memory declaration = _declaration(AssetKind.PRODUCT, "x", ParticipantId.wrap("unknown"));
        vm.expectRevert(
            abi.encodeWithSelector(IParticipants.ParticipantNotFound.selector, ParticipantId.wrap("unknown"))
        );
        _declared(seller, declaration);
    }

    function test_declare_stores_the_first_version() external {
        IAssets.Declaration memory declaration = _element();
        declaration.grade = Grade.IMPORTANT;
        AssetId assetId = _declared(seller, declaration);
        IAssets.Asset memory asset = assets.assetOf(assetId, 1);
        vm.assertEq(
            AssetId.unwrap(assetId),
            keccak256(abi.encode(bytes32("asset"), AssetKind.ELEMENT, seller.id, declaration.contentDigest))
        );
        vm.assertEq(asset.version, 1);
        vm.assertTrue(asset.kind == AssetKind.ELEMENT && asset.category == Category.ENTERPRISE);
        vm.assertTrue(asset.grade == Grade.IMPORTANT && asset.digestAlg == DigestAlg.SHA256);
        vm.assertEq(asset.sequence, 2);
        vm.assertEq(ParticipantId.unwrap(asset.registrant), ParticipantId.unwrap(seller.id));
        vm.assertEq(asset.contentDigest, declaration.contentDigest);
        vm.assertEq(asset.metadataDigest, declaration.metadataDigest);
        vm.assertEq(asset.modelDigest, declaration.modelDigest);
        vm.assertEq(asset.linksHash, keccak256(abi.encode(declaration.parents, declaration.revenueTable)));
        vm.assertEq(asset.declaredAt, START);
        vm.assertTrue(assets.kindOf(assetId) == AssetKind.ELEMENT);
        vm.assertEq(ParticipantId.unwrap(assets.registrantOf(assetId)), ParticipantId.unwrap(seller.id));
        _assertVersions(assetId, 1, 0);
    }

    function test_declare_emits_AssetDeclared() external {
        IAssets.Declaration memory declaration = _product();
        bytes32 assetId =
            keccak256(abi.encode(bytes32("asset"), AssetKind.PRODUCT, seller.id, declaration.contentDigest));
        vm.expectEmit(address(assets));
        emit IAssets.AssetDeclared(
            AssetId.wrap(assetId),
            seller.id,
            declaration.contentDigest,
            1,
            2,
            declaration.kind,
            declaration.category,
            declaration.grade,
            declaration.metadataDigest,
            declaration.modelDigest,
            declaration.digestAlg,
            declaration.parents,
            declaration.revenueTable,
            seller.account
        );
        _declared(seller, declaration);
    }

    function test_declare_links_parents() external {
        IAssets.Declaration memory declaration = _product();
        AssetId assetId = _declared(seller, declaration);
        assets.requireLinks(assetId, 1, declaration.parents, declaration.revenueTable);
        declaration.parents[0].version = 2;
        vm.expectRevert(abi.encodeWithSelector(IAssets.LinksWrong.selector, assetId, 1));
        assets.requireLinks(assetId, 1, declaration.parents, declaration.revenueTable);
    }

    function test_declare_adds_up_what_one_payee_is_owed_by_several_parents() external {
        Registered[] memory parents = new Registered[](2);
        RightId[] memory consents = new RightId[](2);
        (parents[0], consents[0]) = (resource, consent);
        (parents[1], consents[1]) = _consented("second", 3000);
        IAssets.Declaration memory declaration = _derived(_product(), parents, consents);
        declaration.revenueTable = _pair(seller.id, 5001, otherSeller.id, 4999);
        _expectShareMissing(otherSeller.id, 5000, 4999);
        _declared(seller, declaration);
        declaration.revenueTable = _pair(seller.id, 5000, otherSeller.id, 5000);
        _declared(seller, declaration);
    }

    /// @dev R3 and S1: for any parent table and consent, what is accepted gives each upstream payee its floor, and sums
    /// to the whole.
    function testFuzz_declare_keeps_every_upstream_share(uint256 upstreamBps, uint256 consentBps, uint256 givenBps)
        external
    {
        upstreamBps = bound(upstreamBps, 1, 9999);
        consentBps = bound(consentBps, 0, 9999);
        givenBps = bound(givenBps, 1, 9999);
        IAssets.Declaration memory declaration = _declaration(AssetKind.RESOURCE, "fuzzed", otherSeller.id);
        declaration.revenueTable = _pair(otherSeller.id, uint16(upstreamBps), seller.id, uint16(10_000 - upstreamBps));
        Registered memory parent = _registered(otherSeller, declaration);
        IRights.RightTerms memory terms = _terms(seller.id, 2);
        terms.shareBps = uint16(bound(consentBps, SHARE_BPS, 9999));
        RightId right = _granted(otherSeller, parent.rightId, terms);

        declaration = _derivedFrom(_declaration(AssetKind.PRODUCT, "child", seller.id), parent, right);
        declaration.revenueTable = _pair(otherSeller.id, uint16(givenBps), seller.id, uint16(10_000 - givenBps));
        uint256 theirs = upstreamBps * terms.shareBps / 10_000;
        uint256 own = (10_000 - upstreamBps) * terms.shareBps / 10_000;
        bool isEnough = givenBps >= theirs && 10_000 - givenBps >= own;

        vm.prank(seller.account);
        try assets.declare(declaration, _direct()) {
            vm.assertTrue(isEnough);
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(bytes4(reason)), bytes32(IAssets.UpstreamShareMissing.selector));
            vm.assertFalse(isEnough);
        }
    }

    function test_declare_declares_for_the_registrant() external {
        IAssets.Declaration memory declaration = _product();
        Authorization memory authorization =
            _relayed(seller, address(assets), IAssets.declare.selector, keccak256(abi.encode(declaration)), 1);
        vm.prank(stranger.account);
        AssetId assetId = assets.declare(declaration, authorization);
        vm.assertEq(ParticipantId.unwrap(assets.registrantOf(assetId)), ParticipantId.unwrap(seller.id));
    }

    // ---------------------------------------------------------------- revise

    function test_revise_reverts_with_AssetNotFound() external {
        IAssets.Declaration memory declaration = _product();
        _expectNotFound(UNKNOWN, 0);
        _revised(seller, UNKNOWN, declaration);
    }

    function test_revise_reverts_with_CallerNotRegistrant() external {
        IAssets.Declaration memory declaration = _declaration(AssetKind.RESOURCE, "x", seller.id);
        _expectNotRegistrant(resource.assetId);
        _revised(seller, resource.assetId, declaration);
    }

    function test_revise_reverts_with_FieldInvalid() external {
        IAssets.Declaration memory declaration = _declaration(AssetKind.PRODUCT, "x", otherSeller.id);
        _expectInvalid("kind");
        _revised(otherSeller, resource.assetId, declaration);
    }

    /// @dev R4: late parents cannot close a circle.
    function test_revise_reverts_with_ParentNotEarlier() external {
        AssetId early = _declared(seller, _product());
        (Registered memory late, RightId right) = _consented("late", 2000);
        IAssets.Declaration memory declaration = _derivedFrom(_product(), late, right);
        vm.expectRevert(abi.encodeWithSelector(IAssets.ParentNotEarlier.selector, late.assetId, 3, 2));
        _revised(seller, early, declaration);
    }

    function test_revise_stores_the_next_version() external {
        AssetId assetId = _declared(seller, _product());
        IAssets.Declaration memory declaration = _product();
        declaration.contentDigest = "next";
        declaration.category = Category.PUBLIC;
        declaration.grade = Grade.IMPORTANT;
        declaration.digestAlg = DigestAlg.SM3;
        vm.warp(START + 1 days);
        vm.assertEq(_revised(seller, assetId, declaration), 2);
        IAssets.Asset memory asset = assets.assetOf(assetId, 2);
        vm.assertEq(asset.contentDigest, "next");
        vm.assertTrue(asset.category == Category.PUBLIC && asset.grade == Grade.IMPORTANT);
        vm.assertTrue(asset.digestAlg == DigestAlg.SM3);
        vm.assertEq(asset.declaredAt, START + 1 days);
        _assertVersions(assetId, 2, 0);
        vm.assertEq(assets.assetOf(assetId, 1).declaredAt, START);
        vm.assertTrue(assets.assetOf(assetId, 1).grade == Grade.GENERAL);
    }

    function test_revise_keeps_the_sequence() external {
        AssetId assetId = _declared(seller, _product());
        _declared(buyer, _declaration(AssetKind.RESOURCE, "other", buyer.id));
        _revised(seller, assetId, _product());
        vm.assertEq(assets.assetOf(assetId, 2).sequence, 2);
    }

    /// @dev Domain 4.4.
    function test_revise_starts_without_reviews() external {
        Registered memory element = _registered(seller, _element());
        _passReviews(element, 3);
        _revised(seller, element.assetId, _element());
        vm.assertTrue(assets.isSecurityPassed(element.assetId, 1));
        vm.assertFalse(assets.isSecurityPassed(element.assetId, 2));
        vm.assertTrue(assets.reviewOf(element.assetId, 2, IAssets.ReviewKind.MODEL).verdict == Verdict.PENDING);
    }

    // ---------------------------------------------------------------- review

    function test_review_reverts_with_AssetNotFound() external {
        Registered memory element = _registered(seller, _element());
        IAssets.SecurityReview memory review = _review(element, IAssets.ReviewKind.MODEL);
        review.version = 2;
        _expectNotFound(element.assetId, 2);
        _reviewAs(reviewer, review);
    }

    function test_review_reverts_with_RoleMissing() external {
        IAssets.SecurityReview memory review = _review(_registered(seller, _element()), IAssets.ReviewKind.MODEL);
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.RoleMissing.selector, buyer.id, IParticipants.Role.SECURITY_REVIEWER, NO_VENUE
            )
        );
        _reviewAs(buyer, review);
    }

    function test_review_reverts_with_ReviewerIsRegistrant() external {
        IAssets.SecurityReview memory review = _review(_registered(seller, _element()), IAssets.ReviewKind.MODEL);
        _grant(seller, IParticipants.Role.SECURITY_REVIEWER, NO_VENUE);
        vm.expectRevert(abi.encodeWithSelector(IAssets.ReviewerIsRegistrant.selector, review.assetId, seller.id));
        _reviewAs(seller, review);
    }

    function test_review_reverts_with_FieldInvalid() external {
        Registered memory element = _registered(seller, _element());
        IAssets.SecurityReview memory review = _review(element, IAssets.ReviewKind.NONE);
        _expectInvalid("kind");
        _reviewAs(reviewer, review);
        review = _review(element, IAssets.ReviewKind.MODEL);
        review.verdict = Verdict.PENDING;
        _expectInvalid("verdict");
        _reviewAs(reviewer, review);
        review = _review(element, IAssets.ReviewKind.MODEL);
        review.reportDigest = 0;
        _expectInvalid("reportDigest");
        _reviewAs(reviewer, review);
        review = _review(element, IAssets.ReviewKind.MODEL);
        review.expiresAt = 1 << 40;
        _expectInvalid("expiresAt");
        _reviewAs(reviewer, review);
        review.assetId = resource.assetId;
        _expectInvalid("assetId");
        _reviewAs(reviewer, review);
    }

    function test_review_reverts_with_TimeInPast() external {
        IAssets.SecurityReview memory review = _review(_registered(seller, _element()), IAssets.ReviewKind.MODEL);
        review.expiresAt = START;
        _expectTimeInPast(START);
        _reviewAs(reviewer, review);
    }

    function test_review_reverts_with_ReviewedDigestWrong() external {
        Registered memory element = _registered(seller, _element());
        for (uint256 kind = 1; kind <= 3; ++kind) {
            IAssets.SecurityReview memory review = _review(element, IAssets.ReviewKind(kind));
            review.reviewedDigest = "another";
            vm.expectRevert(abi.encodeWithSelector(IAssets.ReviewedDigestWrong.selector, element.assetId, review.kind));
            _reviewAs(reviewer, review);
        }
    }

    function test_review_stores_the_verdict() external {
        Registered memory element = _registered(seller, _element());
        IAssets.SecurityReview memory review = _review(element, IAssets.ReviewKind.SOURCE);
        review.verdict = Verdict.FAIL;
        review.expiresAt = START + 1 days;
        _reviewAs(reviewer, review);
        IAssets.Review memory stored = assets.reviewOf(element.assetId, 1, IAssets.ReviewKind.SOURCE);
        vm.assertTrue(stored.verdict == Verdict.FAIL);
        vm.assertEq(stored.expiresAt, START + 1 days);
        vm.assertEq(stored.reportDigest, review.reportDigest);
    }

    function test_review_emits_AssetReviewed() external {
        IAssets.SecurityReview memory review = _review(_registered(seller, _element()), IAssets.ReviewKind.ELEMENT);
        vm.expectEmit(address(assets));
        emit IAssets.AssetReviewed(
            review.assetId,
            1,
            review.kind,
            Verdict.PASS,
            review.reviewedDigest,
            review.reportDigest,
            review.digestAlg,
            0,
            reviewer.id,
            reviewer.account
        );
        _reviewAs(reviewer, review);
    }

    function test_review_lets_the_latest_review_of_a_kind_count() external {
        Registered memory element = _registered(seller, _element());
        _passReviews(element, 3);
        IAssets.SecurityReview memory review = _review(element, IAssets.ReviewKind.MODEL);
        review.verdict = Verdict.FAIL;
        _reviewAs(reviewer, review);
        vm.assertFalse(assets.isSecurityPassed(element.assetId, 1));
        review.verdict = Verdict.PASS;
        _reviewAs(reviewer, review);
        vm.assertTrue(assets.isSecurityPassed(element.assetId, 1));
    }

    // ---------------------------------------------------------------- isSecurityPassed

    function test_isSecurityPassed_needs_all_three_reviews() external {
        Registered memory element = _registered(seller, _element());
        for (uint256 count = 0; count <= 3; ++count) {
            _passReviews(element, count);
            vm.assertEq(assets.isSecurityPassed(element.assetId, 1), count == 3);
        }
    }

    function test_isSecurityPassed_ends_with_the_first_review_that_expires() external {
        Registered memory element = _registered(seller, _element());
        _passReviews(element, 3);
        IAssets.SecurityReview memory review = _review(element, IAssets.ReviewKind.SOURCE);
        review.expiresAt = START + 1 days;
        _reviewAs(reviewer, review);
        vm.warp(START + 1 days - 1);
        vm.assertTrue(assets.isSecurityPassed(element.assetId, 1));
        vm.warp(START + 1 days);
        vm.assertFalse(assets.isSecurityPassed(element.assetId, 1));
    }

    // ---------------------------------------------------------------- setAlias

    function test_setAlias_reverts_with_AssetNotFound() external {
        _expectNotFound(UNKNOWN, 0);
        _alias(seller, UNKNOWN, "DOI", "10.1/x");
        _expectNotFound(AssetId.wrap(0), 0);
        assets.aliasOf("DOI", "10.1/x");
    }

    function test_setAlias_reverts_with_CallerNotRegistrant() external {
        _expectNotRegistrant(resource.assetId);
        _alias(seller, resource.assetId, "DOI", "10.1/x");
    }

    function test_setAlias_reverts_with_AliasTaken() external {
        _alias(otherSeller, resource.assetId, "DOI", "10.1/x");
        AssetId assetId = _declared(seller, _product());
        vm.expectRevert(abi.encodeWithSelector(IAssets.AliasTaken.selector, bytes32("DOI"), resource.assetId));
        _alias(seller, assetId, "DOI", "10.1/x");
    }

    function test_setAlias_reverts_with_FieldInvalid() external {
        _expectInvalid("scheme");
        _alias(otherSeller, resource.assetId, 0, "10.1/x");
        _expectInvalid("value");
        _alias(otherSeller, resource.assetId, "DOI", "");
        _expectInvalid("value");
        _alias(otherSeller, resource.assetId, "DOI", string(new bytes(257)));
    }

    function test_setAlias_records_the_alias_once_for_each_scheme() external {
        vm.expectEmit(address(assets));
        emit IAssets.AssetAliased(resource.assetId, "DOI", "10.1/x", otherSeller.id, otherSeller.account);
        _alias(otherSeller, resource.assetId, "DOI", "10.1/x");
        _alias(otherSeller, resource.assetId, "HANDLE", "10.1/x");
        vm.assertEq(AssetId.unwrap(assets.aliasOf("DOI", "10.1/x")), AssetId.unwrap(resource.assetId));
        vm.assertEq(AssetId.unwrap(assets.aliasOf("HANDLE", "10.1/x")), AssetId.unwrap(resource.assetId));
    }

    // ---------------------------------------------------------------- markRegistered

    function test_markRegistered_reverts_with_CallerNotModule() external {
        _expectNotModule(IParticipants.ModuleKind.ASSET_REGISTRAR);
        vm.prank(stranger.account);
        assets.markRegistered(resource.assetId, 1);
    }

    function test_markRegistered_reverts_with_AssetNotFound() external {
        _expectNotFound(resource.assetId, 2);
        assets.markRegistered(resource.assetId, 2);
        _expectNotFound(resource.assetId, 0);
        assets.markRegistered(resource.assetId, 0);
    }

    function test_markRegistered_reverts_with_AssetAlreadyRegistered() external {
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetAlreadyRegistered.selector, resource.assetId, 1));
        assets.markRegistered(resource.assetId, 1);
    }

    function test_markRegistered_marks_the_version() external {
        AssetId assetId = _declared(seller, _product());
        vm.expectEmit(address(assets));
        emit IAssets.AssetRegistered(assetId, 1);
        assets.markRegistered(assetId, 1);
        _assertVersions(assetId, 1, 1);
    }

    // ---------------------------------------------------------------- graph

    /// @dev R4 for any order of links: whatever is accepted points to lower sequences only.
    function testFuzz_graph_has_no_cycle(uint256 seed) external {
        Registered[] memory nodes = new Registered[](5);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = _productLike(string(abi.encodePacked("node", bytes1(uint8(65 + i)))));
        }
        for (uint256 step = 0; step < 12; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            Registered memory child = nodes[seed % nodes.length];
            Registered memory parent = nodes[(seed >> 128) % nodes.length];
            IAssets.Declaration memory declaration =
                _derivedFrom(_declaration(AssetKind.PRODUCT, "next", seller.id), parent, parent.rightId);
            uint64 childSequence = assets.assetOf(child.assetId, 1).sequence;
            uint64 parentSequence = assets.assetOf(parent.assetId, 1).sequence;
            vm.prank(seller.account);
            try assets.revise(child.assetId, declaration, _direct()) {
                vm.assertLt(parentSequence, childSequence);
            } catch (bytes memory reason) {
                vm.assertEq(bytes32(bytes4(reason)), bytes32(IAssets.ParentNotEarlier.selector));
                vm.assertGe(parentSequence, childSequence);
            }
        }
    }

    // ---------------------------------------------------------------- steps

    /// @dev The other seller's resource, and the seller's right to use it.
    function _consented(string memory name, uint16 shareBps)
        private
        returns (Registered memory registered, RightId right)
    {
        registered = _resource(otherSeller, name);
        IRights.RightTerms memory terms = _terms(seller.id, 2);
        terms.shareBps = shareBps;
        right = _granted(otherSeller, registered.rightId, terms);
    }

    function _productLike(string memory name) private returns (Registered memory) {
        return _registered(seller, _declaration(AssetKind.PRODUCT, name, seller.id));
    }

    function _product() private view returns (IAssets.Declaration memory declaration) {
        declaration = _derivedFrom(_declaration(AssetKind.PRODUCT, "product", seller.id), resource, consent);
        declaration.revenueTable = _pair(seller.id, 8000, otherSeller.id, 2000);
    }

    function _element() private view returns (IAssets.Declaration memory declaration) {
        declaration = _derivedFrom(_declaration(AssetKind.ELEMENT, "element", seller.id), resource, consent);
        declaration.revenueTable = _pair(seller.id, 8000, otherSeller.id, 2000);
    }

    function _fromElement(Registered memory element) private view returns (IAssets.Declaration memory declaration) {
        declaration = _derivedFrom(_declaration(AssetKind.PRODUCT, "product", seller.id), element, element.rightId);
        declaration.revenueTable = _pair(seller.id, 9000, otherSeller.id, 1000);
    }

    function _revised(Member memory member, AssetId assetId, IAssets.Declaration memory declaration)
        private
        returns (uint32)
    {
        vm.prank(member.account);
        return assets.revise(assetId, declaration, _direct());
    }

    function _review(Registered memory element, IAssets.ReviewKind kind)
        private
        view
        returns (IAssets.SecurityReview memory)
    {
        IAssets.Asset memory asset = assets.assetOf(element.assetId, 1);
        bytes32[4] memory digests = [bytes32(0), asset.linksHash, asset.modelDigest, asset.contentDigest];
        return IAssets.SecurityReview({
            assetId: element.assetId,
            version: 1,
            kind: kind,
            verdict: Verdict.PASS,
            reviewedDigest: digests[uint256(kind)],
            reportDigest: keccak256("report"),
            digestAlg: DigestAlg.SHA256,
            expiresAt: 0
        });
    }

    function _reviewAs(Member memory member, IAssets.SecurityReview memory review) private {
        vm.prank(member.account);
        assets.review(review, _direct());
    }

    function _passReviews(Registered memory element, uint256 count) private {
        for (uint256 kind = 1; kind <= count; ++kind) {
            _reviewAs(reviewer, _review(element, IAssets.ReviewKind(kind)));
        }
    }

    function _alias(Member memory member, AssetId assetId, bytes32 scheme, string memory value) private {
        vm.prank(member.account);
        assets.setAlias(assetId, scheme, value, _direct());
    }

    // ---------------------------------------------------------------- expectations

    function _refuse(IAssets.Declaration memory declaration, bytes32 field) private {
        _expectInvalid(field);
        _declared(seller, declaration);
    }

    function _expectOutOfOrder(ParticipantId participantId) private {
        vm.expectRevert(abi.encodeWithSelector(IAssets.PayeesOutOfOrder.selector, participantId));
    }

    function _expectNotRegistered(AssetId assetId, uint32 version) private {
        vm.expectRevert(abi.encodeWithSelector(IAssets.ParentNotRegistered.selector, assetId, version));
    }

    function _expectRightMissing(RightId rightId) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRights.RightMissing.selector, rightId, resource.assetId, seller.id, RightKind.USE)
        );
    }

    function _expectShareMissing(ParticipantId payee, uint256 requiredBps, uint256 givenBps) private {
        vm.expectRevert(abi.encodeWithSelector(IAssets.UpstreamShareMissing.selector, payee, requiredBps, givenBps));
    }

    function _expectNotFound(AssetId assetId, uint32 version) private {
        vm.expectRevert(abi.encodeWithSelector(IAssets.AssetNotFound.selector, assetId, version));
    }

    function _expectNotRegistrant(AssetId assetId) private {
        vm.expectRevert(abi.encodeWithSelector(IAssets.CallerNotRegistrant.selector, assetId, seller.id));
    }

    function _assertVersions(AssetId assetId, uint32 latest, uint32 registered) private view {
        (uint32 latestVersion, uint32 registeredVersion) = assets.latestVersionOf(assetId);
        vm.assertEq(latestVersion, latest);
        vm.assertEq(registeredVersion, registered);
    }
}
