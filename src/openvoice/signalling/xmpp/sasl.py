"""SCRAM (RFC 5802, RFC 7677), the client's side, pure: randomness comes in, nothing is sent.

Only SCRAM, so that no server ever learns the password, and never without the server's own proof that it knows it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from slixmpp.util.sasl.client import saslprep
from slixmpp.util.stringprep_profiles import StringPrepError

from openvoice.errors import InsecureServer, LoginRefused

ITERATIONS = range(4096, 1_000_001)
"""Below, a stolen exchange is guessed quickly (RFC 7677, 4); above, the server keeps this device busy for seconds."""

_HASHES = {"SHA-512": "sha512", "SHA-256": "sha256", "SHA-1": "sha1"}
"""The strongest first."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A SCRAM mechanism and the channel binding it is used with.

    ``binding`` is the type of channel binding that is proved, empty for none; ``flag`` is the GS2 header's word on it.
    """

    name: str
    algorithm: str
    flag: str
    binding: str = ""
    binding_data: bytes = b""


def choose(offered: Collection[str], bindings: Mapping[str, bytes], announced: Collection[str]) -> Mechanism:
    """The strongest mechanism of those offered; channel binding counts more than the hash.

    ``bindings`` are what this side can prove, strongest first; ``announced`` the types that the server says it can
    (XEP-0440), empty if it does not say.

    Raises:
        InsecureServer: no SCRAM is offered.
    """
    binding = next((kind for kind in bindings if kind in announced), "")
    if not announced and "tls-unique" in bindings:
        # The one type that a server without XEP-0440 may be expected to have (RFC 5802, 6.1).
        binding = "tls-unique"
    with_binding = any(name.startswith("SCRAM-") and name.endswith("-PLUS") for name in offered)
    if binding:
        for hash_name, algorithm in _HASHES.items():
            if f"SCRAM-{hash_name}-PLUS" in offered:
                return Mechanism(f"SCRAM-{hash_name}-PLUS", algorithm, f"p={binding}", binding, bindings[binding])
    # "y" makes a server notice that somebody on the way took its -PLUS mechanisms out of the list (RFC 5802, 6).
    flag = "n" if with_binding or not bindings else "y"
    for hash_name, algorithm in _HASHES.items():
        if f"SCRAM-{hash_name}" in offered:
            return Mechanism(f"SCRAM-{hash_name}", algorithm, flag)
    raise InsecureServer("the server offers no login that keeps the password secret (SCRAM)")


class Scram:
    """One authentication exchange: :meth:`first`, :meth:`final`, :meth:`verify`, in this order."""

    def __init__(self, mechanism: Mechanism, username: str, password: str, nonce: str) -> None:
        """
        Args:
            nonce: at least 128 random bits, printable and without a comma.

        Raises:
            LoginRefused: name or password hold characters that no account can have (SASLprep, RFC 4013).
        """
        try:
            name = str(saslprep(username)) if username else ""
            self._password = str(saslprep(password)).encode() if password else b""
        except StringPrepError:
            raise LoginRefused("the name or the password holds a character that is not allowed") from None
        self._mechanism = mechanism
        self._nonce = nonce
        escaped = name.replace("=", "=3D").replace(",", "=2C")
        self._header = f"{mechanism.flag},,".encode()
        self._first_bare = f"n={escaped},r={nonce}".encode()
        self._signature: bytes | None = None

    def first(self) -> bytes:
        return self._header + self._first_bare

    def final(self, challenge: bytes) -> bytes:
        """The answer to the server's first message. Takes up to a second of computing: not for the event loop.

        Raises:
            InsecureServer: the challenge is malformed, is not for this exchange, or asks for too little or too much.
        """
        attributes = _attributes(challenge)
        nonce = attributes.get("r", "")
        if "m" in attributes or not nonce.startswith(self._nonce) or len(nonce) <= len(self._nonce):
            raise InsecureServer("the server's part of the login does not fit ours")
        try:
            salt = base64.b64decode(attributes["s"], validate=True)
            iterations = int(attributes["i"])
        except (KeyError, ValueError, binascii.Error):
            raise InsecureServer("the server's part of the login cannot be read") from None
        if iterations not in ITERATIONS or not salt:
            raise InsecureServer(f"the server wants {iterations} rounds of password hashing, which is out of bounds")
        algorithm = self._mechanism.algorithm
        salted = hashlib.pbkdf2_hmac(algorithm, self._password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", algorithm)
        stored_key = hashlib.new(algorithm, client_key).digest()
        binding = base64.b64encode(self._header + self._mechanism.binding_data).decode()
        without_proof = f"c={binding},r={nonce}".encode()
        exchange = b",".join((self._first_bare, challenge, without_proof))
        proof = bytes(a ^ b for a, b in zip(client_key, hmac.digest(stored_key, exchange, algorithm), strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", algorithm), exchange, algorithm)
        return without_proof + b",p=" + base64.b64encode(proof)

    def verify(self, success: bytes) -> None:
        """Check the server's proof that it knows the password too.

        Raises:
            InsecureServer: it does not. Who answers is not the server that the account was made on.
        """
        signature = _attributes(success).get("v", "") if success else ""
        try:
            proof = base64.b64decode(signature, validate=True)
        except (ValueError, binascii.Error):
            proof = b""
        if self._signature is None or not hmac.compare_digest(proof, self._signature):
            raise InsecureServer("the server did not prove that it knows the account; it may be somebody else's")


def _attributes(message: bytes) -> dict[str, str]:
    try:
        return dict(part.split("=", 1) for part in message.decode("utf-8").split(","))
    except ValueError:
        raise InsecureServer("the server's part of the login cannot be read") from None
