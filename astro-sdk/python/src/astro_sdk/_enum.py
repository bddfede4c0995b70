"""Enums that take numbers without a name."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class OpenEnum(IntEnum):
    """An enum that a newer server may add values to.

    A number that has no name here is a member all the same, named by its number.
    """

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = str(int(value))
        member._value_ = int(value)
        return member
