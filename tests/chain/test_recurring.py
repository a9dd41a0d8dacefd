"""
Tests of work that goes on beside all else: what passes is tried again, what does not ends it.
"""

import logging
import sqlite3
import threading

import pytest
from sqlalchemy.exc import OperationalError, TimeoutError

from chain.recurring import Recurring
from chain.rpc import NodeUnavailable

SECONDS = 20


class Work:
    """Work that fails as it is told, and says when it was done so many times."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.times = 0
        self.went_on = threading.Event()

    def __call__(self) -> None:
        self.times += 1
        if self.failures:
            raise self.failures.pop(0)
        self.went_on.set()


class TestRecurring:
    @pytest.mark.parametrize(
        "failure",
        [
            NodeUnavailable(reason="away"),
            OSError("disk full"),
            OperationalError("SELECT 1", {}, sqlite3.OperationalError("database is locked")),
            TimeoutError("QueuePool limit of size 5 overflow 10 reached"),
        ],
        ids=["node", "disk", "database", "pool"],
    )
    def test_is_tried_again_after_what_passes(
        self, failure: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        work = Work(failure)
        recurring = Recurring(work, name="test", every_seconds=0.001)
        with caplog.at_level(logging.WARNING):
            recurring.start()
            assert work.went_on.wait(SECONDS)
            recurring.stop()

        assert [one.message.partition(" reason")[0] for one in caplog.records] == [
            "put off work=test"
        ]
        assert "SELECT" not in caplog.text

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_ends_at_a_mistake_and_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        work = Work(KeyError("nobody expected this"))
        ended = Recurring(work, name="test", every_seconds=0.001)
        with caplog.at_level(logging.CRITICAL):
            ended.start()
            for _ in range(SECONDS * 100):
                if "ended work=test" in caplog.text:
                    break
                threading.Event().wait(0.01)
            ended.stop()

        assert "nobody expected this" in caplog.text
        assert work.times == 1

    def test_does_nothing_more_once_stopped(self) -> None:
        work = Work()
        recurring = Recurring(work, name="test", every_seconds=0.001)
        recurring.start()
        assert work.went_on.wait(SECONDS)
        recurring.stop()
        times = work.times

        threading.Event().wait(0.02)

        assert recurring.is_stopping
        assert work.times == times
