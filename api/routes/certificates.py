"""
Certificates by id or by the code that people read, and the file that proves one offline: public.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from api.bundles import BundleNotReady, CheckpointMissing, bundle_bytes
from api.deps import PagingDep, ReadingDep, ServicesDep
from api.models import Answer, Derived, Json, bits, status
from api.paging import Where, filters
from api.parameters import CertificatePath
from api.problems import declares
from api.statuses import FlagBit, certificate_status
from chain.content import ContentCorrupted, ContentMissing
from chain.errors import CertificateNotFound
from registry.certificates import Certificate, CertificateStatus, code_text
from registry.store import CertificateCodeUnknown, find_certificate

router = APIRouter(prefix="/certificates", tags=["certificates"])

CERTIFICATE = Answer(
    Certificate,
    status(CertificateStatus, "What it is worth.", certificate_status),
    bits("flag_names", FlagBit, "The flags set.", "flags"),
    Derived("code_text", str, "The code that people read.", lambda one, _: code_text(one.code)),
)


@router.get("", response_model=CERTIFICATE.page_model, responses=declares())
def browse(
    reading: ReadingDep,
    where: Annotated[
        Where, Depends(filters(Certificate, "kind", "subject_id", "issuer", "holder"))
    ],
    pages: PagingDep,
) -> Json:
    """List certificates."""
    return reading.page(CERTIFICATE, where, pages)


@router.get(
    "/{certificate}",
    response_model=CERTIFICATE.model,
    responses=declares(CertificateNotFound, CertificateCodeUnknown),
)
def read(reading: ReadingDep, certificate: CertificatePath) -> Json:
    """Return one certificate."""
    found = find_certificate(reading.session, certificate, at_block=reading.at_block)
    return reading.told(CERTIFICATE, found)


@router.get(
    "/{certificate}/bundle",
    response_class=Response,
    responses={
        200: {
            "description": "The file: canonical JSON, checked with nothing but a trust list.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **declares(
            CertificateNotFound,
            CertificateCodeUnknown,
            CheckpointMissing,
            BundleNotReady,
            ContentMissing,
            ContentCorrupted,
        ),
    },
)
def bundle(services: ServicesDep, reading: ReadingDep, certificate: CertificatePath) -> Response:
    """Return the file that proves a certificate as of the last co-signed checkpoint."""
    found = find_certificate(reading.session, certificate, at_block=reading.at_block)
    data = bundle_bytes(services, reading, found.record.certificate_id)
    name = code_text(found.record.code)
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return Response(data, media_type="application/json", headers=headers)
