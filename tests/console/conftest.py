"""A lived home behind a real server, and a real browser in front of it."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import Session

from api.app import create_app
from api.compose import open_services, worker_of
from api.config import read_settings
from api.console.pages import console
from api.demo.home import open_demo
from api.demo.life import live
from api.demo.stage import Silence
from api.exports import export
from api.packages.packages import read_package
from api.samples import PORT_THROUGHPUT
from tests.browser import VARIABLE, find
from tests.postgres import mirror_of


@dataclass(frozen=True)
class Served:
    """Where the console answers, and what was exported."""

    url: str
    exports: Path


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("console-home")
    with open_demo(home) as demo:
        live(demo.stage(Silence()), [read_package(PORT_THROUGHPUT)])
        settings = read_settings({}, home=home, mirror_url=mirror_of(home))
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
                export(
                    session,
                    services.content,
                    venue=demo.venue(),
                    cosigners=demo.cosigners(),
                    folder=settings.exports,
                )
            app = create_app(services, extensions=[console])
            server = uvicorn.Server(
                uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error")
            )
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Served(url=f"http://127.0.0.1:{port}", exports=settings.exports)
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = find()
    if found is None:
        pytest.fail(f"no browser: set {VARIABLE} to one, or run scripts/setup --dev")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(base_url=served.url, locale="zh-CN")
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert problems == []
