"""Puts the user service together."""

from __future__ import annotations

from fastapi import FastAPI

from titanium_kit.app import build_app
from titanium_kit.cache import ResponseCache
from titanium_kit.client import MeshClient
from titanium_kit.database import Database
from titanium_kit.metrics import Metrics
from titanium_kit.settings import load_settings
from titanium_kit.tokens import TokenVerifier
from titanium_kit.tokens.remote import AuthSource
from titanium_user.adapters.accounts import SqlAccounts
from titanium_user.adapters.common_passwords import common_passwords
from titanium_user.adapters.hashing import ThreadedHasher
from titanium_user.adapters.outbox import LEASE, Outbox
from titanium_user.adapters.profiles import CachedProfiles
from titanium_user.adapters.relay import MeshPeers, Relay
from titanium_user.domain.accounts import AccountService
from titanium_user.domain.passwords import PasswordPolicy
from titanium_user.http import credentials, me, profiles, registration
from titanium_user.http.errors import install_account_errors
from titanium_user.settings import UserSettings


def create_app(settings: UserSettings | None = None) -> FastAPI:
    """The application; `settings` come from the environment unless given.

    Raises `SettingsError`.
    """
    settings = settings or load_settings(UserSettings)
    metrics = Metrics(settings.service)
    database = Database(settings, metrics)
    cache = ResponseCache(settings, metrics)
    client = MeshClient(settings)
    verifier = TokenVerifier(settings, AuthSource(client))
    hasher = ThreadedHasher(settings)
    relay = Relay(Outbox(database), MeshPeers(client), metrics)
    app = build_app(
        settings,
        metrics,
        title="Titanium users",
        # `me` first: it is also a {username} to the router.
        routers=[registration.router, me.router, profiles.router, credentials.router],
        resources=[database, client, verifier, hasher, relay],
        cache=cache,
    )
    install_account_errors(app)
    app.state.verifier = verifier
    app.state.cache = cache
    app.state.accounts = AccountService(
        SqlAccounts(database, lease=LEASE),
        hasher,
        PasswordPolicy(common_passwords()),
        relay,
        CachedProfiles(cache),
        failure_seconds=settings.failure_seconds,
    )
    return app
