"""One sandbox per data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class DataDirectoryInUseError(RuntimeError):
    """Another running sandbox holds the data directory; the message names it."""


class DirectoryLock:
    """Held while a sandbox runs; the operating system lets go when the process dies."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = open(directory / "lock", "a+")  # noqa: SIM115 - held until release
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise DataDirectoryInUseError(
                f"the data directory {directory} is in use by process {holder}; "
                "stop that sandbox or choose another --data-dir"
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another sandbox have the directory."""
        self._file.close()
