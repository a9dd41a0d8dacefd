"""
The proving lines: judging certificate files offline, and the tree that exchanges co-sign.

Certificates are made up, signatures and hashes are not. The ledger's own functions do all of it.
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from coincurve import PrivateKey
from eth_account import Account

from api.exports import Cosigner, Venue, bundle_of, cosign, trust_of
from bench.lines import Line, alone
from bench.sizes import Sizes
from bench.timing import percentile, seconds
from chain.codes import CertificateBase, CertificateKind, DigestAlg, Noun
from chain.content import ContentStore, content_store
from chain.documents import canonical
from chain.facts import Block
from chain.values import (
    ZERO_ADDRESS,
    ZERO_BYTES32,
    Bytes32,
    CertificateId,
    ParticipantId,
    raw,
    word_of,
)
from registry.bundles import Verdict, verify
from registry.certificates import Certificate, fields_of, leaf_of
from registry.checkpoints import entry_of, map_of, status_of
from registry.trust import write_trust

COSIGNERS: Final = 5
BUNDLES: Final = 200
BUNDLE_MS: Final = 5
BATCH_RATE: Final = 200
FULL_SECONDS: Final = 6
INCREMENTAL_MS: Final = 100
CHANGES: Final = 1_000
FULL: Final = 1_000_000
TREE: Final = 20_000
NOW: Final = 1_772_294_400
ISSUER: Final = ParticipantId("0x" + "11" * 32)
ROOT: Final = Path(__file__).resolve().parent.parent


def measure_verify(sizes: Sizes) -> Iterator[Line]:
    """Judge files one by one, and a folder of them with the command."""
    venue = Venue(chain_id=1, certificates=ZERO_ADDRESS, issuers=(ISSUER,), max_age_seconds=0)
    signers = [_cosigner(number) for number in range(COSIGNERS)]
    trust = trust_of(venue, signers)
    count = min(BUNDLES, sizes.certificates)
    with TemporaryDirectory(prefix="shulian-bench-") as folder:
        files = _files(Path(folder), venue, signers, count)
        contents = [path.read_bytes() for path in files]
        delays_ms = []
        for content in contents:
            began = perf_counter()
            verdict = verify(content, trust=trust, now=NOW)
            delays_ms.append(1_000 * (perf_counter() - began))
            assert verdict.verdict is Verdict.VALID, verdict
        (Path(folder) / "trust.json").write_bytes(write_trust(trust))
        command = [sys.executable, "-m", "api.cli", "verify", *map(str, files)]
        command += ["--trust", f"{folder}/trust.json", "--at", str(NOW), "--json"]
        took = seconds(lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))
    yield alone(
        f"verify a bundle, {COSIGNERS} co-signers, p50",
        percentile(delays_ms, 50),
        unit="ms",
        at_most=BUNDLE_MS,
        reference=_recovery_ms(),
        of="one signature recovery",
    )
    yield alone(
        "verify a batch with the command",
        count / took,
        unit="/s",
        at_least=BATCH_RATE,
        note=f"{count} files, with the start of the process",
    )


def measure_checkpoint(sizes: Sizes) -> Iterator[Line]:
    """Build the tree over all certificates, then change some and take the root again."""
    certificates = [
        _certificate(number, Bytes32(ZERO_BYTES32)) for number in range(sizes.certificates)
    ]
    hashing = seconds(lambda: _hashes(2 * sizes.certificates))
    began = perf_counter()
    tree = map_of(certificates)
    root = tree.root
    full = perf_counter() - began
    count = min(CHANGES, sizes.certificates)
    changed = [replace(one, flags=1, status_sequence=1) for one in certificates[:count]]
    began = perf_counter()
    for one in changed:
        tree.set(raw(one.certificate_id), entry_of(one.leaf, status_of(one)))
    assert tree.root != root
    incremental_ms = 1_000 * (perf_counter() - began)
    scale = FULL / sizes.certificates
    yield alone(
        f"checkpoint over {sizes.certificates} certificates, full",
        full * scale,
        unit="s",
        at_most=FULL_SECONDS,
        reference=hashing * scale,
        of="SHA-256 over as many nodes",
        note="" if scale == 1 else "scaled up to 1 000 000",
    )
    yield alone(
        f"checkpoint, {count} changes",
        incremental_ms,
        unit="ms",
        at_most=INCREMENTAL_MS,
    )


def _files(folder: Path, venue: Venue, signers: list[Cosigner], count: int) -> list[Path]:
    content = content_store((folder / "content").as_uri())
    certificates = [_kept(content, number) for number in range(TREE)]
    tree = map_of(certificates)
    block = Block(
        number=1, hash=Bytes32(ISSUER), parent_hash=Bytes32(ZERO_BYTES32), timestamp=NOW - 60
    )
    signed = cosign(tree, block, venue=venue, cosigners=signers, before=None)
    paths = []
    for number, one in enumerate(certificates[:count]):
        path = folder / f"{number}.json"
        path.write_bytes(bundle_of(one, tree, signed, content))
        paths.append(path)
    return paths


def _kept(content: ContentStore, number: int) -> Certificate:
    if number >= BUNDLES:
        return _certificate(number, Bytes32(ZERO_BYTES32))
    document = canonical({"format": "bench-certificate/1", "number": str(number)})
    return _certificate(number, content.put(document).digest.value)


def _certificate(number: int, document: Bytes32) -> Certificate:
    digest = "0x" + hashlib.sha256(str(number).encode()).hexdigest()
    made = Certificate(
        certificate_id=CertificateId(digest),
        kind=CertificateKind.REGISTRATION,
        subject_noun=Noun.ASSET,
        subject_id=Bytes32(digest),
        subject_version=1,
        code=word_of(f"DY{number:013d}"),
        issuer=ISSUER,
        holder=ISSUER,
        document_digest=document,
        digest_alg=DigestAlg.SHA256,
        issued_at=NOW - 3_600,
        valid_until=0,
        owner=ZERO_ADDRESS,
        leaf=Bytes32(digest),
        base=CertificateBase.VALID,
        flags=0,
        status_sequence=0,
        superseded_by=CertificateId(ZERO_BYTES32),
    )
    # Only those that are judged need the leaf that their fields have.
    return made if document == ZERO_BYTES32 else replace(made, leaf=leaf_of(fields_of(made)))


def _cosigner(number: int) -> Cosigner:
    key = hashlib.sha256(f"cosigner/{number}".encode()).digest()
    return Cosigner(
        participant_id=ParticipantId("0x" + f"{number + 1:064x}"),
        name=f"Exchange {number + 1}",
        account=Account.from_key(key),
    )


def _recovery_ms() -> float:
    from coincurve import PublicKey

    digest = hashlib.sha256(b"bench").digest()
    signature = PrivateKey(digest).sign_recoverable(digest, hasher=None)
    count = 200

    def run() -> None:
        for _ in range(count):
            PublicKey.from_signature_and_message(signature, digest, hasher=None)

    return 1_000 * seconds(run) / count


def _hashes(count: int) -> None:
    sha256, node = hashlib.sha256, b"\x01" * 65
    for _ in range(count):
        sha256(node).digest()
