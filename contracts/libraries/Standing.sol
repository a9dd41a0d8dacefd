// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Actor, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";
import {Causes} from "./Causes.sol";
import {Clock} from "./Clock.sol";
import {Roles} from "./Roles.sol";

/// @title Standing
/// @notice Who an account speaks for, and what that organisation may do now: the reading half of {IParticipants}.
library Standing {
    // ---------------------------------------------------------------- types

    struct Organisation {
        // slot 0
        uint32 sequence;
        IParticipants.ParticipantState state;
        IParticipants.ParticipantType participantType;
        AuthorityClass suspendedBy;
        uint64 stateUntil; // deadline of the supplement asked for, or end of the suspension; 0 means open
        uint64 validUntil;
        uint16 administrators; // accounts that administer for good
        uint8 region;
        uint8 digit;
        bytes4 usccLast4;
        bool hasFurtherAccounts; // else its one account has all purposes, for good
        // slot 1
        bytes32 usccDigest;
        // slot 2
        ParticipantId homeVenue;
        // slot 3
        bytes32 profileDigest;
        // slot 4
        address firstAccount;
        uint64 admittedAt;
        DigestAlg digestAlg;
        // slot 5
        address lastAccount; // latest business account added after the first
    }

    struct Key {
        // slot 0
        ParticipantId participantId;
        // slot 1, read only where the organisation has further accounts
        uint8 purposes;
        bool isAdministrator; // counted in `administrators`
        uint64 validFrom;
        uint64 validUntil;
        uint64 revokedAt;
        // slot 2
        bytes32 encryptionKeyHash;
    }

    /// @dev `terms` holds the end of a role's term: {OPEN_TERM} without one, 0 if not granted.
    struct Register {
        address governor;
        uint32 sequence;
        mapping(ParticipantId participantId => Organisation) organisations;
        mapping(uint32 sequence => ParticipantId) ids;
        mapping(address account => Key) keys;
        mapping(
            ParticipantId participantId => mapping(ParticipantId venue => mapping(IParticipants.Role => uint64))
        ) terms;
        mapping(uint8 region => mapping(uint8 digit => bool)) issuerCodes;
    }

    // ---------------------------------------------------------------- constants

    ParticipantId internal constant LEDGER = ParticipantId.wrap(0);
    uint8 internal constant ADMINISTER = 1;
    uint8 internal constant ACT = 2;
    uint8 internal constant ALL_PURPOSES = 7;
    uint64 internal constant OPEN_TERM = type(uint64).max;

    // ---------------------------------------------------------------- views: organisations

    /// @notice Returns an organisation, and reverts if it has never applied.
    function organisationOf(Register storage self, ParticipantId participantId)
        internal
        view
        returns (Organisation storage organisation)
    {
        organisation = self.organisations[participantId];
        require(organisation.sequence != 0, IParticipants.ParticipantNotFound(participantId));
    }

    /// @notice Returns an organisation's record.
    function participantOf(Register storage self, ParticipantId participantId)
        internal
        view
        returns (IParticipants.Participant memory)
    {
        Organisation storage record = organisationOf(self, participantId);
        bool isSupplementDue = record.state == IParticipants.ParticipantState.SUPPLEMENT_REQUIRED;
        return IParticipants.Participant({
            participantId: participantId,
            sequence: record.sequence,
            participantType: record.participantType,
            state: record.state,
            usccDigest: record.usccDigest,
            usccLast4: record.usccLast4,
            homeVenue: record.homeVenue,
            profileDigest: record.profileDigest,
            digestAlg: record.digestAlg,
            admittedAt: record.admittedAt,
            validUntil: record.validUntil,
            supplementUntil: isSupplementDue ? record.stateUntil : 0
        });
    }

    /// @notice Says whether an organisation is admitted, not suspended and within its term.
    function isActive(Organisation storage self) internal view returns (bool) {
        if (self.validUntil != 0 && Clock.nowSeconds() >= self.validUntil) return false;
        return self.state == IParticipants.ParticipantState.ADMITTED || isSuspensionOver(self);
    }

    /// @notice Says whether a suspension has ended by itself.
    function isSuspensionOver(Organisation storage self) internal view returns (bool) {
        return self.state == IParticipants.ParticipantState.SUSPENDED && self.stateUntil != 0
            && Clock.nowSeconds() >= self.stateUntil;
    }

    /// @notice Says whether a class may suspend now.
    /// @dev A regulator's suspension takes the place of a venue's, so that the venue cannot lift it.
    function maySuspend(Organisation storage self, AuthorityClass authority) internal view returns (bool) {
        if (self.state == IParticipants.ParticipantState.ADMITTED || isSuspensionOver(self)) return true;
        return self.state == IParticipants.ParticipantState.SUSPENDED && authority == AuthorityClass.REGULATOR
            && self.suspendedBy != authority;
    }

    /// @notice Says whether an organisation may apply: for the first time, or after it was rejected or let a supplement
    /// lapse.
    /// @dev Else whoever applies in a stranger's name would shut it out.
    function mayApply(Organisation storage self) internal view returns (bool) {
        IParticipants.ParticipantState state = self.state;
        if (state == IParticipants.ParticipantState.SUPPLEMENT_REQUIRED) return Clock.nowSeconds() >= self.stateUntil;
        return state == IParticipants.ParticipantState.NONE || state == IParticipants.ParticipantState.REJECTED;
    }

    /// @notice Says whether an organisation holds a role at a venue, or for the whole ledger, now.
    function hasRole(Register storage self, ParticipantId participantId, IParticipants.Role role, ParticipantId venue)
        internal
        view
        returns (bool)
    {
        uint64 time = Clock.nowSeconds();
        if (self.terms[participantId][venue][role] > time) return true;
        return venue != LEDGER && self.terms[participantId][LEDGER][role] > time;
    }

    /// @notice Says whether an organisation may speak for an authority class at a venue.
    function hasStanding(Register storage self, ParticipantId caller, AuthorityClass authority, ParticipantId venue)
        internal
        view
        returns (bool)
    {
        if (authority == AuthorityClass.PARTY) return true;
        if (authority == AuthorityClass.ISSUER) {
            return hasRole(self, caller, IParticipants.Role.REGISTRAR, venue)
                || hasRole(self, caller, IParticipants.Role.EXCHANGE_OPERATOR, venue);
        }
        IParticipants.Role role = IParticipants.Role.NONE; // granted to nobody
        if (authority == AuthorityClass.VENUE) role = IParticipants.Role.EXCHANGE_OPERATOR;
        if (authority == AuthorityClass.REGULATOR) role = IParticipants.Role.REGULATOR;
        if (authority == AuthorityClass.COURT) role = IParticipants.Role.COURT_GATEWAY;
        if (authority == AuthorityClass.ARBITRATION) role = IParticipants.Role.ARBITRATOR;
        if (authority == AuthorityClass.BANK) role = IParticipants.Role.SETTLEMENT_BANK;
        return hasRole(self, caller, role, venue);
    }

    /// @notice Returns an issuer's region and digit, and reverts if it has none.
    function issuerCodeOf(Register storage self, ParticipantId participantId)
        internal
        view
        returns (uint8 region, uint8 digit)
    {
        Organisation storage organisation = organisationOf(self, participantId);
        (region, digit) = (organisation.region, organisation.digit);
        require(region != 0, IParticipants.IssuerCodeMissing(participantId));
    }

    // ---------------------------------------------------------------- views: accounts

    /// @notice Returns an account's record.
    function accountOf(Register storage self, address account) internal view returns (IParticipants.Account memory) {
        Key storage key = self.keys[account];
        require(key.participantId != LEDGER, IParticipants.AccountNotFound(account));
        return IParticipants.Account({
            account: account,
            participantId: key.participantId,
            purposes: key.purposes,
            validFrom: key.validFrom,
            validUntil: key.validUntil,
            revokedAt: key.revokedAt,
            encryptionKeyHash: key.encryptionKeyHash
        });
    }

    /// @notice Returns the first account while it is active, else the business account added last.
    function primaryAccountOf(Register storage self, ParticipantId participantId) internal view returns (address) {
        Organisation storage record = self.organisations[participantId];
        address first = record.firstAccount;
        require(first != address(0), IParticipants.ParticipantNotFound(participantId));
        if (!record.hasFurtherAccounts || isUsable(self.keys[first], ACT)) return first;
        address last = record.lastAccount;
        return last == address(0) ? first : last;
    }

    /// @notice Says whether an account may be used for a purpose now; says nothing of its organisation.
    function isUsable(Key storage self, uint8 purpose) internal view returns (bool) {
        uint64 time = Clock.nowSeconds();
        return self.purposes & purpose != 0 && self.revokedAt == 0 && time >= self.validFrom
            && (self.validUntil == 0 || time < self.validUntil);
    }

    /// @notice Returns whose an account is, and reverts unless it may be used for the purpose now.
    /// @dev The one account of an organisation without further ones applied for it: it has every purpose, without a term,
    /// and cannot be revoked, being the last that administers.
    function holderOf(Register storage self, address account, uint8 purpose)
        internal
        view
        returns (ParticipantId participantId)
    {
        Key storage key = self.keys[account];
        participantId = key.participantId;
        require(participantId != LEDGER, IParticipants.AccountNotFound(account));
        bool mayAct = !self.organisations[participantId].hasFurtherAccounts || isUsable(key, purpose);
        require(mayAct, IParticipants.AccountNotActive(account, purpose));
    }

    /// @notice Returns who acts through a business account.
    function actorOf(Register storage self, address account) internal view returns (Actor memory) {
        ParticipantId participantId = holderOf(self, account, ACT);
        Organisation storage organisation = self.organisations[participantId];
        requireActive(organisation, participantId);
        return Actor({participantId: participantId, sequence: organisation.sequence, account: account});
    }

    // ---------------------------------------------------------------- guards

    /// @notice Reverts unless the organisation is active.
    function requireActive(Organisation storage self, ParticipantId participantId) internal view {
        require(isActive(self), IParticipants.ParticipantNotActive(participantId, self.state));
    }

    /// @notice Returns an organisation's number, and reverts unless it is known and active.
    function requireActiveId(Register storage self, ParticipantId participantId) internal view returns (uint32) {
        Organisation storage record = organisationOf(self, participantId);
        requireActive(record, participantId);
        return record.sequence;
    }

    /// @notice Returns an issuer's number, and reverts unless it is active, holds the role for the ledger and has a
    /// code.
    function requireIssuer(Register storage self, ParticipantId participantId, IParticipants.Role role)
        internal
        view
        returns (uint32 sequence)
    {
        sequence = requireActiveId(self, participantId);
        bool isGranted = hasRole(self, participantId, role, LEDGER);
        require(isGranted, IParticipants.RoleMissing(participantId, role, LEDGER));
        issuerCodeOf(self, participantId);
    }

    /// @notice Reverts unless the organisation is in this very state.
    function requireState(Organisation storage self, ParticipantId participantId, IParticipants.ParticipantState state)
        internal
        view
    {
        require(self.state == state, IParticipants.ParticipantStateWrong(participantId, self.state));
    }

    /// @notice Reverts unless an organisation operates its own venue.
    function requireExchange(Register storage self, ParticipantId venue) internal view {
        IParticipants.Role role = IParticipants.Role.EXCHANGE_OPERATOR;
        require(hasRole(self, venue, role, venue), IParticipants.RoleMissing(venue, role, venue));
    }

    /// @notice Reverts unless the account is the governor.
    function requireGovernor(Register storage self, address account) internal view {
        require(account == self.governor, IParticipants.CallerNotGovernor(account));
    }

    /// @notice Returns the account's organisation, if any, and reverts unless it is the admitting body of an
    /// organisation.
    /// @dev That is the home venue, or the governor where there is none.
    function requireAdmitter(Register storage self, address account, ParticipantId participantId, ParticipantId venue)
        internal
        view
        returns (ParticipantId caller)
    {
        bool mayAdmit;
        if (venue == LEDGER) {
            caller = self.keys[account].participantId;
            mayAdmit = account == self.governor;
        } else {
            caller = actorOf(self, account).participantId;
            mayAdmit = caller == venue && hasRole(self, caller, IParticipants.Role.EXCHANGE_OPERATOR, caller);
        }
        require(mayAdmit, IParticipants.CallerNotAdmitter(caller, participantId));
    }

    /// @notice As {requireAdmitter}, for an adverse act.
    function requireAdmitterFor(
        Register storage self,
        address account,
        ParticipantId participantId,
        ParticipantId venue,
        Cause calldata cause
    ) internal view returns (ParticipantId caller) {
        caller = requireAdmitter(self, account, participantId, venue);
        Causes.requireOfVenue(caller, cause);
    }

    /// @notice Returns who suspends or restores an organisation: its admitting body as VENUE, or a REGULATOR.
    function requireSupervisor(
        Register storage self,
        address account,
        ParticipantId participantId,
        Cause calldata cause
    ) internal view returns (ParticipantId) {
        ParticipantId venue = self.organisations[participantId].homeVenue;
        if (cause.authority == AuthorityClass.REGULATOR) {
            return requireActorFor(self, account, cause, venue).participantId;
        }
        return requireAdmitterFor(self, account, participantId, venue, cause);
    }

    /// @notice Returns who revokes an account: its organisation as PARTY, or the admitting body as VENUE.
    function requireRevoker(Register storage self, address account, ParticipantId participantId, Cause calldata cause)
        internal
        view
        returns (ParticipantId caller)
    {
        if (cause.authority != AuthorityClass.PARTY) {
            ParticipantId venue = self.organisations[participantId].homeVenue;
            return requireAdmitterFor(self, account, participantId, venue, cause);
        }
        caller = requireOwn(self, account, participantId);
        Causes.requireComplete(cause);
    }

    /// @notice Returns the organisation that an account administers, and reverts unless it is this one.
    function requireOwn(Register storage self, address account, ParticipantId participantId)
        internal
        view
        returns (ParticipantId caller)
    {
        caller = holderOf(self, account, ADMINISTER);
        require(caller == participantId, IParticipants.CallerNotAdmitter(caller, participantId));
    }

    /// @notice Returns the account's organisation, if any, and reverts unless it grants this role at this venue.
    function requireGranter(
        Register storage self,
        address account,
        ParticipantId participantId,
        IParticipants.Role role,
        ParticipantId venue
    ) internal view returns (ParticipantId caller) {
        if (venue != LEDGER) organisationOf(self, venue);
        bool isOfVenue = Roles.isOfVenue(role);
        require(!isOfVenue || venue != LEDGER, IActing.FieldInvalid("venue"));
        return requireAdmitter(self, account, participantId, isOfVenue ? venue : LEDGER);
    }

    /// @notice Returns who acts, and reverts unless it holds the role at the venue.
    function requireInRole(Register storage self, address account, IParticipants.Role role, ParticipantId venue)
        internal
        view
        returns (Actor memory actor)
    {
        actor = actorOf(self, account);
        ParticipantId caller = actor.participantId;
        require(hasRole(self, caller, role, venue), IParticipants.RoleMissing(caller, role, venue));
    }

    /// @notice Returns who acts, and reverts unless it may speak for the complete cause at the venue.
    function requireActorFor(Register storage self, address account, Cause calldata cause, ParticipantId venue)
        internal
        view
        returns (Actor memory actor)
    {
        actor = actorOf(self, account);
        Causes.requireComplete(cause);
        ParticipantId caller = actor.participantId;
        require(
            hasStanding(self, caller, cause.authority, venue),
            IParticipants.AuthorityMissing(caller, uint8(cause.authority))
        );
    }
}
