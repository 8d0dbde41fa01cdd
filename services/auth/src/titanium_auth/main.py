"""Builds the auth service."""

from __future__ import annotations

from fastapi import FastAPI

from titanium_auth.adapters.credentials import UserCredentials
from titanium_auth.adapters.derived_keys import DerivedKeys
from titanium_auth.adapters.failures import PostgresFailureLog
from titanium_auth.adapters.housekeeping import Housekeeping
from titanium_auth.adapters.key_ring import KeyRing
from titanium_auth.adapters.key_store import KeyStore
from titanium_auth.adapters.revocations import PostgresRevocations
from titanium_auth.adapters.sessions import PostgresSessions
from titanium_auth.adapters.source import LocalSource
from titanium_auth.domain.ports import Credentials
from titanium_auth.domain.refresh import RefreshTokens
from titanium_auth.domain.sessions import Sessions
from titanium_auth.http.errors import install_refusals
from titanium_auth.http.internal import internal_router
from titanium_auth.http.keys import keys_router
from titanium_auth.http.login import login_router
from titanium_auth.http.sessions import session_router
from titanium_auth.settings import AuthSettings
from titanium_kit.app import build_app
from titanium_kit.client import MeshClient
from titanium_kit.database import Database
from titanium_kit.metrics import Metrics
from titanium_kit.settings import load_settings
from titanium_kit.tokens import TokenVerifier


def create_app(
    settings: AuthSettings | None = None, *, credentials: Credentials | None = None
) -> FastAPI:
    """The application; `credentials` replaces the user service (in tests).

    Raises `SettingsError` when the environment does not describe it.
    """
    settings = settings or load_settings(AuthSettings)
    metrics = Metrics(settings.service)
    database = Database(settings, metrics)
    client = MeshClient(settings)
    keys = DerivedKeys.of(settings.key_encryption_key)
    ring = KeyRing(KeyStore(database, keys), settings)
    failures = PostgresFailureLog(database, keys)
    revocations = PostgresRevocations(database)
    verifier = TokenVerifier(settings, LocalSource(ring, revocations))
    app = build_app(
        settings,
        metrics,
        title="Titanium auth",
        routers=[login_router(), session_router(), keys_router(), internal_router()],
        resources=[database, client, ring, verifier, Housekeeping(database)],
    )
    install_refusals(app)
    app.state.settings = settings
    app.state.key_ring = ring
    app.state.revocations = revocations
    app.state.verifier = verifier
    app.state.sessions = Sessions(
        credentials=credentials or UserCredentials(client),
        failures=failures,
        store=PostgresSessions(database, failures, settings.session_lifetime),
        access_tokens=ring,
        refresh_tokens=RefreshTokens(keys.refresh),
    )
    return app
