"""
Tests of producing ahead of whoever consumes.
"""

import threading
from collections.abc import Iterator

import pytest

from chain.pipeline import ahead


class TestAhead:
    def test_gives_everything_in_order(self) -> None:
        with ahead(range(50)) as items:
            assert list(items) == list(range(50))

    def test_raises_what_the_producer_raises_after_what_it_made(self) -> None:
        def failing() -> Iterator[int]:
            yield 1
            yield 2
            raise LookupError("no more")

        taken = []

        def take() -> None:
            with ahead(failing()) as items:
                taken.extend(items)

        with pytest.raises(LookupError, match="no more"):
            take()
        assert taken == [1, 2]

    def test_works_while_the_consumer_does(self) -> None:
        made = threading.Event()

        def producing() -> Iterator[int]:
            yield 1
            made.set()
            yield 2

        with ahead(producing()) as items:
            next(items)
            assert made.wait(10)

    def test_makes_only_little_in_advance(self) -> None:
        made: list[int] = []
        third = threading.Event()

        def producing() -> Iterator[int]:
            for number in range(100):
                made.append(number)
                if number == 2:
                    third.set()
                yield number

        with ahead(producing()) as items:
            next(items)
            assert third.wait(10)

        assert len(made) <= 4

    def test_ends_the_producer_when_nobody_wants_more(self) -> None:
        ended = threading.Event()

        def endless() -> Iterator[int]:
            try:
                while True:
                    yield 1
            finally:
                ended.set()

        with ahead(endless()) as items:
            next(items)

        assert ended.wait(10)
