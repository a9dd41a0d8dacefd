"""Revenue: every division adds up, for every amount and every table."""

from collections import Counter
from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chain.codes import LegKind
from chain.errors import PayeesOutOfOrder, SharesNotWhole, TooManyPayees
from chain.structs import Leg, Payee
from chain.values import FenOutOfRange, ParticipantId
from settlement.revenue import (
    PAYEES_MAX,
    WHOLE_BPS,
    Charge,
    ChargesAboveGross,
    RateOutOfRange,
    ShareOutOfRange,
    Upstream,
    UpstreamAboveWhole,
    fee_floor,
    flatten_revenue,
    plan_legs,
    split,
    upstream_floors,
    vat_inclusive_tax,
)

AMOUNTS = st.one_of(st.integers(0, 1000), st.integers(0, 2**63 - 1))
RATES = st.integers(0, WHOLE_BPS)


def participant(number: int) -> ParticipantId:
    """Build the id of one of many participants."""
    return ParticipantId(f"0x{number:064x}")


def payee(number: int, share_bps: int) -> Payee:
    """Build one line of a revenue table."""
    return Payee(participant_id=participant(number), share_bps=share_bps)


@st.composite
def whole_weights(draw: st.DrawFn, *, smallest: int = 0, most: int = PAYEES_MAX) -> list[int]:
    """Draw weights that add up to the whole."""
    count = draw(st.integers(1, most))
    cuts = st.integers(0, WHOLE_BPS - smallest * count)
    marks = sorted(draw(st.lists(cuts, min_size=count - 1, max_size=count - 1)))
    edges = [0, *marks, WHOLE_BPS - smallest * count]
    return [after - before + smallest for before, after in zip(edges, edges[1:], strict=False)]


@st.composite
def tables(draw: st.DrawFn, *, most: int = PAYEES_MAX, among: int = 40) -> tuple[Payee, ...]:
    """Draw a revenue table that the contract accepts."""
    shares = draw(whole_weights(smallest=1, most=most))
    numbers = draw(
        st.lists(
            st.integers(1, among), min_size=len(shares), max_size=len(shares), unique=True
        ).map(sorted)
    )
    return tuple(map(payee, numbers, shares))


@st.composite
def upstreams(draw: st.DrawFn) -> list[Upstream]:
    """Draw parents that ask for at most the whole, with payees in common."""
    tables_drawn = draw(st.lists(tables(most=5, among=6), max_size=4))
    shares = draw(whole_weights(most=1 + len(tables_drawn)))
    shares += [0] * (len(tables_drawn) - len(shares))
    return [
        Upstream(table=table, share_bps=share_bps)
        for table, share_bps in zip(tables_drawn, shares, strict=False)
    ]


class TestSplit:
    @given(net_fen=AMOUNTS, weights=whole_weights())
    @example(net_fen=2**63 - 1, weights=[3333, 3333, 3334])
    def test_adds_up_to_its_input(self, net_fen: int, weights: list[int]) -> None:
        """J-03: parts add up, none is negative, none is a fen away from its exact share."""
        parts = split(net_fen=net_fen, weights_bps=weights)

        assert sum(parts) == net_fen
        for part, weight in zip(parts, weights, strict=True):
            assert part - floor(Fraction(net_fen * weight, WHOLE_BPS)) in (0, 1)
            assert part == 0 if weight == 0 else part >= 0

    @given(net_fen=AMOUNTS, weights=whole_weights())
    def test_favours_the_largest_remainder_then_the_lowest_index(
        self, net_fen: int, weights: list[int]
    ) -> None:
        parts = split(net_fen=net_fen, weights_bps=weights)

        rank = [(-(net_fen * weight % WHOLE_BPS), place) for place, weight in enumerate(weights)]
        favoured = [
            rank[place]
            for place, weight in enumerate(weights)
            if parts[place] > net_fen * weight // WHOLE_BPS
        ]
        assert sorted(favoured) == sorted(rank)[: len(favoured)]

    def test_gives_a_tie_to_the_lowest_index(self) -> None:
        assert split(net_fen=1, weights_bps=[2500, 2500, 2500, 2500]) == (1, 0, 0, 0)
        assert split(net_fen=101, weights_bps=[3333, 3333, 3334]) == (34, 33, 34)

    @pytest.mark.parametrize("weights", [[], [9999], [5000, 5001]])
    def test_refuses_weights_that_are_not_whole(self, weights: list[int]) -> None:
        with pytest.raises(SharesNotWhole) as refusal:
            split(net_fen=1, weights_bps=weights)

        assert refusal.value.total_bps == sum(weights)

    def test_refuses_a_negative_weight(self) -> None:
        with pytest.raises(ShareOutOfRange):
            split(net_fen=1, weights_bps=[-1, 10_001])

    @pytest.mark.parametrize("net_fen", [-1, 2**63])
    def test_refuses_an_amount_the_ledger_cannot_hold(self, net_fen: int) -> None:
        with pytest.raises(FenOutOfRange):
            split(net_fen=net_fen, weights_bps=[WHOLE_BPS])


