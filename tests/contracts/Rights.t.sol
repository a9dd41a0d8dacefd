// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IRights} from "../../contracts/interfaces/IRights.sol";
import {Authorization, Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, RightKind} from "../../contracts/types/Codes.sol";
import {AssetId, ParticipantId, RightId} from "../../contracts/types/Ids.sol";
import {Registry} from "./Registry.sol";

/// @notice Rights as register entries: D-01, D-02, D-12, D-19, R5.
contract RightsTest is Registry {
    RightId private constant UNKNOWN = RightId.wrap("unknown");
    bytes32 private constant SALT = "salt";

    Registered private resource;

    function setUp() public override {
        super.setUp();
        resource = _resource(seller, "resource");
    }

    // ---------------------------------------------------------------- requireTerms

    function test_requireTerms_reverts_with_FieldInvalid_when_there_is_no_known_kind() external {
        _expectInvalid("kinds");
        rights.requireTerms(_terms(buyer.id, 0));
        _expectInvalid("kinds");
        rights.requireTerms(_terms(buyer.id, 8));
    }

    function test_requireTerms_reverts_with_FieldInvalid_when_a_field_is_out_of_range() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 1);
        terms.basis = IRights.RightBasis.NONE;
        _expectInvalid("basis");
        rights.requireTerms(terms);
        terms = _terms(buyer.id, 1);
        terms.evidenceDigest = 0;
        _expectInvalid("evidenceDigest");
        rights.requireTerms(terms);
        terms = _terms(buyer.id, 1);
        terms.region = 1_000_000;
        _expectInvalid("region");
        rights.requireTerms(terms);
        terms = _terms(buyer.id, 1);
        terms.shareBps = 10_001;
        _expectInvalid("shareBps");
        rights.requireTerms(terms);
        terms = _terms(buyer.id, 1);
        (terms.validFrom, terms.validUntil) = (START + 2, START + 1);
        _expectInvalid("validFrom");
        rights.requireTerms(terms);
        terms.validFrom = 1 << 40;
        _expectInvalid("validFrom");
        rights.requireTerms(terms);
        (terms.validFrom, terms.validUntil) = (0, 1 << 40);
        _expectInvalid("validUntil");
        rights.requireTerms(terms);
    }

    function test_requireTerms_reverts_with_TimeInPast() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 1);
        terms.validUntil = START;
        _expectTimeInPast(START);
        rights.requireTerms(terms);
    }

    /// @dev F1: frozen as a new counterparty.
    function test_requireTerms_reverts_with_ParticipantNotActive() external {
        _suspend(buyer);
        vm.expectRevert(
            abi.encodeWithSelector(
                IParticipants.ParticipantNotActive.selector, buyer.id, IParticipants.ParticipantState.SUSPENDED
            )
        );
        rights.requireTerms(_terms(buyer.id, 1));
    }

    // ---------------------------------------------------------------- enter

    function test_enter_reverts_with_CallerNotModule() external {
        _expectNotModule(IParticipants.ModuleKind.RIGHT_GRANTER);
        vm.prank(stranger.account);
        _enter(_terms(buyer.id, 1), 1, SALT);
    }

    function test_enter_reverts_with_RightAlreadyExists() external {
        RightId rightId = _enter(_terms(buyer.id, 1), 1, SALT);
        _expect(IRights.RightAlreadyExists.selector, rightId);
        _enter(_terms(buyer.id, 1), 1, SALT);
    }

    function test_enter_reverts_with_FieldInvalid() external {
        _expectInvalid("assetVersion");
        _enter(_terms(buyer.id, 1), 0, SALT);
        _expectInvalid("assetVersion");
        _enter(_terms(buyer.id, 1), 1 << 24, SALT);
    }

    function test_enter_stores_a_root_entry() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 5);
        (terms.purposes, terms.region, terms.validFrom, terms.validUntil) = (6, 440_300, START, START + 1 days);
        IRights.Right memory right = rights.rightOf(_enter(terms, 3, SALT));
        vm.assertEq(AssetId.unwrap(right.assetId), AssetId.unwrap(resource.assetId));
        vm.assertEq(right.assetVersion, 3);
        vm.assertEq(RightId.unwrap(right.parentRightId), 0);
        vm.assertEq(ParticipantId.unwrap(right.holder), ParticipantId.unwrap(buyer.id));
        vm.assertEq(right.kinds, 5);
        vm.assertEq(right.validFrom, START);
        vm.assertEq(right.validUntil, START + 1 days);
        vm.assertFalse(right.exclusive);
        vm.assertTrue(right.maySubGrant);
        vm.assertEq(right.shareBps, SHARE_BPS);
        vm.assertEq(right.purposes, 6);
        vm.assertEq(right.region, 440_300);
        vm.assertEq(right.termsHash, keccak256(abi.encode(terms)));
        vm.assertEq(right.revokedAt, 0);
    }

    function test_enter_emits_RightGranted() external {
        RightId rightId =
            RightId.wrap(keccak256(abi.encode(bytes32("right"), block.chainid, registrar.id, resource.assetId, SALT)));
        IRights.RightTerms memory terms = _terms(buyer.id, 1);
        vm.expectEmit(address(rights));
        emit IRights.RightGranted(
            rightId,
            resource.assetId,
            buyer.id,
            1,
            resource.certificateId,
            RightId.wrap(0),
            terms,
            registrar.id,
            registrar.account
        );
        _enter(terms, 1, SALT);
    }

    // ---------------------------------------------------------------- grant

    function test_grant_reverts_with_RightNotFound() external {
        _expect(IRights.RightNotFound.selector, UNKNOWN);
        _granted(seller, UNKNOWN, _terms(buyer.id, 2));
    }

    function test_grant_reverts_with_RightAlreadyExists() external {
        RightId rightId = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        _expect(IRights.RightAlreadyExists.selector, rightId);
        _granted(seller, resource.rightId, _terms(buyer.id, 2));
    }

    function test_grant_reverts_with_CallerNotGrantor_when_somebody_else_than_the_holder_grants() external {
        _expectNotGrantor(resource.rightId, otherSeller);
        _granted(otherSeller, resource.rightId, _terms(buyer.id, 2));
    }

    function test_grant_reverts_with_CallerNotGrantor_given_the_parent_allows_no_sub_grant() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        terms.maySubGrant = false;
        RightId parent = _granted(seller, resource.rightId, terms);
        _expectNotGrantor(parent, buyer);
        _granted(buyer, parent, _terms(broker.id, 2));
    }

    function test_grant_reverts_with_RightNotActive() external {
        _revoke(regulator, resource.rightId, AuthorityClass.REGULATOR);
        _expect(IRights.RightNotActive.selector, resource.rightId);
        _granted(seller, resource.rightId, _terms(buyer.id, 2));
    }

    /// @dev R5: each bound of the parent, exceeded by one.
    function test_grant_reverts_with_RightTooWide_when_it_would_be_wider() external {
        IRights.RightTerms memory bounds = _terms(buyer.id, 2);
        (bounds.purposes, bounds.region, bounds.validUntil) = (6, 440_300, START + 10 days);
        RightId parent = _granted(seller, resource.rightId, bounds);

        IRights.RightTerms memory terms = _within(bounds);
        terms.kinds = 6;
        _expectTooWide(parent, "kinds");
        _granted(buyer, parent, terms);
        terms = _within(bounds);
        terms.purposes = 7;
        _expectTooWide(parent, "purposes");
        _granted(buyer, parent, terms);
        terms.purposes = 0;
        _expectTooWide(parent, "purposes");
        _granted(buyer, parent, terms);
        terms = _within(bounds);
        terms.region = 0;
        _expectTooWide(parent, "region");
        _granted(buyer, parent, terms);
        terms = _within(bounds);
        terms.validUntil = START + 10 days + 1;
        _expectTooWide(parent, "validUntil");
        _granted(buyer, parent, terms);
        terms.validUntil = 0;
        _expectTooWide(parent, "validUntil");
        _granted(buyer, parent, terms);
        terms = _within(bounds);
        terms.shareBps = SHARE_BPS - 1;
        _expectTooWide(parent, "shareBps");
        _granted(buyer, parent, terms);

        _granted(buyer, parent, _within(bounds));
    }

    function test_grant_reverts_with_RightTooWide_given_the_same_was_granted_exclusively() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        terms.exclusive = true;
        _granted(seller, resource.rightId, terms);
        _expectTooWide(resource.rightId, "exclusive");
        _granted(seller, resource.rightId, _terms(broker.id, 6));
        _granted(seller, resource.rightId, _terms(broker.id, 4));
    }

    function test_grant_reverts_with_RightTooDeep() external {
        RightId rightId = resource.rightId;
        for (uint256 depth = 2; depth <= 8; ++depth) {
            rightId = _granted(seller, rightId, _terms(seller.id, 2));
        }
        vm.assertTrue(rights.isActive(rightId));
        _expect(IRights.RightTooDeep.selector, rightId);
        _granted(seller, rightId, _terms(seller.id, 2));
    }

    function test_grant_stores_a_granted_entry() external {
        RightId parent = _granted(seller, resource.rightId, _terms(buyer.id, 6));
        IRights.Right memory right = rights.rightOf(_granted(buyer, parent, _terms(broker.id, 2)));
        vm.assertEq(AssetId.unwrap(right.assetId), AssetId.unwrap(resource.assetId));
        vm.assertEq(right.assetVersion, 1);
        vm.assertEq(RightId.unwrap(right.parentRightId), RightId.unwrap(parent));
        vm.assertEq(ParticipantId.unwrap(right.holder), ParticipantId.unwrap(broker.id));
        vm.assertEq(right.kinds, 2);
    }

    function test_grant_emits_RightGranted() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        bytes32 salt = keccak256(abi.encode(terms));
        RightId rightId =
            RightId.wrap(keccak256(abi.encode(bytes32("right"), block.chainid, seller.id, resource.rightId, salt)));
        vm.expectEmit(address(rights));
        emit IRights.RightGranted(
            rightId,
            resource.assetId,
            buyer.id,
            1,
            resource.certificateId,
            resource.rightId,
            terms,
            seller.id,
            seller.account
        );
        _granted(seller, resource.rightId, terms);
    }

    /// @dev R5 for any two sets of terms: what is granted stays within its parent.
    function testFuzz_grant_is_never_wider_than_its_parent(uint256 upper, uint256 lower) external {
        RightId parent = _tryGrant(seller, resource.rightId, _termsFrom(upper, buyer.id));
        if (RightId.unwrap(parent) == 0) return;
        RightId child = _tryGrant(buyer, parent, _termsFrom(lower, broker.id));
        if (RightId.unwrap(child) == 0) return;

        IRights.Right memory wide = rights.rightOf(parent);
        IRights.Right memory narrow = rights.rightOf(child);
        vm.assertEq(narrow.kinds & ~wide.kinds, 0);
        vm.assertTrue(wide.purposes == 0 || (narrow.purposes != 0 && narrow.purposes & ~wide.purposes == 0));
        vm.assertTrue(wide.region == 0 || narrow.region == wide.region);
        vm.assertTrue(wide.validUntil == 0 || (narrow.validUntil != 0 && narrow.validUntil <= wide.validUntil));
        vm.assertGe(narrow.shareBps, wide.shareBps);
        vm.assertTrue(wide.maySubGrant);
    }

    function test_grant_grants_for_the_holder() external {
        IRights.RightGrant memory params = IRights.RightGrant(resource.rightId, _terms(buyer.id, 2), SALT);
        Authorization memory authorization =
            _relayed(seller, address(rights), IRights.grant.selector, keccak256(abi.encode(params)), 1);
        vm.prank(stranger.account);
        RightId rightId = rights.grant(params, authorization);
        vm.assertTrue(rights.isActive(rightId));
    }

    // ---------------------------------------------------------------- revoke

    function test_revoke_reverts_with_RightNotFound() external {
        _expect(IRights.RightNotFound.selector, UNKNOWN);
        _revoke(seller, UNKNOWN, AuthorityClass.PARTY);
    }

    function test_revoke_reverts_with_CallerNotGrantor() external {
        RightId rightId = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        _expectNotGrantor(rightId, broker);
        _revoke(broker, rightId, AuthorityClass.PARTY);
        _expectNotGrantor(resource.rightId, buyer);
        _revoke(buyer, resource.rightId, AuthorityClass.PARTY);
    }

    function test_revoke_reverts_with_AuthorityMissing() external {
        _expectAuthority(registrar, AuthorityClass.ISSUER);
        _revoke(registrar, resource.rightId, AuthorityClass.ISSUER);
        _expectAuthority(seller, AuthorityClass.REGULATOR);
        _revoke(seller, resource.rightId, AuthorityClass.REGULATOR);
    }

    function test_revoke_reverts_with_RightNotActive() external {
        _revoke(seller, resource.rightId, AuthorityClass.PARTY);
        _expect(IRights.RightNotActive.selector, resource.rightId);
        _revoke(regulator, resource.rightId, AuthorityClass.REGULATOR);
    }

    function test_revoke_ends_the_right_and_what_was_granted_from_it() external {
        RightId middle = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        RightId last = _granted(buyer, middle, _terms(broker.id, 2));
        _revoke(seller, middle, AuthorityClass.PARTY);
        vm.assertEq(rights.rightOf(middle).revokedAt, START);
        vm.assertTrue(rights.isActive(resource.rightId));
        vm.assertFalse(rights.isActive(middle));
        vm.assertFalse(rights.isActive(last));
    }

    function test_revoke_emits_RightRevoked() external {
        Cause memory cause = _cause(AuthorityClass.PARTY);
        vm.expectEmit(address(rights));
        emit IRights.RightRevoked(resource.rightId, seller.id, seller.account, START, cause);
        vm.prank(seller.account);
        rights.revoke(resource.rightId, cause, _direct());
    }

    function test_revoke_lets_the_holder_give_up() external {
        RightId rightId = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        _revoke(buyer, rightId, AuthorityClass.PARTY);
        vm.assertFalse(rights.isActive(rightId));
    }

    function test_revoke_lets_an_authority_end_it() external {
        Member[3] memory members = [regulator, court, arbitrator];
        AuthorityClass[3] memory classes = [AuthorityClass.REGULATOR, AuthorityClass.COURT, AuthorityClass.ARBITRATION];
        for (uint256 i = 0; i < members.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            _revoke(members[i], resource.rightId, classes[i]);
            vm.assertFalse(rights.isActive(resource.rightId));
            vm.revertToState(snapshot);
        }
    }

    function test_revoke_frees_the_kinds() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        terms.exclusive = true;
        RightId exclusive = _granted(seller, resource.rightId, terms);
        terms.kinds = 4;
        _granted(seller, resource.rightId, terms);
        _revoke(seller, exclusive, AuthorityClass.PARTY);
        _granted(seller, resource.rightId, _terms(broker.id, 2));
        _expectTooWide(resource.rightId, "exclusive");
        _granted(seller, resource.rightId, _terms(broker.id, 4));
    }

    // ---------------------------------------------------------------- isActive

    function test_isActive_says_no_outside_the_term() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        (terms.validFrom, terms.validUntil) = (START + 1, START + 3);
        RightId rightId = _granted(seller, resource.rightId, terms);
        vm.assertFalse(rights.isActive(rightId));
        vm.warp(START + 1);
        vm.assertTrue(rights.isActive(rightId));
        vm.warp(START + 3);
        vm.assertFalse(rights.isActive(rightId));
        vm.assertTrue(rights.isActive(resource.rightId));
        vm.warp(VALID_UNTIL);
        vm.assertFalse(rights.isActive(resource.rightId));
    }

    function test_isActive_says_no_when_the_certificate_is_frozen_or_cancelled() external {
        RightId rightId = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        ICertificates.CertificateFields memory fields =
            _fieldsOf(_request(seller.id, resource.assetId), resource.certificateId);
        uint256 snapshot = vm.snapshotState();
        vm.prank(court.account);
        certificates.flag(
            fields, ICertificates.CertificateFlag.JUDICIAL_FREEZE, _cause(AuthorityClass.COURT), _direct()
        );
        vm.assertFalse(rights.isActive(rightId));
        vm.revertToState(snapshot);
        vm.prank(registrar.account);
        certificates.cancel(fields, _cause(AuthorityClass.ISSUER), _direct());
        vm.assertFalse(rights.isActive(rightId));
    }

    function test_isActive_says_no_for_an_unknown_right() external view {
        vm.assertFalse(rights.isActive(UNKNOWN));
    }

    // ---------------------------------------------------------------- requireRight

    function test_requireRight_reverts_with_RightNotFound() external {
        _expect(IRights.RightNotFound.selector, UNKNOWN);
        rights.requireRight(UNKNOWN, resource.assetId, seller.id, RightKind.USE);
    }

    function test_requireRight_reverts_with_RightMissing() external {
        RightId rightId = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        AssetId otherAsset = AssetId.wrap("other");
        _expectMissing(rightId, otherAsset, buyer.id, RightKind.USE);
        rights.requireRight(rightId, otherAsset, buyer.id, RightKind.USE);
        _expectMissing(rightId, resource.assetId, seller.id, RightKind.USE);
        rights.requireRight(rightId, resource.assetId, seller.id, RightKind.USE);
        _expectMissing(rightId, resource.assetId, buyer.id, RightKind.HOLD);
        rights.requireRight(rightId, resource.assetId, buyer.id, RightKind.HOLD);
        _expectMissing(rightId, resource.assetId, buyer.id, RightKind.NONE);
        rights.requireRight(rightId, resource.assetId, buyer.id, RightKind.NONE);
    }

    function test_requireRight_reverts_with_RightNotActive() external {
        RightId rightId = _granted(seller, resource.rightId, _terms(buyer.id, 2));
        _revoke(regulator, resource.rightId, AuthorityClass.REGULATOR);
        _expect(IRights.RightNotActive.selector, rightId);
        rights.requireRight(rightId, resource.assetId, buyer.id, RightKind.USE);
    }

    function test_requireRight_returns_the_share() external {
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        terms.shareBps = 3000;
        RightId rightId = _granted(seller, resource.rightId, terms);
        vm.assertEq(rights.requireRight(rightId, resource.assetId, buyer.id, RightKind.USE), 3000);
    }

    // ---------------------------------------------------------------- requireRights

    function test_requireRights_reverts_with_FieldInvalid() external {
        _expectInvalid("assetIds");
        rights.requireRights(new RightId[](2), new AssetId[](1), new uint32[](2), buyer.id, 1, RightKind.USE);
        _expectInvalid("versions");
        rights.requireRights(new RightId[](2), new AssetId[](2), new uint32[](1), buyer.id, 1, RightKind.USE);
    }

    function test_requireRights_reverts_with_RightMissing() external {
        (RightId[] memory ids, AssetId[] memory assetIds, uint32 number) = _two();
        _expectMissing(ids[0], assetIds[0], seller.id, RightKind.USE);
        rights.requireRights(ids, assetIds, _versions(1), seller.id, number + 1, RightKind.USE);
        _expectMissing(ids[0], assetIds[0], buyer.id, RightKind.USE);
        rights.requireRights(ids, assetIds, _versions(2), buyer.id, number, RightKind.USE);
        assetIds[1] = AssetId.wrap("other");
        _expectMissing(ids[1], assetIds[1], buyer.id, RightKind.USE);
        rights.requireRights(ids, assetIds, _versions(1), buyer.id, number, RightKind.USE);
    }

    function test_requireRights_reverts_with_RightNotActive() external {
        (RightId[] memory ids, AssetId[] memory assetIds, uint32 number) = _two();
        _revoke(otherSeller, ids[1], AuthorityClass.PARTY);
        _expect(IRights.RightNotActive.selector, ids[1]);
        rights.requireRights(ids, assetIds, _versions(1), buyer.id, number, RightKind.USE);
    }

    function test_requireRights_returns_the_shares_in_order() external {
        (RightId[] memory ids, AssetId[] memory assetIds, uint32 number) = _two();
        uint16[] memory sharesBps = rights.requireRights(ids, assetIds, _versions(1), buyer.id, number, RightKind.USE);
        vm.assertEq(sharesBps.length, 2);
        vm.assertEq(sharesBps[0], SHARE_BPS);
        vm.assertEq(sharesBps[1], 3000);
    }

    // ---------------------------------------------------------------- rights

    /// @dev D-02.
    function test_rights_lets_many_hold_the_same_right() external {
        Member[3] memory holders = [buyer, broker, otherSeller];
        for (uint256 i = 0; i < holders.length; ++i) {
            RightId rightId = _granted(seller, resource.rightId, _terms(holders[i].id, 7));
            rights.requireRight(rightId, resource.assetId, holders[i].id, RightKind.OPERATE);
        }
        rights.requireRight(resource.rightId, resource.assetId, seller.id, RightKind.OPERATE);
    }

    // ---------------------------------------------------------------- steps

    function _enter(IRights.RightTerms memory terms, uint32 version, bytes32 salt) private returns (RightId) {
        return
            rights.enter(
                terms, resource.assetId, version, resource.certificateId, salt, registrar.id, registrar.account
            );
    }

    /// @dev The buyer's rights on two resources, at different shares, and the buyer's number.
    function _two() private returns (RightId[] memory ids, AssetId[] memory assetIds, uint32 number) {
        (ids, assetIds) = (new RightId[](2), new AssetId[](2));
        Registered memory other = _resource(otherSeller, "other");
        IRights.RightTerms memory terms = _terms(buyer.id, 2);
        (ids[0], assetIds[0]) = (_granted(seller, resource.rightId, terms), resource.assetId);
        terms.shareBps = 3000;
        (ids[1], assetIds[1]) = (_granted(otherSeller, other.rightId, terms), other.assetId);
        return (ids, assetIds, participants.sequenceOf(buyer.id));
    }

    function _versions(uint32 version) private pure returns (uint32[] memory versions) {
        versions = new uint32[](2);
        (versions[0], versions[1]) = (version, version);
    }

    function _revoke(Member memory member, RightId rightId, AuthorityClass authority) private {
        vm.prank(member.account);
        rights.revoke(rightId, _cause(authority), _direct());
    }

    /// @dev The same bounds, for the broker.
    function _within(IRights.RightTerms memory bounds) private view returns (IRights.RightTerms memory terms) {
        terms = _terms(broker.id, bounds.kinds);
        (terms.purposes, terms.region, terms.validUntil) = (2, bounds.region, bounds.validUntil);
    }

    function _tryGrant(Member memory grantor, RightId parent, IRights.RightTerms memory terms)
        private
        returns (RightId rightId)
    {
        vm.prank(grantor.account);
        try rights.grant(IRights.RightGrant(parent, terms, SALT), _direct()) returns (RightId granted) {
            return granted;
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            vm.assertTrue(
                selector == IRights.RightTooWide.selector || selector == IRights.CallerNotGrantor.selector
                    || selector == IRights.RightNotActive.selector
            );
        }
    }

    /// @dev Well-formed terms whose bounds meet often: few values for each.
    function _termsFrom(uint256 seed, ParticipantId holder) private pure returns (IRights.RightTerms memory terms) {
        terms = _terms(holder, uint8(seed % 7) + 1);
        terms.purposes = uint64((seed >> 8) % 4);
        terms.region = (seed >> 16) % 3 == 0 ? 0 : 440_000 + uint32(seed >> 24) % 2;
        terms.validUntil = (seed >> 32) % 3 == 0 ? 0 : START + 1 + uint64(seed >> 40) % 3;
        terms.maySubGrant = (seed >> 48) % 4 != 0;
        terms.exclusive = (seed >> 56) % 2 == 0;
        terms.shareBps = SHARE_BPS + uint16(seed >> 64) % 3;
    }

    // ---------------------------------------------------------------- expectations

    function _expect(bytes4 selector, RightId rightId) private {
        vm.expectRevert(abi.encodeWithSelector(selector, rightId));
    }

    function _expectNotGrantor(RightId rightId, Member memory member) private {
        vm.expectRevert(abi.encodeWithSelector(IRights.CallerNotGrantor.selector, rightId, member.id));
    }

    function _expectTooWide(RightId rightId, bytes32 field) private {
        vm.expectRevert(abi.encodeWithSelector(IRights.RightTooWide.selector, rightId, field));
    }

    function _expectMissing(RightId rightId, AssetId assetId, ParticipantId holder, RightKind kind) private {
        vm.expectRevert(abi.encodeWithSelector(IRights.RightMissing.selector, rightId, assetId, holder, kind));
    }
}
