"""
The whole life, for each package: resources, element, product, listing, trade, delivery, settlement.

It is not the stage it is played on (`api.demo.stage`) and prints nothing. Every act has a business
key made of what it is about, so a life that was cut off goes on, and a second one adds nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from api.demo.consortium import found_consortium
from api.demo.making import (
    assess_element,
    compute_element,
    element_draft,
    product_draft,
    resource_draft,
    review_element,
    tables_of,
)
from api.demo.registering import Registered, register
from api.demo.stage import Stage
from api.demo.trading import accept, conclude, deliver, list_product, settle
from api.packages.elements import Element
from api.packages.packages import DataPackage
from chain.events import ProfilePublished
from chain.structs import Profile
from chain.values import ProfileId, SettlementId, text_of
from registry.profiles import VENUE, VENUE_SECONDS

BUYERS = ("buyer-one", "buyer-two")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What one package became."""

    package: str
    resources: tuple[Registered, ...]
    element: Registered | None
    product: Registered | None
    settlements: tuple[SettlementId, ...]


def profile_for(stage: Stage) -> Profile:
    """Return the short venue profile, or the one in seconds where the clock cannot be moved."""
    return VENUE if stage.is_clock_movable else VENUE_SECONDS


def live(stage: Stage, packages: Sequence[DataPackage]) -> tuple[Lived, ...]:
    """Bring consortium and packages through their whole life; nothing is done twice."""
    profile = profile_for(stage)
    found_consortium(stage, profile)
    published = stage.acted(f"profile/{text_of(profile.name)}/publish").one(ProfilePublished)
    return tuple(_live_package(stage, package, published.profile_id) for package in packages)


def _live_package(stage: Stage, package: DataPackage, profile_id: ProfileId) -> Lived:
    unique = {one.content_sha256: one for one in package.resources}
    stage.begin(package.title, len(unique) + 8)
    drafts = [resource_draft(stage, package, one) for one in unique.values()]
    resources = register(stage, drafts, profile_id)
    tables = {one.content_sha256 for one in tables_of(package)}
    sources = tuple(one for one in resources if one.content_digest in tables)
    if not sources:
        return Lived(
            package=package.name, resources=resources, element=None, product=None, settlements=()
        )
    computed = compute_element(package)
    element = _element(stage, package, computed, sources, profile_id)
    product = _product(stage, package, computed, element, profile_id)
    settlements = _market(stage, package, computed, element, product)
    return Lived(
        package=package.name,
        resources=resources,
        element=element,
        product=product,
        settlements=settlements,
    )


def _element(
    stage: Stage,
    package: DataPackage,
    computed: Element,
    sources: tuple[Registered, ...],
    profile_id: ProfileId,
) -> Registered:
    (element,) = register(stage, [element_draft(stage, package, computed, sources)], profile_id)
    review_element(stage, element, stage.document(dict(computed.model)))
    stage.step("O, M, R")
    return element


def _product(
    stage: Stage,
    package: DataPackage,
    computed: Element,
    element: Registered,
    profile_id: ProfileId,
) -> Registered:
    (product,) = register(stage, [product_draft(stage, package, computed, element)], profile_id)
    return product


def _market(
    stage: Stage,
    package: DataPackage,
    computed: Element,
    element: Registered,
    product: Registered,
) -> tuple[SettlementId, ...]:
    assess_element(stage, package, computed, element)
    listing = list_product(stage, product, ())
    stage.step("listed and mirrored")
    settled = []
    for buyer in BUYERS:
        deal = conclude(stage, product, listing, buyer=buyer)
        stage.step("trade")
        made = deliver(stage, deal, computed.content)
        accept(stage, deal, made)
        stage.step("delivery")
        settled.append(settle(stage, deal, made))
    return tuple(settled)
