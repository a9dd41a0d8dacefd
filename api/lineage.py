"""
Where an asset came from and what became of it, with names, and without the trades that the caller
has no business with.

It is not the walk (`registry.lineage`) nor the edges (`settlement.store`).
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from api.access import Looker
from api.additions import assets_of
from api.catalogue import titles
from api.models import AsOf, Json, described, names_of
from api.wire import make_model
from chain.codes import Noun
from chain.values import AssetId
from registry.lineage import Direction, Edge, Node, asset_node
from registry.participants import Participant
from registry.store import every
from settlement.deliveries import Delivery
from settlement.listings import Listing
from settlement.store import lineage_of
from settlement.trades import Trade

Side = Literal["START", "UPSTREAM", "DOWNSTREAM"]

_POINT: Final[dict[str, tuple[Any, str]]] = {
    "noun": (names_of(Noun), "What it is."),
    "id": (str, "Its id."),
    "version": (int | None, "Its version, if it is an asset."),
}
_NODE: Final = make_model(
    "LineageNode",
    described(
        {
            **_POINT,
            "side": (Side, "On which side of the start it was found."),
            "name": (str, "What its document calls it; empty while that is not readable here."),
            "digest": (
                str | None,
                "Of an asset's content, an offer's or trade's terms, a delivery's package, an"
                " organisation's profile.",
            ),
        }
    ),
    doc="A thing in the graph.",
)
_END: Final = make_model("LineageEnd", described(_POINT), doc="An end of an edge.")
_EDGE: Final = make_model(
    "LineageEdge",
    described(
        {
            "source": (_END, "The end towards the sources."),
            "target": (_END, "The end towards the buyers."),
            "relation": (str, "How the target depends on the source, or what happened to it."),
        }
    ),
    doc="A step from a source towards a buyer.",
)
LINEAGE: Final = make_model(
    "LineageOut",
    described(
        {
            "nodes": (list[_NODE], "What was found, the start first."),  # type: ignore[valid-type]
            "edges": (list[_EDGE], "How it hangs together."),  # type: ignore[valid-type]
            "is_complete": (bool, "False if the walk was cut off at its limit."),
            "is_redacted": (bool, "Whether trades were left out that are not the caller's to see."),
            "as_of": (AsOf, "The block it is as of."),
        }
    ),
    doc="What an asset came from and what became of it.",
)


def tell_lineage(
    looker: Looker, asset_id: AssetId, version: int, ways: Sequence[Direction]
) -> Json:
    """Walk from a version of an asset each way, and tell what the caller may see."""
    reading = looker.reading
    looker.log()
    start = asset_node(asset_id, version)
    sides: dict[Node, str] = {start: "START"}
    edges: dict[Edge, None] = {}
    is_complete = True
    for way in ways:
        found = lineage_of(reading.session, start, way, at_block=reading.at_block)
        is_complete &= found.is_complete
        edges.update(dict.fromkeys(found.edges))
        sides = {**dict.fromkeys(found.nodes, way.value), **sides}
    hidden = _hidden(looker, sides)
    shown = [edge for edge in edges if not {edge.source, edge.target} & hidden]
    reached = {start, *(end for edge in shown for end in (edge.source, edge.target))}
    nodes = [node for node in sorted(sides, key=_order(sides)) if node in reached]
    names = _names(looker, nodes)
    return {
        "nodes": [
            {**_point(node), "side": sides[node], "name": names[node][0], "digest": names[node][1]}
            for node in nodes
        ],
        "edges": [_edge(edge) for edge in shown],
        "is_complete": is_complete,
        "is_redacted": bool(hidden),
        "as_of": reading.as_of(),
    }


def _order(sides: dict[Node, str]) -> Any:
    place = {node: number for number, node in enumerate(sides)}
    return lambda node: (sides[node] != "START", place[node])


def _hidden(looker: Looker, nodes: Iterable[Node]) -> set[Node]:
    trades = _records(looker, Trade, "trade_id", nodes, Noun.TRADE)
    return {node for node in nodes if node.noun is Noun.TRADE and not looker.sees(trades[node.id])}


def _names(looker: Looker, nodes: Sequence[Node]) -> dict[Node, tuple[str, str | None]]:
    """Return what each node is called, and the digest it is known by."""
    assets = assets_of(
        looker.reading, [(one.id, one.version) for one in nodes if one.noun is Noun.ASSET]
    )
    participants = _records(looker, Participant, "participant_id", nodes, Noun.PARTICIPANT)
    digests = {
        **{one.trade_id: one.terms_digest for one in _values(looker, Trade, nodes)},
        **{one.listing_id: one.terms_digest for one in _values(looker, Listing, nodes)},
        **{one.delivery_id: one.package_digest for one in _values(looker, Delivery, nodes)},
        **{key: one.profile_digest for key, one in participants.items()},
    }
    said = titles(
        looker.services.operational,
        [
            *(one.metadata_digest for one in assets.values()),
            *(one.profile_digest for one in participants.values()),
        ],
    )
    named: dict[Node, tuple[str, str | None]] = {}
    for node in nodes:
        asset = assets.get((node.id, node.version))
        document = asset.metadata_digest if asset else digests.get(node.id, "")
        title = said[document].title if document in said else ""
        named[node] = (title, asset.content_digest if asset else digests.get(node.id))
    return named


_NOUNS: Final[dict[type, tuple[str, Noun]]] = {
    Trade: ("trade_id", Noun.TRADE),
    Listing: ("listing_id", Noun.LISTING),
    Delivery: ("delivery_id", Noun.DELIVERY),
}


def _values(looker: Looker, record: type[Any], nodes: Iterable[Node]) -> Iterable[Any]:
    key, noun = _NOUNS[record]
    return _records(looker, record, key, nodes, noun).values()


def _records(
    looker: Looker, record: type[Any], key: str, nodes: Iterable[Node], noun: Noun
) -> dict[str, Any]:
    ids = tuple(sorted({node.id for node in nodes if node.noun is noun}))
    if not ids:
        return {}
    reading = looker.reading
    found = every(reading.session, record, where={key: ids}, at_block=reading.at_block)
    return {getattr(one, key): one for one in found}


def _point(node: Node) -> Json:
    version = node.version if node.noun is Noun.ASSET else None
    return {"noun": node.noun.name, "id": node.id, "version": version}


def _edge(edge: Edge) -> Json:
    return {
        "source": _point(edge.source),
        "target": _point(edge.target),
        "relation": edge.relation,
    }
