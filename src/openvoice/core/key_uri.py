"""OMEMO keys in an ``xmpp:`` URI (RFC 5122): what Conversations and Dino show as a QR code, and scan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from openvoice.core.address import Address
from openvoice.core.trust import KEY_OCTETS
from openvoice.errors import InvalidAddress, UsageError

MAXIMUM_URI = 8192
"""Characters that are read at most; a QR code holds less than 4,300."""

_PARAMETER = re.compile(rf"omemo-sid-([0-9]{{1,10}})=([0-9a-f]{{{2 * KEY_OCTETS}}})", re.ASCII | re.IGNORECASE)


def serialize_key_uri(owner: Address, keys: Iterable[tuple[int, bytes]]) -> str:
    """The URI of ``owner``, a bare address, with (device, identity key in Curve25519 form) of each device."""
    parameters = ";".join(f"omemo-sid-{device}={key.hex()}" for device, key in keys)
    return f"xmpp:{quote(str(owner.bare), safe='@')}?{parameters}"


def parse_key_uri(text: str) -> tuple[Address, tuple[tuple[int, bytes], ...]]:
    """Whose keys a URI holds, and (device, key) of each. Parameters of other kinds are passed over.

    Raises:
        UsageError: it is no ``xmpp:`` URI of a person with at least one OMEMO key, or it contradicts itself.
    """
    scheme, _, rest = text.strip()[: MAXIMUM_URI + 1].partition(":")
    path, _, query = rest.partition("?")
    if scheme.lower() != "xmpp" or len(text) > MAXIMUM_URI:
        raise UsageError("this is no code of an XMPP account: it should begin with 'xmpp:'")
    try:
        owner = Address.parse(unquote(path, errors="strict"))
    except (InvalidAddress, UnicodeDecodeError) as error:
        raise UsageError("the code names no XMPP address") from error
    if not owner.local or not owner.is_bare:
        raise UsageError("the code names no person")
    keys: dict[int, bytes] = {}
    for parameter in re.split("[;&]", query):
        found = _PARAMETER.fullmatch(parameter)
        if found is None:
            continue
        device, key = int(found[1]), bytes.fromhex(found[2])
        if not 0 < device < 2**32 or keys.setdefault(device, key) != key:
            raise UsageError("the code contradicts itself: make a new one")
    if not keys:
        raise UsageError(
            f"the code of {owner} holds no OMEMO key: let the other app show its keys, not only its address"
        )
    return owner, tuple(keys.items())
