"""A process with an OMEMO device on a real vault, to be killed: ``python -m tests...sealer FOLDER PEER_DEVICE``.

Reads lines: an empty one asks for twelve texts sealed at once, which are written one a line; any other is an element
to be unsealed, which is answered with what came of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring, tostring

from openvoice.core.address import Address
from openvoice.core.protection import Protection
from openvoice.ports import KeyStore
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import OmemoFailed
from openvoice.storage.trust import TrustBook
from openvoice.storage.vault import Vault
from tests.signalling.xmpp.omemo.world import ALICE, BOB

AT_ONCE = 12


class Folder:
    """A network whose nodes are files."""

    def __init__(self, folder: Path, account: Address) -> None:
        self._folder = folder
        self._account = account

    async def fetch(self, owner: Address, node: str) -> Element | None:
        file = self._file(owner, node)
        return fromstring(file.read_text()) if file.exists() else None

    async def publish(self, node: str, payload: Element) -> None:
        written = self._file(self._account, node).with_suffix(".new")
        written.write_text(tostring(payload, encoding="unicode"))
        written.replace(self._file(self._account, node))

    def send(self, peer: Address, encrypted: Element) -> None: ...

    def _file(self, owner: Address, node: str) -> Path:
        return self._folder / hashlib.sha256(f"{owner} {node}".encode()).hexdigest()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(folder: Path, peer_device: int) -> None:
    with Vault(folder / "data", protection=Protection.PLAIN, state=folder / "state") as vault:
        secrets = vault.secrets(ALICE)
        device = OmemoDevice(ALICE, KeyStore(secrets, TrustBook(secrets)), Folder(folder / "nodes", ALICE))
        await device.publish()
        say(f"{device.id} {int(vault.was_copied)}")
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip():
                try:
                    await device.unseal(BOB, {"": fromstring(line)})
                    say("read")
                except OmemoFailed as failure:
                    say(failure.cause)
            else:
                sealing = [device.seal(BOB, peer_device, {"": str(number)}) for number in range(AT_ONCE)]
                for sealed in asyncio.as_completed(sealing):
                    say(tostring((await sealed).elements[""], encoding="unicode"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
