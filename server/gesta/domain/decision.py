"""The type of a command's generator."""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

E = TypeVar("E")
S = TypeVar("S")
R = TypeVar("R")

Decision: TypeAlias = Generator[E, S, R]
"""Yields events E, receives the state S after each, returns the reply R.

For a command without events E is `Never`; it is a generator all the same (`yield from ()`).
"""
