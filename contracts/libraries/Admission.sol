// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IActing} from "../interfaces/IActing.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {ParticipantId} from "../types/Ids.sol";
import {Causes} from "./Causes.sol";
import {Clock} from "./Clock.sol";
import {Standing} from "./Standing.sol";

/// @title Admission
/// @notice How applications and accounts are checked and entered: the writing half that {IParticipants} shares among
/// its acts.
library Admission {
    using Standing for Standing.Register;
    using Standing for Standing.Organisation;

    // ---------------------------------------------------------------- entries

    /// @notice Enters an application; the applying account gets all purposes.
    /// @dev Whoever applied in vain before loses the organisation to a new applicant, whose account takes the place of
    /// the first.
    ///
    /// Emits a {ParticipantApplied} event, after an {AccountRevoked} event for an earlier applicant's account.
    function enterApplication(
        Standing.Register storage self,
        ParticipantId participantId,
        address account,
        IParticipants.Application calldata params
    ) internal {
        Standing.Organisation storage record = self.organisations[participantId];
        address previous = record.firstAccount;
        uint64 time = Clock.nowSeconds();
        if (previous == address(0)) {
            record.sequence = ++self.sequence;
            self.ids[record.sequence] = participantId;
        } else if (previous != account) {
            Cause memory none;
            self.keys[previous].revokedAt = time;
            record.hasFurtherAccounts = true;
            emit IParticipants.AccountRevoked(previous, participantId, participantId, account, time, none);
        }
        record.state = IParticipants.ParticipantState.APPLIED;
        record.participantType = params.participantType;
        record.administrators = 1;
        record.digestAlg = params.digestAlg;
        record.usccLast4 = params.usccLast4;
        record.usccDigest = params.usccDigest;
        record.homeVenue = params.homeVenue;
        record.profileDigest = params.profileDigest;
        record.firstAccount = account;
        bytes32 keyHash = keccak256(params.encryptionKey);
        self.keys[account] = Standing.Key(participantId, Standing.ALL_PURPOSES, true, time, 0, 0, keyHash);
        _emitApplied(participantId, account, record.sequence, params);
    }

    /// @notice Enters a further account of an organisation.
    /// @dev An account that administers at once and for good is counted: the last such one is never revoked.
    function enterAccount(
        Standing.Register storage self,
        ParticipantId participantId,
        address account,
        uint8 purposes,
        uint64 validFrom,
        uint64 validUntil,
        bytes32 encryptionKeyHash
    ) internal {
        Standing.Organisation storage record = self.organisations[participantId];
        bool isAdministrator = purposes & Standing.ADMINISTER != 0 && validUntil == 0 && validFrom <= Clock.nowSeconds();
        record.hasFurtherAccounts = true;
        if (isAdministrator) ++record.administrators;
        if (purposes & Standing.ACT != 0) record.lastAccount = account;
        self.keys[account] =
            Standing.Key(participantId, purposes, isAdministrator, validFrom, validUntil, 0, encryptionKeyHash);
    }

    /// @notice Revokes an account, unless its organisation would be left without one that administers it for good.
    /// @return revokedAt Seconds: now.
    function endAccount(Standing.Register storage self, address account) internal returns (uint64 revokedAt) {
        Standing.Key storage key = self.keys[account];
        require(key.revokedAt == 0, IParticipants.AccountNotActive(account, key.purposes));
        if (key.isAdministrator) {
            Standing.Organisation storage record = self.organisations[key.participantId];
            require(record.administrators > 1, IParticipants.AccountLastAdministrator(account));
            --record.administrators;
        }
        revokedAt = Clock.nowSeconds();
        key.revokedAt = revokedAt;
    }

    /// @notice Gives an issuer its region and digit; an earlier pair of its own stays taken, as do the codes made with
    /// it.
    function enterIssuerCode(Standing.Register storage self, ParticipantId participantId, uint8 region, uint8 digit)
        internal
    {
        require(region >= 10 && region <= 99, IActing.FieldInvalid("region"));
        require(digit <= 9, IActing.FieldInvalid("digit"));
        require(!self.issuerCodes[region][digit], IParticipants.IssuerCodeTaken(region, digit));
        self.issuerCodes[region][digit] = true;
        Standing.Organisation storage record = self.organisations[participantId];
        (record.region, record.digit) = (region, digit);
    }

    // ---------------------------------------------------------------- guards

    /// @notice Reverts unless the organisation may apply with this account.
    function requireMayApply(Standing.Register storage self, ParticipantId participantId, address account)
        internal
        view
    {
        Standing.Organisation storage record = self.organisations[participantId];
        require(record.mayApply(), IParticipants.ParticipantAlreadyExists(participantId));
        bool isFree = self.keys[account].participantId == Standing.LEDGER || account == record.firstAccount;
        require(isFree, IParticipants.AccountAlreadyExists(account));
    }

    /// @notice Reverts unless an application is complete and goes to an exchange or the governor.
    function requireApplication(Standing.Register storage self, IParticipants.Application calldata params)
        internal
        view
    {
        require(params.usccDigest != 0, IActing.FieldInvalid("usccDigest"));
        require(params.usccLast4 != 0, IActing.FieldInvalid("usccLast4"));
        bool isTyped = params.participantType != IParticipants.ParticipantType.NONE;
        require(isTyped, IActing.FieldInvalid("participantType"));
        requireDigest(params.profileDigest, params.digestAlg, "profileDigest");
        requireEncryptionKey(params.encryptionKey);
        if (params.homeVenue == Standing.LEDGER) return;
        Standing.Organisation storage venue = self.organisationOf(params.homeVenue);
        self.requireExchange(params.homeVenue);
        venue.requireActive(params.homeVenue);
    }

    /// @notice Reverts unless purposes, term and key of a further account are possible.
    function requireAccount(uint8 purposes, uint64 validFrom, uint64 validUntil, bytes calldata encryptionKey)
        internal
        view
    {
        require(purposes != 0 && purposes <= Standing.ALL_PURPOSES, IActing.FieldInvalid("purposes"));
        Causes.requireOpenOrFuture(validUntil);
        require(validUntil == 0 || validFrom < validUntil, IActing.FieldInvalid("validFrom"));
        requireEncryptionKey(encryptionKey);
    }

    /// @notice Reverts unless a digest is given with its algorithm.
    function requireDigest(bytes32 digest, DigestAlg digestAlg, bytes32 field) internal pure {
        require(digest != 0 && digestAlg != DigestAlg.NONE, IActing.FieldInvalid(field));
    }

    /// @notice Reverts unless the key looks like a compressed secp256k1 point.
    function requireEncryptionKey(bytes calldata key) internal pure {
        bool isCompressed = key.length == 33 && (key[0] == 0x02 || key[0] == 0x03);
        require(isCompressed, IActing.FieldInvalid("encryptionKey"));
    }

    /// @notice Reverts unless a venue may change its recognition of a participant so.
    /// @dev NONE → RECOGNIZED → REVOKED, or NONE → DECLINED; a refused or revoked one may be recognised later (domain
    /// 4.1).
    function requireRecognition(IParticipants.Recognition previous, IParticipants.Recognition next) internal pure {
        bool mayFollow = next == IParticipants.Recognition.RECOGNIZED
            ? previous != next
            : next == IParticipants.Recognition.REVOKED
                ? previous == IParticipants.Recognition.RECOGNIZED
                : next == IParticipants.Recognition.DECLINED && previous == IParticipants.Recognition.NONE;
        require(mayFollow, IActing.FieldInvalid("recognition"));
    }

    // ---------------------------------------------------------------- internal

    function _emitApplied(
        ParticipantId participantId,
        address account,
        uint32 sequence,
        IParticipants.Application calldata params
    ) private {
        emit IParticipants.ParticipantApplied(
            participantId,
            account,
            params.homeVenue,
            sequence,
            params.participantType,
            params.usccDigest,
            params.usccLast4,
            params.profileDigest,
            params.digestAlg,
            Standing.ALL_PURPOSES,
            params.encryptionKey
        );
    }
}
