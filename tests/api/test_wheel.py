"""The wheel: built, installed beside nothing, and used on a chain that others keep."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.demo.home import open_demo
from tests.api.copies import copy_home
from tests.api.shell import ROOT
from tests.wheel import PARTS, Installed, build_wheel, install

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel, tmp_path_factory.mktemp("installed") / "env")


@pytest.fixture(scope="module")
def chain(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Another exchange's chain: a node of it, and the file that names its contracts."""
    theirs = copy_home(home, tmp_path_factory.mktemp("theirs") / "home")
    with open_demo(theirs) as demo:
        yield demo.rpc_url, theirs / "deployments" / f"{demo.deployment.chain_id}.json"


class TestTheWheel:
    def test_holds_every_file_of_the_packages(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as file:
            names = set(file.namelist())

        wanted = {
            path.relative_to(ROOT).as_posix()
            for part in PARTS
            for path in (ROOT / part).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"
        }
        assert wanted - names == set()

    def test_asks_for_no_compiler_of_contracts(self, installed: Installed) -> None:
        (packages,) = installed.folder.glob("lib/python3.*/site-packages")

        assert (packages / "web3").exists()
        assert not (packages / "solcx").exists()
        assert not (packages / "pytest").exists()

    def test_says_its_version(self, installed: Installed, tmp_path: Path) -> None:
        assert installed.run("--version", cwd=tmp_path).out.startswith("shulian ")

    def test_keeps_a_mirror_of_a_chain_and_answers(
        self, installed: Installed, chain: tuple[str, Path], home: Path, tmp_path: Path
    ) -> None:
        """Mirror, API, console, command line and verifier, with no key and nothing of ours near."""
        rpc_url, deployment = chain
        reaching = {"SHULIAN_RPC_URL": rpc_url, "SHULIAN_HOME": str(tmp_path / "ours")}

        joined = installed.run("join", deployment, "--json", cwd=tmp_path, environment=reaching)
        assert joined.code == 0, joined.err
        started = installed.run(
            "up", "--read-only", "--detach", "--port", 0, "--workers", 1, "--json",
            cwd=tmp_path, environment=reaching,
        )  # fmt: skip
        assert started.code == 0, started.err
        url = started.json["url"]
        try:
            with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
                health = client.get("/v1/health").json()
                assets = client.get("/v1/assets").json()["items"]
                page, style = client.get("/"), client.get("/console/static/console.css")
                refused = client.post("/v1/registrations", json={})
            listed = installed.run("asset", "ls", "--json", cwd=tmp_path, environment=reaching)
            audited = installed.run("audit", "--json", cwd=tmp_path, environment=reaching)
            product = next(one["asset_id"] for one in assets if one["kind"] == "PRODUCT")
            traced = installed.run("trace", product, "--json", cwd=tmp_path, environment=reaching)
        finally:
            installed.run("down", cwd=tmp_path, environment=reaching)
        bundles = sorted((home / "exports/certificates").glob("*.json"))
        verified = installed.run(
            "verify", *bundles, "--trust", home / "exports/trust.json", "--json", cwd=tmp_path
        )

        assert health["status"] == "OK"
        assert len(assets) == 4
        assert (page.status_code, style.status_code) == (200, 200)
        assert refused.status_code >= 400
        assert {one["asset_id"] for one in listed.json["items"]} == {
            one["asset_id"] for one in assets
        }
        assert audited.json["equal"]
        assert traced.code == 0
        assert {one["verdict"] for one in verified.json} == {"VALID"}
        assert sorted(one.name for one in (tmp_path / "ours/keys").iterdir()) == ["webhooks.key"]
        assert installed.read_of_checkout() == []

    def test_says_what_to_do_without_a_chain(self, installed: Installed, tmp_path: Path) -> None:
        told = installed.run("up", "--home", tmp_path / "ours", "--json", cwd=tmp_path)

        assert told.code == 1
        assert json.loads(told.err.splitlines()[-1])["type"] == "/problems/anvil-missing"
