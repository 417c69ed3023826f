"""The SASL exchange on a secured stream (RFC 6120, 6), with :mod:`~openvoice.signalling.xmpp.sasl` in it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
import ssl
from collections.abc import Awaitable, Callable
from xml.etree.ElementTree import Element

from openvoice.errors import ConnectionFailed, InsecureServer, LoginRefused, ServerUnreachable
from openvoice.signalling.xmpp import sasl
from openvoice.signalling.xmpp.elements import element, local_name
from openvoice.signalling.xmpp.namespaces import CHANNEL_BINDING, SASL
from openvoice.signalling.xmpp.trust import channel_bindings

Password = str | Callable[[], Awaitable[str]]
"""A password, or what gives it whenever a login needs it."""


async def authenticate(
    username: str,
    password: Password,
    features: Element,
    tls: ssl.SSLObject,
    send: Callable[[Element], None],
    receive: Callable[[], Awaitable[Element]],
) -> sasl.Mechanism:
    """Log in with the best SCRAM that ``features`` offer; gives the mechanism that was used.

    Raises:
        InsecureServer: the server offers no SCRAM, skips it, or cannot prove that it knows the account.
        LoginRefused: it does not accept name and password.
        ServerUnreachable: it cannot check them now.
    """
    offered = [item.text or "" for item in features.iterfind(f"{{{SASL}}}mechanisms/{{{SASL}}}mechanism")]
    path = f"{{{CHANNEL_BINDING}}}sasl-channel-binding/{{{CHANNEL_BINDING}}}channel-binding"
    announced = [item.get("type", "") for item in features.iterfind(path)]
    mechanism = sasl.choose(offered, channel_bindings(tls), announced)
    secret = password if isinstance(password, str) else await password()
    exchange = sasl.Scram(mechanism, username, secret, secrets.token_urlsafe(24))
    send(_payload("auth", exchange.first(), mechanism=mechanism.name))
    challenge = _expect(await receive(), "challenge")
    send(_payload("response", await asyncio.to_thread(exchange.final, challenge)))
    exchange.verify(_expect(await receive(), "success"))
    return mechanism


def _expect(answer: Element, name: str) -> bytes:
    if answer.tag == f"{{{SASL}}}failure":
        raise _refusal(next((local_name(child) for child in answer if local_name(child) != "text"), ""))
    if answer.tag != f"{{{SASL}}}{name}":
        raise InsecureServer("the server did not keep to the order of the login")
    try:
        return base64.b64decode((answer.text or "").strip(), validate=True)
    except (ValueError, binascii.Error):
        raise InsecureServer("the server's part of the login cannot be read") from None


def _refusal(condition: str) -> ConnectionFailed:
    if condition == "temporary-auth-failure":
        return ServerUnreachable("the server cannot check passwords at the moment")
    if condition == "account-disabled":
        return LoginRefused("the account is disabled")
    return LoginRefused("the server does not accept this name and password: check both")


def _payload(name: str, octets: bytes, mechanism: str | None = None) -> Element:
    return element(SASL, name, base64.b64encode(octets).decode(), mechanism=mechanism)
