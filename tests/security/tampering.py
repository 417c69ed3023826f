"""A server, or a device, that changes what passes through its hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openvoice import Account
from openvoice.client.client import SignallingFactory
from openvoice.core.description import Content, Fingerprint, SessionDescription, TransportDescription
from openvoice.core.effects import SendAnswer, SendOffer, SignallingEffect
from openvoice.core.policy import Screening
from openvoice.core.types import CallId
from openvoice.ports import IncomingCall, SignallingListener
from openvoice.signalling.xmpp.adapter import XmppSignalling

from .login import login

Change = Callable[[SessionDescription], SessionDescription]


class TamperingSignalling(XmppSignalling):
    """Says something else than the call wants said."""

    change: Change

    async def perform(self, call: CallId, effect: SignallingEffect) -> None:
        match effect:
            case SendOffer(offer):
                effect = SendOffer(self.change(offer))
            case SendAnswer(answer):
                effect = SendAnswer(self.change(answer))
        await super().perform(call, effect)


def tampering(change: Change) -> SignallingFactory:
    """Signalling on which every offer and answer of this side is changed under way."""

    def factory(
        account: Account, listener: SignallingListener, screen: Callable[[IncomingCall], Screening]
    ) -> TamperingSignalling:
        signalling = TamperingSignalling(
            **login(account),
            listener=listener,
            screen=screen,
        )
        signalling.change = change
        return signalling

    return factory


def on_transports(change: Callable[[TransportDescription], TransportDescription]) -> Change:
    """A change of every transport of a description."""

    def change_content(content: Content) -> Content:
        return replace(content, transport=change(content.transport))

    def change_description(description: SessionDescription) -> SessionDescription:
        return replace(description, contents=tuple(map(change_content, description.contents)))

    return change_description


swapped = on_transports(lambda transport: replace(transport, fingerprint=Fingerprint("sha-256", bytes(32))))
"""Another key on every transport than the one in use."""
