"""
Signed acts as they come in: a model derived from the act, and from JSON to the act itself.

It is not the relaying (`chain.client`): nothing here sends, and no signature is judged; the
contract does both again.
"""

from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

from eth_abi.exceptions import EncodingError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt

from api.wire import make_model, sentence
from chain.abi import hints_of
from chain.act import Act
from chain.codec import from_json, plain
from chain.event import describe
from chain.failure import Invalid
from chain.structs import Authorization
from chain.values import Address, HexBytes

A = TypeVar("A", bound=Act)

LIST_MAX: Final = 64
BYTES_MAX: Final = 4_096


def _lower(value: str) -> str:
    return value.lower()


def _hex(digits: str) -> Any:
    return Annotated[str, Field(pattern=rf"^0x{digits}$"), AfterValidator(_lower)]


ADDRESS: Final = _hex("[0-9a-fA-F]{40}")
BYTES32: Final = _hex("[0-9a-fA-F]{64}")
BYTES: Final = _hex(rf"([0-9a-fA-F]{{2}}){{0,{BYTES_MAX}}}")
# Without a signature a contract takes the sender for the actor: nobody's act is relayed as that.
SIGNATURE: Final = _hex(rf"([0-9a-fA-F]{{2}}){{1,{BYTES_MAX}}}")
TEXT: Final = Annotated[str, Field(max_length=BYTES_MAX)]
# Beyond 2^53 JSON readers round, so larger numbers come as digits.
NUMBER: Final = (
    Annotated[StrictInt, Field(ge=0, le=2**53 - 1)]
    | Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,77})$")]
)


class ActMalformed(Invalid):
    """The act cannot be encoded: a number does not fit its field."""


class SignedAct(BaseModel):
    """An act, and the signature of the account that wants it."""

    model_config = ConfigDict(extra="forbid")

    act: Any
    authorization: Any


def signed_act(act: type[Act]) -> type[SignedAct]:
    """Return the request model of an act signed by somebody else than its sender."""
    kind: Any = act
    members = {
        "act": (
            act_model(kind),
            Field(description=f"The arguments of {act.CONTRACT}.{act.FUNCTION}."),
        ),
        "authorization": (
            act_model(Authorization),
            Field(description="The EIP-712 signature over the act, made by the account."),
        ),
    }
    made: Any = make_model(f"{act.__name__}Request", members, doc=str(SignedAct.__doc__))
    model: type[SignedAct] = made
    return model


@cache
def act_model(kind: type) -> type[BaseModel]:
    """Return the request model of a dataclass of the contracts: every member required."""
    prose = describe(kind)
    members = {
        name: (
            SIGNATURE if (kind, name) == (Authorization, "signature") else _kind(hint),
            Field(description=_said(name, prose.get(name))),
        )
        for name, hint in hints_of(kind).items()
    }
    return make_model(f"{kind.__name__}In", members, doc=str(kind.__doc__))


def read_act(kind: type[A], body: SignedAct) -> tuple[A, Authorization]:
    """
    Return the act and its authorization.

    :raises ActMalformed: if a number does not fit
    """
    act = from_json(kind, body.act.model_dump())
    authorization = from_json(Authorization, body.authorization.model_dump())
    try:
        act.encode(authorization)
    except (EncodingError, ValueError, TypeError, OverflowError) as error:
        raise ActMalformed() from error
    return act, authorization


def _kind(hint: Any) -> Any:
    if hint is Address:
        return ADDRESS
    if hint is HexBytes:
        return BYTES
    # Every other NewType over text is 32 bytes: ids, digests, salts.
    is_named = hasattr(hint, "__supertype__")
    kind = plain(hint)
    if kind is str:
        return BYTES32 if is_named else TEXT
    if get_origin(kind) is tuple:
        return Annotated[list[_kind(get_args(kind)[0])], Field(max_length=LIST_MAX)]  # type: ignore[misc]
    if is_dataclass(kind) and isinstance(kind, type):
        return act_model(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Literal[tuple(one.name for one in kind)]
    if kind is bool:
        return StrictBool
    if kind is int:
        return NUMBER
    raise TypeError(f"no form in a request for {hint}")


def _said(name: str, prose: str | None) -> str:
    # Requests hold what is signed: seconds and zero, not RFC 3339 and null.
    if prose:
        return prose
    said = sentence(name)
    return said.replace("RFC 3339 in UTC, or null.", "Seconds since 1970 UTC; 0 if none.")
