// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFunds} from "../../contracts/interfaces/IFunds.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {Funds} from "../../contracts/settlement/Funds.sol";
import {Participants} from "../../contracts/governance/Participants.sol";
import {Authorization, Cause} from "../../contracts/types/Acting.sol";
import {AuthorityClass, DigestAlg} from "../../contracts/types/Codes.sol";
import {ParticipantId, TradeId, WithdrawalId} from "../../contracts/types/Ids.sol";
import {Market} from "./Market.sol";
import {Test} from "./Test.sol";

/// @notice Moves money in every allowed way, and tries the ways that are not.
contract FundsHandler is Test {
    struct Player {
        ParticipantId id;
        address account;
    }

    uint64 private constant LARGEST_FEN = 1e12;

    Funds private immutable _funds;
    Participants private immutable _participants;
    Player private _bank;
    Player private _otherBank;
    address private immutable _regulator;
    Player[] private _players;

    uint256 public depositedFen;
    uint256 public paidFen;
    mapping(string act => uint256) public succeeded;

    TradeId[] public holds;
    WithdrawalId[] public withdrawals;
    uint256 private _salt;

    constructor(
        Funds funds_,
        Participants participants_,
        Player[] memory banks,
        address regulator,
        Player[] memory players
    ) {
        (_funds, _participants, _regulator) = (funds_, participants_, regulator);
        (_bank, _otherBank) = (banks[0], banks[1]);
        for (uint256 i = 0; i < players.length; ++i) {
            _players.push(players[i]);
        }
    }

    // ---------------------------------------------------------------- allowed

    function deposit(uint256 who, uint64 amountFen) public {
        amountFen = uint64(bound(amountFen, 1, LARGEST_FEN));
        IFunds.BankDeposit memory booking = _booking(_player(who).id, amountFen);
        vm.prank(_bank.account);
        _funds.attestDeposit(booking, _direct());
        depositedFen += amountFen;
        succeeded["deposit"] += 1;
    }

    function request(uint256 who, uint64 amountFen) public {
        Player memory player = _activePlayer(who);
        amountFen = _within(player, who, amountFen);
        vm.prank(player.account);
        withdrawals.push(_funds.requestWithdrawal(_bank.id, amountFen, "iban", DigestAlg.SHA256, _next(), _direct()));
        succeeded["request"] += 1;
    }

    function payOut(uint256 index) public {
        WithdrawalId withdrawalId = _pendingWithdrawal(index);
        uint64 amountFen = _funds.withdrawalOf(withdrawalId).amountFen;
        bytes32 bankReference = _next();
        vm.prank(_bank.account);
        _funds.attestWithdrawal(withdrawalId, bankReference, DigestAlg.SHA256, 20_260_303, _direct());
        paidFen += amountFen;
        succeeded["payOut"] += 1;
    }

    function reject(uint256 index) public {
        WithdrawalId withdrawalId = _pendingWithdrawal(index);
        vm.prank(_bank.account);
        _funds.rejectWithdrawal(withdrawalId, _cause(AuthorityClass.BANK), _direct());
        succeeded["reject"] += 1;
    }

    function hold(uint256 who, uint64 amountFen) public {
        Player memory player = _player(who);
        amountFen = _within(player, who, amountFen);
        TradeId tradeId = TradeId.wrap(_next());
        _funds.hold(tradeId, player.id, _bank.id, amountFen);
        holds.push(tradeId);
        succeeded["hold"] += 1;
    }

    function release(uint256 index) public {
        _funds.release(_openHold(index));
        succeeded["release"] += 1;
    }

    function split(uint256 index, uint64 firstFen, uint256 firstPayee, uint256 secondPayee) public {
        TradeId tradeId = _openHold(index);
        uint64 heldFen = _funds.fundsHoldOf(tradeId).heldFen;
        firstFen = uint64(bound(firstFen, 0, heldFen));
        ITrades.Leg[] memory legs = new ITrades.Leg[](2);
        legs[0] = ITrades.Leg(ITrades.LegKind.SHARE, _player(firstPayee).id, firstFen);
        legs[1] = ITrades.Leg(ITrades.LegKind.FEE, _player(secondPayee).id, heldFen - firstFen);
        _funds.split(tradeId, legs);
        succeeded["split"] += 1;
    }

    function suspend(uint256 who) public {
        Player memory player = _activePlayer(who);
        vm.prank(_regulator);
        _participants.suspend(player.id, _cause(AuthorityClass.REGULATOR), _direct());
        succeeded["suspend"] += 1;
    }

    function unfreeze(uint256 who) public {
        Player memory player = _activePlayer(who);
        if (_funds.fundsAccountOf(player.id, _bank.id).frozenFen == 0) _freeze(player, who);
        vm.prank(player.account);
        _funds.unfreeze(_bank.id, _direct());
        succeeded["unfreeze"] += 1;
    }

    // ---------------------------------------------------------------- refused

    /// @notice Whoever asks, these calls change nothing: money is not made, taken, paid twice or moved under a block.
    function attack(uint256 who, uint256 index, uint64 amountFen, uint8 way) public {
        Player memory player = _activePlayer(who);
        TradeId tradeId = _openHold(index);
        ITrades.Leg[] memory legs = new ITrades.Leg[](1);
        legs[0] = ITrades.Leg(ITrades.LegKind.SHARE, player.id, _funds.fundsHoldOf(tradeId).heldFen);
        bytes memory attempt;
        address attacker = player.account;
        if (way % 6 == 0) attempt = abi.encodeCall(_funds.attestDeposit, (_booking(player.id, amountFen), _direct()));
        if (way % 6 == 1) attempt = abi.encodeCall(_funds.split, (tradeId, legs));
        if (way % 6 == 2) attempt = abi.encodeCall(_funds.release, (tradeId));
        if (way % 6 == 3) attempt = abi.encodeCall(_funds.hold, (TradeId.wrap("x"), player.id, _bank.id, 1));
        if (way % 6 == 4) (attacker, attempt) = (address(this), _crookedSplit(tradeId, legs, amountFen));
        if (way % 6 == 5) (attacker, attempt) = (_otherBank.account, _foreignPayout(index));
        vm.prank(attacker);
        (bool isDone,) = address(_funds).call(attempt);
        vm.assertFalse(isDone);
        succeeded["attack"] += 1;
    }

    function _crookedSplit(TradeId tradeId, ITrades.Leg[] memory legs, uint64 amountFen)
        private
        view
        returns (bytes memory)
    {
        if (amountFen == legs[0].amountFen) amountFen -= 1;
        legs[0].amountFen = amountFen;
        return abi.encodeCall(_funds.split, (tradeId, legs));
    }

    function _foreignPayout(uint256 index) private returns (bytes memory) {
        return abi.encodeCall(
            _funds.attestWithdrawal, (_pendingWithdrawal(index), _next(), DigestAlg.SHA256, 20_260_303, _direct())
        );
    }

    // ---------------------------------------------------------------- sums

    /// @return totalFen All parts of all accounts.
    /// @return heldFen Their held parts.
    function accounts() external view returns (uint256 totalFen, uint256 heldFen) {
        for (uint256 i = 0; i < _players.length; ++i) {
            IFunds.FundsAccount memory account = _funds.fundsAccountOf(_players[i].id, _bank.id);
            totalFen += uint256(account.availableFen) + account.heldFen + account.frozenFen;
            heldFen += account.heldFen;
        }
    }

    function waiting() external view returns (uint256 waitingFen) {
        for (uint256 i = 0; i < holds.length; ++i) {
            waitingFen += _funds.fundsHoldOf(holds[i]).heldFen;
        }
        for (uint256 i = 0; i < withdrawals.length; ++i) {
            IFunds.Withdrawal memory withdrawal = _funds.withdrawalOf(withdrawals[i]);
            if (withdrawal.state == IFunds.WithdrawalState.REQUESTED) waitingFen += withdrawal.amountFen;
        }
    }

    // ---------------------------------------------------------------- helpers

    function _player(uint256 who) private view returns (Player memory) {
        return _players[who % _players.length];
    }

    function _activePlayer(uint256 who) private returns (Player memory player) {
        player = _player(who);
        if (!_participants.isActive(player.id)) {
            vm.prank(_regulator);
            _participants.restore(player.id, _cause(AuthorityClass.REGULATOR), _direct());
        }
    }

    function _within(Player memory player, uint256 who, uint64 amountFen) private returns (uint64) {
        if (_funds.fundsAccountOf(player.id, _bank.id).availableFen == 0) deposit(who, amountFen);
        return uint64(bound(amountFen, 1, _funds.fundsAccountOf(player.id, _bank.id).availableFen));
    }

    function _freeze(Player memory player, uint256 who) private {
        suspend(who);
        hold(who, 1);
        TradeId tradeId = holds[holds.length - 1];
        ITrades.Leg[] memory legs = new ITrades.Leg[](1);
        legs[0] = ITrades.Leg(ITrades.LegKind.SHARE, player.id, _funds.fundsHoldOf(tradeId).heldFen);
        _funds.split(tradeId, legs);
        _activePlayer(who);
    }

    function _openHold(uint256 index) private returns (TradeId) {
        for (uint256 i = 0; i < holds.length; ++i) {
            TradeId tradeId = holds[(index % holds.length + i) % holds.length];
            if (_funds.fundsHoldOf(tradeId).heldFen != 0) return tradeId;
        }
        hold(index, 1);
        return holds[holds.length - 1];
    }

    function _pendingWithdrawal(uint256 index) private returns (WithdrawalId) {
        for (uint256 i = 0; i < withdrawals.length; ++i) {
            WithdrawalId withdrawalId = withdrawals[(index % withdrawals.length + i) % withdrawals.length];
            if (_funds.withdrawalOf(withdrawalId).state == IFunds.WithdrawalState.REQUESTED) return withdrawalId;
        }
        request(index, 1);
        return withdrawals[withdrawals.length - 1];
    }

    function _booking(ParticipantId participantId, uint64 amountFen) private returns (IFunds.BankDeposit memory) {
        return IFunds.BankDeposit(participantId, amountFen, "CNY", _next(), DigestAlg.SHA256, 20_260_302);
    }

    function _next() private returns (bytes32) {
        return keccak256(abi.encode(++_salt));
    }

    function _direct() private pure returns (Authorization memory authorization) {}

    function _cause(AuthorityClass authority) private pure returns (Cause memory) {
        return Cause(7, "decision", DigestAlg.SHA256, authority, 0);
    }
}

