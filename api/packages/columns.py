"""
Columns is about what each column may be used for in a data element: nothing, a group, an amount.

It is not about any single row: it looks at names, types and how often values differ. A column that
may identify someone or something is never used for its values (E-01, E-04).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.packages.fields import Field
from api.packages.table_source import TableSource

# More different values than this are simply many.
DISTINCT_MAX: Final = 10_000
# PROPOSED: a text column in which over half the rows differ names the rows, whatever it is called.
UNIQUE_SHARE_PERCENT: Final = 50
# PROPOSED: a column in which a fifth of the texts (nine tenths of the numbers) look like a contact
# or a code of a person holds such.
CONTACT_TEXT_PERCENT: Final = 20
CONTACT_NUMBER_PERCENT: Final = 90
# A longer text is prose, not the name of a group.
LABEL_CHARACTERS_MAX: Final = 64

_IDENTIFYING_WORD: Final = re.compile(
    "names?|surname|forename|nickname|username|login|ids?|uid|uuid|guid|pid|codes?|symbols?|ticker"
    "|isin|cusip|sedol|lei|uscc|key|serial|email|mail|phone|telephone|tel|mobile|cell|fax|address"
    "|addr|street|postcode|zip|zipcode|ssn|passport|licence|license|account|iban|card|url|uri|link"
    "|href|website|homepage|filings|ip|mac|imei|imsi|vin|plate|contact|person|people|owner|holder"
    "|author|customer|client|patient|student|employee|employer|user|company|firm|enterprise"
    "|supplier|vendor|merchant|birth|birthday|birthdate|dob|latitude|longitude|lat|lon|lng"
)
_IDENTIFYING_CHINESE: Final = re.compile(
    "姓名|名称|名字|全称|简称|编号|编码|代码|代号|号码|序号|证号|证件|身份证|护照|信用代码|电话|手机|传真|邮箱"
    "|邮件|地址|住址|账号|账户|帐号|帐户|卡号|联系人|法人|法定代表|负责人|网址|链接|车牌|微信|企业$|公司$"
    "|单位$|机构$|客户|用户|患者|学生|员工|出生|生日|经度|纬度|主键"
)
_CONTACT: Final = re.compile(
    r"^(?:[^@\s]+@[^@\s]+\.[^@\s]+"  # e-mail
    r"|(?:https?://|www\.)\S+"  # web address
    r"|1[3-9]\d{9}|\+\d[\d\s\-]{7,}\d|0\d{2,3}-\d{7,8}"  # telephone
    r"|\d{17}[\dXx]|[0-9A-HJ-NPQRTUWXY]{18}"  # identity number, unified social credit code
    r"|\d{1,3}(?:\.\d{1,3}){3}"  # network address
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"  # UUID
    r")$"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Use(StrEnum):
    """What a column may be used for."""

    IDENTIFIER = "IDENTIFIER"
    TIME = "TIME"
    CATEGORY = "CATEGORY"
    AMOUNT = "AMOUNT"
    UNUSED = "UNUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table: its place, its use, and why."""

    place: int
    field: Field
    use: Use
    reason: str
    distinct: int


@dataclass(slots=True)
class _Seen:
    """What was seen of one column."""

    present: int = 0
    contacts: int = 0
    characters: int = 0
    values: set[str] | None = None

    def add(self, text: str) -> None:
        self.present += 1
        self.contacts += bool(_CONTACT.match(text))
        self.characters = max(self.characters, len(text))
        if self.values is None:
            self.values = set()
        if len(self.values) < DISTINCT_MAX:
            self.values.add(text)

    @property
    def distinct(self) -> int:
        return len(self.values or ())


def columns_of(
    source: TableSource, *, identifiers: Sequence[str], categories: Sequence[str]
) -> tuple[Column, ...]:
    """
    Decide the use of every column of a table, reading it once.

    note: a name declared as identifier is one; a name declared as category is taken for one in
          spite of its name, unless its values look like contacts or nearly all differ
    """
    seen = [_Seen() for _ in source.fields]
    missing = [frozenset(item.missing_values) for item in source.fields]
    for row in source.table.rows():
        for column, absent, cell in zip(seen, missing, row, strict=False):
            text = cell.strip()
            if cell not in absent and text:
                column.add(text)
    return tuple(
        _column(place, item, column, identifiers=identifiers, categories=categories)
        for place, (item, column) in enumerate(zip(source.fields, seen, strict=True))
    )


def is_identifying_name(name: str) -> bool:
    """Say whether a column of this name is about who or which rather than what."""
    words = (word.lower() for word in _WORD.findall(name))
    is_english = any(_IDENTIFYING_WORD.fullmatch(word) for word in words)
    return is_english or bool(_IDENTIFYING_CHINESE.search(name))


def is_contact(text: str) -> bool:
    """Say whether a text looks like a contact, an address on a network, or a person's code."""
    return bool(_CONTACT.match(text))


def _column(
    place: int,
    item: Field,
    seen: _Seen,
    *,
    identifiers: Sequence[str],
    categories: Sequence[str],
) -> Column:
    use, reason = _use(item, seen, item.name in identifiers, item.name in categories)
    return Column(place=place, field=item, use=use, reason=reason, distinct=seen.distinct)


def _use(
    item: Field, seen: _Seen, is_declared_identifier: bool, is_declared_category: bool
) -> tuple[Use, str]:
    threshold = CONTACT_NUMBER_PERCENT if item.is_numeric else CONTACT_TEXT_PERCENT
    is_text = item.type == "string"
    if is_declared_identifier:
        return Use.IDENTIFIER, "declared as identifier"
    if seen.present and seen.contacts * 100 >= threshold * seen.present:
        return Use.IDENTIFIER, "its values look like contacts or codes"
    if is_text and seen.distinct * 100 > UNIQUE_SHARE_PERCENT * seen.present:
        return Use.IDENTIFIER, "nearly every row differs"
    if is_declared_category and (is_text or item.type in ("integer", "boolean")):
        return Use.CATEGORY, "declared as category"
    if is_identifying_name(item.name):
        return Use.IDENTIFIER, "its name says who or which"
    if not seen.present:
        return Use.UNUSED, "it is empty"
    if item.is_time:
        return Use.TIME, "it tells when"
    if item.is_numeric:
        return Use.AMOUNT, "it holds amounts"
    if item.type == "boolean" or (is_text and seen.characters <= LABEL_CHARACTERS_MAX):
        return Use.CATEGORY, "its values recur"
    return Use.UNUSED, "it is neither a group nor an amount"
