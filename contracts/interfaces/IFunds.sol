// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization, Cause} from "../types/Acting.sol";
import {DigestAlg} from "../types/Codes.sol";
import {ParticipantId, TradeId, WithdrawalId} from "../types/Ids.sol";
import {IActing} from "./IActing.sol";
import {ITrades} from "./ITrades.sol";

/// @title IFunds
/// @notice What each participant has at each settlement bank: available, held, and credited while it was frozen (J-11,
/// architecture 10).
/// @dev Integer fen below 2^63. The bank attests what came in and pays what goes out; nobody else makes or destroys
/// money: at each bank the sum
/// of all accounts equals deposits less paid withdrawals. A payee that is not active is credited into `frozenFen`.
interface IFunds is IActing {
    /// @param availableFen Free to spend.
    /// @param heldFen Held for trades and withdrawals.
    /// @param frozenFen Credited while the participant was not active; it claims it once active again.
    struct FundsAccount {
        ParticipantId participantId;
        ParticipantId bank;
        uint64 availableFen;
        uint64 heldFen;
        uint64 frozenFen;
    }

    /// @notice Money held for a trade. Ended holds keep zero.
    /// @param isBlocked Whether an authority stops it: while blocked it is neither released nor split.
    /// @param blockedUntil Seconds when the block ends by itself; 0 means open.
    struct FundsHold {
        TradeId tradeId;
        ParticipantId payer;
        ParticipantId bank;
        uint64 heldFen;
        bool isBlocked;
        uint64 blockedUntil;
    }

    enum WithdrawalState {
        NONE,
        REQUESTED,
        PAID,
        REJECTED
    }

    /// @notice A payout that a participant asked its bank for.
    struct Withdrawal {
        WithdrawalId withdrawalId;
        ParticipantId participantId;
        ParticipantId bank;
        uint64 amountFen;
        WithdrawalState state;
    }

    /// @param amountFen Amount in fen, 1 to 2^63 - 1.
    /// @param currency ISO 4217, three ASCII letters; CNY.
    /// @param bankReferenceDigest Digest of the bank's booking entry (camt.054): used once per bank.
    /// @param valueDate yyyymmdd.
    struct BankDeposit {
        ParticipantId participantId;
        uint64 amountFen;
        bytes3 currency;
        bytes32 bankReferenceDigest;
        DigestAlg digestAlg;
        uint32 valueDate;
    }

    /// @notice The bank attested money that came in for a participant.
    event FundsDeposited(
        ParticipantId indexed participantId,
        ParticipantId indexed bank,
        uint64 amountFen,
        bytes3 currency,
        bytes32 bankReferenceDigest,
        DigestAlg digestAlg,
        uint32 valueDate,
        address byAccount
    );
    /// @notice Money was held for a trade.
    event FundsHeld(TradeId indexed tradeId, ParticipantId indexed payer, ParticipantId indexed bank, uint64 amountFen);
    /// @notice The holds of authorities on a trade changed whether its money may move.
    /// @param blockedUntil Seconds when the block ends by itself; 0 means open.
    event FundsHoldBlocked(TradeId indexed tradeId, bool isBlocked, uint64 blockedUntil);
    /// @notice Held money went back to its payer.
    event FundsReleased(
        TradeId indexed tradeId, ParticipantId indexed payer, ParticipantId indexed bank, uint64 amountFen
    );
    /// @notice One leg was posted: out of the payer's hold, into the payee's account.
    /// @param isFrozen Whether the payee was not active, so that the amount went into its `frozenFen`.
    event FundsPosted(
        TradeId indexed tradeId,
        ParticipantId indexed payee,
        ParticipantId indexed bank,
        uint16 legIndex,
        ITrades.LegKind kind,
        ParticipantId payer,
        uint64 amountFen,
        bool isFrozen
    );
    /// @notice A participant took over what was credited while it was frozen.
    event FundsUnfrozen(
        ParticipantId indexed participantId, ParticipantId indexed bank, uint64 amountFen, address byAccount
    );
    /// @notice A participant asked its bank to pay out; the amount is held.
    event WithdrawalRequested(
        WithdrawalId indexed withdrawalId,
        ParticipantId indexed participantId,
        ParticipantId indexed bank,
        uint64 amountFen,
        bytes32 payeeAccountDigest,
        DigestAlg digestAlg,
        address byAccount
    );
    /// @notice The bank attested that it paid out.
    event WithdrawalPaid(
        WithdrawalId indexed withdrawalId,
        ParticipantId indexed bank,
        bytes32 bankReferenceDigest,
        DigestAlg digestAlg,
        uint32 valueDate,
        address byAccount
    );
    /// @notice The bank could not pay; the amount is available again.
    event WithdrawalRejected(
        WithdrawalId indexed withdrawalId, ParticipantId indexed bank, address byAccount, Cause cause
    );

