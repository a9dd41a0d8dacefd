"""
Applications for registration and what became of them: public; a signed application is relayed.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api.answering.door import quick
from api.deps import PagingDep, ReadingDep, ServicesDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json, status
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import RelayNotServed, declares
from api.relaying import RELAYED, relay
from api.requests import ActMalformed, read_act, signed_act
from api.statuses import RegistrationStatus, registration_status
from chain.acts import RegistrationsSubmit
from chain.errors import RegistrationAlreadyExists, RegistrationNotFound
from chain.values import RegistrationId
from registry.registrations import Registration

router = APIRouter(prefix="/registrations", tags=["registrations"])

RegistrationCreate: Any = signed_act(RegistrationsSubmit)
REGISTRATION = Answer(
    Registration,
    status(RegistrationStatus, "The state, and what time made of it.", registration_status),
)


@router.get("", response_model=REGISTRATION.list_model, responses=declares())
@quick
def browse(
    reading: ReadingDep,
    where: Annotated[
        Where, Depends(filters(Registration, "state", "asset_id", "applicant", "registrar"))
    ],
    pages: PagingDep,
) -> Json:
    """List registrations."""
    return reading.page(REGISTRATION, where, pages)


@router.get("/{id}", response_model=REGISTRATION.model, responses=declares(RegistrationNotFound))
@quick
def read(reading: ReadingDep, registration_id: IdPath) -> Json:
    """Return one registration."""
    missing = RegistrationNotFound(registration_id=RegistrationId(registration_id))
    return reading.one(REGISTRATION, registration_id, missing=missing)


@router.post(
    "",
    status_code=202,
    response_model=RELAYED,
    responses=declares(ActMalformed, RegistrationAlreadyExists, RelayNotServed),
)
def submit(services: ServicesDep, body: RegistrationCreate, response: Response) -> Json:
    """Relay an application that its applicant signed; 200 if it was relayed before."""
    act, authorization = read_act(RegistrationsSubmit, body)
    return relay(services, act, authorization, response)


@router.get(
    "/{id}/history",
    response_model=REGISTRATION.history_model,
    responses=declares(RegistrationNotFound),
)
def history(reading: ReadingDep, registration_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one registration, oldest first."""
    missing = RegistrationNotFound(registration_id=RegistrationId(registration_id))
    return tell_history(reading, REGISTRATION, registration_id, pages=pages, missing=missing)
