"""Where the files of one profile are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from openvoice.errors import ConfigurationError

FILE_NAME = "openvoice.toml"
HOME_VARIABLE = "OPENVOICE_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one profile. One folder for all if it was named, the folders of the platform (XDG) otherwise."""

    config: Path
    data: Path
    state: Path
    """Outside of the profile in any case: by it a profile that was restored from a copy is noticed."""

    @classmethod
    def locate(cls, named: Path | str | None = None) -> Home:
        """The profile in ``named``, in ``$OPENVOICE_HOME``, or the user's own."""
        state = platformdirs.user_state_path("openvoice")
        named = named or os.environ.get(HOME_VARIABLE)
        if named:
            folder = Path(named).expanduser().absolute()
            return cls(folder, folder, state)
        return cls(platformdirs.user_config_path("openvoice"), platformdirs.user_data_path("openvoice"), state)

    @property
    def file(self) -> Path:
        return self.config / FILE_NAME

    @property
    def vault(self) -> Path:
        return self.data / "openvoice.vault"

    def create(self) -> None:
        """Make the folders, readable by nobody else.

        Raises:
            ConfigurationError: they cannot be made.
        """
        for folder in {self.config, self.data}:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"cannot make the folder {folder}: {error.strerror}") from error
