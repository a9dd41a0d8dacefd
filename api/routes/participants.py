"""
Organisations, their accounts, roles and recognitions: public.
"""

from typing import Annotated

from fastapi import APIRouter, Depends

from api.additions import TO_PARTICIPANT, to_participants
from api.answering.door import quick
from api.deps import PagingDep, ReadingDep, ServicesDep, StepsDep
from api.histories import tell_history
from api.models import Answer, Json, bits, status
from api.paging import Where, filters
from api.parameters import IdPath
from api.problems import declares
from api.statuses import (
    ParticipantStatus,
    Purpose,
    TermStatus,
    account_status,
    participant_status,
    role_status,
)
from chain.errors import ParticipantNotFound
from chain.values import ParticipantId
from registry.participants import Account, IssuerCode, Participant, RoleGrant, VenueRecognition

router = APIRouter(prefix="/participants", tags=["participants"])

PARTICIPANT = Answer(
    Participant,
    status(ParticipantStatus, "The state, and what time made of it.", participant_status),
    added=TO_PARTICIPANT,
    excluded=("name",),
)
ACCOUNT = Answer(
    Account,
    status(TermStatus, "Whether the key counts.", account_status),
    bits("purpose_names", Purpose, "What the account may do.", "purposes"),
)
ROLE = Answer(RoleGrant, status(TermStatus, "Whether the role is held.", role_status))
RECOGNITION = Answer(VenueRecognition)
ISSUER_CODE = Answer(IssuerCode)


@router.get("", response_model=PARTICIPANT.list_model, responses=declares())
@quick
def browse(
    services: ServicesDep,
    reading: ReadingDep,
    where: Annotated[Where, Depends(filters(Participant, "state", "home_venue", "uscc_digest"))],
    pages: PagingDep,
) -> Json:
    """List organisations."""
    return reading.page(PARTICIPANT, where, pages, to_participants(services))


@router.get("/{id}", response_model=PARTICIPANT.model, responses=declares(ParticipantNotFound))
@quick
def read(services: ServicesDep, reading: ReadingDep, participant_id: IdPath) -> Json:
    """Return one organisation."""
    missing = ParticipantNotFound(participant_id=ParticipantId(participant_id))
    return reading.one(PARTICIPANT, participant_id, missing=missing, add=to_participants(services))


@router.get("/{id}/accounts", response_model=ACCOUNT.list_model, responses=declares())
@quick
def accounts(reading: ReadingDep, participant_id: IdPath, pages: PagingDep) -> Json:
    """List the accounts of an organisation, revoked ones too."""
    return reading.page(ACCOUNT, {"participant_id": participant_id}, pages)


@router.get("/{id}/roles", response_model=ROLE.list_model, responses=declares())
@quick
def roles(reading: ReadingDep, participant_id: IdPath, pages: PagingDep) -> Json:
    """List the roles of an organisation, revoked ones too."""
    return reading.page(ROLE, {"participant_id": participant_id}, pages)


@router.get("/{id}/recognitions", response_model=RECOGNITION.list_model, responses=declares())
@quick
def recognitions(reading: ReadingDep, participant_id: IdPath, pages: PagingDep) -> Json:
    """List what venues decided about an organisation admitted elsewhere."""
    return reading.page(RECOGNITION, {"participant_id": participant_id}, pages)


@router.get(
    "/{id}/issuer-code", response_model=ISSUER_CODE.model, responses=declares(ParticipantNotFound)
)
@quick
def issuer_code(reading: ReadingDep, participant_id: IdPath) -> Json:
    """Return what an issuer's certificate codes begin with."""
    missing = ParticipantNotFound(participant_id=ParticipantId(participant_id))
    return reading.one(ISSUER_CODE, participant_id, missing=missing)


@router.get(
    "/{id}/history",
    response_model=PARTICIPANT.history_model,
    responses=declares(ParticipantNotFound),
)
def history(reading: ReadingDep, participant_id: IdPath, pages: StepsDep) -> Json:
    """List the versions of one organisation, oldest first."""
    missing = ParticipantNotFound(participant_id=ParticipantId(participant_id))
    return tell_history(reading, PARTICIPANT, participant_id, pages=pages, missing=missing)
