// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Agreements} from "../../contracts/governance/Agreements.sol";
import {Participants} from "../../contracts/governance/Participants.sol";
import {Profiles} from "../../contracts/governance/Profiles.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IProfiles} from "../../contracts/interfaces/IProfiles.sol";
import {Days} from "../../contracts/libraries/Days.sol";
import {Authorization, Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId, ProfileId} from "../../contracts/types/Ids.sol";
import {Test} from "./Test.sol";

/// @notice The ledger that every forge test starts from: deployed contracts, an admitted cast, and what signs for it.
/// @dev Each noun's deployment goes into {_deploy}, in the order of the contracts' constructors.
abstract contract Ledger is Test {
    /// @param id The organisation.
    /// @param account Its first account, with all purposes.
    /// @param key That account's private key.
    struct Member {
        ParticipantId id;
        address account;
        uint256 key;
    }

    bytes32 internal constant ACT_TYPEHASH =
        keccak256("Act(address account,bytes4 selector,bytes32 argumentsHash,uint256 nonce,uint64 deadline)");
    ParticipantId internal constant NO_VENUE = ParticipantId.wrap(0);
    /// @dev Monday 2026-03-02, 10:00 in Shanghai.
    uint64 internal constant START = 1_772_416_800;

    Participants internal participants;
    Profiles internal profiles;
    Agreements internal agreements;

    /// @dev {_nationalProfile}, published; the calendars of 2026 and 2027 are loaded with plain weekdays.
    ProfileId internal profileId;

    Member internal governor; // an account only: its id stays zero
    Member internal exchange;
    Member internal otherExchange;
    Member internal registrar;
    Member internal regulator;
    Member internal bank;
    Member internal court;
    Member internal arbitrator;
    Member internal taxOffice;
    Member internal reviewer; // security reviews
    Member internal seller;
    Member internal otherSeller;
    Member internal buyer;
    Member internal assessor;
    Member internal broker;
    Member internal carrier; // delivery provider
    Member internal stranger; // an account without an organisation

    // ---------------------------------------------------------------- the ledger

    function setUp() public virtual {
        vm.warp(START);
        (governor.account, governor.key) = makeAccount("governor");
        (stranger.account, stranger.key) = makeAccount("stranger");
        _deploy();
        _admitCast();
        _publishRules();
    }

    function _deploy() internal virtual {
        participants = new Participants(governor.account);
        profiles = new Profiles(participants);
        agreements = new Agreements(participants);
    }

    function _publishRules() internal virtual {
        vm.startPrank(governor.account);
        profileId = profiles.publish(_nationalProfile(), _direct());
        profiles.loadCalendarYear(2026, _weekdays(2026), _direct());
        profiles.loadCalendarYear(2027, _weekdays(2027), _direct());
        vm.stopPrank();
    }

    function _admitCast() internal {
        exchange = _admitted("exchange", NO_VENUE);
        _grant(exchange, IParticipants.Role.EXCHANGE_OPERATOR, exchange.id);
        otherExchange = _admitted("otherExchange", NO_VENUE);
        _grant(otherExchange, IParticipants.Role.EXCHANGE_OPERATOR, otherExchange.id);
        registrar = _serving("registrar", IParticipants.Role.REGISTRAR);
        regulator = _serving("regulator", IParticipants.Role.REGULATOR);
        bank = _serving("bank", IParticipants.Role.SETTLEMENT_BANK);
        court = _serving("court", IParticipants.Role.COURT_GATEWAY);
        arbitrator = _serving("arbitrator", IParticipants.Role.ARBITRATOR);
        taxOffice = _serving("taxOffice", IParticipants.Role.TAX_COLLECTOR);
        reviewer = _serving("reviewer", IParticipants.Role.SECURITY_REVIEWER);
        seller = _trading("seller", IParticipants.Role.SELLER);
        otherSeller = _trading("otherSeller", IParticipants.Role.SELLER);
        buyer = _trading("buyer", IParticipants.Role.BUYER);
        assessor = _trading("assessor", IParticipants.Role.ASSESSOR);
        broker = _trading("broker", IParticipants.Role.BROKER);
        carrier = _trading("carrier", IParticipants.Role.DELIVERY_PROVIDER);
        _assignIssuerCode(exchange, 44, 1);
        _assignIssuerCode(otherExchange, 31, 1);
        _assignIssuerCode(registrar, 44, 2);
    }

    // ---------------------------------------------------------------- members

    /// @notice An organisation that the governor admitted, with one role for the whole ledger.
    function _serving(string memory name, IParticipants.Role role) internal returns (Member memory member) {
        member = _admitted(name, NO_VENUE);
        _grant(member, role, NO_VENUE);
    }

    /// @notice An organisation that the exchange admitted, with one role there.
    function _trading(string memory name, IParticipants.Role role) internal returns (Member memory member) {
        member = _admitted(name, exchange.id);
        _grant(member, role, exchange.id);
    }

    /// @notice An admitted organisation without a role.
    function _admitted(string memory name, ParticipantId homeVenue) internal returns (Member memory member) {
        member = _applied(name, homeVenue);
        vm.prank(_admitterOf(homeVenue));
        participants.admit(member.id, 0, keccak256("evidence"), DigestAlg.SHA256, _direct());
    }

    /// @notice An organisation that has applied for admission.
    function _applied(string memory name, ParticipantId homeVenue) internal returns (Member memory member) {
        (member.account, member.key) = makeAccount(name);
        IParticipants.Application memory application = _application(name, homeVenue);
        vm.prank(member.account);
        member.id = participants.applyForAdmission(application, _direct());
    }

    function _application(string memory name, ParticipantId homeVenue)
        internal
        pure
        returns (IParticipants.Application memory)
    {
        return IParticipants.Application({
            usccDigest: keccak256(bytes(name)), // not sha256: calling a precompile would use up an expectRevert
            usccLast4: "0A1X",
            participantType: IParticipants.ParticipantType.LEGAL_PERSON,
            homeVenue: homeVenue,
            profileDigest: keccak256(abi.encode("profile", name)),
            digestAlg: DigestAlg.SHA256,
            encryptionKey: _encryptionKey(name)
        });
    }

    function _encryptionKey(string memory name) internal pure returns (bytes memory) {
        return abi.encodePacked(bytes1(0x02), keccak256(bytes(name)));
    }

    function _grant(Member memory member, IParticipants.Role role, ParticipantId venue) internal {
        bool isVenueRole = venue != NO_VENUE && role != IParticipants.Role.EXCHANGE_OPERATOR;
        vm.prank(isVenueRole ? _admitterOf(venue) : governor.account);
        participants.grantRole(member.id, role, venue, 0, _direct());
    }

    function _assignIssuerCode(Member memory member, uint8 region, uint8 digit) internal {
        vm.prank(governor.account);
        participants.assignIssuerCode(member.id, region, digit, _direct());
    }

    function _setModule(IParticipants.ModuleKind kind, address module) internal {
        vm.prank(governor.account);
        participants.setModule(kind, module, true, _direct());
    }

    function _suspend(Member memory member) internal {
        vm.prank(regulator.account);
        participants.suspend(member.id, _cause(AuthorityClass.REGULATOR), _direct());
    }

    function _admitterOf(ParticipantId venue) internal view returns (address) {
        return venue == NO_VENUE ? governor.account : participants.primaryAccountOf(venue);
    }

    // ---------------------------------------------------------------- rules

    function _nationalProfile() internal pure returns (IProfiles.Profile memory) {
        return IProfiles.Profile({
            name: "CN_2026_35",
            acceptance: _workingDays(3),
            supplement: _workingDays(10),
            decision: _workingDays(10),
            notice: _workingDays(5),
            objection: _workingDays(10),
            validity: IProfiles.Duration({amount: 1825, unit: IProfiles.DurationUnit.DAYS}),
            renewalOpens: IProfiles.Duration({amount: 180, unit: IProfiles.DurationUnit.DAYS}),
            noticeCountsFirstDay: false,
            noticeWaivable: true,
            codeFormat: IProfiles.CodeFormat.NATIONAL
        });
    }

    function _workingDays(uint32 amount) internal pure returns (IProfiles.Duration memory) {
        return IProfiles.Duration({amount: amount, unit: IProfiles.DurationUnit.WORKING_DAYS});
    }

    /// @notice A year in which Monday to Friday are worked, and nothing else.
    function _weekdays(uint16 year) internal pure returns (uint256[2] memory workingDays) {
        uint256 newYear = Days.firstDayOf(year);
        uint256 length = Days.firstDayOf(year + 1) - newYear;
        for (uint256 i = 0; i < length; ++i) {
            // 1970-01-01 was a Thursday, so 2 and 3 are the weekend.
            uint256 weekday = (newYear + i) % 7;
            if (weekday != 2 && weekday != 3) workingDays[i >> 8] |= 1 << (i & 0xff);
        }
    }

    // ---------------------------------------------------------------- authorizations and causes

    /// @notice The sender acts itself.
    function _direct() internal pure returns (Authorization memory authorization) {}

    /// @notice A member signs an act that anybody may relay within an hour.
    function _relayed(Member memory member, address target, bytes4 selector, bytes32 argumentsHash, uint256 nonce)
        internal
        view
        returns (Authorization memory authorization)
    {
        authorization.account = member.account;
        authorization.nonce = nonce;
        authorization.deadline = uint64(block.timestamp) + 1 hours;
        bytes32 structHash =
            keccak256(abi.encode(ACT_TYPEHASH, member.account, selector, argumentsHash, nonce, authorization.deadline));
        authorization.signature = signatureOf(member.key, _typedDigest(target, structHash));
    }

    /// @notice The EIP-712 digest of a struct in a contract's domain.
    function _typedDigest(address target, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", _domainOf(target), structHash));
    }

    function _domainOf(address target) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Shulian"),
                keccak256("1"),
                block.chainid,
                target
            )
        );
    }

    /// @notice A complete, open cause of a class.
    function _cause(AuthorityClass authority) internal pure returns (Cause memory) {
        return Cause({
            reasonCode: 7,
            documentDigest: keccak256("decision"),
            digestAlg: DigestAlg.SHA256,
            authority: authority,
            until: 0
        });
    }

    function _noCause() internal pure returns (Cause memory cause) {}
}
