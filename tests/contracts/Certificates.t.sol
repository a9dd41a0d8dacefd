// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../../contracts/interfaces/IActing.sol";
import {ICertificates} from "../../contracts/interfaces/ICertificates.sol";
import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {CertificateCodes} from "../../contracts/libraries/CertificateCodes.sol";
import {Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass} from "../../contracts/types/Codes.sol";
import {AssetId, CertificateId} from "../../contracts/types/Ids.sol";
import {Registry} from "./Registry.sol";

/// @notice Issue, status and lock of certificates: K-01, K-05, D-12, domain 4.3 and 7, B1 to B3.
contract CertificatesTest is Registry {
    ICertificates.CertificateFlag private constant FREEZE = ICertificates.CertificateFlag.JUDICIAL_FREEZE;
    ICertificates.CertificateFlag private constant CONTROL = ICertificates.CertificateFlag.TEMPORARY_CONTROL;
    ICertificates.CertificateFlag private constant NOTE = ICertificates.CertificateFlag.NOTE;
    ICertificates.CertificatePurpose private constant TRADE = ICertificates.CertificatePurpose.TRADE;
    ICertificates.CertificatePurpose private constant CANCEL = ICertificates.CertificatePurpose.CANCEL;
    AssetId private constant ASSET = AssetId.wrap("asset");
    /// @dev Where the contract keeps its serials; the test that writes there checks it first.
    uint256 private constant SERIALS_SLOT = 7;

    ICertificates.CertificateRequest private request;
    ICertificates.CertificateFields private fields;
    CertificateId private id;

    function setUp() public override {
        super.setUp();
        request = _request(seller.id, ASSET);
        (id,) = certificates.issue(request, "first");
        fields = _fieldsOf(request, id);
    }

    // ---------------------------------------------------------------- issue

    function test_issue_reverts_with_CallerNotModule() external {
        _expectNotModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER);
        vm.prank(stranger.account);
        certificates.issue(request, "second");
    }

    function test_issue_reverts_with_CertificateAlreadyExists() external {
        _expect(ICertificates.CertificateAlreadyExists.selector);
        certificates.issue(request, "first");
    }

    function test_issue_reverts_with_FieldInvalid_when_there_is_no_kind() external {
        request.kind = ICertificates.CertificateKind.NONE;
        _expectInvalid("kind");
        certificates.issue(request, "second");
    }

    function test_issue_reverts_with_TimeInPast() external {
        request.validUntil = START;
        _expectTimeInPast(START);
        certificates.issue(request, "second");
    }

    function test_issue_reverts_with_IssuerCodeMissing() external {
        request.issuer = buyer.id;
        vm.expectRevert(abi.encodeWithSelector(IParticipants.IssuerCodeMissing.selector, buyer.id));
        certificates.issue(request, "second");
    }

    function test_issue_reverts_with_CertificateSerialsExhausted() external {
        bytes32 slot = keccak256(abi.encode(uint256(442), SERIALS_SLOT));
        uint256 month = uint256(202_603) << 128;
        vm.assertEq(uint256(vm.load(address(certificates), slot)), month | (1 << 48));
        vm.store(address(certificates), slot, bytes32(month | (9998 << 48)));

        (, bytes32 code) = certificates.issue(request, "last");
        vm.assertEq(code, bytes32("SJ4422026039999"));

        vm.expectRevert(
            abi.encodeWithSelector(ICertificates.CertificateSerialsExhausted.selector, registrar.id, uint32(202_603))
        );
        certificates.issue(request, "one more");
    }

    function test_issue_stores_the_leaf_of_all_fields() external view {
        ICertificates.CertificateStatus memory status = certificates.certificateOf(id);
        vm.assertEq(status.leaf, keccak256(abi.encode(fields)));
        vm.assertEq(certificates.leafOf(fields), status.leaf);
        vm.assertEq(status.owner, seller.account);
        vm.assertTrue(status.base == ICertificates.CertificateBase.VALID);
        vm.assertEq(status.statusSequence, 1);
        vm.assertEq(status.validUntil, VALID_UNTIL);
    }

    function test_issue_emits_CertificateIssued() external {
        bytes32 salt = "second";
        id = CertificateId.wrap(keccak256(abi.encode(bytes32("certificate"), block.chainid, registrar.id, ASSET, salt)));
        fields.certificateId = id;
        fields.code = "SJ4422026030002";
        vm.expectEmit(address(certificates));
        emit IERC5192.Locked(uint256(CertificateId.unwrap(id)));
        vm.expectEmit(address(certificates));
        emit ICertificates.CertificateIssued(
            id,
            fields.holder,
            fields.subjectId,
            fields.kind,
            fields.subjectNoun,
            fields.subjectVersion,
            fields.code,
            fields.issuer,
            fields.documentDigest,
            fields.digestAlg,
            fields.issuedAt,
            fields.validUntil,
            seller.account,
            keccak256(abi.encode(fields))
        );
        certificates.issue(request, salt);
    }

    function test_issue_mints_a_locked_token() external view {
        uint256 tokenId = uint256(CertificateId.unwrap(id));
        vm.assertEq(certificates.ownerOf(tokenId), seller.account);
        vm.assertEq(certificates.balanceOf(seller.account), 1);
        vm.assertTrue(certificates.locked(tokenId));
        vm.assertEq(certificates.getApproved(tokenId), address(0));
        vm.assertFalse(certificates.isApprovedForAll(seller.account, buyer.account));
    }

    function test_issue_writes_the_national_code() external {
        (, bytes32 code) = certificates.issue(request, "second");
        vm.assertEq(code, bytes32("SJ4422026030002"));
    }

    function test_issue_writes_a_prefix_for_each_kind() external {
        request.codeFormat = IProfiles.CodeFormat.VENUE;
        request.issuer = exchange.id;
        bytes15[4] memory codes = [bytes15("VN4412026030001"), "JY4412026030001", "JF4412026030001", "JS4412026030001"];
        for (uint256 i = 0; i < codes.length; ++i) {
            request.kind = ICertificates.CertificateKind(i + 1);
            (, bytes32 code) = certificates.issue(request, bytes32(i));
            vm.assertEq(code, bytes32(codes[i]));
        }
    }

    function test_issue_counts_serials_for_each_issuer_kind_and_month() external {
        request.issuer = exchange.id;
        (, bytes32 code) = certificates.issue(request, "other issuer");
        vm.assertEq(code, bytes32("SJ4412026030001"));
        request.issuer = registrar.id;
        request.kind = ICertificates.CertificateKind.TRADE;
        (, code) = certificates.issue(request, "other kind");
        vm.assertEq(code, bytes32("JY4422026030001"));
        request.kind = ICertificates.CertificateKind.REGISTRATION;
        (, code) = certificates.issue(request, "same kind");
        vm.assertEq(code, bytes32("SJ4422026030002"));
        vm.warp(START + 31 days);
        (, code) = certificates.issue(request, "next month");
        vm.assertEq(code, bytes32("SJ4422026040001"));
    }

    // ---------------------------------------------------------------- code

    function test_code_takes_the_month_in_Shanghai() external pure {
        vm.assertEq(CertificateCodes.yearMonthOf(1_772_294_399), 202_602); // 2026-02-28 23:59:59 in Shanghai
        vm.assertEq(CertificateCodes.yearMonthOf(1_772_294_400), 202_603);
        vm.assertEq(CertificateCodes.yearMonthOf(1_798_732_799), 202_612);
        vm.assertEq(CertificateCodes.yearMonthOf(1_798_732_800), 202_701);
        vm.assertEq(CertificateCodes.yearMonthOf(1_835_366_400), 202_802); // 29 February 2028
        vm.assertEq(CertificateCodes.yearMonthOf(1_835_452_800), 202_803);
    }

    /// @dev Walks the months of a year instead of using a formula.
    function testFuzz_code_agrees_with_the_calendar(uint256 year, uint256 day) external pure {
        year = bound(year, 1971, 2400);
        bool isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        day = bound(day, 0, isLeap ? 365 : 364);
        uint256 time = 0;
        for (uint256 y = 1970; y < year; ++y) {
            time += y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 days : 365 days;
        }
        time = time + day * 1 days - 8 hours;
        uint256 month = 1;
        uint8[12] memory lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        while (day >= lengths[month - 1]) day -= lengths[month++ - 1];
        vm.assertEq(CertificateCodes.yearMonthOf(uint64(time)), year * 100 + month);
        vm.assertEq(CertificateCodes.yearMonthOf(uint64(time) + 1 days - 1), year * 100 + month);
    }

    // ---------------------------------------------------------------- supersede

    function test_supersede_reverts_with_CallerNotModule() external {
        _expectNotModule(IParticipants.ModuleKind.CERTIFICATE_ISSUER);
        vm.prank(stranger.account);
        certificates.supersede(id, id);
    }

    function test_supersede_reverts_with_CertificateNotFound() external {
        CertificateId unknown = CertificateId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateNotFound.selector, unknown));
        certificates.supersede(unknown, id);
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateNotFound.selector, unknown));
        certificates.supersede(id, unknown);
    }

    function test_supersede_reverts_with_FieldInvalid_when_it_names_itself() external {
        _expectInvalid("supersededBy");
        certificates.supersede(id, id);
    }

    function test_supersede_reverts_with_CertificateEnded() external {
        (CertificateId successor,) = certificates.issue(request, "second");
        certificates.supersede(id, successor);
        _expectEnded(ICertificates.CertificateBase.SUPERSEDED);
        certificates.supersede(id, successor);
    }

    function test_supersede_names_the_successor() external {
        (CertificateId successor,) = certificates.issue(request, "second");
        vm.expectEmit(address(certificates));
        emit ICertificates.CertificateSuperseded(id, successor, 2);
        certificates.supersede(id, successor);

        ICertificates.CertificateStatus memory status = certificates.certificateOf(id);
        vm.assertTrue(status.base == ICertificates.CertificateBase.SUPERSEDED);
        vm.assertEq(CertificateId.unwrap(status.supersededBy), CertificateId.unwrap(successor));
        vm.assertFalse(certificates.isUsable(id, TRADE));
    }

    // ---------------------------------------------------------------- flag

    function test_flag_reverts_with_CertificateNotFound() external {
        fields.certificateId = CertificateId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateNotFound.selector, fields.certificateId));
        _flag(registrar, NOTE, AuthorityClass.ISSUER);
    }

    function test_flag_reverts_with_CertificateFieldsWrong() external {
        fields.holder = buyer.id;
        _expect(ICertificates.CertificateFieldsWrong.selector);
        _flag(registrar, NOTE, AuthorityClass.ISSUER);
    }

    function test_flag_reverts_with_AuthorityMissing_when_the_freeze_is_not_a_courts() external {
        _expectAuthority(regulator, AuthorityClass.REGULATOR);
        _flag(regulator, FREEZE, AuthorityClass.REGULATOR);
        _expectAuthority(registrar, AuthorityClass.ISSUER);
        _flag(registrar, FREEZE, AuthorityClass.ISSUER);
    }

    function test_flag_reverts_with_AuthorityMissing_when_the_control_is_not_a_regulators() external {
        _expectAuthority(court, AuthorityClass.COURT);
        _flag(court, CONTROL, AuthorityClass.COURT);
    }

    function test_flag_reverts_with_AuthorityMissing_when_another_issuer_asks() external {
        _expectAuthority(exchange, AuthorityClass.ISSUER);
        _flag(exchange, NOTE, AuthorityClass.ISSUER);
    }

    function test_flag_reverts_with_AuthorityMissing_when_a_party_asks() external {
        _expectAuthority(seller, AuthorityClass.PARTY);
        _flag(seller, NOTE, AuthorityClass.PARTY);
    }

    function test_flag_reverts_with_AuthorityMissing_when_the_class_is_pretended() external {
        _expectAuthority(seller, AuthorityClass.COURT);
        _flag(seller, FREEZE, AuthorityClass.COURT);
    }

    function test_flag_reverts_with_CauseIncomplete() external {
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.documentDigest = 0;
        vm.expectRevert(abi.encodeWithSelector(IActing.CauseIncomplete.selector, cause.reasonCode, bytes32(0)));
        vm.prank(court.account);
        certificates.flag(fields, FREEZE, cause, _direct());
    }

    function test_flag_reverts_with_CertificateEnded() external {
        _cancel(registrar, AuthorityClass.ISSUER);
        _expectEnded(ICertificates.CertificateBase.CANCELLED);
        _flag(court, FREEZE, AuthorityClass.COURT);
    }

    function test_flag_reverts_with_CertificateFlagHeld() external {
        _flag(court, NOTE, AuthorityClass.COURT);
        _expectHeld(NOTE, AuthorityClass.COURT);
        _flag(registrar, NOTE, AuthorityClass.ISSUER);
    }

    function test_flag_raises_the_status_sequence() external {
        _flag(court, FREEZE, AuthorityClass.COURT);
        _flag(regulator, CONTROL, AuthorityClass.REGULATOR);
        ICertificates.CertificateStatus memory status = certificates.certificateOf(id);
        vm.assertEq(status.flags, 6);
        vm.assertEq(status.statusSequence, 3);
        (uint8 authority, uint64 until) = certificates.flagAuthorityOf(id, FREEZE);
        vm.assertEq(authority, uint8(AuthorityClass.COURT));
        vm.assertEq(until, 0);
    }

    function test_flag_emits_CertificateFlagged() external {
        Cause memory cause = _cause(AuthorityClass.COURT);
        vm.expectEmit(address(certificates));
        emit ICertificates.CertificateFlagged(id, FREEZE, court.id, court.account, 2, cause);
        vm.prank(court.account);
        certificates.flag(fields, FREEZE, cause, _direct());
    }

    function test_flag_sets_the_flag_again_given_the_earlier_is_over() external {
        _flagUntil(START + 1 days);
        vm.warp(START + 1 days);
        vm.assertTrue(certificates.isUsable(id, TRADE));
        _flag(court, FREEZE, AuthorityClass.COURT);
        vm.assertFalse(certificates.isUsable(id, TRADE));
    }

    // ---------------------------------------------------------------- unflag

    function test_unflag_reverts_with_CertificateFlagMissing() external {
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateFlagMissing.selector, id, FREEZE));
        _unflag(court, FREEZE, AuthorityClass.COURT);
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateFlagMissing.selector, id, FREEZE));
        certificates.flagAuthorityOf(id, FREEZE);
    }

    /// @dev Domain invariant 8.
    function test_unflag_reverts_with_CertificateFlagHeld() external {
        _flag(court, FREEZE, AuthorityClass.COURT);
        _expectHeld(FREEZE, AuthorityClass.COURT);
        _unflag(regulator, FREEZE, AuthorityClass.REGULATOR);
        _expectHeld(FREEZE, AuthorityClass.COURT);
        _unflag(registrar, FREEZE, AuthorityClass.ISSUER);
    }

    function test_unflag_lifts_the_flag() external {
        _flag(court, FREEZE, AuthorityClass.COURT);
        Cause memory cause = _cause(AuthorityClass.COURT);
        vm.expectEmit(address(certificates));
        emit ICertificates.CertificateUnflagged(id, FREEZE, court.id, court.account, 3, cause);
        vm.prank(court.account);
        certificates.unflag(fields, FREEZE, cause, _direct());
        vm.assertTrue(certificates.isUsable(id, TRADE));
    }

    // ---------------------------------------------------------------- cancel

    function test_cancel_reverts_with_AuthorityMissing() external {
        _expectAuthority(exchange, AuthorityClass.ISSUER);
        _cancel(exchange, AuthorityClass.ISSUER);
        _expectAuthority(seller, AuthorityClass.PARTY);
        _cancel(seller, AuthorityClass.PARTY);
    }

    /// @dev B3.
    function test_cancel_reverts_with_CertificateEnded() external {
        _cancel(registrar, AuthorityClass.ISSUER);
        _expectEnded(ICertificates.CertificateBase.CANCELLED);
        _cancel(registrar, AuthorityClass.ISSUER);
    }

    function test_cancel_reverts_with_CertificateNotUsable() external {
        _flag(court, FREEZE, AuthorityClass.COURT);
        _expectNotUsable();
        _cancel(registrar, AuthorityClass.ISSUER);
        _expectNotUsable();
        _cancel(regulator, AuthorityClass.REGULATOR);
    }

    function test_cancel_ends_the_certificate_for_good() external {
        Cause memory cause = _cause(AuthorityClass.ISSUER);
        vm.expectEmit(address(certificates));
        emit ICertificates.CertificateCancelled(id, registrar.id, registrar.account, 2, cause);
        vm.prank(registrar.account);
        certificates.cancel(fields, cause, _direct());
        vm.assertFalse(certificates.isUsable(id, TRADE));
        vm.assertEq(certificates.ownerOf(uint256(CertificateId.unwrap(id))), seller.account);
    }

    function test_cancel_cancels_under_its_own_flag() external {
        _flag(court, FREEZE, AuthorityClass.COURT);
        _cancel(court, AuthorityClass.COURT);
        vm.assertTrue(certificates.certificateOf(id).base == ICertificates.CertificateBase.CANCELLED);
    }

    // ---------------------------------------------------------------- isUsable

    function test_isUsable_says_no_for_unknown_ended_and_expired_certificates() external {
        vm.assertFalse(certificates.isUsable(CertificateId.wrap("unknown"), TRADE));
        vm.warp(VALID_UNTIL - 1);
        vm.assertTrue(certificates.isUsable(id, TRADE));
        vm.warp(VALID_UNTIL);
        vm.assertFalse(certificates.isUsable(id, TRADE));
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateNotUsable.selector, id, TRADE));
        certificates.requireUsable(id, TRADE);
        vm.expectRevert(
            abi.encodeWithSelector(ICertificates.CertificateNotFound.selector, CertificateId.wrap("unknown"))
        );
        certificates.requireUsable(CertificateId.wrap("unknown"), TRADE);
    }

    /// @dev Domain 4.3, written as a table: bit n is purpose n (LIST, TRADE, DERIVE, ASSIGN, PLEDGE, CANCEL).
    function test_isUsable_blocks_by_flag_and_purpose() external {
        uint8[7] memory blocked = [uint8(9), 63, 63, 40, 0, 0, 0];
        for (uint256 i = 0; i < blocked.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            if (i == 2) _flag(regulator, CONTROL, AuthorityClass.REGULATOR);
            else _flag(court, ICertificates.CertificateFlag(i), AuthorityClass.COURT);
            for (uint256 purpose = 0; purpose < 6; ++purpose) {
                bool isUsable = certificates.isUsable(id, ICertificates.CertificatePurpose(purpose));
                vm.assertEq(isUsable, blocked[i] >> purpose & 1 == 0);
            }
            vm.revertToState(snapshot);
        }
    }

    function test_isUsable_ignores_a_flag_that_is_over() external {
        _flagUntil(START + 1 days);
        vm.warp(START + 1 days - 1);
        vm.assertFalse(certificates.isUsable(id, TRADE));
        vm.warp(START + 1 days);
        vm.assertTrue(certificates.isUsable(id, TRADE));
    }

    // ---------------------------------------------------------------- token

    /// @dev B2.
    function testFuzz_token_reverts_with_CertificateLocked_on_every_path(address to, uint256 tokenId) external {
        bytes memory locked = abi.encodeWithSelector(ICertificates.CertificateLocked.selector, tokenId);
        vm.startPrank(seller.account);
        vm.expectRevert(locked);
        certificates.transferFrom(seller.account, to, tokenId);
        vm.expectRevert(locked);
        certificates.safeTransferFrom(seller.account, to, tokenId);
        vm.expectRevert(locked);
        certificates.safeTransferFrom(seller.account, to, tokenId, "");
        vm.expectRevert(locked);
        certificates.approve(to, tokenId);
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateLocked.selector, 0));
        certificates.setApprovalForAll(to, true);
        vm.stopPrank();
    }

    function test_token_names_itself_and_its_interfaces() external {
        vm.chainId(7);
        vm.assertEq(certificates.name(), "Shulian certificates");
        vm.assertEq(certificates.symbol(), "SHULIAN");
        (id,) = certificates.issue(request, "named");
        bytes memory uri = bytes(certificates.tokenURI(uint256(CertificateId.unwrap(id))));
        vm.assertEq(uri.length, bytes("urn:shulian:7:certificate:").length + 66);
        bytes4[4] memory known = [bytes4(0x01ffc9a7), 0x80ac58cd, 0x5b5e139f, 0xb45a3c0e];
        for (uint256 i = 0; i < known.length; ++i) {
            vm.assertTrue(certificates.supportsInterface(known[i]));
        }
        vm.assertFalse(certificates.supportsInterface(0xffffffff));
    }

    function testFuzz_token_reverts_with_CertificateNotFound(bytes32 unknown) external {
        vm.assume(unknown != CertificateId.unwrap(id));
        bytes memory notFound = abi.encodeWithSelector(ICertificates.CertificateNotFound.selector, unknown);
        vm.expectRevert(notFound);
        certificates.ownerOf(uint256(unknown));
        vm.expectRevert(notFound);
        certificates.locked(uint256(unknown));
        vm.expectRevert(notFound);
        certificates.tokenURI(uint256(unknown));
        vm.expectRevert(notFound);
        certificates.certificateOf(CertificateId.wrap(unknown));
    }

    // ---------------------------------------------------------------- steps

    function _flag(Member memory member, ICertificates.CertificateFlag flag, AuthorityClass authority) private {
        vm.prank(member.account);
        certificates.flag(fields, flag, _cause(authority), _direct());
    }

    function _flagUntil(uint64 until) private {
        Cause memory cause = _cause(AuthorityClass.COURT);
        cause.until = until;
        vm.prank(court.account);
        certificates.flag(fields, FREEZE, cause, _direct());
    }

    function _unflag(Member memory member, ICertificates.CertificateFlag flag, AuthorityClass authority) private {
        vm.prank(member.account);
        certificates.unflag(fields, flag, _cause(authority), _direct());
    }

    function _cancel(Member memory member, AuthorityClass authority) private {
        vm.prank(member.account);
        certificates.cancel(fields, _cause(authority), _direct());
    }

    function _expect(bytes4 selector) private {
        vm.expectRevert(abi.encodeWithSelector(selector, id));
    }

    function _expectEnded(ICertificates.CertificateBase base) private {
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateEnded.selector, id, base));
    }

    function _expectHeld(ICertificates.CertificateFlag flag, AuthorityClass authority) private {
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateFlagHeld.selector, id, flag, uint8(authority)));
    }

    function _expectNotUsable() private {
        vm.expectRevert(abi.encodeWithSelector(ICertificates.CertificateNotUsable.selector, id, CANCEL));
    }
}
