"""Puts the blog service together."""

from __future__ import annotations

from fastapi import FastAPI

from titanium_blog.adapters.article import ArticleRenderer
from titanium_blog.adapters.browsing import PageReader
from titanium_blog.adapters.janitor import Janitor
from titanium_blog.adapters.markdown import MarkdownRenderer, Turns
from titanium_blog.adapters.people import People
from titanium_blog.adapters.reading import PostReader
from titanium_blog.adapters.writing import SqlPostStore
from titanium_blog.domain.writing import Writer
from titanium_blog.http import categories, posts, preview
from titanium_blog.http.dependencies import Blog
from titanium_blog.http.errors import install_blog_errors
from titanium_blog.http.web import extras, feeds, reading, writing
from titanium_blog.http.web.rendering import cache_variant
from titanium_blog.settings import Settings
from titanium_kit.app import build_app
from titanium_kit.cache import ResponseCache
from titanium_kit.client import MeshClient
from titanium_kit.database import Database
from titanium_kit.metrics import Metrics
from titanium_kit.settings import load_settings
from titanium_kit.tokens import TokenVerifier
from titanium_kit.tokens.remote import AuthSource
from titanium_kit.tokens.verifier import TokenSource


def create_app(settings: Settings | None = None, tokens: TokenSource | None = None) -> FastAPI:
    """The application. Without arguments it is configured by the environment and asks auth for
    keys and revocations. Raises `SettingsError`."""
    settings = settings or load_settings(Settings)
    metrics = Metrics(settings.service)
    database = Database(settings, metrics)
    cache = ResponseCache(settings, metrics, cache_variant)
    client = MeshClient(settings)
    verifier = TokenVerifier(settings, tokens or AuthSource(client))
    store = SqlPostStore(database)
    turns = Turns()
    app = build_app(
        settings,
        metrics,
        title="Titanium blog",
        routers=[
            posts.router,
            posts.internal,
            categories.router,
            preview.router,
            reading.router,
            feeds.router,
            writing.router,
            extras.router,
        ],
        resources=[database, client, verifier, Janitor(store)],
        cache=cache,
    )
    install_blog_errors(app)
    app.state.verifier = verifier
    app.state.blog = Blog(
        reader=PostReader(database),
        writer=Writer(store, MarkdownRenderer(turns), cache),
        cache=cache,
        articles=ArticleRenderer(turns),
        pages=PageReader(database),
        people=People(client),
        site=settings.public_url.rstrip("/"),
    )
    return app
