"""Pages that need no script: login and what went wrong."""

from __future__ import annotations

from urllib.parse import quote

from titanium.console.widgets import BRAND, esc, static_version


def page(title: str, body: str) -> str:
    """A whole HTML page in the console's style; `body` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{esc(title)} · Titanium</title>"
        f'<link rel="stylesheet" href="/_console/console.css?{static_version()}">'
        f'<link rel="icon" href="/favicon.ico">'
        f'</head><body class="paper"><main>{BRAND}{body}</main></body></html>'
    )


def login(target: str, mistake: str = "") -> str:
    """Asks for the token; says where it is."""
    wrong = f'<p class="notice bad" role="alert">{esc(mistake)}</p>' if mistake else ""
    return page(
        "Log in",
        f"<h1>Operator console</h1>{wrong}"
        f'<form method="post" action="/login?next={quote(target, safe="")}">'
        '<label for="token">Token of this run</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" '
        'required autofocus spellcheck="false">'
        '<button class="primary">Open the console</button></form>'
        "<p>Run <code>titanium status</code>: it prints this console's address with the token. "
        "The token itself is in the file <code>secrets/console/token</code> of the run's state "
        "folder.</p>",
    )


def missing(path: str) -> str:
    return page(
        "Not found",
        "<h1>There is no such page</h1>"
        f"<p>The console has nothing at <code>{esc(path[:200])}</code>.</p>"
        '<p><a href="/">To the overview</a></p>',
    )


def broken() -> str:
    return page(
        "Something went wrong",
        "<h1>This page could not be made</h1>"
        "<p>It is a fault of the console; the platform is not affected. What happened is in its "
        "log: <code>titanium logs console</code>.</p>"
        '<p><a href="">Try again</a> or go <a href="/">to the overview</a>.</p>',
    )
