"""Numbers that contents on one transport must not give two meanings: payload types and header extensions. Pure.

RFC 9143, 9.1 and 9.2: within a bundle a payload type stands for one codec with one configuration, and the id of a
header extension for one URI.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from openvoice.core.description import Codec, Content, HeaderExtension
from openvoice.errors import VideoFailed
from openvoice.media.video.negotiation import MID

_DYNAMIC = (*range(96, 128), *range(35, 64))
"""Payload types without a meaning of their own: the first range before the second (RFC 3551, 6; RFC 5761, 4)."""
_EXTENSIONS = range(1, 15)
"""Ids that fit the one-byte header (RFC 8285, 4.2)."""
_REPEATED = "apt"
"""The parameter of a repair codec that names what it repeats (RFC 4588, 8.1)."""


def numbered(content: Content, others: Sequence[Content]) -> Content:
    """A content of ours with numbers that fit those of ``others``, its bundle.

    What they have under another number gets theirs, and what they do not have a free one.

    Raises:
        VideoFailed: there are no free payload types left.
    """
    return replace(
        content,
        codecs=_number_codecs(content.codecs, [codec for other in others for codec in other.codecs]),
        header_extensions=_number_extensions(
            content.header_extensions, [extension for other in others for extension in other.header_extensions]
        ),
    )


def _number_codecs(codecs: Sequence[Codec], known: Sequence[Codec]) -> tuple[Codec, ...]:
    taken = {codec.payload_type for codec in known}
    given: dict[int, int] = {}
    made = []
    # What is repeated has its number before what repeats it.
    for codec in sorted(codecs, key=lambda codec: codec.parameter(_REPEATED) is not None):
        wanted = replace(codec, parameters=tuple(_renumbered(codec, given)))
        number = next((other.payload_type for other in known if _is_same(other, wanted)), None)
        if number is None:
            number = _first_free((codec.payload_type, *_DYNAMIC), taken)
        taken.add(number)
        given[codec.payload_type] = number
        made.append(replace(wanted, payload_type=number))
    order = {number: index for index, number in enumerate(given[codec.payload_type] for codec in codecs)}
    return tuple(sorted(made, key=lambda codec: order[codec.payload_type]))


def _renumbered(codec: Codec, given: dict[int, int]) -> Iterable[tuple[str, str]]:
    for name, value in codec.parameters:
        number = given.get(int(value)) if name == _REPEATED and value.isdecimal() else None
        yield name, value if number is None else str(number)


def _is_same(one: Codec, other: Codec) -> bool:
    """Whether both may have one payload type: the same codec, configured alike."""
    return (
        one.name.lower() == other.name.lower()
        and (one.clock_rate, one.channels) == (other.clock_rate, other.channels)
        and dict(one.parameters) == dict(other.parameters)
    )


def _first_free(numbers: Iterable[int], taken: set[int]) -> int:
    for number in numbers:
        if number not in taken:
            return number
    raise VideoFailed("this call has no payload type left for more pictures")


def _number_extensions(
    extensions: Sequence[HeaderExtension], known: Sequence[HeaderExtension]
) -> tuple[HeaderExtension, ...]:
    ids = {extension.uri: extension.id for extension in known}
    made = []
    for extension in extensions:
        taken = set(ids.values())
        id = ids.get(extension.uri) or next((id for id in (extension.id, *_EXTENSIONS) if id not in taken), None)  # noqa: A001
        if id is not None:
            ids[extension.uri] = id
            made.append(HeaderExtension(id, extension.uri))
    return tuple(made)


def without_clashes(content: Content, others: Sequence[Content]) -> Content:
    """``content``, an answer of ours, without what has another meaning in ``others``, the answers before it.

    Payload types with two meanings stay where the packets tell their content by themselves.
    """
    ids = {extension.id: extension.uri for other in others for extension in other.header_extensions}
    extensions = tuple(
        extension for extension in content.header_extensions if ids.get(extension.id, extension.uri) == extension.uri
    )
    codecs = content.codecs
    if not any(extension.uri == MID for extension in extensions):
        known = {codec.payload_type: codec for other in others for codec in other.codecs}
        codecs = tuple(
            codec
            for codec in content.codecs
            if codec.payload_type not in known or _is_same(known[codec.payload_type], codec)
        )
        numbers = {str(codec.payload_type) for codec in codecs}
        codecs = tuple(codec for codec in codecs if (codec.parameter(_REPEATED) or "") in {"", *numbers})
    return replace(content, codecs=codecs, header_extensions=extensions)
