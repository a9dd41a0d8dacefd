"""
Sessions: an organisation signs in with one of its accounts, sees who it is, and signs out.
"""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import PrivilegedDep, TokenDep
from api.auth import (
    MESSAGE_CHARACTERS_MAX,
    AccountNotServed,
    SessionEnded,
    SignInMessageExpired,
    SignInMessageMalformed,
    SignInMessageWrong,
    SignInNonceUnknown,
    SignInSignatureWrong,
    Viewer,
    end,
    sign_in,
)
from api.deps import ReadingDep, ServicesDep
from api.models import Json, described, names_of
from api.problems import SignInRequired, declares
from api.wire import make_model, time_text
from chain.codes import Role
from chain.values import HexBytes, checksum_address

router = APIRouter(prefix="/sessions", tags=["sessions"])

_ROLE = make_model(
    "SessionRole",
    described(
        {
            "role": (names_of(Role), "The role."),
            "venue": (str, "Where it is held; zero means everywhere."),
            "valid_until": (str | None, "Until when, RFC 3339 in UTC; null means open."),
        }
    ),
    doc="A role that the organisation holds.",
)
_WHO = {
    "participant_id": (str, "The organisation."),
    "account": (str, "The account it signed in with."),
    "roles": (list[_ROLE], "What it may do, as of the newest block."),  # type: ignore[valid-type]
}
WHO = make_model("SessionOut", described(_WHO), doc="Who is signed in.")
OPENED = make_model(
    "SessionOpened",
    described(
        {
            **_WHO,
            "token": (str, "To be sent as `Authorization: Bearer`; shown once."),
            "expires_at": (str, "When the session ends, RFC 3339 in UTC."),
        }
    ),
    doc="A session.",
)


class SessionCreate(BaseModel):
    """A signed EIP-4361 message."""

    model_config = ConfigDict(extra="forbid")

    message: Annotated[
        str, Field(max_length=MESSAGE_CHARACTERS_MAX, description="The message as it was signed.")
    ]
    signature: Annotated[
        str, Field(pattern=r"^0x[0-9a-fA-F]{130}$", description="65 bytes in hex (EIP-191).")
    ]


@router.post(
    "",
    status_code=201,
    response_model=OPENED,
    responses=declares(
        SignInMessageMalformed,
        SignInMessageWrong,
        SignInNonceUnknown,
        SignInMessageExpired,
        SignInSignatureWrong,
        AccountNotServed,
    ),
)
def create(services: ServicesDep, reading: ReadingDep, body: SessionCreate) -> Json:
    """Sign in."""
    opened = sign_in(services, reading.newest(), body.message, HexBytes(body.signature.lower()))
    return {
        **_tell(opened.viewer),
        "token": opened.token,
        "expires_at": time_text(opened.expires_at),
    }


@router.get(
    "/current",
    response_model=WHO,
    responses=declares(SignInRequired, SessionEnded, AccountNotServed),
)
def read(look: PrivilegedDep) -> Json:
    """Return who is signed in."""
    return _tell(look.viewer)


@router.delete("/current", status_code=204, responses=declares(SignInRequired))
def delete(services: ServicesDep, token: TokenDep) -> Response:
    """Sign out."""
    end(services, token)
    return Response(status_code=204)


def _tell(viewer: Viewer) -> Json:
    return {
        "participant_id": viewer.participant_id,
        "account": checksum_address(viewer.account),
        "roles": [
            {
                "role": one.role.name,
                "venue": one.venue,
                "valid_until": time_text(one.valid_until),
            }
            for one in viewer.roles
            if one.granted
        ],
    }
