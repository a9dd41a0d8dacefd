"""
Tests of the public answers about registered things: versions, status as of a block, codes.
"""

from chain import events as e
from chain.codes import CertificateFlag
from tests.api.mirrored import GENESIS, Mirrored, address_of, event, named

ASSET, CERTIFICATE = named("asset"), named("certificate")
CODE = "VN3122026110001"


def declare(mirrored: Mirrored, version: int) -> None:
    """Declare a version of the asset."""
    mirrored.append(event(e.AssetDeclared, asset_id=ASSET, version=version, kind=1))


class TestAssets:
    def test_answer_with_the_newest_registered_version(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)
        mirrored.append(event(e.AssetRegistered, asset_id=ASSET, version=1))
        declare(mirrored, 2)

        told = mirrored.get(f"/v1/assets/{ASSET}").json()
        asked = mirrored.get(f"/v1/assets/{ASSET}", version=2).json()

        assert (told["version"], told["status"]) == (1, "REGISTERED")
        assert (asked["version"], asked["status"]) == (2, "DECLARED")

    def test_answer_with_the_newest_declared_before_any_is_registered(
        self, mirrored: Mirrored
    ) -> None:
        declare(mirrored, 1)
        declare(mirrored, 2)

        assert mirrored.get(f"/v1/assets/{ASSET}").json()["version"] == 2

    def test_call_an_older_version_superseded(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)
        declare(mirrored, 2)
        mirrored.append(event(e.AssetRegistered, asset_id=ASSET, version=2))

        told = mirrored.get(f"/v1/assets/{ASSET}", version=1).json()

        assert told["status"] == "SUPERSEDED"

    def test_answer_as_of_an_earlier_block(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)
        mirrored.append(event(e.AssetRegistered, asset_id=ASSET, version=1))

        before = mirrored.get(f"/v1/assets/{ASSET}", as_of_block=1).json()

        assert before["status"] == "DECLARED"
        assert before["as_of"]["block_number"] == 1

    def test_say_which_version_is_not_there(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)

        answer = mirrored.get(f"/v1/assets/{ASSET}", version=7)

        assert answer.status_code == 404
        assert answer.json()["fields"] == {"asset_id": ASSET, "version": 7}


class TestCertificates:
    @staticmethod
    def issue(mirrored: Mirrored, *, valid_until: int = 0) -> None:
        """Issue the certificate."""
        mirrored.append(
            event(
                e.CertificateIssued,
                certificate_id=CERTIFICATE,
                kind=1,
                code="0x" + CODE.encode().ljust(32, b"\0").hex(),
                owner=address_of("owner"),
                issued_at=GENESIS,
                valid_until=valid_until,
            )
        )

    def test_are_found_by_id_and_by_code(self, mirrored: Mirrored) -> None:
        self.issue(mirrored)

        by_id = mirrored.get(f"/v1/certificates/{CERTIFICATE}").json()
        by_code = mirrored.get(f"/v1/certificates/{CODE}").json()

        assert by_id == by_code
        assert by_id["code_text"] == CODE

    def test_are_missed_by_name(self, mirrored: Mirrored) -> None:
        self.issue(mirrored)

        by_id = mirrored.get(f"/v1/certificates/{named('none')}").json()
        by_code = mirrored.get("/v1/certificates/VN3122026119999").json()

        assert by_id["type"] == "/problems/certificate-not-found"
        assert by_code["type"] == "/problems/certificate-code-unknown"

    def test_expire_by_the_time_of_the_block_alone(self, mirrored: Mirrored) -> None:
        self.issue(mirrored, valid_until=GENESIS + 24)
        before = mirrored.get(f"/v1/certificates/{CODE}").json()["status"]
        mirrored.append()

        after = mirrored.get(f"/v1/certificates/{CODE}").json()["status"]
        back_then = mirrored.get(f"/v1/certificates/{CODE}", as_of_block=1).json()["status"]

        assert (before, after, back_then) == ("VALID", "EXPIRED", "VALID")

    def test_name_their_flags(self, mirrored: Mirrored) -> None:
        self.issue(mirrored)
        mirrored.append(
            event(
                e.CertificateFlagged,
                certificate_id=CERTIFICATE,
                flag=CertificateFlag.JUDICIAL_FREEZE,
                status_sequence=2,
            )
        )

        told = mirrored.get(f"/v1/certificates/{CODE}").json()

        assert (told["status"], told["flag_names"]) == ("SUSPENDED", ["JUDICIAL_FREEZE"])

    def test_have_no_file_before_a_checkpoint(self, mirrored: Mirrored) -> None:
        self.issue(mirrored)

        answer = mirrored.get(f"/v1/certificates/{CODE}/bundle")

        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/checkpoint-missing")


class TestHealth:
    def test_tells_of_a_silent_node_without_failing(self, mirrored: Mirrored) -> None:
        mirrored.append()

        told = mirrored.get("/v1/health").json()

        assert (told["status"], told["indexed_block"]) == ("NODE_UNREACHABLE", 1)

    def test_tells_when_books_do_not_close(self, mirrored: Mirrored) -> None:
        mirrored.append(
            event(
                e.FundsDeposited,
                participant_id=named("payer"),
                bank=named("bank"),
                amount_fen=100,
            ),
            event(
                e.FundsHeld,
                trade_id=named("trade"),
                payer=named("payer"),
                bank=named("bank"),
                amount_fen=60,
            ),
        )
        assert mirrored.get("/v1/health").json()["invariants"] == []
        mirrored.append(event(e.SettlementSettled, settlement_id=named("s"), trade_id=named("t")))
        mirrored.append(
            event(
                e.FundsPosted,
                trade_id=named("trade"),
                payer=named("payer"),
                payee=named("payee"),
                bank=named("bank"),
                amount_fen=60,
            )
        )

        told = mirrored.get("/v1/health").json()

        assert told["status"] == "BROKEN"
        assert "posted 60 fen without a settlement" in told["invariants"][0]


class TestStatistics:
    def test_counts_as_of_a_block(self, mirrored: Mirrored) -> None:
        declare(mirrored, 1)
        mirrored.admit("holder")

        now = mirrored.get("/v1/statistics").json()
        before = mirrored.get("/v1/statistics", as_of_block=1).json()

        assert now["assets"] == {"total": 1, "by": {"RESOURCE": 1}}
        assert now["participants"] == {"total": 1, "by": {"ADMITTED": 1}}
        assert before["participants"] == {"total": 0, "by": {}}
