"""
What stands in paths and queries, in the one form that the mirror knows.

Filters are elsewhere (`api.paging`): they derive from records.
"""

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import AfterValidator

HASH_PATTERN: Final = r"^0x[0-9a-fA-F]{64}$"
ADDRESS_PATTERN: Final = r"^0x[0-9a-fA-F]{40}$"
# A certificate by its id, or by the code that people read (domain 7).
CERTIFICATE_PATTERN: Final = r"^(0x[0-9a-fA-F]{64}|[A-Z0-9]{4,32})$"


def _lower_hex(value: str) -> str:
    return value.lower() if value.startswith("0x") else value


IdPath = Annotated[
    str,
    Path(alias="id", pattern=HASH_PATTERN, description="The id: 32 bytes in hex."),
    AfterValidator(_lower_hex),
]
HashPath = Annotated[
    str,
    Path(alias="hash", pattern=HASH_PATTERN, description="The transaction's hash."),
    AfterValidator(_lower_hex),
]
AccountPath = Annotated[
    str,
    Path(alias="account", pattern=ADDRESS_PATTERN, description="The account's address."),
    AfterValidator(_lower_hex),
]
CertificatePath = Annotated[
    str,
    Path(
        alias="certificate",
        pattern=CERTIFICATE_PATTERN,
        description="The certificate's id, or the code that people read.",
    ),
    AfterValidator(_lower_hex),
]
NumberPath = Annotated[int, Path(alias="number", ge=0, lt=2**63, description="The block's height.")]
VersionQuery = Annotated[
    int | None, Query(ge=1, lt=2**32, description="A version; by default the newest registered.")
]
SearchQuery = Annotated[
    str | None,
    Query(min_length=2, max_length=100, description="Words that the metadata document holds."),
]
AboutQuery = Annotated[
    str | None,
    Query(pattern=HASH_PATTERN, description="An id that the event holds as an indexed value."),
    AfterValidator(lambda value: value and value.lower()),
]
ContractQuery = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9]{1,64}$", description="The contract that emitted it, by name."),
]
NameQuery = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9]{1,64}$", description="The event's name.")
]
