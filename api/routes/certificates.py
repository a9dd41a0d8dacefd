"""
Certificates by id or by the code that people read, and the file that proves one offline: public,
but for those about trades (`api.certificates`).
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from api.access import LookerDep
from api.bundles import BundleNotReady, CheckpointMissing, bundle_bytes
from api.certificates import (
    CERTIFICATE,
    REDACTED,
    require_certificate,
    seen,
    tell_certificate,
)
from api.deps import PagingDep, ServicesDep, StepsDep
from api.histories import tell_history
from api.models import Json
from api.paging import Where, filters
from api.parameters import CertificatePath
from api.problems import SignInRequired, declares
from chain.content import ContentCorrupted, ContentMissing
from chain.errors import CertificateNotFound
from registry.certificates import Certificate, code_text
from registry.store import CertificateCodeUnknown

router = APIRouter(prefix="/certificates", tags=["certificates"])


@router.get("", response_model=CERTIFICATE.list_model, responses=declares())
def browse(
    looker: LookerDep,
    where: Annotated[
        Where, Depends(filters(Certificate, "kind", "subject_id", "issuer", "holder"))
    ],
    pages: PagingDep,
) -> Json:
    """List the certificates of registration, and of the trades that concern you."""
    return looker.reading.page(CERTIFICATE, seen(looker, where), pages)


@router.get(
    "/{certificate}",
    response_model=CERTIFICATE.model | REDACTED,
    responses=declares(CertificateNotFound, CertificateCodeUnknown),
)
def read(looker: LookerDep, certificate: CertificatePath) -> Json:
    """Return one certificate; of one about a trade that does not concern you, its status."""
    return tell_certificate(looker, certificate)


@router.get(
    "/{certificate}/bundle",
    response_class=Response,
    responses={
        200: {
            "description": "The file: canonical JSON, checked with nothing but a trust list.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **declares(
            SignInRequired,
            CertificateNotFound,
            CertificateCodeUnknown,
            CheckpointMissing,
            BundleNotReady,
            ContentMissing,
            ContentCorrupted,
        ),
    },
)
def bundle(services: ServicesDep, looker: LookerDep, certificate: CertificatePath) -> Response:
    """Return the file that proves a certificate as of the last co-signed checkpoint."""
    found = require_certificate(looker, certificate)
    data = bundle_bytes(services, looker.reading, found.record.certificate_id)
    name = code_text(found.record.code)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(data, media_type="application/json", headers=headers)


@router.get(
    "/{certificate}/history",
    response_model=CERTIFICATE.history_model,
    responses=declares(SignInRequired, CertificateNotFound, CertificateCodeUnknown),
)
def history(looker: LookerDep, certificate: CertificatePath, pages: StepsDep) -> Json:
    """List the versions of one certificate, oldest first."""
    name = require_certificate(looker, certificate).record.certificate_id
    missing = CertificateNotFound(certificate_id=name)
    return tell_history(looker.reading, CERTIFICATE, name, pages=pages, missing=missing)
