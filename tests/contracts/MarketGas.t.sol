// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import {Market} from "./Market.sol";
import {ITrades} from "../../contracts/interfaces/ITrades.sol";
import {IParticipants} from "../../contracts/interfaces/IParticipants.sol";
import {IListings} from "../../contracts/interfaces/IListings.sol";
import {Payee} from "../../contracts/types/Acting.sol";
import {AssetKind} from "../../contracts/types/Codes.sol";
import {TradeId,DeliveryId} from "../../contracts/types/Ids.sol";
contract MarketGasTest is Market {
    function setUp() public override {
        super.setUp();
        delete table;
        _pay(seller.id, 3000);
        for (uint256 i = 0; i < 7; ++i) _pay(_trading(string(abi.encodePacked("p", bytes1(uint8(65 + i)))), IParticipants.Role.SELLER).id, 1000);
        resource = _registered(seller, _declaration(AssetKind.RESOURCE, "resource8"));
        IListings.Offer memory o = _offer(resource); o.salt = "o8";
        listingId = _listed(o);
        TradeId t = _concluded(_terms(3, "a"));
        DeliveryId d = _accepted(t);
        _settled(t, d);
    }
    function test_life() public {
        IListings.Offer memory o = _offer(resource); o.salt = "o9";
        _listed(o);
        TradeId t = _concluded(_terms(4, "b"));
        DeliveryId d = _accepted(t);
        _settled(t, d);
    }
}
