"""The console's words: the same in every language, and the right language for everyone."""

import ast
import re
from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from string import Formatter

import pytest

from api.app import openapi
from api.console.operations import operations_of, translated
from api.console.views import TONES
from api.console.words import FOLDER, LANGUAGES, choose, said, words
from chain.codes import (
    AssetKind,
    Category,
    CertificateKind,
    DeliveryForm,
    Grade,
    ListingState,
    Noun,
    PriceUnit,
    ReviewKind,
    RightKind,
    TradeMode,
    Verdict,
)
from registry import bundles
from registry.bundles import Fragment, FragmentStatus
from registry.certificates import CertificateStatus

# Every list of codes that a page may show, with the words that it is shown by.
SHOWN: tuple[tuple[str, Iterable[Enum]], ...] = (
    ("kind", AssetKind),
    ("category", Category),
    ("grade", Grade),
    ("certificate", CertificateKind),
    ("status", CertificateStatus),
    ("right", RightKind),
    ("review", ReviewKind),
    ("verdict", Verdict),
    ("noun", Noun),
    ("listing", ListingState),
    ("mode", TradeMode),
    ("priced", PriceUnit),
    ("form", DeliveryForm),
    ("verify", FragmentStatus),
    ("verify", bundles.Verdict),
)


def sentences() -> Iterator[tuple[str, str]]:
    """Read from the verifier's source every code that it may give, with its sentence."""
    tree = ast.parse(Path(bundles.__file__).read_text("utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        held: dict[str, str] = {}
        for node in sorted(
            (one for one in ast.walk(function) if isinstance(one, ast.Assign | ast.Call)),
            key=lambda one: one.lineno,
        ):
            if isinstance(node, ast.Assign):
                if isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name):
                    held[node.targets[0].id] = str(node.value.value)
            elif isinstance(node.func, ast.Name):
                yield from _sentence(node, node.func.id, held)


def _sentence(call: ast.Call, name: str, held: dict[str, str]) -> Iterator[tuple[str, str]]:
    texts = [
        held.get(one.id, "") if isinstance(one, ast.Name) else getattr(one, "value", "")
        for one in call.args
    ]
    if name == "_valid":
        yield f"said.{texts[0]}.OK", texts[1]
    elif name == "Fragment" and isinstance(call.args[0], ast.Constant):
        yield f"said.{texts[0]}.{texts[2]}", texts[3]
    elif name in ("_invalid", "_unknown"):
        codes = (
            [texts[1]]
            if isinstance(call.args[1], ast.Constant)
            else [one.value for one in CertificateStatus if one.value != "VALID"]
        )
        yield from ((f"said.{texts[0]}.{code}", texts[2]) for code in codes)


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


class TestWords:
    def test_have_the_same_keys_in_every_language(self) -> None:
        assert words("zh").keys() == words("en").keys()

    def test_are_all_there_that_the_templates_name(self) -> None:
        templates = (FOLDER.parent / "templates").glob("*.html")
        named = {
            key
            for template in templates
            for key in re.findall(r"w\[[\"']([a-z._A-Z]+)[\"']\]", template.read_text("utf-8"))
        }

        assert named - words("zh").keys() == set()
        assert len(named) > 30

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_are_never_empty(self, language: str) -> None:
        assert all(text.strip() for text in words(language).values())

    @pytest.mark.parametrize(("prefix", "codes"), SHOWN)
    def test_are_there_for_every_code_that_is_shown(
        self, prefix: str, codes: Iterable[Enum]
    ) -> None:
        """A code without a word would be shown as it stands, in both languages."""
        wanted = {f"{prefix}.{one.name}" for one in codes if one.name != "NONE"}

        assert wanted - words("zh").keys() == set()

    def test_are_there_for_every_sentence_of_a_check(self) -> None:
        """English says what the verifier says; Chinese tells no value that is not there."""
        wanted = dict(sentences())
        english, chinese = words("en"), words("zh")

        assert len(wanted) > 30
        assert {key: english.get(key) for key in wanted} == wanted
        assert {key for key in english if key.startswith("said.")} == wanted.keys()
        assert {key for key in wanted if holes(chinese[key]) - holes(english[key])} == set()
        assert {key for key in wanted if chinese[key].isascii()} == set()

    def test_are_there_for_every_part_of_a_check(self) -> None:
        parts = {key.split(".")[1] for key in dict(sentences())}

        assert {f"fragment.{one}" for one in parts} - words("zh").keys() == set()

    def test_say_nothing_pending_as_a_failure(self) -> None:
        assert TONES == {
            Verdict.PASS: "VALID",
            Verdict.FAIL: "INVALID",
            Verdict.PENDING: "UNKNOWN",
        }


class TestSaid:
    def test_fills_in_the_values(self) -> None:
        values = {"count": 1, "threshold": 2}
        part = Fragment("trust", FragmentStatus.UNKNOWN, "TOO_FEW_SIGNERS", "…", values)

        assert said(part, words("zh")) == "1 家交易所签名，信任清单要求 2 家。"
        assert said(part, words("en")) == "1 exchanges signed, the trust list asks for 2."

    def test_says_what_the_verifier_says_where_there_is_no_word(self) -> None:
        assert said(Fragment("x", FragmentStatus.VALID, "NEW", "Just so."), {}) == "Just so."


class TestOperations:
    def test_are_in_chinese_too(self) -> None:
        """Whoever adds an operation tells Chinese readers what it does."""
        document = openapi()
        told = [one for methods in document["paths"].values() for one in methods.values()]
        wanted = {one["operationId"] for one in told} | {tag for one in told for tag in one["tags"]}

        assert translated().keys() == wanted
        assert not any(text.isascii() for text in translated().values())

    def test_are_all_listed(self) -> None:
        document = openapi()
        count = sum(len(methods) for methods in document["paths"].values())

        for language in LANGUAGES:
            listed = operations_of(document, language)
            assert sum(len(one) for one in listed.values()) == count
            assert all(one.text for some in listed.values() for one in some)


class TestChoose:
    @pytest.mark.parametrize(
        ("asked", "remembered", "accepted", "chosen"),
        [
            ("en", "zh", "zh-CN", "en"),
            (None, "en", "zh-CN", "en"),
            (None, None, "en-GB,en;q=0.9", "en"),
            (None, None, "fr,zh;q=0.5", "zh"),
            ("xx", None, "", "zh"),
        ],
    )
    def test_takes_the_first_wish_that_it_knows(
        self, asked: str | None, remembered: str | None, accepted: str, chosen: str
    ) -> None:
        assert choose(asked=asked, remembered=remembered, accepted=accepted) == chosen
