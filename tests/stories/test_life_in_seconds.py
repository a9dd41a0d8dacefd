"""The same life under a profile in seconds, on a chain whose clock cannot be moved."""

from pathlib import Path

from sqlmodel import Session

from api.compose import open_services, worker_of
from api.config import read_settings
from api.demo.home import open_demo
from api.demo.life import live
from api.demo.stage import Silence, Stage
from api.exports import export, verify_exports
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from chain.reads import page
from registry.bundles import Verdict
from registry.profiles import VENUE_SECONDS, RuleProfile
from tests.postgres import mirror_of


def test_a_product_lives_where_the_clock_is_not_ours(tmp_path: Path) -> None:
    """D-06: every duration comes from the profile; a profile in seconds needs no moved clock."""
    with open_demo(tmp_path) as demo:
        stage = Stage(
            demo.ledger,
            content=demo.content,
            keyring=demo.keyring,
            progress=Silence(),
            is_clock_movable=False,
        )
        started_at = demo.ledger.now()

        # Three public notices of two seconds each pass in real time.
        (lived,) = live(stage, [read_package(PORT_THROUGHPUT)])

        waited_seconds = demo.ledger.now() - started_at
        assert 6 <= waited_seconds < 600
        assert len(lived.settlements) == 2
        settings = read_settings({}, home=tmp_path, mirror_url=mirror_of(tmp_path))
        with (
            open_services(
                settings,
                chain_id=demo.deployment.chain_id,
                rpc_url=demo.rpc_url,
                ledger=demo.ledger,
            ) as services,
            worker_of(services, settings) as worker,
        ):
            worker.sync_once()
            with Session(services.mirror) as session:
                (profile,) = page(session, RuleProfile).items
                assert profile.record.name == VENUE_SECONDS.name
                export(
                    session,
                    services.content,
                    venue=demo.venue(),
                    cosigners=demo.cosigners(),
                    folder=settings.exports,
                )
        verified = verify_exports(settings.exports, now=demo.ledger.now())
        assert {one.verdict for one in verified.values()} == {Verdict.VALID}
