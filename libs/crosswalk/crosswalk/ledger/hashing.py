"""Hashes of values and of records, keyed so that a stolen ledger cannot be searched by guess."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from crosswalk.values import Canonical

_encode = msgspec.json.Encoder().encode


class KeyedHash:
    """Hashes under the secret of one ledger."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def of_value(self, value: Canonical) -> str:
        """What stands in a base for the value of a field that flows one way."""
        return "#" + blake2b(_encode(value), digest_size=8, key=self._key).hexdigest()

    def of_key(self, value: str) -> str:
        """What stands in the waiting list for a match value."""
        return blake2b(value.encode(), digest_size=16, key=self._key).hexdigest()

    def of_reading(self, values: dict[str, Canonical]) -> bytes:
        """The digest of everything one reading said, in the order it said it."""
        return blake2b(_encode(values), digest_size=16, key=self._key).digest()
