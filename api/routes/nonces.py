"""
Nonces: what a message must contain to sign in with it, once.
"""

from fastapi import APIRouter

from api.auth import challenge
from api.deps import ServicesDep
from api.models import Json, described
from api.problems import declares
from api.wire import make_model, time_text

router = APIRouter(prefix="/nonces", tags=["nonces"])

CHALLENGE = make_model(
    "Challenge",
    described(
        {
            "nonce": (str, "To be written into the message; it serves once."),
            "domain": (str, "The message's domain."),
            "uri": (str, "The message's URI."),
            "chain_id": (int, "The message's chain id."),
            "statement": (str, "The message's statement."),
            "expires_at": (str, "When the nonce ends, RFC 3339 in UTC."),
        }
    ),
    doc="What a sign-in message (EIP-4361) must contain.",
)


@router.post("", status_code=201, response_model=CHALLENGE, responses=declares())
def create(services: ServicesDep) -> Json:
    """Give out a nonce and what else the message must say."""
    given = challenge(services)
    return {
        "nonce": given.nonce,
        "domain": given.domain,
        "uri": given.uri,
        "chain_id": given.chain_id,
        "statement": given.statement,
        "expires_at": time_text(given.expires_at),
    }
