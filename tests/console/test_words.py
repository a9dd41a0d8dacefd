"""The console's words: the same in every language, and the right language for everyone."""

import re

import pytest

from api.console.words import FOLDER, LANGUAGES, choose, words


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
