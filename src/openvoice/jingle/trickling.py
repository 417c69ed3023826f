"""ICE of one session while it lives: candidates that are told one by one, and restarts of either side."""

from __future__ import annotations

from collections.abc import Container

from openvoice.core.description import Candidate, SessionDescription, TransportDescription
from openvoice.core.inputs import CandidatesReceived, PeerInput, RestartReceived, RestartRefused
from openvoice.core.types import CallId, Role
from openvoice.jingle.model import IceTransport, Jingle, JingleAction, JingleContent
from openvoice.jingle.outcomes import LOST, TIMEOUT, UNREACHABLE
from openvoice.jingle.outputs import Deliver, Output
from openvoice.jingle.refusal import Refusal
from openvoice.jingle.requests import Requests
from openvoice.jingle.restart import Attempt, Credentials, IceCredentials, restart_contents


class Trickling:
    """The transport-info requests of both sides (XEP-0176, 5.4 and 5.7).

    ``restarts`` says whether this side may try to restart.
    """

    def __init__(self, *, call: CallId, role: Role, requests: Requests, restarts: bool) -> None:
        self._call = call
        self._role = role
        self._requests = requests
        self._restarts = restarts
        self._ice = IceCredentials()
        self._held: list[tuple[str, tuple[Candidate, ...]]] = []
        self._answer_with_fingerprint = False
        self._owes_answer = False

    def describe_local(self, description: SessionDescription) -> None:
        self._ice.describe_local(description)

    def describe_remote(self, description: SessionDescription) -> None:
        self._ice.describe_remote(description)

    def describe_content(self, name: str, transport: TransportDescription) -> None:
        """A content of this side comes to the session."""
        self._ice.describe_content(name, transport.credentials)

    def adopt_content(self, name: str, transport: TransportDescription) -> None:
        """The same of the peer."""
        self._ice.adopt([(name, *transport.credentials)])

    def shares(self, name: str, content: JingleContent) -> bool:
        """Whether a content of the peer has the transport that its content ``name`` has."""
        transport = content.transport
        return isinstance(transport, IceTransport) and (transport.ufrag, transport.pwd) == self._ice.remote(name)

    def forget_content(self, name: str) -> None:
        self._ice.forget_content(name)

    # --- what this side does ------------------------------------------------------------------------------------------

    def trickle(self, content: str, candidates: tuple[Candidate, ...]) -> list[Output]:
        """Send candidates, each in a request of its own as every client in use does (XEP-0176, 5.4).

        While the peer has not agreed to a restart it could not use those of the restart: they wait. If it refused,
        they are of no use.
        """
        if self._ice.attempt is Attempt.SENT:
            self._held.append((content, candidates))
        if self._ice.attempt in (Attempt.SENT, Attempt.REFUSED):
            return []
        ufrag, pwd = self._ice.local(content)
        outputs: list[Output] = []
        for candidate in candidates:
            transport = IceTransport(ufrag=ufrag, pwd=pwd, candidates=(candidate,))
            outputs += self._inform((JingleContent(name=content, transport=transport),))
        return outputs

    def restart(self, credentials: Credentials, local: SessionDescription | None, *, answering: bool) -> list[Output]:
        """Begin an ICE restart, or answer one.

        Conversations takes the first candidate with new credentials for the answer; stanza.io wants the answer in the
        form of its own request, with the fingerprint that ``local`` has.
        """
        if answering:
            self._owes_answer = False
            self._ice.renew(credentials)
            return self._inform(restart_contents(credentials, local)) if self._answer_with_fingerprint else []
        if not self._restarts:
            self._ice.attempt = Attempt.REFUSED
            return [self._deliver(RestartRefused())]
        if self._owes_answer:
            # The peer was quicker: its restart is agreed to already, and the call will hear of it.
            return []
        request = self._requests.new_id()
        self._ice.begin(request, credentials)
        return self._inform(restart_contents(credentials), request)

    def finished(self, request: str, error: str | None) -> list[Output] | None:
        """Note the outcome of an own request; ``None`` if it was not the one that began a restart.

        A device that sleeps acts upon it when it wakes: only an answer, or the loss of the stream, ends the attempt.
        """
        if error == TIMEOUT and self._ice.awaits(request):
            return []
        if not self._ice.finished(request, error is not None):
            return None
        if error is None:
            return self._release()
        self._held.clear()
        return [self._deliver(RestartRefused(unreached=error == LOST or error in UNREACHABLE))]

    # --- what the peer does -------------------------------------------------------------------------------------------

    def receive(self, jingle: Jingle, known: Container[str], *, active: bool) -> list[Output]:
        """Take a transport-info; ``known`` are the contents that it may be about. Only an ``active`` session restarts.

        Raises:
            Refusal: both restart at once, and the restart of this side goes first.
        """
        transports = [(c.name, c.transport) for c in jingle.contents if isinstance(c.transport, IceTransport)]
        outputs: list[Output] = []
        fresh = self._ice.fresh(jingle) if active else None
        if fresh is not None:
            outputs += self._restarted(fresh, [transport for _, transport in transports])
        outputs += [
            self._deliver(CandidatesReceived(name, transport.candidates))
            for name, transport in transports
            if transport.candidates and name in known and not self._ice.outdated(transport)
        ]
        return outputs

    def _restarted(self, fresh: Credentials, transports: list[IceTransport]) -> list[Output]:
        began = self._ice.under_way
        fingerprints = any(transport.fingerprints for transport in transports)
        candidates = any(transport.candidates for transport in transports)
        if candidates and not fingerprints and not began:
            # An answer to an attempt that was given up. To take it for a new one would have both sides answer for ever.
            self._ice.pass_over(fresh)
            return []
        confirms = began and (candidates or fingerprints)
        if began and not confirms and self._role is Role.INITIATOR:
            raise Refusal("conflict", "tie-break")
        if confirms:
            self._ice.confirmed()
        elif began:
            self._ice.abandon()
            self._held.clear()
        self._ice.adopt(fresh)
        self._restarts = True
        self._owes_answer = not confirms
        self._answer_with_fingerprint = fingerprints
        return [self._deliver(RestartReceived(fresh, ours=confirms)), *self._release()]

    # --- parts --------------------------------------------------------------------------------------------------------

    def _release(self) -> list[Output]:
        held, self._held = self._held, []
        return [output for content, candidates in held for output in self.trickle(content, candidates)]

    def _inform(self, contents: tuple[JingleContent, ...], request: str | None = None) -> list[Output]:
        return self._requests.contents(JingleAction.TRANSPORT_INFO, contents, request=request)

    def _deliver(self, message: PeerInput) -> Deliver:
        return Deliver(self._call, message)