    /// @notice The participant has less available than this needs.
    /// @custom:family Conflict
    error FundsInsufficient(ParticipantId participantId, uint256 availableFen, uint256 neededFen);
    /// @notice Money is already held for this trade.
    /// @custom:family Conflict
    error HoldAlreadyExists(TradeId tradeId);
    /// @notice No money is held for this trade.
    /// @custom:family NotFound
    error HoldNotFound(TradeId tradeId);
    /// @notice An authority stops this money.
    /// @custom:family Conflict
    error HoldBlocked(TradeId tradeId, uint64 blockedUntil);
    /// @notice Only the bank that keeps the account can do this.
    /// @custom:family Forbidden
    error CallerNotBank(WithdrawalId withdrawalId, ParticipantId participantId);
    /// @notice The bank's booking entry was already used: nothing is credited or paid twice.
    /// @custom:family Conflict
    error BankReferenceAlreadyUsed(ParticipantId bank, bytes32 bankReferenceDigest);
    /// @notice The withdrawal is not known.
    /// @custom:family NotFound
    error WithdrawalNotFound(WithdrawalId withdrawalId);
    /// @notice The withdrawal was already requested.
    /// @custom:family Conflict
    error WithdrawalAlreadyExists(WithdrawalId withdrawalId);
    /// @notice The act does not fit the withdrawal's state.
    /// @custom:family Conflict
    error WithdrawalStateWrong(WithdrawalId withdrawalId, WithdrawalState state);
    /// @notice Only CNY is kept.
    /// @custom:family Invalid
    error CurrencyNotServed(bytes3 currency);

    /// @notice Records money that came in for a participant, whatever its state: the caller is the bank.
    ///
    /// Requirements, in order:
    /// - the caller has the role SETTLEMENT_BANK;
    /// - the participant is known;
    /// - the booking entry was never used at this bank;
    /// - the currency is CNY; digest, algorithm and value date are given; the amount is at least 1 fen;
    /// - all money at the bank stays below 2^63 fen.
    ///
    /// Emits a {FundsDeposited} event.
    function attestDeposit(BankDeposit calldata params, Authorization calldata authorization) external;

    /// @notice Asks a bank to pay out; the amount is held until the bank attests or rejects.
    /// @param amountFen Amount in fen, at least 1.
    /// @param payeeAccountDigest Digest of the bank account to pay to.
    /// @param salt From the caller's business key.
    ///
    /// Requirements, in order:
    /// - the caller is an active participant;
    /// - the withdrawal is new;
    /// - digest and algorithm are given; the amount is at least 1 fen;
    /// - as much is available.
    ///
    /// Emits a {WithdrawalRequested} event.
    function requestWithdrawal(
        ParticipantId bank,
        uint64 amountFen,
        bytes32 payeeAccountDigest,
        DigestAlg digestAlg,
        bytes32 salt,
        Authorization calldata authorization
    ) external returns (WithdrawalId withdrawalId);

    /// @notice Records that the bank paid out.
    /// @param valueDate yyyymmdd.
    ///
    /// Requirements, in order:
    /// - the withdrawal is known;
    /// - the caller has the role SETTLEMENT_BANK and is its bank;
    /// - it is requested;
    /// - the booking entry was never used at this bank;
    /// - digest, algorithm and value date are given.
    ///
    /// Emits a {WithdrawalPaid} event.
    function attestWithdrawal(
        WithdrawalId withdrawalId,
        bytes32 bankReferenceDigest,
        DigestAlg digestAlg,
        uint32 valueDate,
        Authorization calldata authorization
    ) external;

