"""What a call left with others: whom it was told to, and who was sent packets for its sake."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core.contacts import SERVERS, Contact, ContactKind, SeenAddress


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """Who may know what of a call, so far."""

    signalled: bool = False
    """Whether anything of the call passed the servers."""
    consented: bool = False
    exposed: bool = False
    """Whether a relay was wanted, to keep addresses from a stranger, and there was none."""
    spoken: bool = False
    """Whether the gate was open at any time: sound could go out and come in."""
    over: bool = False
    earlier_streams: tuple[str, ...] = ()
    """The addresses of this device that streams to the own server came from which broke since."""
    told: tuple[SeenAddress, ...] = ()
    """The addresses that went to the peer by way of the servers, each once."""
    told_before_consent: int = 0
    """How many candidates were told before the user said yes."""
    contacts: tuple[Contact, ...] = ()
    moves: int = 0
    """How often the call went on in a new session."""

    @property
    def silent(self) -> bool:
        """Whether no sound was exchanged, and none will be."""
        return self.over and not self.spoken

    @property
    def peer_relays(self) -> frozenset[str]:
        """The addresses of relays of the peer that packets were sent to."""
        return frozenset(contact.host for contact in self.contacts if contact.kind is ContactKind.PEER_RELAY)

    def outside(self, address: str) -> str:
        """An own address as the network beyond a router shows it, if a server said how; else the address itself."""
        said = (contact for contact in self.contacts if contact.address == address and contact.mapped)
        return next((contact.mapped for contact in said if contact.kind in SERVERS), address)
