"""
The stream: every event in the order of the chain as server-sent events, resumable, forks told.

Public as the lists are: whoever signs in is also told what concerns only them.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials

from api.access import BEARER
from api.asof import BlockNotMirrored
from api.auth import AccountNotServed, SessionEnded
from api.deps import ServicesDep
from api.parameters import AboutQuery, ContractQuery, NameQuery
from api.problems import MirrorEmpty, declares
from api.streaming.positions import CHARACTERS_MAX, PositionForeign, PositionInvalid
from api.streaming.stream import MEDIA_TYPE, open_stream
from api.streaming.streams import StreamsFull, TooManyStreams
from api.streaming.wanted import ContractUnknown, EventNameUnknown, Wanted

router = APIRouter(prefix="/stream", tags=["stream"])

CredentialsDep = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
AfterQuery = Annotated[
    str | None,
    Query(
        max_length=CHARACTERS_MAX,
        description="An `id` of the stream, the number of a block, or `newest`; by default"
        " everything is told from the beginning.",
    ),
]
LastEventHeader = Annotated[
    str | None,
    Header(
        max_length=CHARACTERS_MAX,
        description="What a browser sends when it comes back; it counts before `after`.",
    ),
]


def wanted(
    about: AboutQuery = None,
    contract: ContractQuery = None,
    name: NameQuery = None,
    final: Annotated[bool, Query(description="Only what no fork can undo any more.")] = False,
) -> Wanted:
    """Return which events a request wants."""
    return Wanted(about=about, contract=contract, name=name, is_final=final)


STREAM = {
    200: {
        "description": "Server-sent events: by name what happened, `rewind`, `block`, `problem`.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    },
    **declares(
        PositionInvalid,
        PositionForeign,
        BlockNotMirrored,
        EventNameUnknown,
        ContractUnknown,
        SessionEnded,
        AccountNotServed,
        MirrorEmpty,
        StreamsFull,
        TooManyStreams,
    ),
}


@router.get("", response_class=Response, responses=STREAM)
def follow(
    request: Request,
    services: ServicesDep,
    credentials: CredentialsDep,
    events: Annotated[Wanted, Depends(wanted)],
    after: AfterQuery = None,
    last_event_id: LastEventHeader = None,
) -> Response:
    """Tell every event in the order of the chain, and go on with what happens next."""
    token = credentials.credentials if credentials else None
    return open_stream(services, request, token, events, last_event_id or after)