    /// @notice Records that the bank could not pay out; the amount is available again.
    ///
    /// Requirements, in order:
    /// - the withdrawal is known;
    /// - the caller speaks for the class BANK and is its bank;
    /// - it is requested.
    ///
    /// Emits a {WithdrawalRejected} event.
    function rejectWithdrawal(WithdrawalId withdrawalId, Cause calldata cause, Authorization calldata authorization)
        external;

    /// @notice Takes over what was credited while the caller was not active.
    ///
    /// Requirements, in order:
    /// - the caller is an active participant;
    /// - something is frozen at the bank.
    ///
    /// Emits a {FundsUnfrozen} event.
    function unfreeze(ParticipantId bank, Authorization calldata authorization) external;

    /// @notice Holds a payer's money for a trade.
    /// @dev Module FUNDS_HOLDER only.
    ///
    /// Requirements, in order:
    /// - the caller is a module of this kind;
    /// - the bank is active and has the role SETTLEMENT_BANK;
    /// - nothing was ever held for the trade;
    /// - the amount is at least 1 fen, and as much is available.
    ///
    /// Emits a {FundsHeld} event.
    function hold(TradeId tradeId, ParticipantId payer, ParticipantId bank, uint64 amountFen) external;

    /// @notice Gives all that is held for a trade back to the payer.
    /// @dev Module FUNDS_HOLDER only.
    ///
    /// Requirements, in order:
    /// - the caller is a module of this kind;
    /// - money is held for the trade;
    /// - it is not blocked.
    ///
    /// Emits a {FundsReleased} event.
    function release(TradeId tradeId) external;

    /// @notice Pays all that is held for a trade to the payees; one that is not active is credited into `frozenFen`.
    /// @dev Module FUNDS_SPLITTER only.
    /// @param legs At most 24.
    ///
    /// Requirements, in order:
    /// - the caller is a module of this kind;
    /// - money is held for the trade;
    /// - it is not blocked;
    /// - there are at most 24 legs, and they add up to what is held.
    ///
    /// Emits a {FundsPosted} event per leg.
    function split(TradeId tradeId, ITrades.Leg[] calldata legs) external;

    /// @notice Stops, or frees, the money held for a trade.
    /// @dev Module FUNDS_SPLITTER only: the module keeps the holds of each authority class.
    /// @param blockedUntil Seconds when the block ends by itself; 0 means open.
    ///
    /// Requirements, in order:
    /// - the caller is a module of this kind;
    /// - money is held for the trade.
    ///
    /// Emits a {FundsHoldBlocked} event.
    function setBlocked(TradeId tradeId, bool isBlocked, uint64 blockedUntil) external;

    /// @notice Returns a participant's account at a bank; all zero before the first posting.
    function fundsAccountOf(ParticipantId participantId, ParticipantId bank) external view returns (FundsAccount memory);
    /// @notice Returns the money held for a trade; reverts with {HoldNotFound} if none ever was.
    function fundsHoldOf(TradeId tradeId) external view returns (FundsHold memory);
    /// @notice Returns a withdrawal; reverts with {WithdrawalNotFound}.
    /// @notice Returns through which bank a trade is paid and how much was held for it first; zeros if nothing was.
    function paymentOf(TradeId tradeId) external view returns (ParticipantId bank, uint64 amountFen);
    function withdrawalOf(WithdrawalId withdrawalId) external view returns (Withdrawal memory);
    /// @notice Says whether a bank's booking entry was used, for a deposit or a withdrawal.
    function isBankReferenceUsed(ParticipantId bank, bytes32 bankReferenceDigest) external view returns (bool);
    /// @notice Returns deposits less paid withdrawals of a bank in fen: the sum of all its accounts, below 2^63.
    function totalFenOf(ParticipantId bank) external view returns (uint64);
}
