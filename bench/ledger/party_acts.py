"""
What participants and their agreements do on the measured chain: few acts beside the rest.

What they are about is in `bench.ledger.registry_acts` and `bench.ledger.market_acts`.
"""

from typing import Final

from bench.ledger.cast import VENUE_A, VENUE_B, World
from bench.ledger.makers import Deed, Steps, joins
from chain.acts import (
    AgreementsPropose,
    AgreementsSign,
    ParticipantsAdmit,
    ParticipantsApplyForAdmission,
    ParticipantsGrantRole,
    ParticipantsRestore,
    ParticipantsSuspend,
)
from chain.codes import AuthorityClass, DigestAlg, ParticipantType, Role
from chain.events import AgreementProposed, ParticipantApplied
from chain.values import HexBytes

SHA256: Final = DigestAlg.SHA256
# Compressed, on the curve: its generator. Nothing is ever sealed for these organisations.
ENCRYPTION_KEY: Final = HexBytes(
    "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
)


@joins("participants", weight=3)
def participants(world: World) -> Steps:
    """Admit a seller at one venue or a buyer at the other; some are suspended for a while first."""
    is_seller = world.chance(40)
    venue, role = (VENUE_A, Role.SELLER) if is_seller else (VENUE_B, Role.BUYER)
    slug = f"{role.name.lower()}-{world.number('participants')}"
    applied = yield Deed(act=_application(world, venue), by=slug)
    found = applied.one(ParticipantApplied).participant_id
    world.join(slug, found)
    admission = ParticipantsAdmit(
        participant_id=found, valid_until=0, evidence_digest=world.digest(), digest_alg=SHA256
    )
    yield Deed(act=admission, by=venue)
    yield Deed(
        act=ParticipantsGrantRole(
            participant_id=found, role=role, venue=world.participant(venue), valid_until=0
        ),
        by=venue,
    )
    if world.chance(10):
        cause = world.cause(AuthorityClass.VENUE)
        yield Deed(act=ParticipantsSuspend(participant_id=found, cause=cause), by=venue)
        yield Deed(act=ParticipantsRestore(participant_id=found, cause=cause), by=venue)
    (world.sellers if is_seller else world.buyers).append(slug)


@joins("agreements", weight=1)
def agreements(world: World) -> Steps:
    """Let the two exchanges sign one more agreement."""
    members = tuple(sorted((world.participant(VENUE_A), world.participant(VENUE_B))))
    proposal = AgreementsPropose(
        members=members,
        scopes=1 + world.random.randrange(63),
        max_age_seconds=86_400,
        document_digest=world.digest(),
        digest_alg=SHA256,
        valid_until=0,
        salt=world.digest(),
    )
    proposed = yield Deed(act=proposal, by=VENUE_A)
    agreement_id = proposed.one(AgreementProposed).agreement_id
    yield Deed(act=AgreementsSign(agreement_id=agreement_id), by=VENUE_B)


# --- parts ----------------------------------------------------------------------------------------


def _application(world: World, venue: str) -> ParticipantsApplyForAdmission:
    return ParticipantsApplyForAdmission(
        uscc_digest=world.digest(),
        uscc_last4=HexBytes("0x" + b"000A".hex()),
        participant_type=ParticipantType.LEGAL_PERSON,
        home_venue=world.participant(venue),
        profile_digest=world.digest(),
        digest_alg=SHA256,
        encryption_key=ENCRYPTION_KEY,
    )
