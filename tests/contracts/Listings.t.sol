// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IAssessments} from "../../contracts/interfaces/IAssessments.sol";
import {IAssets} from "../../contracts/interfaces/IAssets.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IListings} from "../../contracts/interfaces/IListings.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IRights} from "../../contracts/interfaces/IRights.sol";
import {Hashing} from "../../contracts/libraries/Hashing.sol";
import {Cause, Payee} from "../../contracts/types/Acting.sol";
import {AssetKind, AuthorityClass, DigestAlg, Relation, RightKind, Verdict} from "../../contracts/types/Codes.sol";
import {AgreementId, AssessmentId, AssetId, ListingId, ParticipantId, RightId} from "../../contracts/types/Ids.sol";
import {Market} from "./Market.sol";

/// @dev G-01, G-02, G-03, G-04: only registered assets are listed, by whoever may operate them, at home and where they
/// are mirrored.
contract ListingsTest is Market {
    // ---------------------------------------------------------------- submit

    function test_submit_reverts_with_RoleMissing() public {
        IListings.Offer memory offer = _fresh();
        offer.terms.homeVenue = otherExchange.id;
        _refuse(offer, IParticipants.RoleMissing.selector);
    }

    /// @dev D-01, L1: a listing without the right to operate is refused.
    function test_submit_reverts_with_RightMissing() public {
        IListings.Offer memory offer = _fresh();
        offer.terms.rightId = _granted(seller, 3);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRights.RightMissing.selector, offer.terms.rightId, resource.assetId, seller.id, RightKind.OPERATE
            )
        );
        _submitted(offer);
    }

    function test_submit_reverts_with_RightMissing_given_another_holds_it() public {
        IListings.Offer memory offer = _fresh();
        vm.expectPartialRevert(IRights.RightMissing.selector);
        vm.prank(otherSeller.account);
        listings.submit(offer, _direct());
    }

    function test_submit_reverts_with_RightNotActive() public {
        _revokeRight();
        _refuse(_fresh(), IRights.RightNotActive.selector);
    }

    function test_submit_reverts_with_ListingAlreadyExists() public {
        _refuse(_offer(resource), IListings.ListingAlreadyExists.selector);
    }

    function test_submit_reverts_with_CertificateNotUsable() public {
        _object();
        _refuse(_fresh(), ICertificates.CertificateNotUsable.selector);
    }

    function test_submit_reverts_with_AssetNotRegistered() public {
        IListings.Offer memory offer = _fresh();
        _revise();
        offer.terms.assetVersion = 2;
        _refuse(offer, IListings.AssetNotRegistered.selector);
    }

    function test_submit_reverts_with_AssetNotRegistered_given_it_is_older_than_the_right() public {
        _revise();
        assets.markRegistered(resource.assetId, 2);
        IListings.Offer memory offer = _fresh();
        offer.terms.rightId = rights.enter(
            _rightTerms(seller.id, 7), resource.assetId, 2, resource.certificateId, "second", seller.id, seller.account
        );
        _refuse(offer, IListings.AssetNotRegistered.selector);
    }

    /// @dev D-14: each version is a registration of its own; an older one's right does not carry a newer version.
    function test_submit_reverts_with_AssetNotRegistered_given_it_is_newer_than_the_right() public {
        _revise();
        assets.markRegistered(resource.assetId, 2);
        IListings.Offer memory offer = _fresh();
        offer.terms.assetVersion = 2;
        vm.expectRevert(abi.encodeWithSelector(IListings.AssetNotRegistered.selector, resource.assetId, 2));
        _submitted(offer);
    }

    function test_submit_reverts_with_LinksWrong() public {
        IListings.Offer memory offer = _fresh();
        offer.revenueTable[0].shareBps -= 1;
        _refuse(offer, IAssets.LinksWrong.selector);
    }

    /// @dev E-03: S(X) = O and M and R.
    function test_submit_reverts_with_SecurityReviewMissing() public {
        (IListings.Offer memory offer, Registered memory element) = _elementOffer();
        _refuse(offer, IAssets.SecurityReviewMissing.selector);
        _review(element, IAssets.ReviewKind.SOURCE);
        _review(element, IAssets.ReviewKind.MODEL);
        _refuse(offer, IAssets.SecurityReviewMissing.selector);
    }

    function test_submit_reverts_with_SecurityReviewMissing_for_a_parent() public {
        (IListings.Offer memory elementOffer, Registered memory element) = _elementOffer();
        _reviewAll(element);
        IAssets.Declaration memory declaration = _declaration(AssetKind.PRODUCT, "product");
        declaration.parents = _parents(element);
        declaration.parentTables = new Payee[][](1);
        declaration.parentTables[0] = table;
        declaration.parentLinks = new IAssets.Parent[][](1);
        declaration.parentLinks[0] = elementOffer.parents;
        Registered memory product = _registered(seller, declaration);
        IListings.Offer memory offer = _offer(product);
        offer.parents = declaration.parents;
        vm.warp(START + 10 days + 1);
        _refuse(offer, IAssets.SecurityReviewMissing.selector);
    }

    function test_submit_reverts_with_AssessmentNotValid() public {
        Registered memory other = _registered(seller, _declaration(AssetKind.RESOURCE, "other"));
        IListings.Offer memory offer = _offer(other);
        offer.reports = new AssessmentId[](1);
        offer.reports[0] = _assessed(resource);
        _refuse(offer, IAssessments.AssessmentNotValid.selector);
    }

    function test_submit_reverts_with_FieldInvalid_when_there_are_17_reports() public {
        IListings.Offer memory offer = _fresh();
        offer.reports = new AssessmentId[](17);
        _refuse(offer, IActing.FieldInvalid.selector);
    }

    function test_submit_reverts_with_FieldInvalid_when_a_field_is_empty() public {
        for (uint256 field = 0; field < 10; ++field) {
            IListings.Offer memory offer = _fresh();
            if (field == 0) offer.terms.mode = IListings.TradeMode.NONE;
            if (field == 1) offer.terms.unit = IListings.PriceUnit.NONE;
            if (field == 2) offer.terms.deliveryForms = 0;
            if (field == 3) offer.terms.deliveryForms = 1;
            if (field == 4) offer.terms.deliveryForms = 1 << 9;
            if (field == 5) offer.terms.termsDigest = 0;
            if (field == 6) offer.terms.declarationDigest = 0;
            if (field == 7) offer.terms.digestAlg = DigestAlg.NONE;
            if (field == 8) offer.terms.unitQuantity = 0;
            if (field == 9) offer.terms.mode = IListings.TradeMode.FREE;
            _refuse(offer, IActing.FieldInvalid.selector);
        }
    }

    function test_submit_reverts_with_TimeInPast() public {
        IListings.Offer memory offer = _fresh();
        offer.terms.listUntil = START;
        _refuse(offer, IActing.TimeInPast.selector);
    }

    function test_submit_reverts_with_AmountTooLarge() public {
        IListings.Offer memory offer = _fresh();
        offer.terms.priceFen = 1 << 63;
        _refuse(offer, IListings.AmountTooLarge.selector);
    }

    function test_submit_records_the_offer_given_the_reviews_and_reports_are_in_force() public {
        (IListings.Offer memory offer, Registered memory element) = _elementOffer();
        _reviewAll(element);
        offer.reports = new AssessmentId[](1);
        offer.reports[0] = _assessed(element);
        IListings.Listing memory listing = listings.listingOf(_submitted(offer));
        vm.assertEq(
            listing.documentsHash,
            keccak256(abi.encode(offer.terms.termsDigest, offer.terms.declarationDigest, offer.reports))
        );
    }

    function test_submit_records_the_offer_when_relayed() public {
        IListings.Offer memory offer = _fresh();
        bytes32 argumentsHash = keccak256(abi.encode(offer));
        vm.prank(stranger.account);
        ListingId submitted =
            listings.submit(offer, _relayed(seller, address(listings), IListings.submit.selector, argumentsHash, 1));
        vm.assertTrue(listings.listingOf(submitted).seller == seller.id);
    }

    function test_submit_records_the_offer() public {
        IListings.Listing memory listing = listings.listingOf(_submitted(_fresh()));
        vm.assertEq(listing.sequence, 2);
        vm.assertEq(listing.version, 1);
        vm.assertTrue(listing.state == IListings.ListingState.UNDER_REVIEW);
        vm.assertEq(AssetId.unwrap(listing.assetId), AssetId.unwrap(resource.assetId));
        vm.assertEq(listing.assetVersion, 1);
        vm.assertTrue(listing.seller == seller.id && listing.homeVenue == exchange.id);
        vm.assertEq(RightId.unwrap(listing.rightId), RightId.unwrap(resource.rightId));
        vm.assertTrue(listing.mode == IListings.TradeMode.FIXED && listing.unit == IListings.PriceUnit.ITEM);
        vm.assertEq(listing.priceFen, PRICE_FEN);
        vm.assertEq(listing.unitQuantity, 1);
        vm.assertEq(listing.quantityMax, 50);
        vm.assertEq(listing.deliveryForms, 4);
        vm.assertEq(listing.inspectionSeconds, INSPECTION_SECONDS);
        vm.assertEq(listing.listUntil, START + 300 days);
        vm.assertTrue(listing.digestAlg == DigestAlg.SHA256);
    }

    function test_submit_emits_ListingSubmitted() public {
        IListings.Offer memory offer = _fresh();
        vm.expectEmit(address(listings));
        emit IListings.ListingSubmitted(
            ListingId.wrap(Hashing.actId("listing", seller.id, AssetId.unwrap(resource.assetId), "fresh")),
            resource.assetId,
            seller.id,
            2,
            resource.certificateId,
            offer.terms,
            offer.reports,
            seller.account
        );
        _submitted(offer);
    }

    // ---------------------------------------------------------------- approve and reject

    function test_approve_reverts_with_ListingNotFound() public {
        _refuseApproval(exchange, ListingId.wrap("none"), IListings.ListingNotFound.selector);
    }

    function test_approve_reverts_with_RoleMissing() public {
        ListingId submitted = _submitted(_fresh());
        _refuseApproval(otherExchange, submitted, IParticipants.RoleMissing.selector);
        _refuseApproval(seller, submitted, IParticipants.RoleMissing.selector);
    }

    function test_approve_reverts_with_ListingStateWrong() public {
        _refuseApproval(exchange, listingId, IListings.ListingStateWrong.selector);
    }

    function test_approve_lists_the_offer() public {
        vm.assertTrue(_stateOf(_listed(_fresh())) == IListings.ListingState.LISTED);
    }

    function test_approve_emits_ListingApproved() public {
        ListingId submitted = _submitted(_fresh());
        vm.expectEmit(address(listings));
        emit IListings.ListingApproved(submitted, exchange.id, exchange.account, START);
        vm.prank(exchange.account);
        listings.approve(submitted, _direct());
    }

    function test_reject_reverts_with_ListingNotFound() public {
        vm.expectPartialRevert(IListings.ListingNotFound.selector);
        _reject(exchange, ListingId.wrap("none"), AuthorityClass.VENUE);
    }

    function test_reject_reverts_with_AuthorityMissing() public {
        ListingId submitted = _submitted(_fresh());
        vm.expectPartialRevert(IParticipants.AuthorityMissing.selector);
        _reject(otherExchange, submitted, AuthorityClass.VENUE);
    }

    function test_reject_reverts_with_AuthorityMissing_when_a_regulator_calls() public {
        ListingId submitted = _submitted(_fresh());
        vm.expectPartialRevert(IParticipants.AuthorityMissing.selector);
        _reject(regulator, submitted, AuthorityClass.REGULATOR);
    }

    function test_reject_reverts_with_ListingStateWrong() public {
        vm.expectPartialRevert(IListings.ListingStateWrong.selector);
        _reject(exchange, listingId, AuthorityClass.VENUE);
    }

    function test_reject_rejects_the_offer() public {
        ListingId submitted = _submitted(_fresh());
        _reject(exchange, submitted, AuthorityClass.VENUE);
        vm.assertTrue(_stateOf(submitted) == IListings.ListingState.REJECTED);
    }

    function test_reject_emits_ListingRejected() public {
        ListingId submitted = _submitted(_fresh());
        vm.expectEmit(address(listings));
        emit IListings.ListingRejected(submitted, exchange.id, exchange.account, _cause(AuthorityClass.VENUE));
        _reject(exchange, submitted, AuthorityClass.VENUE);
    }

    // ---------------------------------------------------------------- reprice

    function test_reprice_reverts_with_ListingNotFound() public {
        _refusePrice(seller, ListingId.wrap("none"), 1, 1, IListings.ListingNotFound.selector);
    }

    function test_reprice_reverts_with_CallerNotSeller() public {
        _refusePrice(otherSeller, listingId, 1, 1, IListings.CallerNotSeller.selector);
        _refusePrice(exchange, listingId, 1, 1, IListings.CallerNotSeller.selector);
    }

    function test_reprice_reverts_with_ListingStateWrong() public {
        _delist(seller, AuthorityClass.PARTY);
        _refusePrice(seller, listingId, 1, 1, IListings.ListingStateWrong.selector);
    }

    function test_reprice_reverts_with_AmountTooLarge() public {
        _refusePrice(seller, listingId, 1 << 63, 1, IListings.AmountTooLarge.selector);
    }

    function test_reprice_reverts_with_FieldInvalid() public {
        _refusePrice(seller, listingId, 1, 0, IActing.FieldInvalid.selector);
        IListings.Offer memory offer = _fresh();
        offer.terms.mode = IListings.TradeMode.FREE;
        offer.terms.priceFen = 0;
        _refusePrice(seller, _listed(offer), 1, 1, IActing.FieldInvalid.selector);
    }

    function test_reprice_makes_a_new_version() public {
        vm.prank(seller.account);
        listings.reprice(listingId, 7, 100, _direct());
        IListings.Listing memory listing = listings.listingOf(listingId);
        vm.assertEq(listing.version, 2);
        vm.assertEq(listing.priceFen, 7);
        vm.assertEq(listing.unitQuantity, 100);
    }

    function test_reprice_emits_ListingRepriced() public {
        vm.expectEmit(address(listings));
        emit IListings.ListingRepriced(listingId, 2, 7, 100, seller.account);
        vm.prank(seller.account);
        listings.reprice(listingId, 7, 100, _direct());
    }

    // ---------------------------------------------------------------- suspend

    function test_suspend_reverts_with_ListingNotFound() public {
        listingId = ListingId.wrap("none");
        _refuseSuspension(seller, AuthorityClass.PARTY, IListings.ListingNotFound.selector);
    }

    function test_suspend_reverts_with_CallerNotSeller() public {
        _refuseSuspension(otherSeller, AuthorityClass.PARTY, IListings.CallerNotSeller.selector);
    }

    function test_suspend_reverts_with_AuthorityMissing() public {
        _refuseSuspension(otherExchange, AuthorityClass.VENUE, IParticipants.AuthorityMissing.selector);
        _refuseSuspension(seller, AuthorityClass.REGULATOR, IParticipants.AuthorityMissing.selector);
    }

    function test_suspend_reverts_with_AuthorityMissing_when_an_arbitrator_calls() public {
        _refuseSuspension(arbitrator, AuthorityClass.ARBITRATION, IParticipants.AuthorityMissing.selector);
    }

    function test_suspend_reverts_with_ListingStateWrong_given_it_is_under_review() public {
        listingId = _submitted(_fresh());
        _refuseSuspension(seller, AuthorityClass.PARTY, IListings.ListingStateWrong.selector);
    }

    function test_suspend_reverts_with_ListingStateWrong_given_its_own_or_a_higher_class() public {
        _suspendListing(exchange, _cause(AuthorityClass.VENUE));
        _refuseSuspension(exchange, AuthorityClass.VENUE, IListings.ListingStateWrong.selector);
        _refuseSuspension(seller, AuthorityClass.PARTY, IListings.ListingStateWrong.selector);
        _suspendListing(regulator, _cause(AuthorityClass.REGULATOR));
        _refuseSuspension(exchange, AuthorityClass.VENUE, IListings.ListingStateWrong.selector);
        _refuseSuspension(court, AuthorityClass.COURT, IListings.ListingStateWrong.selector);
    }

    function test_suspend_takes_the_suspension_over() public {
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
        _suspendListing(exchange, _cause(AuthorityClass.VENUE));
        _suspendListing(court, _cause(AuthorityClass.COURT));
        vm.assertEq(listings.listingOf(listingId).suspendedBy, uint8(AuthorityClass.COURT));
    }

    function test_suspend_suspends_the_listing_again() public {
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.until = START + 1;
        _suspendListing(court, cause);
        vm.warp(START + 1);
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
        vm.assertEq(listings.listingOf(listingId).suspendedBy, uint8(AuthorityClass.PARTY));
        vm.assertEq(listings.listingOf(listingId).suspendedUntil, 0);
    }

    function test_suspend_suspends_the_listing() public {
        Cause memory cause = _cause(AuthorityClass.VENUE);
        cause.until = START + 5;
        _suspendListing(exchange, cause);
        IListings.Listing memory listing = listings.listingOf(listingId);
        vm.assertTrue(listing.state == IListings.ListingState.SUSPENDED);
        vm.assertEq(listing.suspendedBy, uint8(AuthorityClass.VENUE));
        vm.assertEq(listing.suspendedUntil, START + 5);
    }

    function test_suspend_emits_ListingSuspended() public {
        vm.expectEmit(address(listings));
        emit IListings.ListingSuspended(listingId, seller.id, seller.account, _cause(AuthorityClass.PARTY));
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
    }

    // ---------------------------------------------------------------- resume

    function test_resume_reverts_with_ListingNotFound() public {
        listingId = ListingId.wrap("none");
        _refuseResumption(seller, AuthorityClass.PARTY, IListings.ListingNotFound.selector);
    }

    function test_resume_reverts_with_CallerNotSeller() public {
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
        _refuseResumption(otherSeller, AuthorityClass.PARTY, IListings.CallerNotSeller.selector);
    }

    function test_resume_reverts_with_ListingStateWrong() public {
        _refuseResumption(seller, AuthorityClass.PARTY, IListings.ListingStateWrong.selector);
    }

    function test_resume_reverts_with_SuspensionHeld() public {
        _suspendListing(regulator, _cause(AuthorityClass.REGULATOR));
        _refuseResumption(seller, AuthorityClass.PARTY, IListings.SuspensionHeld.selector);
        _refuseResumption(exchange, AuthorityClass.VENUE, IListings.SuspensionHeld.selector);
        _refuseResumption(court, AuthorityClass.COURT, IListings.SuspensionHeld.selector);
    }

    function test_resume_lists_the_offer_again() public {
        _suspendListing(regulator, _cause(AuthorityClass.REGULATOR));
        _resume(regulator, AuthorityClass.REGULATOR);
        vm.assertTrue(_stateOf(listingId) == IListings.ListingState.LISTED);
        vm.assertEq(listings.listingOf(listingId).suspendedBy, 0);
    }

    function test_resume_emits_ListingResumed() public {
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
        vm.expectEmit(address(listings));
        emit IListings.ListingResumed(listingId, seller.id, seller.account, _cause(AuthorityClass.PARTY));
        _resume(seller, AuthorityClass.PARTY);
    }

    // ---------------------------------------------------------------- delist

    function test_delist_reverts_with_ListingNotFound() public {
        listingId = ListingId.wrap("none");
        vm.expectPartialRevert(IListings.ListingNotFound.selector);
        _delist(seller, AuthorityClass.PARTY);
    }

    function test_delist_reverts_with_CallerNotSeller() public {
        vm.expectPartialRevert(IListings.CallerNotSeller.selector);
        _delist(otherSeller, AuthorityClass.PARTY);
    }

    function test_delist_reverts_with_ListingStateWrong() public {
        _delist(seller, AuthorityClass.PARTY);
        vm.expectPartialRevert(IListings.ListingStateWrong.selector);
        _delist(exchange, AuthorityClass.VENUE);
    }

    function test_delist_ends_the_listing() public {
        _suspendListing(regulator, _cause(AuthorityClass.REGULATOR));
        _delist(seller, AuthorityClass.PARTY);
        IListings.Listing memory listing = listings.listingOf(listingId);
        vm.assertTrue(listing.state == IListings.ListingState.DELISTED);
        vm.assertEq(listing.suspendedBy, 0);
    }

    function test_delist_emits_ListingDelisted() public {
        vm.expectEmit(address(listings));
        emit IListings.ListingDelisted(listingId, exchange.id, exchange.account, _cause(AuthorityClass.VENUE));
        _delist(exchange, AuthorityClass.VENUE);
    }

    // ---------------------------------------------------------------- mirror

    function test_mirror_reverts_with_ListingNotFound() public {
        _refuseMirror(otherExchange, ListingId.wrap("none"), _agreed(4, "a"), IListings.ListingNotFound.selector);
    }

    function test_mirror_reverts_with_RoleMissing() public {
        _refuseMirror(seller, listingId, _agreed(4, "a"), IParticipants.RoleMissing.selector);
    }

    function test_mirror_reverts_with_AgreementNotCovering() public {
        _refuseMirror(otherExchange, listingId, AgreementId.wrap("none"), IAgreements.AgreementNotCovering.selector);
        _refuseMirror(otherExchange, listingId, _agreed(3, "a"), IAgreements.AgreementNotCovering.selector);
        _refuseMirror(exchange, listingId, _agreed(4, "b"), IAgreements.AgreementNotCovering.selector);
    }

    function test_mirror_reverts_with_ListingStateWrong() public {
        AgreementId agreementId = _agreed(4, "a");
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
        _refuseMirror(otherExchange, listingId, agreementId, IListings.ListingStateWrong.selector);
    }

    function test_mirror_reverts_with_MirrorAlreadyExists() public {
        _mirrored();
        _refuseMirror(otherExchange, listingId, _agreed(4, "b"), IListings.MirrorAlreadyExists.selector);
    }

    function test_mirror_mirrors_under_the_new_one() public {
        _end(_mirrored());
        AgreementId next = _agreed(4, "b");
        vm.prank(otherExchange.account);
        listings.mirror(listingId, next, _direct());
        (AgreementId agreementId,) = listings.mirrorOf(listingId, otherExchange.id);
        vm.assertEq(AgreementId.unwrap(agreementId), AgreementId.unwrap(next));
    }

    /// @dev G-02: listed in one place, offered in the whole network.
    function test_mirror_offers_the_listing_there() public {
        _mirrored();
        IListings.Listing memory listing = listings.requireOffered(listingId, otherExchange.id);
        vm.assertTrue(listing.homeVenue == exchange.id);
    }

    function test_mirror_emits_ListingMirrored() public {
        AgreementId agreementId = _agreed(4, "a");
        vm.expectEmit(address(listings));
        emit IListings.ListingMirrored(listingId, otherExchange.id, agreementId, otherExchange.account);
        vm.prank(otherExchange.account);
        listings.mirror(listingId, agreementId, _direct());
    }

    // ---------------------------------------------------------------- setMirrorHidden

    function test_setMirrorHidden_reverts_with_ListingNotFound() public {
        listingId = ListingId.wrap("none");
        _refuseHiding(otherExchange, AuthorityClass.VENUE, IListings.ListingNotFound.selector);
    }

    function test_setMirrorHidden_reverts_with_AuthorityMissing() public {
        _mirrored();
        _refuseHiding(seller, AuthorityClass.VENUE, IParticipants.AuthorityMissing.selector);
    }

    function test_setMirrorHidden_reverts_with_AuthorityMissing_for_another_class() public {
        _mirrored();
        _refuseHiding(regulator, AuthorityClass.REGULATOR, IParticipants.AuthorityMissing.selector);
    }

    function test_setMirrorHidden_reverts_with_ListingNotOffered() public {
        _refuseHiding(otherExchange, AuthorityClass.VENUE, IListings.ListingNotOffered.selector);
    }

    function test_setMirrorHidden_does_nothing() public {
        _mirrored();
        vm.recordLogs();
        _hide(otherExchange, false, AuthorityClass.VENUE);
        vm.assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_setMirrorHidden_hides_the_listing() public {
        _mirrored();
        _hide(otherExchange, true, AuthorityClass.VENUE);
        _refuseOffered(otherExchange.id, IListings.ListingNotOffered.selector);
        listings.requireOffered(listingId, exchange.id);
        _hide(otherExchange, false, AuthorityClass.VENUE);
        listings.requireOffered(listingId, otherExchange.id);
    }

    function test_setMirrorHidden_emits_ListingMirrorHidden() public {
        _mirrored();
        vm.expectEmit(address(listings));
        emit IListings.ListingMirrorHidden(
            listingId, otherExchange.id, true, otherExchange.account, _cause(AuthorityClass.VENUE)
        );
        _hide(otherExchange, true, AuthorityClass.VENUE);
    }

    // ---------------------------------------------------------------- requireOffered

    function test_requireOffered_reverts_with_ListingNotFound() public {
        listingId = ListingId.wrap("none");
        _refuseOffered(exchange.id, IListings.ListingNotFound.selector);
        vm.expectPartialRevert(IListings.ListingNotFound.selector);
        listings.listingOf(listingId);
    }

    function test_requireOffered_reverts_with_ListingNotOffered() public {
        ListingId offered = listingId;
        listingId = _submitted(_fresh());
        _refuseOffered(exchange.id, IListings.ListingNotOffered.selector);
        listingId = offered;
        vm.warp(START + 300 days);
        _refuseOffered(exchange.id, IListings.ListingNotOffered.selector);
        vm.warp(START);
        _suspendListing(seller, _cause(AuthorityClass.PARTY));
        _refuseOffered(exchange.id, IListings.ListingNotOffered.selector);
        _delist(seller, AuthorityClass.PARTY);
        _refuseOffered(exchange.id, IListings.ListingNotOffered.selector);
    }

    function test_requireOffered_reverts_with_ListingNotOffered_given_no_mirror() public {
        _refuseOffered(otherExchange.id, IListings.ListingNotOffered.selector);
    }

    function test_requireOffered_reverts_with_ListingNotOffered_given_the_agreement_has_ended() public {
        _end(_mirrored());
        _refuseOffered(otherExchange.id, IListings.ListingNotOffered.selector);
    }

    function test_requireOffered_reverts_with_ListingNotOffered_given_the_seller_is_suspended() public {
        _suspend(seller);
        _refuseOffered(exchange.id, IListings.ListingNotOffered.selector);
    }

    /// @dev Where it is mirrored, too: a venue that may not act reviews and answers for nothing.
    function test_requireOffered_reverts_with_ParticipantNotActive() public {
        _mirrored();
        _suspend(exchange);
        _refuseOffered(exchange.id, IParticipants.ParticipantNotActive.selector);
        _refuseOffered(otherExchange.id, IParticipants.ParticipantNotActive.selector);
    }

    function test_requireOffered_reverts_with_RoleMissing() public {
        _mirrored();
        _revokeSeller();
        _refuseOffered(exchange.id, IParticipants.RoleMissing.selector);
        _refuseOffered(otherExchange.id, IParticipants.RoleMissing.selector);
    }

    function test_requireOffered_reverts_with_CertificateNotUsable() public {
        IListings.Offer memory offer = _fresh();
        offer.terms.listUntil = 0;
        listingId = _listed(offer);
        vm.warp(START + 900 days);
        _refuseOffered(exchange.id, ICertificates.CertificateNotUsable.selector);
    }

    function test_requireOffered_reverts_with_RightNotActive() public {
        _revokeRight();
        _refuseOffered(exchange.id, IRights.RightNotActive.selector);
    }

    /// @dev An objection stops new listings, not running ones (domain 4.3).
    function test_requireOffered_returns_the_listing_given_an_objection_is_pending() public {
        _object();
        listings.requireOffered(listingId, exchange.id);
    }

    function test_requireOffered_returns_the_listing_given_the_suspension_has_lapsed() public {
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.until = START + 1;
        _suspendListing(court, cause);
        _refuseOffered(exchange.id, IListings.ListingNotOffered.selector);
        vm.warp(START + 1);
        listings.requireOffered(listingId, exchange.id);
    }

    function test_requireOffered_returns_the_listing() public view {
        IListings.Listing memory listing = listings.requireOffered(listingId, exchange.id);
        vm.assertEq(keccak256(abi.encode(listing)), keccak256(abi.encode(listings.listingOf(listingId))));
        IListings.ListingBrief memory brief = listings.requireBrief(listingId, exchange.id);
        vm.assertTrue(brief.seller == listing.seller && brief.homeVenue == listing.homeVenue);
        vm.assertTrue(AssetId.unwrap(brief.assetId) == AssetId.unwrap(listing.assetId));
        vm.assertTrue(brief.version == listing.version && brief.assetVersion == listing.assetVersion);
        vm.assertTrue(brief.mode == listing.mode && brief.deliveryForms == listing.deliveryForms);
        vm.assertTrue(brief.inspectionSeconds == listing.inspectionSeconds);
        vm.assertEq(brief.priceFen, listing.priceFen);
        vm.assertEq(brief.unitQuantity, listing.unitQuantity);
        vm.assertEq(brief.quantityMax, listing.quantityMax);
    }

    // ---------------------------------------------------------------- grossFen

    function test_grossFen_reverts_with_FractionOfFen() public {
        vm.expectRevert(abi.encodeWithSelector(IListings.FractionOfFen.selector, 1, 999, 1000));
        listings.grossFen(1, 1000, 999);
    }

    function test_grossFen_reverts_with_AmountTooLarge() public {
        vm.expectRevert(abi.encodeWithSelector(IListings.AmountTooLarge.selector, uint256(1) << 63));
        listings.grossFen(1 << 62, 1, 2);
    }

    function test_grossFen_reverts_with_FieldInvalid() public {
        vm.expectPartialRevert(IActing.FieldInvalid.selector);
        listings.grossFen(1, 0, 1);
    }

    function testFuzz_grossFen_multiplies(uint64 priceFen, uint32 units, uint32 unitQuantity) public view {
        priceFen = uint64(bound(priceFen, 0, type(uint64).max >> 33));
        unitQuantity = uint32(bound(unitQuantity, 1, type(uint32).max));
        uint64 quantity = uint64(units) * unitQuantity;
        vm.assertEq(listings.grossFen(priceFen, unitQuantity, quantity), uint256(priceFen) * units);
    }

    // ---------------------------------------------------------------- helpers: offers

    function _fresh() private view returns (IListings.Offer memory offer) {
        offer = _offer(resource);
        offer.salt = "fresh";
    }

    function _parents(Registered memory parent) private pure returns (IAssets.Parent[] memory parents) {
        parents = new IAssets.Parent[](1);
        parents[0] = IAssets.Parent(parent.assetId, 1, Relation.DERIVED_FROM, parent.rightId);
    }

    /// @dev An element derived from the resource, not reviewed yet.
    function _elementOffer() private returns (IListings.Offer memory offer, Registered memory element) {
        IAssets.Declaration memory declaration = _declaration(AssetKind.ELEMENT, "element");
        declaration.parents = _parents(resource);
        declaration.parentTables = new Payee[][](1);
        declaration.parentTables[0] = table;
        declaration.parentLinks = new IAssets.Parent[][](1);
        declaration.parentLinks[0] = new IAssets.Parent[](0);
        element = _registered(seller, declaration);
        offer = _offer(element);
        offer.parents = declaration.parents;
    }

    function _reviewAll(Registered memory element) private {
        _review(element, IAssets.ReviewKind.SOURCE);
        _review(element, IAssets.ReviewKind.MODEL);
        _review(element, IAssets.ReviewKind.ELEMENT);
    }

    function _review(Registered memory element, IAssets.ReviewKind kind) private {
        IAssets.Asset memory asset = assets.assetOf(element.assetId, 1);
        bytes32 reviewed = asset.linksHash;
        if (kind == IAssets.ReviewKind.MODEL) reviewed = asset.modelDigest;
        if (kind == IAssets.ReviewKind.ELEMENT) reviewed = asset.contentDigest;
        vm.prank(reviewer.account);
        assets.review(
            IAssets.SecurityReview({
                assetId: element.assetId,
                version: 1,
                kind: kind,
                verdict: Verdict.PASS,
                reviewedDigest: reviewed,
                reportDigest: DOCUMENT,
                digestAlg: DigestAlg.SHA256,
                expiresAt: START + 10 days
            }),
            _direct()
        );
    }

    function _assessed(Registered memory asset) private returns (AssessmentId) {
        vm.prank(assessor.account);
        return assessments.record(
            IAssessments.Report({
                assetId: asset.assetId,
                assetVersion: 1,
                kind: IAssessments.AssessmentKind.QUALITY,
                verdict: Verdict.PASS,
                score: 1e18,
                formulaId: "Q1",
                reportDigest: DOCUMENT,
                digestAlg: DigestAlg.SHA256,
                expiresAt: 0,
                salt: "report"
            }),
            _direct()
        );
    }

    /// @dev A second version of the resource, not registered yet.
    function _revise() private {
        IAssets.Declaration memory declaration = _declaration(AssetKind.RESOURCE, "second");
        vm.prank(seller.account);
        assets.revise(resource.assetId, declaration, _direct());
    }

    /// @dev A right that the seller granted on from its own.
    function _granted(Member memory holder, uint8 kinds) private returns (RightId) {
        IRights.RightTerms memory terms = _rightTerms(holder.id, kinds);
        vm.prank(seller.account);
        return rights.grant(IRights.RightGrant(resource.rightId, terms, "grant"), _direct());
    }

    function _object() private {
        ICertificates.CertificateFields memory fields = _registrationFields();
        vm.prank(registrar.account);
        certificates.flag(
            fields, ICertificates.CertificateFlag.OBJECTION_PENDING, _cause(AuthorityClass.ISSUER), _direct()
        );
    }

    function _revokeRight() private {
        vm.prank(seller.account);
        rights.revoke(resource.rightId, _cause(AuthorityClass.PARTY), _direct());
    }

    // ---------------------------------------------------------------- helpers: agreements

    function _mirrored() private returns (AgreementId agreementId) {
        agreementId = _agreed(4, "a");
        vm.prank(otherExchange.account);
        listings.mirror(listingId, agreementId, _direct());
    }

    function _end(AgreementId agreementId) private {
        vm.prank(exchange.account);
        agreements.terminate(agreementId, _cause(AuthorityClass.VENUE), _direct());
    }

    // ---------------------------------------------------------------- helpers: calls

    function _stateOf(ListingId id) private view returns (IListings.ListingState) {
        return listings.listingOf(id).state;
    }

    function _reject(Member memory member, ListingId id, AuthorityClass authority) private {
        vm.prank(member.account);
        listings.reject(id, _cause(authority), _direct());
    }

    function _suspendListing(Member memory member, Cause memory cause) private {
        vm.prank(member.account);
        listings.suspend(listingId, cause, _direct());
    }

    function _resume(Member memory member, AuthorityClass authority) private {
        vm.prank(member.account);
        listings.resume(listingId, _cause(authority), _direct());
    }

    function _delist(Member memory member, AuthorityClass authority) private {
        vm.prank(member.account);
        listings.delist(listingId, _cause(authority), _direct());
    }

    function _hide(Member memory member, bool isHidden, AuthorityClass authority) private {
        vm.prank(member.account);
        listings.setMirrorHidden(listingId, isHidden, _cause(authority), _direct());
    }

    function _refuse(IListings.Offer memory offer, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        _submitted(offer);
    }

    function _refuseApproval(Member memory member, ListingId id, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        listings.approve(id, _direct());
    }

    function _refusePrice(Member memory member, ListingId id, uint64 priceFen, uint64 unitQuantity, bytes4 failure)
        private
    {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        listings.reprice(id, priceFen, unitQuantity, _direct());
    }

    function _refuseSuspension(Member memory member, AuthorityClass authority, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        _suspendListing(member, _cause(authority));
    }

    function _refuseResumption(Member memory member, AuthorityClass authority, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        _resume(member, authority);
    }

    function _refuseMirror(Member memory member, ListingId id, AgreementId agreementId, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        vm.prank(member.account);
        listings.mirror(id, agreementId, _direct());
    }

    function _refuseHiding(Member memory member, AuthorityClass authority, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        _hide(member, true, authority);
    }

    function _refuseOffered(ParticipantId venue, bytes4 failure) private {
        vm.expectPartialRevert(failure);
        listings.requireOffered(listingId, venue);
    }
}