/// @dev J-11, T1, T2, S1: released, paid and held add up to what came in.
contract FundsInvariantTest is Market {
    FundsHandler private _handler;
    Member private _house;

    function setUp() public override {
        super.setUp();
        // A bank of its own, so that the handler's deposits are all there is.
        _house = _serving("house", IParticipants.Role.SETTLEMENT_BANK);
        FundsHandler.Player[] memory banks = new FundsHandler.Player[](2);
        banks[0] = FundsHandler.Player(_house.id, _house.account);
        banks[1] = FundsHandler.Player(bank.id, bank.account);
        FundsHandler.Player[] memory players = new FundsHandler.Player[](3);
        players[0] = FundsHandler.Player(buyer.id, buyer.account);
        players[1] = FundsHandler.Player(seller.id, seller.account);
        players[2] = FundsHandler.Player(broker.id, broker.account);
        _handler = new FundsHandler(funds, participants, banks, regulator.account, players);
        _setModule(IParticipants.ModuleKind.FUNDS_HOLDER, address(_handler));
        _setModule(IParticipants.ModuleKind.FUNDS_SPLITTER, address(_handler));
        targetContract(address(_handler));
    }

    function invariant_everywhere_keeps_every_fen_of_the_bank_in_an_account() public view {
        (uint256 totalFen,) = _handler.accounts();
        vm.assertEq(totalFen, _handler.depositedFen() - _handler.paidFen());
        vm.assertEq(totalFen, funds.totalFenOf(_house.id));
    }

    function invariant_everywhere_holds_what_trades_and_withdrawals_wait_for() public view {
        (, uint256 heldFen) = _handler.accounts();
        vm.assertEq(heldFen, _handler.waiting());
    }

    /// @dev Otherwise the invariants could hold because nothing happens.
    function test_everywhere_comes_to_pass_that_every_act_succeeds() public {
        _handler.deposit(0, 100);
        _handler.request(1, 5);
        _handler.payOut(0);
        _handler.reject(0);
        _handler.hold(2, 9);
        _handler.release(0);
        _handler.split(1, 3, 0, 2);
        _handler.suspend(0);
        _handler.unfreeze(0);
        for (uint8 way = 0; way < 6; ++way) {
            _handler.attack(0, 0, 4, way);
        }
        string[9] memory acts =
            ["deposit", "request", "payOut", "reject", "hold", "release", "split", "suspend", "unfreeze"];
        for (uint256 i = 0; i < acts.length; ++i) {
            vm.assertGt(_handler.succeeded(acts[i]), 0);
        }
        vm.assertEq(_handler.succeeded("attack"), 6);
        invariant_everywhere_keeps_every_fen_of_the_bank_in_an_account();
        invariant_everywhere_holds_what_trades_and_withdrawals_wait_for();
    }
}
