"""
Webhooks: where events are sent to, signed; each organisation has and sees its own.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.access import PrivilegedDep
from api.asof import BlockNotMirrored
from api.models import Json
from api.parameters import HASH_PATTERN
from api.problems import SignInRequired, declares
from api.streaming.positions import CHARACTERS_MAX, PositionForeign, PositionInvalid
from api.streaming.wanted import ContractUnknown, EventNameUnknown
from api.webhooks.answers import (
    DELIVERY,
    DELIVERY_PAGE,
    MADE,
    WEBHOOK,
    WEBHOOK_LIST,
    tell_deliveries,
    tell_made,
    tell_sending,
    tell_webhook,
)
from api.webhooks.asking import Asked, make_webhook
from api.webhooks.calls import URL_CHARACTERS_MAX, WebhookUrlRefused
from api.webhooks.deliveries import DeliveryPending, DeliveryUnknown, ask_again
from api.webhooks.endpoints import ID_PATTERN, TooManyWebhooks, WebhookNotFound, WebhookStateWrong

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

DELIVERIES_MAX = 200

WebhookPath = Annotated[
    str, Path(alias="webhook", pattern=ID_PATTERN, description="The webhook's id.")
]
NumberPath = Annotated[
    int, Path(alias="number", ge=1, lt=2**63, description="The delivery's number.")
]
LimitQuery = Annotated[
    int, Query(ge=1, le=DELIVERIES_MAX, description="At most this many deliveries.")
]
BeforeQuery = Annotated[int | None, Query(ge=1, lt=2**63, description="`next` of the page before.")]
NAME = r"^[A-Za-z0-9]{1,64}$"


class WebhookCreate(BaseModel):
    """Where to send which events."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=URL_CHARACTERS_MAX, description="Where they are sent.")]
    about: Annotated[
        str | None,
        Field(pattern=HASH_PATTERN, description="Only those that hold this id as indexed value."),
        AfterValidator(lambda value: value and value.lower()),
    ] = None
    contract: Annotated[
        str | None, Field(pattern=NAME, description="Only those of the contract of this name.")
    ] = None
    name: Annotated[str | None, Field(pattern=NAME, description="Only those of this name.")] = None
    is_final: Annotated[
        bool,
        Field(description="Only what no fork can undo; otherwise `rewind` tells what it undid."),
    ] = True
    after: Annotated[
        str,
        Field(
            max_length=CHARACTERS_MAX,
            description="From where on: `newest`, `oldest`, a block's number, or a position.",
        ),
    ] = "newest"


OWNED = declares(SignInRequired, WebhookNotFound)
CREATED = declares(
    SignInRequired,
    WebhookUrlRefused,
    TooManyWebhooks,
    EventNameUnknown,
    ContractUnknown,
    PositionInvalid,
    PositionForeign,
    BlockNotMirrored,
)


@router.post("", status_code=201, response_model=MADE, responses=CREATED)
def create(look: PrivilegedDep, body: WebhookCreate) -> Json:
    """Have events sent to an address; the secret that signs them is shown this once."""
    look.allow()
    made = make_webhook(
        look.services.webhooks,
        look.reading.newest(),
        Asked(**body.model_dump()),
        participant_id=look.viewer.participant_id,
        account=look.viewer.account,
        now=look.services.clock(),
    )
    return tell_made(*made)


@router.get("", response_model=WEBHOOK_LIST, responses=declares(SignInRequired))
def browse(look: PrivilegedDep) -> Json:
    """List your webhooks."""
    found = look.services.webhooks.browse(look.viewer.participant_id)
    return {"items": [tell_webhook(one) for one in found]}


@router.get("/{webhook}", response_model=WEBHOOK, responses=OWNED)
def read(look: PrivilegedDep, webhook_id: WebhookPath) -> Json:
    """Return one of your webhooks."""
    return tell_webhook(look.services.webhooks.require(webhook_id, look.viewer.participant_id))


@router.delete("/{webhook}", status_code=204, responses=OWNED)
def delete(look: PrivilegedDep, webhook_id: WebhookPath) -> Response:
    """End one of your webhooks; its log stays on this server."""
    webhooks = look.services.webhooks
    found = webhooks.require(webhook_id, look.viewer.participant_id)
    webhooks.end(found, now=look.services.clock())
    return Response(status_code=204)


@router.post("/{webhook}/secrets", status_code=201, response_model=MADE, responses=OWNED)
def rotate(look: PrivilegedDep, webhook_id: WebhookPath) -> Json:
    """Change the secret; the one before signs beside it for a day."""
    webhooks = look.services.webhooks
    found = webhooks.require(webhook_id, look.viewer.participant_id)
    return tell_made(*webhooks.rotate(found, now=look.services.clock()))


@router.post(
    "/{webhook}/resumptions",
    status_code=201,
    response_model=WEBHOOK,
    responses=declares(SignInRequired, WebhookNotFound, WebhookStateWrong),
)
def resume(look: PrivilegedDep, webhook_id: WebhookPath) -> Json:
    """Go on with a webhook that was paused: nothing that happened meanwhile is left out."""
    webhooks = look.services.webhooks
    found = webhooks.require(webhook_id, look.viewer.participant_id)
    return tell_webhook(webhooks.resume(found, now=look.services.clock()))


@router.get("/{webhook}/deliveries", response_model=DELIVERY_PAGE, responses=OWNED)
def deliveries(
    look: PrivilegedDep,
    webhook_id: WebhookPath,
    limit: LimitQuery = 50,
    before: BeforeQuery = None,
) -> Json:
    """List what was sent, the newest first, with every attempt."""
    found = look.services.webhooks.require(webhook_id, look.viewer.participant_id)
    return tell_deliveries(found, look.services.operational, before=before, limit=limit)


@router.post(
    "/{webhook}/deliveries/{number}/redeliveries",
    status_code=202,
    response_model=DELIVERY,
    responses=declares(SignInRequired, WebhookNotFound, DeliveryUnknown, DeliveryPending),
)
def redeliver(look: PrivilegedDep, webhook_id: WebhookPath, number: NumberPath) -> Json:
    """Have something that was delivered sent once more, with the same `webhook-id`."""
    look.services.webhooks.require(webhook_id, look.viewer.participant_id)
    return tell_sending(ask_again(look.services.operational, webhook_id, number), ())
