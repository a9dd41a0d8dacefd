"""
The text of `decoders.py`: one function per event that slices its log's hex digits.

Fixed values are read in line at positions known here; lists and structs become functions of
their own. The readers they call are `chain.words`.
"""

from dataclasses import dataclass, field

from chain.codegen import text
from chain.codegen.emit import topic, topic_type
from chain.codegen.model import STANDARD_EVENTS, Declared, Face
from chain.codegen.types import Member, Type, snake

WORD = 64
# The readers give plain text where an event wants an id, which is the same thing at run time; a
# topic and a long name do not fit one line.
LINT = '# mypy: disable-error-code="arg-type"\n# ruff: noqa: E501'


def decoders(face: Face, package: str) -> str:
    """Return `decoders.py`."""
    writer = _Writer()
    functions = [writer.event(event) for event in face.events]
    table = ", ".join(
        f"{text.quoted(topic(event.signature))}: _{snake(event.name)}" for event in face.events
    )
    ignored = ", ".join(text.quoted(topic(one)) for one in sorted(STANDARD_EVENTS))
    types = [topic_type(member) for event in face.events for member in event.members]
    head = text.imports(
        [
            ("collections.abc", ["Callable", "Sequence"]),
            ("typing", ["Final"]),
            ("chain", ["words"]),
            ("chain.event", ["Event", "EventMeta"]),
            ("chain.words", ["MalformedLog"]),
            (f"{package}.codes", writer.enums),
            (f"{package}.events", [event.name for event in face.events]),
            (f"{package}.structs", text.named(types, "struct") | writer.structs),
        ]
    )
    body = [
        head,
        "Decoder = Callable[[Sequence[str], str, EventMeta], Event]",
        *writer.constants.values(),
        *writer.readers.values(),
        *functions,
        f"DECODERS: Final[dict[str, Decoder]] = {{{table}}}",
        "# Events of the token standards, which the fold ignores.\n"
        f"IGNORED: Final = frozenset({{{ignored}}})",
    ]
    purpose = (
        "One function per event that reads its log from hex digits. It checks what it reads, "
        "and not where the log came from."
    )
    return text.module(purpose, "\n\n\n".join(body), lint=LINT)


@dataclass(slots=True)
class _Body:
    # What one generated function is made of, while its values are being written.
    source: str
    base: str
    lines: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def at(self, words: int) -> str:
        if self.base.isdigit():
            return str(int(self.base) + WORD * words)
        return f"{self.base} + {WORD * words}" if words else self.base

    def slice(self, words: int, start: int = 0, end: int = WORD) -> str:
        if self.base.isdigit():
            position = int(self.base) + WORD * words
            return f"{self.source}[{position + start}:{position + end}]"
        low, high = WORD * words + start, WORD * words + end
        first = f"{self.base} + {low}" if low else self.base
        return f"{self.source}[{first} : {self.base} + {high}]"