class TestVatInclusiveTax:
    @pytest.mark.parametrize(
        ("gross_fen", "rate_bps", "tax_fen"),
        [
            (10600, 600, 600),
            (10000, 600, 566),
            (1, 600, 0),
            (9, 600, 1),
            (100, 0, 0),
            (3, 10000, 2),
        ],
    )
    def test_gives_the_tax_inside_the_price(
        self, gross_fen: int, rate_bps: int, tax_fen: int
    ) -> None:
        """J-10: round(gross * 6 / 106) at a rate of 6 %."""
        assert vat_inclusive_tax(gross_fen=gross_fen, rate_bps=rate_bps) == tax_fen

    @given(gross_fen=AMOUNTS, rate_bps=RATES)
    def test_rounds_the_exact_fraction_half_up(self, gross_fen: int, rate_bps: int) -> None:
        exact = Fraction(gross_fen * rate_bps, WHOLE_BPS + rate_bps)

        tax_fen = vat_inclusive_tax(gross_fen=gross_fen, rate_bps=rate_bps)

        assert tax_fen == floor(exact + Fraction(1, 2))
        assert 0 <= tax_fen <= gross_fen

    @pytest.mark.parametrize("rate_bps", [-1, 10_001])
    def test_refuses_a_rate_out_of_range(self, rate_bps: int) -> None:
        with pytest.raises(RateOutOfRange):
            vat_inclusive_tax(gross_fen=1, rate_bps=rate_bps)


class TestFeeFloor:
    @given(gross_fen=AMOUNTS, rate_bps=RATES)
    def test_never_takes_more_than_its_rate(self, gross_fen: int, rate_bps: int) -> None:
        fee_fen = fee_floor(gross_fen=gross_fen, rate_bps=rate_bps)

        assert fee_fen == floor(Fraction(gross_fen * rate_bps, WHOLE_BPS))

    def test_refuses_a_rate_out_of_range(self) -> None:
        with pytest.raises(RateOutOfRange):
            fee_floor(gross_fen=1, rate_bps=-1)


