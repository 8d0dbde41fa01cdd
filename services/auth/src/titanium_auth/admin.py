"""Administration: `python -m titanium_auth.admin rotate-keys`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from titanium_auth.adapters.derived_keys import DerivedKeys
from titanium_auth.adapters.key_store import LEAD, KeyStore
from titanium_auth.settings import AuthSettings
from titanium_kit.database import Database
from titanium_kit.problems import Problem
from titanium_kit.settings import SettingsError, load_settings


async def rotate_keys(settings: AuthSettings, *, lead: float = LEAD, discard: bool = False) -> str:
    """Publish a new signing key and wait `lead` seconds until it signs; returns a sentence.

    Raises `SettingsError` or `Problem`; after either the old key goes on.
    """
    database = Database(settings)
    await database.start()
    try:
        store = KeyStore(database, DerivedKeys.of(settings.key_encryption_key))
        kid, withdrawn = await store.rotate(lead=lead, discard=discard)
    finally:
        await database.stop()
    if discard:
        return f"key {kid} signs from now on; all other keys were deleted"
    if withdrawn is None:
        return f"key {kid} is the first one"
    await asyncio.sleep(lead)
    until = withdrawn.isoformat(timespec="seconds")
    return f"key {kid} signs from now on; the one before stays published until {until}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line. Exit status 1 when it could not be done, with one line that says why."""
    parser = argparse.ArgumentParser(prog="python -m titanium_auth.admin")
    commands = parser.add_subparsers(dest="command", required=True)
    rotate = commands.add_parser("rotate-keys", help="sign access tokens with a new key")
    rotate.add_argument(
        "--discard",
        action="store_true",
        help="delete the old keys at once: every access token ends (restart the services then)",
    )
    options = parser.parse_args(arguments)
    try:
        sentence = asyncio.run(rotate_keys(load_settings(AuthSettings), discard=options.discard))
    except SettingsError as error:
        sys.exit(f"rotate-keys failed: {error}")
    except Problem as error:
        sys.exit(f"rotate-keys failed: {error.detail}")
    sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
