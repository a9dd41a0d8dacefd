"""
Deployed contracts stay deployable, and none grows unnoticed.
"""

from chain.deploy import ORDER
from tests.chain.sizes import agreed, sizes

# EIP-170.
LIMIT_BYTES = 24_576


class TestSizes:
    def test_are_those_that_were_agreed_to(self) -> None:
        """A change that is meant: `python -m tests.chain.sizes`."""
        assert sizes() == agreed()

    def test_are_known_of_every_contract_that_is_deployed(self) -> None:
        assert sizes().keys() == set(ORDER)

    def test_stay_under_the_limit_of_the_chain(self) -> None:
        assert {name: size for name, size in sizes().items() if size > LIMIT_BYTES} == {}
