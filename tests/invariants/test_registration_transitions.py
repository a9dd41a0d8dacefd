"""
What may follow what: every act about an application for registration, in every state, against the
contracts. What is not DONE is refused, by the error that the table names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from api.demo.registering import Draft, root_terms
from chain.act import Act
from chain.acts import (
    RegistrationsAccept,
    RegistrationsDeemAccepted,
    RegistrationsDeposit,
    RegistrationsDismissObjection,
    RegistrationsExamine,
    RegistrationsObject,
    RegistrationsPublishNotice,
    RegistrationsRefuse,
    RegistrationsRequestSupplement,
    RegistrationsSubmit,
    RegistrationsSupplement,
    RegistrationsWaiveNotice,
    RegistrationsWithdraw,
)
from chain.codes import (
    ActType,
    AssetKind,
    AuthorityClass,
    DigestAlg,
    ProcessingRole,
    RegistrationState,
    SourceKind,
    Verdict,
)
from chain.events import AssetDeclared, ProfilePublished, RegistrationSubmitted
from chain.values import Bytes32, CertificateId, RegistrationId, salt_of
from tests.stories.world import Scene, make

NOTHING = Bytes32("0x" + "00" * 32)
DAY = 86_400
DONE = ""


@dataclass
class Application:
    """An application for registration, and every act that anybody could do about it next."""

    scene: Scene
    submitted: RegistrationSubmitted
    act: RegistrationsSubmit

    @property
    def registration_id(self) -> RegistrationId:
        return self.submitted.registration_id

    @property
    def state(self) -> RegistrationState:
        """Return what the registration says of itself."""
        found: RegistrationState = self.scene.ledger.call(
            "Registrations", "registrationOf", self.registration_id
        ).state
        return found

    def acts(self) -> dict[str, tuple[Act, str]]:
        """Return the acts with who is entitled to them."""
        one, scene = self.registration_id, self.scene
        digest, sha = scene.stage.document({"format": "any/1"}), DigestAlg.SHA256
        rights = self.act.rights
        issuer, party = scene.cause(AuthorityClass.ISSUER), scene.cause(AuthorityClass.PARTY)
        return {
            "submit": (self.act, "supplier"),
            "accept": (make(RegistrationsAccept, one), "registrar"),
            "deem accepted": (make(RegistrationsDeemAccepted, one), "supplier"),
            "ask supplement": (make(RegistrationsRequestSupplement, one, issuer), "registrar"),
            "supplement": (make(RegistrationsSupplement, one, digest, sha), "supplier"),
            "examine": (self.examination(), "registrar"),
            "publish": (make(RegistrationsPublishNotice, one), "registrar"),
            "waive": (make(RegistrationsWaiveNotice, one, issuer), "registrar"),
            "object": (make(RegistrationsObject, one, party), "developer"),
            "dismiss": (make(RegistrationsDismissObjection, one, 1, issuer), "registrar"),
            "deposit": (
                make(RegistrationsDeposit, one, rights, digest, sha, 0),
                "registrar",
            ),
            "refuse": (make(RegistrationsRefuse, one, issuer), "registrar"),
            "withdraw": (make(RegistrationsWithdraw, one), "supplier"),
        }

    def examination(self) -> RegistrationsExamine:
        """Return an examination in which everything passes, with the notice still to come."""
        reviewer = self.scene.stage.address("registrar")
        return RegistrationsExamine(
            registration_id=self.registration_id,
            description_verdict=Verdict.PASS,
            source_verdict=Verdict.PASS,
            rights_verdict=Verdict.PASS,
            description_reviewer=reviewer,
            source_reviewer=reviewer,
            rights_reviewer=reviewer,
            report_digest=self.scene.stage.document({"format": "examination-report/1"}),
            digest_alg=DigestAlg.SHA256,
            publish_notice=False,
        )

    def do(self, *names: str) -> "Application":
        """Carry out acts one after the other."""
        for name in names:
            act, by = self.acts()[name]
            self.scene.do(act, by=by)
        return self

    def wait(self, days: int) -> "Application":
        """Let days pass."""
        self.scene.stage.wait_until(self.scene.stage.now() + days * DAY)
        return self


def submitted(scene: Scene) -> Application:
    declared = scene.do(scene.resource("transitions"), by="supplier").one(AssetDeclared)
    profile = scene.world.stage.acted("profile/VENUE/publish").one(ProfilePublished)
    draft = Draft(
        key="transitions",
        owner="supplier",
        kind=AssetKind.RESOURCE,
        title="transitions",
        source_kind=SourceKind.COLLECTED,
        declare=lambda: scene.resource("transitions"),
        form={"data_name": "transitions"},
    )
    act = RegistrationsSubmit(
        asset_id=declared.asset_id,
        asset_version=1,
        act_type=ActType.INITIAL,
        profile_id=profile.profile_id,
        registrar=scene.stage.participant("registrar"),
        prior_certificate_id=CertificateId(NOTHING),
        source_kind=SourceKind.COLLECTED,
        processing_role=ProcessingRole.OWN,
        document_digest=scene.stage.document({"format": "registration-form/1"}),
        digest_alg=DigestAlg.SHA256,
        rights=(root_terms(scene.stage, draft),),
        salt=salt_of("transitions"),
    )
    made = scene.do(act, by="supplier").one(RegistrationSubmitted)
    return Application(scene, made, act)


# State by state: the acts that lead there and the days that pass then, what it is called on chain,
# and what the next act meets. What is not named is refused because of the state.
State = RegistrationState
WRONG = "RegistrationStateWrong"
TABLE: Mapping[str, tuple[tuple[str, ...], int, State, Mapping[str, str]]] = {
    "submitted": (
        (),
        0,
        State.SUBMITTED,
        {
            "accept": DONE,
            "deem accepted": "DeadlineNotReached",
            "ask supplement": DONE,
            "withdraw": DONE,
        },
    ),
    "submitted, and the registrar silent": (
        (),
        10,
        State.SUBMITTED,
        {
            "accept": "DeadlinePassed",
            "deem accepted": DONE,
            "ask supplement": "DeadlinePassed",
            "withdraw": DONE,
        },
    ),
    "to be supplemented": (
        ("ask supplement",),
        0,
        State.SUPPLEMENT_REQUIRED,
        {"supplement": DONE, "withdraw": DONE},
    ),
    "lapsed": (
        ("ask supplement",),
        20,
        State.SUPPLEMENT_REQUIRED,
        {"supplement": "DeadlinePassed", "withdraw": DONE},
    ),
    "supplemented": (
        ("ask supplement", "supplement"),
        0,
        State.SUBMITTED,
        {
            "accept": DONE,
            "deem accepted": "DeadlineNotReached",
            "ask supplement": DONE,
            "withdraw": DONE,
        },
    ),
    "accepted": (
        ("accept",),
        0,
        State.ACCEPTED,
        {"examine": DONE, "refuse": DONE, "withdraw": DONE},
    ),
    "passed": (
        ("accept", "examine"),
        0,
        State.REVIEW_PASSED,
        {"publish": DONE, "waive": DONE, "refuse": DONE, "withdraw": DONE},
    ),
    "in public notice": (
        ("accept", "examine", "publish"),
        0,
        State.PUBLIC_NOTICE,
        {"object": DONE, "deposit": "DeadlineNotReached", "refuse": DONE, "withdraw": DONE},
    ),
    "objected to": (
        ("accept", "examine", "publish", "object"),
        0,
        State.PUBLIC_NOTICE,
        {
            "object": DONE,
            "dismiss": DONE,
            "deposit": "ObjectionsOpen",
            "refuse": DONE,
            "withdraw": DONE,
        },
    ),
    "objected to, the notice over": (
        ("accept", "examine", "publish", "object"),
        5,
        State.PUBLIC_NOTICE,
        {
            "object": "DeadlinePassed",
            "dismiss": DONE,
            "deposit": "ObjectionsOpen",
            "refuse": DONE,
            "withdraw": DONE,
        },
    ),
    "past the notice": (
        ("accept", "examine", "publish"),
        5,
        State.PUBLIC_NOTICE,
        {"object": "DeadlinePassed", "deposit": DONE, "refuse": DONE, "withdraw": DONE},
    ),
    "without a notice": (
        ("accept", "examine", "waive"),
        0,
        State.NOTICE_WAIVED,
        {"deposit": DONE, "refuse": DONE, "withdraw": DONE},
    ),
    "deposited": (("accept", "examine", "waive", "deposit"), 0, State.DEPOSITED, {}),
    "refused": (("accept", "refuse"), 0, State.REFUSED, {}),
    "withdrawn": (("withdraw",), 0, State.WITHDRAWN, {}),
}
# No act leads there: the deployment that serves terminations will.
UNREACHED = {State.NONE, State.TERMINATED}


class TestRegistrations:
    """D-04, D-06: transitions within the table; what has ended has ended."""

    @pytest.mark.parametrize("state", TABLE)
    def test_go_on_as_the_table_says(self, scene: Scene, state: str) -> None:
        steps, days, named, expected = TABLE[state]
        application = submitted(scene).do(*steps).wait(days)
        before = scene.trace()

        found = {name: scene.outcome(act, by=by) for name, (act, by) in application.acts().items()}

        refused = dict.fromkeys(found, WRONG)
        always = {"submit": "RegistrationAlreadyExists", "dismiss": "ObjectionNotFound"}
        assert application.state is named
        assert found == {**refused, **always, **expected}
        assert scene.trace() == before

    def test_are_in_every_state_that_an_act_leads_to(self) -> None:
        assert {named for _, _, named, _ in TABLE.values()} == set(State) - UNREACHED
