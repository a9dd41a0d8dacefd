// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFunds} from "../interfaces/IFunds.sol";
import {IParticipants} from "../interfaces/IParticipants.sol";
import {ITrades} from "../interfaces/ITrades.sol";
import {Acting} from "../libraries/Acting.sol";
import {Clock} from "../libraries/Clock.sol";
import {Hashing} from "../libraries/Hashing.sol";
import {Legs} from "../libraries/Legs.sol";
import {Actor, Authorization, Cause} from "../types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../types/Codes.sol";
import {ParticipantId, TradeId, WithdrawalId} from "../types/Ids.sol";

/// @title Funds
/// @notice Accounts at settlement banks, holds for trades, and withdrawals.
/// @dev Amounts only move between the three parts of accounts; the bank's total changes by the bank's word alone.
contract Funds is IFunds, Acting {
    // ---------------------------------------------------------------- types

    struct StoredAccount {
        // slot 0
        uint64 availableFen;
        uint64 heldFen;
        uint64 frozenFen;
    }

    struct StoredHold {
        // slot 0
        uint32 payer;
        uint32 bank;
        uint64 amountFen; // as held first
        uint64 heldFen;
        bool isBlocked;
        uint40 blockedUntil;
    }

    struct StoredWithdrawal {
        // slot 0
        uint32 participant;
        uint32 bank;
        uint64 amountFen;
        WithdrawalState state;
    }

    // ---------------------------------------------------------------- constants

    uint256 private constant AMOUNT_MAX = type(uint64).max >> 1;
    bytes3 private constant CURRENCY = "CNY";
    uint32 private constant VALUE_DATE_MIN = 19_000_101;
    uint32 private constant VALUE_DATE_MAX = 99_991_231;
    ParticipantId private constant EVERYWHERE = ParticipantId.wrap(0);

    IParticipants public immutable participants;

    // ---------------------------------------------------------------- storage

    mapping(ParticipantId participantId => mapping(ParticipantId bank => StoredAccount)) private _accounts;
    mapping(TradeId => StoredHold) private _holds;
    mapping(WithdrawalId => StoredWithdrawal) private _withdrawals;
    mapping(ParticipantId bank => mapping(bytes32 bankReferenceDigest => bool)) private _usedReferences;
    mapping(ParticipantId bank => uint64 totalFen) private _totals;

    // ---------------------------------------------------------------- constructor

    constructor(IParticipants participants_) {
        participants = participants_;
    }

    // ---------------------------------------------------------------- modifiers

    modifier onlyModule(IParticipants.ModuleKind kind) {
        require(participants.isModule(kind, msg.sender), IParticipants.CallerNotModule(msg.sender, kind));
        _;
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc IFunds
    function fundsAccountOf(ParticipantId participantId, ParticipantId bank)
        external
        view
        returns (FundsAccount memory)
    {
        StoredAccount memory stored = _accounts[participantId][bank];
        return FundsAccount(participantId, bank, stored.availableFen, stored.heldFen, stored.frozenFen);
    }

    /// @inheritdoc IFunds
    function fundsHoldOf(TradeId tradeId) external view returns (FundsHold memory) {
        StoredHold memory stored = _holds[tradeId];
        require(stored.payer != 0, HoldNotFound(tradeId));
        return FundsHold({
            tradeId: tradeId,
            payer: participants.participantBySequence(stored.payer),
            bank: participants.participantBySequence(stored.bank),
            heldFen: stored.heldFen,
            isBlocked: stored.isBlocked,
            blockedUntil: stored.blockedUntil
        });
    }

    /// @inheritdoc IFunds
    function paymentOf(TradeId tradeId) external view returns (ParticipantId bank, uint64 amountFen) {
        StoredHold storage stored = _holds[tradeId];
        amountFen = stored.amountFen;
        if (amountFen != 0) bank = participants.participantBySequence(stored.bank);
    }

    /// @inheritdoc IFunds
    function withdrawalOf(WithdrawalId withdrawalId) external view returns (Withdrawal memory) {
        StoredWithdrawal memory stored = _withdrawals[withdrawalId];
        require(stored.state != WithdrawalState.NONE, WithdrawalNotFound(withdrawalId));
        return Withdrawal({
            withdrawalId: withdrawalId,
            participantId: participants.participantBySequence(stored.participant),
            bank: participants.participantBySequence(stored.bank),
            amountFen: stored.amountFen,
            state: stored.state
        });
    }

    /// @inheritdoc IFunds
    function isBankReferenceUsed(ParticipantId bank, bytes32 bankReferenceDigest) external view returns (bool) {
        return _usedReferences[bank][bankReferenceDigest];
    }

    /// @inheritdoc IFunds
    function totalFenOf(ParticipantId bank) external view returns (uint64) {
        return _totals[bank];
    }

    // ---------------------------------------------------------------- writes

    /// @inheritdoc IFunds
    function attestDeposit(BankDeposit calldata params, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(params)), authorization);
        Actor memory actor = participants.actorInRole(account, IParticipants.Role.SETTLEMENT_BANK, EVERYWHERE);
        ParticipantId bank = actor.participantId;
        participants.sequenceOf(params.participantId); // reverts if unknown
        require(params.currency == CURRENCY, CurrencyNotServed(params.currency));
        _useReference(bank, params.bankReferenceDigest, params.digestAlg, params.valueDate);
        require(params.amountFen != 0, FieldInvalid("amountFen"));
        uint256 totalFen = uint256(_totals[bank]) + params.amountFen;
        require(totalFen <= AMOUNT_MAX, FieldInvalid("amountFen"));

        _totals[bank] = uint64(totalFen);
        _accounts[params.participantId][bank].availableFen += params.amountFen;
        emit FundsDeposited(
            params.participantId,
            bank,
            params.amountFen,
            params.currency,
            params.bankReferenceDigest,
            params.digestAlg,
            params.valueDate,
            account
        );
    }

    /// @inheritdoc IFunds
    function requestWithdrawal(
        ParticipantId bank,
        uint64 amountFen,
        bytes32 payeeAccountDigest,
        DigestAlg digestAlg,
        bytes32 salt,
        Authorization calldata authorization
    ) external returns (WithdrawalId withdrawalId) {
        address account = _authorize(
            keccak256(abi.encode(bank, amountFen, payeeAccountDigest, digestAlg, salt)), authorization
        );
        Actor memory actor = participants.actorOf(account);
        ParticipantId owner = actor.participantId;
        withdrawalId = WithdrawalId.wrap(Hashing.actId("withdrawal", owner, ParticipantId.unwrap(bank), salt));
        require(_withdrawals[withdrawalId].state == WithdrawalState.NONE, WithdrawalAlreadyExists(withdrawalId));
        require(payeeAccountDigest != 0, FieldInvalid("payeeAccountDigest"));
        require(digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));
        _moveToHeld(owner, bank, amountFen);

        _withdrawals[withdrawalId] =
            StoredWithdrawal(actor.sequence, participants.sequenceOf(bank), amountFen, WithdrawalState.REQUESTED);
        emit WithdrawalRequested(withdrawalId, owner, bank, amountFen, payeeAccountDigest, digestAlg, account);
    }

    /// @inheritdoc IFunds
    function attestWithdrawal(
        WithdrawalId withdrawalId,
        bytes32 bankReferenceDigest,
        DigestAlg digestAlg,
        uint32 valueDate,
        Authorization calldata authorization
    ) external {
        address account = _authorize(
            keccak256(abi.encode(withdrawalId, bankReferenceDigest, digestAlg, valueDate)), authorization
        );
        StoredWithdrawal storage withdrawal = _withdrawals[withdrawalId];
        require(withdrawal.state != WithdrawalState.NONE, WithdrawalNotFound(withdrawalId));
        Actor memory actor = participants.actorInRole(account, IParticipants.Role.SETTLEMENT_BANK, EVERYWHERE);
        ParticipantId bank = actor.participantId;
        require(actor.sequence == withdrawal.bank, CallerNotBank(withdrawalId, bank));
        require(withdrawal.state == WithdrawalState.REQUESTED, WithdrawalStateWrong(withdrawalId, withdrawal.state));
        _useReference(bank, bankReferenceDigest, digestAlg, valueDate);

        withdrawal.state = WithdrawalState.PAID;
        _totals[bank] -= withdrawal.amountFen;
        _accounts[participants.participantBySequence(withdrawal.participant)][bank].heldFen -= withdrawal.amountFen;
        emit WithdrawalPaid(withdrawalId, bank, bankReferenceDigest, digestAlg, valueDate, account);
    }

    /// @inheritdoc IFunds
    function rejectWithdrawal(WithdrawalId withdrawalId, Cause calldata cause, Authorization calldata authorization)
        external
    {
        address account = _authorize(keccak256(abi.encode(withdrawalId, cause)), authorization);
        StoredWithdrawal storage withdrawal = _withdrawals[withdrawalId];
        require(withdrawal.state != WithdrawalState.NONE, WithdrawalNotFound(withdrawalId));
        Actor memory actor = participants.actorForCause(account, cause, EVERYWHERE);
        ParticipantId bank = actor.participantId;
        require(
            cause.authority == AuthorityClass.BANK, IParticipants.AuthorityMissing(bank, uint8(AuthorityClass.BANK))
        );
        require(actor.sequence == withdrawal.bank, CallerNotBank(withdrawalId, bank));
        require(withdrawal.state == WithdrawalState.REQUESTED, WithdrawalStateWrong(withdrawalId, withdrawal.state));

        withdrawal.state = WithdrawalState.REJECTED;
        StoredAccount storage stored = _accounts[participants.participantBySequence(withdrawal.participant)][bank];
        stored.heldFen -= withdrawal.amountFen;
        stored.availableFen += withdrawal.amountFen;
        emit WithdrawalRejected(withdrawalId, bank, account, cause);
    }

    /// @inheritdoc IFunds
    function unfreeze(ParticipantId bank, Authorization calldata authorization) external {
        address account = _authorize(keccak256(abi.encode(bank)), authorization);
        Actor memory actor = participants.actorOf(account);
        StoredAccount storage stored = _accounts[actor.participantId][bank];
        uint64 amountFen = stored.frozenFen;
        require(amountFen != 0, FundsInsufficient(actor.participantId, 0, 1));

        stored.frozenFen = 0;
        stored.availableFen += amountFen;
        emit FundsUnfrozen(actor.participantId, bank, amountFen, account);
    }

    /// @inheritdoc IFunds
    function hold(TradeId tradeId, ParticipantId payer, ParticipantId bank, uint64 amountFen)
        external
        onlyModule(IParticipants.ModuleKind.FUNDS_HOLDER)
    {
        require(
            participants.hasRole(bank, IParticipants.Role.SETTLEMENT_BANK, EVERYWHERE) && participants.isActive(bank),
            IParticipants.RoleMissing(bank, IParticipants.Role.SETTLEMENT_BANK, EVERYWHERE)
        );
        require(_holds[tradeId].payer == 0, HoldAlreadyExists(tradeId));
        _moveToHeld(payer, bank, amountFen);

        (uint32 payerNumber, uint32 bankNumber) = (participants.sequenceOf(payer), participants.sequenceOf(bank));
        _holds[tradeId] = StoredHold(payerNumber, bankNumber, amountFen, amountFen, false, 0);
        emit FundsHeld(tradeId, payer, bank, amountFen);
    }

    /// @inheritdoc IFunds
    function release(TradeId tradeId) external onlyModule(IParticipants.ModuleKind.FUNDS_HOLDER) {
        StoredHold memory held = _requireFree(tradeId);
        ParticipantId payer = participants.participantBySequence(held.payer);
        ParticipantId bank = participants.participantBySequence(held.bank);

        _holds[tradeId].heldFen = 0;
        StoredAccount storage stored = _accounts[payer][bank];
        stored.heldFen -= held.heldFen;
        stored.availableFen += held.heldFen;
        emit FundsReleased(tradeId, payer, bank, held.heldFen);
    }

    /// @inheritdoc IFunds
    function split(TradeId tradeId, ITrades.Leg[] calldata legs)
        external
        onlyModule(IParticipants.ModuleKind.FUNDS_SPLITTER)
    {
        StoredHold memory held = _requireFree(tradeId);
        require(legs.length <= Legs.MAX, ITrades.TooManyLegs(legs.length, Legs.MAX));
        uint256 totalFen;
        for (uint256 i = 0; i < legs.length; ++i) {
            totalFen += legs[i].amountFen;
        }
        require(totalFen == held.heldFen, ITrades.LegsNotWhole(totalFen, held.heldFen));

        ParticipantId payer = participants.participantBySequence(held.payer);
        ParticipantId bank = participants.participantBySequence(held.bank);
        _holds[tradeId].heldFen = 0;
        _accounts[payer][bank].heldFen -= held.heldFen;
        for (uint256 i = 0; i < legs.length; ++i) {
            _post(tradeId, payer, bank, legs[i], uint16(i));
        }
    }

    /// @inheritdoc IFunds
    function setBlocked(TradeId tradeId, bool isBlocked, uint64 blockedUntil)
        external
        onlyModule(IParticipants.ModuleKind.FUNDS_SPLITTER)
    {
        StoredHold storage held = _holds[tradeId];
        require(held.heldFen != 0, HoldNotFound(tradeId));

        held.isBlocked = isBlocked;
        held.blockedUntil = Clock.pack(blockedUntil);
        emit FundsHoldBlocked(tradeId, isBlocked, held.blockedUntil);
    }

    // ---------------------------------------------------------------- internal

    /// @dev Takes an amount out of what is available and holds it.
    function _moveToHeld(ParticipantId owner, ParticipantId bank, uint64 amountFen) private {
        require(amountFen != 0, FieldInvalid("amountFen"));
        StoredAccount storage stored = _accounts[owner][bank];
        require(amountFen <= stored.availableFen, FundsInsufficient(owner, stored.availableFen, amountFen));
        stored.availableFen -= amountFen;
        stored.heldFen += amountFen;
    }

    /// @dev Credits one leg. The payee may be the payer itself: accounts are read and written leg by leg.
    function _post(TradeId tradeId, ParticipantId payer, ParticipantId bank, ITrades.Leg calldata leg, uint16 legIndex)
        private
    {
        bool isFrozen = !participants.isActive(leg.payee);
        StoredAccount storage stored = _accounts[leg.payee][bank];
        if (isFrozen) {
            stored.frozenFen += leg.amountFen;
        } else {
            stored.availableFen += leg.amountFen;
        }
        emit FundsPosted(tradeId, leg.payee, bank, legIndex, leg.kind, payer, leg.amountFen, isFrozen);
    }

    /// @dev Uses up a booking entry: once per bank, for deposits and withdrawals together.
    function _useReference(ParticipantId bank, bytes32 bankReferenceDigest, DigestAlg digestAlg, uint32 valueDate)
        private
    {
        require(!_usedReferences[bank][bankReferenceDigest], BankReferenceAlreadyUsed(bank, bankReferenceDigest));
        require(bankReferenceDigest != 0, FieldInvalid("bankReferenceDigest"));
        require(digestAlg != DigestAlg.NONE, FieldInvalid("digestAlg"));
        require(valueDate >= VALUE_DATE_MIN && valueDate <= VALUE_DATE_MAX, FieldInvalid("valueDate"));
        _usedReferences[bank][bankReferenceDigest] = true;
    }

    /// @dev Returns a hold that has money in it and is not blocked now.
    function _requireFree(TradeId tradeId) private view returns (StoredHold memory held) {
        held = _holds[tradeId];
        require(held.heldFen != 0, HoldNotFound(tradeId));
        bool isBlocked = held.isBlocked && (held.blockedUntil == 0 || Clock.nowSeconds() < held.blockedUntil);
        require(!isBlocked, HoldBlocked(tradeId, held.blockedUntil));
    }
}
