"""The kinds of values in ``openvoice.toml``. Their readers raise ``ValueError`` or ``TypeError``: what was wanted."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from openvoice.core.address import Address
from openvoice.core.bandwidth import LEAST_BANDWIDTH

LEAST_SIDE, MAXIMUM_SIDE = 64, 4096
"""Pixels of pictures that are sent."""
HIGHEST_RATE = 60

Word = TypeVar("Word", bound=StrEnum)


def parse_server(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``. Raises ``ValueError``."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("write it as HOST:PORT")
    return host, int(port)


def string(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list of texts")
    return tuple(string(item) for item in value)


def ip_addresses(value: Any) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_address(text)) for text in strings(value))


def one_of(words: type[Word], value: Any) -> Word:
    try:
        return words(value)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(words)}") from None


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("must be a number")
    return float(value)


def whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("must be a whole number")
    return value


def bandwidth(value: Any) -> float:
    if number(value) < LEAST_BANDWIDTH:
        raise ValueError(f"must be {LEAST_BANDWIDTH:.0f} (kbit/s) or more: with less no speech is understood")
    return number(value)


def picture_size(value: Any) -> tuple[int, int]:
    width, cross, height = string(value).partition("x")
    if not cross or not width.isdecimal() or not height.isdecimal():
        raise ValueError("must be WIDTHxHEIGHT in pixels, like 1280x720")
    if not (LEAST_SIDE <= int(width) <= MAXIMUM_SIDE and LEAST_SIDE <= int(height) <= MAXIMUM_SIDE):
        raise ValueError(f"must have sides between {LEAST_SIDE} and {MAXIMUM_SIDE} pixels")
    return int(width), int(height)


def picture_rate(value: Any) -> float:
    if not 1 <= number(value) <= HIGHEST_RATE:
        raise ValueError(f"must be between 1 and {HIGHEST_RATE} pictures a second")
    return number(value)


def path(value: Any) -> Path:
    return Path(string(value)).expanduser()


def server(value: Any) -> tuple[str, int]:
    return parse_server(string(value))


def bare_address(value: Any) -> Address:
    address = Address.parse(string(value))
    if not address.is_bare:
        raise ValueError("must be an address without a device, like name@example.org")
    return address


def person(value: Any) -> Address:
    address = bare_address(value)
    if not address.local:
        raise ValueError("must be the address of a person, like name@example.org")
    return address


def addresses(value: Any) -> frozenset[Address]:
    return frozenset(bare_address(text) for text in strings(value))