class _Writer:
    def __init__(self) -> None:
        self.readers: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.enums: set[str] = set()
        self.structs: set[str] = set()

    def event(self, event: Declared) -> str:
        """Return the function that reads one event."""
        indexed = [member for member in event.members if member.indexed]
        rest = [member for member in event.members if not member.indexed]
        body = _Body("data", "2")
        values = {}
        for position, member in enumerate(indexed, start=1):
            kind = topic_type(member)
            topic_body = _Body(f"topics[{position}]", "2", body.lines, body.checks)
            values[member.python] = (
                f"topics[{position}]"
                if kind.abi == "bytes32"
                else self._value(kind, member.python, topic_body, 0)
            )
        words = self._fields(rest, body, values)
        end = 2 + WORD * words
        dynamic = any(member.type.dynamic for member in rest)
        given = ", ".join(f"{one.python}={values[one.python]}" for one in event.members)
        return "\n".join(
            [
                f"def _{snake(event.name)}"
                f"(topics: Sequence[str], data: str, meta: EventMeta) -> {event.name}:",
                f"    if len(topics) != {len(indexed) + 1} "
                f"or len(data) {'<' if dynamic else '!='} {end}:",
                '        raise MalformedLog("another number of topics or words")',
                *body.lines,
                *_check(body.checks),
                f"    return {event.name}(meta=meta, {given})",
            ]
        )

    def _fields(self, members: list[Member], body: _Body, values: dict[str, str]) -> int:
        words = 0
        for member in members:
            values[member.python] = self._value(member.type, member.python, body, words)
            words += member.type.words
        return words

    def _value(self, kind: Type, name: str, body: _Body, words: int) -> str:
        # The expression of a value `words` words after the body's base.
        if kind.dynamic:
            where = f"words.tail(data, {body.at(words)}, {body.base})"
            return self._call(kind, where)
        if kind.family == "bytes" and kind.bits == 32:
            return f'f"0x{{{body.slice(words)}}}"'
        if kind.family == "uint":
            if kind.bits == 256:
                return f"int({body.slice(words)}, 16)"
            body.lines.append(f"    {name} = int({body.slice(words)}, 16)")
            body.checks.append(f"{name} >> {kind.bits}")
            return name
        if kind.family == "address":
            body.checks.append(f"{body.slice(words, 0, 24)} != words.ADDRESS_PAD")
            return f'f"0x{{{body.slice(words, 24)}}}"'
        if kind.family == "enum":
            return f"{self._members(kind)}[int({body.slice(words)}, 16)]"
        if kind.family == "bool":
            return f"words.BOOLS[{body.slice(words)}]"
        return self._call(kind, body.at(words), body.source)

    def _call(self, kind: Type, where: str, source: str = "data") -> str:
        # A value read by a function, standing at a position that only the run knows.
        if kind.family in ("text", "blob"):
            return f"words.{kind.family}({source}, {where})"
        if kind.family != "list":
            return f"{self.reader(kind)}({source}, {where})"
        item = kind.item
        name = "items" if not item.dynamic else "loose_items"
        parts = [source, where]
        if kind.count is not None:
            name = f"fixed_{name}"
            parts.append(str(kind.count))
        if not item.dynamic:
            parts.append(str(WORD * item.words))
        return f"words.{name}({', '.join([*parts, self.reader(item)])})"

    def reader(self, kind: Type) -> str:
        """Return the name of the function that reads a type at a position, making it if new."""
        if kind.family in ("text", "blob"):
            return f"words.{kind.family}"
        if kind.family == "address":
            return "words.address"
        if kind.family == "bool":
            return "words.boolean"
        if kind.family == "struct":
            return self._struct(kind)
        if kind.family == "list":
            return self._list(kind)
        name = f"_read_{snake(kind.name or kind.abi)}"
        makers = {
            "uint": f"words.uint({kind.bits})",
            "int": f"words.sint({kind.bits})",
            "bytes": f"words.fixed_bytes({kind.bits})",
            "enum": f"words.member({kind.name})",
        }
        if kind.family == "enum":
            self.enums.add(kind.name)
        self.constants[name] = f"{name} = {makers[kind.family]}"
        return name

    def _members(self, kind: Type) -> str:
        name = f"_{snake(kind.name).upper()}"
        self.enums.add(kind.name)
        self.constants[name] = f"{name} = tuple({kind.name})"
        return name

    def _struct(self, kind: Type) -> str:
        name = f"_read_{snake(kind.name)}"
        if name in self.readers:
            return name
        self.structs.add(kind.name)
        body = _Body("data", "at")
        values: dict[str, str] = {}
        words = self._fields(list(kind.members), body, values)
        given = ", ".join(f"{member.python}={values[member.python]}" for member in kind.members)
        self.readers[name] = "\n".join(
            [
                f"def {name}(data: str, at: int) -> {kind.name}:",
                f"    words.require_end(data, at + {WORD * words})",
                *body.lines,
                *_check(body.checks),
                f"    return {kind.name}({given})",
            ]
        )
        return name

    def _list(self, kind: Type) -> str:
        name = f"_read_{_stem(kind)}"
        call = self._call(kind, "at")
        annotation = _plain(kind)
        self.readers[name] = f"def {name}(data: str, at: int) -> {annotation}:\n    return {call}"
        return name


def _plain(kind: Type) -> str:
    # The annotation without NewTypes, which the readers do not make.
    if kind.family == "list":
        return f"tuple[{_plain(kind.item)}, ...]"
    if kind.family in ("enum", "struct"):
        return kind.name
    return {"uint": "int", "int": "int", "bool": "bool"}.get(kind.family, "str")


def _stem(kind: Type) -> str:
    if kind.family == "list":
        return f"{_stem(kind.item)}_list{'' if kind.count is None else kind.count}"
    return snake(kind.name or kind.abi)


def _check(checks: list[str]) -> list[str]:
    if not checks:
        return []
    return [
        f"    if {' or '.join(checks)}:",
        '        raise MalformedLog("a value is wider than its type")',
    ]
