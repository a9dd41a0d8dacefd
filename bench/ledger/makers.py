"""
How a noun joins the chain that is measured: one function, which says what it does step by step.

A maker yields a `Deed` and is sent what the deed did once a block holds it; or it yields a moment
and goes on in the first block after it. Nothing here signs or sends (`bench.ledger.chain`).
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

from api.demo.stage import Acted
from bench.ledger.cast import World
from chain.act import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """An act and who does it; if `is_relayed`, the actor signs (EIP-712) and another sends."""

    act: Act
    by: str
    is_relayed: bool = False


Moment = int
"""Seconds since 1970 UTC."""

Steps = Generator[Deed | Moment, Acted, None]
Make = Callable[[World], Steps]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A noun's life: how often it begins among the others, whether it can, and its steps."""

    noun: str
    weight: int
    is_ready: Callable[[World], bool]
    make: Make


MAKERS: Final[list[Maker]] = []


def joins(
    noun: str, *, weight: int, when: Callable[[World], bool] = lambda _: True
) -> Callable[[Make], Make]:
    """Let a noun's acts join the chain, begun `weight` times among all weights when they can be."""

    def register(make: Make) -> Make:
        MAKERS.append(Maker(noun=noun, weight=weight, is_ready=when, make=make))
        return make

    return register
