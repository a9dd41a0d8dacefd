from itertools import count

import pytest

from bench.lines import Verdict, against, alone, in_turn, judge, skipped

NAME = "a line"


class TestAgainst:
    def test_takes_the_median_of_the_ratios_of_each_turn(self) -> None:
        """A load from elsewhere in one turn falls on both sides of it, and on that turn only."""
        line = against(
            NAME,
            ours=[10, 1, 12],
            reference=[20, 2, 100],
            unit="ev/s",
            of="floor",
            at_least=0.5,
        )

        assert (line.ours, line.reference, line.ratio) == (10, 20, 0.5)
        assert line.verdict is Verdict.PASS

    def test_refuses_turns_that_do_not_pair(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            against(NAME, ours=[1, 2], reference=[1], unit="ms", of="peer")


class TestAlone:
    @pytest.mark.parametrize(("value", "verdict"), [(20, Verdict.PASS), (20.1, Verdict.FAIL)])
    def test_is_judged_by_its_own_figure(self, value: float, verdict: Verdict) -> None:
        assert alone(NAME, value, unit="ms", at_most=20).verdict is verdict

    def test_says_every_part_in_one_line(self) -> None:
        text = alone(NAME, 4, unit="ms", at_most=20, reference=2, of="peer").to_text()

        parts = [NAME, "4 ms", "2 ms (peer)", "2.00", "<= 20 ms", "PASS"]
        assert [part.strip() for part in text.split("  ") if part.strip()] == parts
        assert "\n" not in text


class TestSkipped:
    def test_shows_the_reason_and_no_figure(self) -> None:
        line = skipped(NAME, "no npm here").to_json()

        assert (line["ours"], line["verdict"], line["note"]) == (None, "SKIP", "no npm here")


class TestJudge:
    @pytest.mark.parametrize(
        ("value", "at_least", "at_most", "verdict"),
        [
            (0.5, 0.5, None, Verdict.PASS),
            (0.49, 0.5, None, Verdict.FAIL),
            (3, None, 2.5, Verdict.FAIL),
            (2, 1, 3, Verdict.PASS),
            (2, None, None, Verdict.NONE),
        ],
    )
    def test_includes_the_bounds(
        self, value: float, at_least: float | None, at_most: float | None, verdict: Verdict
    ) -> None:
        assert judge(value, at_least=at_least, at_most=at_most) is verdict


class TestInTurn:
    def test_alternates_and_changes_who_begins(self) -> None:
        numbers = count()

        found = in_turn(3, ours=lambda: next(numbers), other=lambda: next(numbers))

        assert found == {"ours": [0, 3, 4], "other": [1, 2, 5]}