class TestPlanLegs:
    def test_lists_shares_then_fees_then_tax(self) -> None:
        """J-08, J-10: every line of a clearing record."""
        legs = plan_legs(
            gross_fen=10_001,
            fees=[Charge(payee=participant(8), amount_fen=100)],
            taxes=[Charge(payee=participant(9), amount_fen=566)],
            revenue_table=[payee(1, 7000), payee(2, 3000)],
        )

        assert [(leg.kind, leg.payee, leg.amount_fen) for leg in legs] == [
            (LegKind.SHARE, participant(1), 6535),
            (LegKind.SHARE, participant(2), 2800),
            (LegKind.FEE, participant(8), 100),
            (LegKind.TAX, participant(9), 566),
        ]

    @given(
        gross_fen=AMOUNTS,
        fee_bps=st.integers(0, 4000),
        tax_bps=st.integers(0, 4000),
        table=tables(),
    )
    def test_adds_up_to_the_gross_amount(
        self, gross_fen: int, fee_bps: int, tax_bps: int, table: tuple[Payee, ...]
    ) -> None:
        """J-03: the legs close for every amount, and no leg is empty."""
        fee_fen = fee_floor(gross_fen=gross_fen, rate_bps=fee_bps)
        tax_fen = vat_inclusive_tax(gross_fen=gross_fen, rate_bps=tax_bps)

        legs = plan_legs(
            gross_fen=gross_fen,
            fees=[Charge(payee=participant(98), amount_fen=fee_fen)],
            taxes=[Charge(payee=participant(99), amount_fen=tax_fen)],
            revenue_table=table,
        )

        sums: Counter[LegKind] = Counter()
        for leg in legs:
            assert leg.amount_fen > 0
            sums[leg.kind] += leg.amount_fen
        assert sums.total() == gross_fen
        assert sums[LegKind.FEE] == fee_fen
        assert sums[LegKind.TAX] == tax_fen

    def test_plans_nothing_for_a_price_of_zero(self) -> None:
        """A-10: a price of zero is allowed."""
        assert plan_legs(gross_fen=0, fees=[], taxes=[], revenue_table=[payee(1, 10_000)]) == ()

    def test_lets_charges_take_everything(self) -> None:
        charge = Charge(payee=participant(8), amount_fen=5)

        legs = plan_legs(gross_fen=5, fees=[charge], taxes=[], revenue_table=[payee(1, 10_000)])

        assert legs == (Leg(kind=LegKind.FEE, payee=participant(8), amount_fen=5),)

    def test_refuses_charges_above_the_gross_amount(self) -> None:
        charge = Charge(payee=participant(8), amount_fen=3)

        with pytest.raises(ChargesAboveGross) as refusal:
            plan_legs(gross_fen=5, fees=[charge], taxes=[charge], revenue_table=[payee(1, 10_000)])

        assert refusal.value.charges_fen == 6

    def test_refuses_a_negative_charge(self) -> None:
        charge = Charge(payee=participant(8), amount_fen=-3)

        with pytest.raises(FenOutOfRange):
            plan_legs(gross_fen=5, fees=[charge], taxes=[], revenue_table=[payee(1, 10_000)])

    @pytest.mark.parametrize(
        ("table", "error"),
        [
            ([], SharesNotWhole),
            ([payee(1, 9999)], SharesNotWhole),
            ([payee(2, 5000), payee(1, 5000)], PayeesOutOfOrder),
            ([payee(1, 5000), payee(1, 5000)], PayeesOutOfOrder),
            ([payee(1, 0), payee(2, 10_000)], PayeesOutOfOrder),
            ([payee(1 + i, 1) for i in range(16)] + [payee(90, 9984)], TooManyPayees),
        ],
    )
    def test_refuses_a_table_the_contract_refuses(
        self, table: list[Payee], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            plan_legs(gross_fen=5, fees=[], taxes=[], revenue_table=table)


class TestFlattenRevenue:
    def test_gives_everything_to_a_registrant_without_parents(self) -> None:
        assert flatten_revenue(parents=[], registrant=participant(7)) == (payee(7, 10_000),)

    def test_merges_payees_and_leaves_the_remainder_to_the_registrant(self) -> None:
        parents = [
            Upstream(table=(payee(1, 3333), payee(5, 6667)), share_bps=1000),
            Upstream(table=(payee(3, 5000), payee(5, 5000)), share_bps=2001),
        ]

        table = flatten_revenue(parents=parents, registrant=participant(3))

        # 333 · 1000 + remainder 7001 · 666 + 1000
        assert table == (payee(1, 333), payee(3, 8001), payee(5, 1666))

    @given(parents=upstreams(), registrant=st.integers(1, 9))
    def test_satisfies_the_check_of_the_contract(
        self, parents: list[Upstream], registrant: int
    ) -> None:
        """J-02: no upstream payee gets less than was consented; the table is whole and sorted."""
        table = flatten_revenue(parents=parents, registrant=participant(registrant))

        shares = {line.participant_id: line.share_bps for line in table}
        assert sum(shares.values()) == WHOLE_BPS
        assert [line.participant_id for line in table] == sorted(shares)
        for upstream_payee, floor_bps in upstream_floors(parents).items():
            share_bps = shares.get(upstream_payee, 0)
            assert share_bps >= floor_bps
            assert share_bps == floor_bps or upstream_payee == participant(registrant)

    def test_leaves_out_a_registrant_who_keeps_nothing(self) -> None:
        parent = Upstream(table=(payee(1, 10_000),), share_bps=10_000)

        assert flatten_revenue(parents=[parent], registrant=participant(7)) == (payee(1, 10_000),)

    def test_refuses_parents_that_ask_for_more_than_the_whole(self) -> None:
        parent = Upstream(table=(payee(1, 10_000),), share_bps=5001)

        with pytest.raises(UpstreamAboveWhole) as refusal:
            flatten_revenue(parents=[parent, parent], registrant=participant(7))

        assert refusal.value.total_bps == 10_002

    def test_refuses_a_link_share_out_of_range(self) -> None:
        parent = Upstream(table=(payee(1, 10_000),), share_bps=-1)

        with pytest.raises(ShareOutOfRange):
            flatten_revenue(parents=[parent], registrant=participant(7))

    def test_refuses_more_payees_than_settlement_can_pay(self) -> None:
        table = tuple(payee(1 + number, 625) for number in range(PAYEES_MAX))
        parent = Upstream(table=table, share_bps=5000)

        with pytest.raises(TooManyPayees) as refusal:
            flatten_revenue(parents=[parent], registrant=participant(99))

        assert (refusal.value.count, refusal.value.maximum) == (17, 16)
