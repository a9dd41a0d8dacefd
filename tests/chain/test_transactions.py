"""
Transactions as they are signed: byte for byte those of `eth_account`.
"""

from typing import Any

from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from chain.transactions import sign_transaction
from chain.values import Address, HexBytes, checksum_address

# The order of the curve: a key is below it and not zero.
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class TestSignTransaction:
    @given(
        key=st.integers(1, ORDER - 1),
        chain_id=st.integers(1, 2**53),
        nonce=st.integers(0, 2**64 - 2),
        gas_price_wei=st.integers(0, 2**128),
        gas=st.integers(0, 2**63),
        to=st.none() | st.binary(min_size=20, max_size=20),
        data=st.binary(max_size=400),
    )
    def test_gives_the_bytes_and_hash_that_eth_account_gives(
        self,
        *,
        key: int,
        chain_id: int,
        nonce: int,
        gas_price_wei: int,
        gas: int,
        to: bytes | None,
        data: bytes,
    ) -> None:
        secret = key.to_bytes(32, "big")
        target = None if to is None else Address("0x" + to.hex())
        fields: dict[str, Any] = {
            "chainId": chain_id,
            "nonce": nonce,
            "gasPrice": gas_price_wei,
            "gas": gas,
            "value": 0,
            "data": data,
        }
        if target is not None:
            fields["to"] = checksum_address(target)

        signed = sign_transaction(
            key=secret,
            chain_id=chain_id,
            nonce=nonce,
            gas_price_wei=gas_price_wei,
            gas=gas,
            to=target,
            data=HexBytes("0x" + data.hex()),
        )

        known = Account.from_key(secret).sign_transaction(fields)
        assert signed.raw == "0x" + known.raw_transaction.hex()
        assert signed.transaction_hash == "0x" + known.hash.hex()
