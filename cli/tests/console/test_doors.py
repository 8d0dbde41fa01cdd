"""Who gets into the console, and who does not."""

from __future__ import annotations

import tempfile
from html import unescape
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cli.tests.console.support import SCRAPE_TOKEN, TOKEN, Console, start_console

pytestmark = pytest.mark.integration

PAGE = {"Accept": "text/html"}
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
BEARER = {"Authorization": f"Bearer {SCRAPE_TOKEN}"}
PATHS = (
    "/",
    "/services",
    "/services/blog",
    "/traffic",
    "/logs",
    "/traces",
    "/traces/" + "a" * 32,
    "/dashboards",
    "/alerts",
    "/chaos",
    "/runbooks",
    "/runbooks/TitaniumServiceDown",
    "/nothing",
    "/_nicegui/client/1/upload/1",
)


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_a_session(console: Console, path: str) -> None:
    """A page leads to the login, which leads back; anything else is refused."""
    with console.client() as client:
        page = client.get(path, headers=PAGE)
        assert page.status_code == 303
        assert page.headers["location"].startswith("/login?next=%2F")
        assert client.get(path).status_code == 401
        assert client.post(path, content=b"{}").status_code == 401


def test_liveness_files_and_login_need_no_session(console: Console) -> None:
    """The supervisor asks whether it lives; the login page has its style."""
    with console.client() as client:
        assert client.get("/healthz").text == "ok\n"
        assert client.get("/_console/console.css").status_code == 200
        page = client.get("/login")
        assert page.status_code == 200
        assert "secrets/console/token" in page.text
        assert "<script" not in page.text


def test_the_token_opens_a_session_and_leaves_the_address(console: Console) -> None:
    """The cookie is not the token; scripts and other sites do not get it."""
    with console.client() as client:
        answer = client.get("/login", params={"token": TOKEN, "next": "/traffic"})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/traffic"
        cookie = answer.headers["set-cookie"]
        assert TOKEN not in cookie
        name, _, attributes = cookie.partition("=")
        assert name == f"titanium_console_{console.port}"
        for attribute in ("HttpOnly", "SameSite=strict", "Path=/"):
            assert attribute in attributes
        assert int(attributes.partition("Max-Age=")[2].split(";")[0]) <= 30 * 24 * 3600
        assert client.get("/traffic", headers=PAGE).status_code == 200


def test_the_form_takes_the_token_too(console: Console) -> None:
    """As a browser sends it: its own form's origin is null under no-referrer."""
    own = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    with console.client() as client:
        answer = client.post("/login", data={"token": f" {TOKEN}\n"}, headers=own)
        assert answer.status_code == 303
        assert client.post("/logout", headers=own).status_code == 303
        assert client.get("/", headers=PAGE).status_code == 303


def test_the_form_leads_to_the_whole_address(console: Console) -> None:
    """Of a link with several filters none is lost."""
    wanted = "/logs?service=blog&level=error&text=a%26b"
    with console.client() as client:
        answer = client.get(wanted, headers=PAGE)
        page = client.get(answer.headers["location"])
        action = unescape(page.text.partition('action="')[2].partition('"')[0])
        answer = client.post(action, data={"token": TOKEN})
        assert answer.headers["location"] == wanted


@pytest.mark.parametrize(
    "target", ["//evil.test", "https://evil.test", "/\\evil.test", "/%2Fevil.test", "/login", "x"]
)
def test_a_login_leads_nowhere_else(console: Console, target: str) -> None:
    """Another site's address after the login would be a trap."""
    with console.client() as client:
        answer = client.get("/login", params={"token": TOKEN, "next": target})
        assert answer.headers["location"] == "/"


def test_a_forged_session_is_refused(console: Console) -> None:
    """Neither the token itself, nor a changed signature or time, is a session."""
    with console.session() as client:
        name = f"titanium_console_{console.port}"
        good = client.cookies[name]
        began, rest = good.split(".", 1)
    for value in (TOKEN, good[:-1], f"{int(began) + 1}.{rest}", "", "..", "x.y.z"):
        with console.client(cookies={name: value}) as client:
            assert client.get("/").status_code == 401


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "localhost@evil.test", ""])
def test_a_foreign_host_is_refused(console: Console, host: str) -> None:
    """A name that was made to point at this machine is no way in, not even to the login."""
    with console.session() as client:
        for path in ("/", "/healthz", "/login", "/_console/console.css"):
            assert client.get(path, headers={"Host": host}).status_code in (400, 403)


def test_another_site_cannot_make_the_browser_ask(console: Console) -> None:
    """With a good session: by origin, by what the browser says of the sender, or both."""
    foreign = (
        {"Origin": "http://evil.test"},
        {"Origin": f"http://127.0.0.1:{console.port + 1}"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{console.port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    )
    with console.session() as client:
        for headers in foreign:
            assert client.get("/", headers=headers).status_code == 403, headers
            assert client.post("/logout", headers=headers).status_code == 403, headers
        assert client.get("/", headers={"Origin": console.url}).status_code == 200
        link = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
        assert client.get("/", headers=link).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.test", "http://127.0.0.1:1", None])
async def test_a_websocket_from_elsewhere_is_refused(console: Console, origin: str | None) -> None:
    """Browsers send cookies with them, whoever opens them; so the origin decides."""
    with console.session() as client:
        cookie = client.cookies[f"titanium_console_{console.port}"]
    headers = {"Cookie": f"titanium_console_{console.port}={cookie}"}
    address = f"ws://127.0.0.1:{console.port}{SOCKET}"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address, origin=origin, additional_headers=headers):  # type: ignore[arg-type]
            pass
    assert refused.value.response.status_code == 403
    async with connect(address, origin=console.url, additional_headers=headers) as socket:  # type: ignore[arg-type]
        assert str(await socket.recv()).startswith("0{")


async def test_a_websocket_without_a_session_is_refused(console: Console) -> None:
    """The right origin alone opens nothing."""
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://127.0.0.1:{console.port}{SOCKET}", origin=console.url):  # type: ignore[arg-type]
            pass


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/nothing", "/_console/console.css"])
def test_every_answer_has_the_security_headers(console: Console, path: str) -> None:
    """Answers to those without a session, too."""
    for open_client in (console.client, console.session):
        with open_client() as client:
            headers = client.get(path, headers=PAGE).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            policy = headers["content-security-policy"]
            for directive in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
                assert directive in policy
            scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
            assert "unsafe-inline" not in scripts
            assert "access-control-allow-origin" not in headers


def test_scripts_of_a_page_have_the_nonce_of_its_policy(console: Console) -> None:
    """Each answer has its own; no script element is without."""
    with console.session() as client:
        first, second = client.get("/", headers=PAGE), client.get("/", headers=PAGE)
    nonce = first.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    assert nonce not in second.headers["content-security-policy"]
    assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}"') > 3


def test_what_does_not_exist_is_said_without_a_traceback(console: Console) -> None:
    """A page of our own, with a way back; what was asked for is escaped."""
    with console.session() as client:
        answer = client.get("/no/<b>such", headers=PAGE)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert "<b>such" not in answer.text
    assert "Traceback" not in answer.text


def test_metrics_and_webhook_need_the_scrape_token(console: Console) -> None:
    """The operator's session is for people, the scrape token for Prometheus and Alertmanager."""
    with console.session() as client:
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {TOKEN}"}):
            assert client.get("/metrics", headers=headers).status_code == 401
            assert client.post("/hooks/alertmanager", headers=headers).status_code == 401
    with console.client(headers=BEARER) as client:
        text = client.get("/metrics").text
        assert "process_resident_memory_bytes " in text
        assert "titanium_console_prometheus_up 0" in text
        assert client.get("/", headers=PAGE).status_code == 303


def test_a_delivery_of_alertmanager_is_shown(console: Console) -> None:
    """With its words escaped."""
    alert = {
        "status": "firing",
        "labels": {"alertname": "TitaniumServiceDown", "severity": "critical", "service": "blog"},
        "annotations": {"summary": "blog is <script>down"},
    }
    with console.client(headers=BEARER) as client:
        body = {"version": "4", "status": "firing", "alerts": [alert], "unknown": [1]}
        assert client.post("/hooks/alertmanager", json=body).status_code == 204
    with console.session() as client:
        page = client.get("/alerts", headers=PAGE).text
    assert "TitaniumServiceDown" in page
    assert "<script>down" not in page


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"alerts": 1}', b'{"alerts": [{"status": "odd", "labels": {}}]}', b"\xff"],
)
def test_a_malformed_delivery_is_refused(console: Console, body: bytes) -> None:
    """It says what does not fit, in one line."""
    with console.client(headers=BEARER) as client:
        answer = client.post("/hooks/alertmanager", content=body)
    assert answer.status_code == 400
    assert answer.text.count("\n") == 1


def test_an_oversized_body_is_refused(console: Console) -> None:
    """Whether its length is told before or not; the console goes on."""
    with console.client(headers=BEARER) as client:
        big = b"x" * (1024 * 1024 + 1)
        assert client.post("/hooks/alertmanager", content=big).status_code == 413
        parts = (b"x" * 65536 for _ in range(20))
        assert client.post("/hooks/alertmanager", content=parts).status_code == 413
        assert client.get("/healthz").status_code == 200


def test_spans_are_received_on_a_private_socket(console: Console) -> None:
    """Only this user can open it, and it serves nothing but spans."""
    path = console.home / "run/console/otlp.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    with httpx2.Client(
        transport=httpx2.HTTPTransport(uds=str(path)), base_url="http://otlp"
    ) as client:
        empty = client.post("/v1/traces", json={"resourceSpans": []})
        assert empty.status_code == 200, empty.text
        assert client.get("/").status_code == 404


def test_wrong_tokens_are_throttled_and_end_no_session() -> None:
    """After ten, even the right one waits; who is logged in stays so. The log has no token."""
    with tempfile.TemporaryDirectory(prefix="ti-co-") as folder:
        console = start_console(Path(folder) / "home")
        try:
            with console.session() as operator, console.client() as guesser:
                for number in range(10):
                    wrong = guesser.get("/login", params={"token": f"wrong-{number}"})
                    assert wrong.status_code == 401
                    assert "titanium status" in wrong.text
                late = guesser.post("/login", data={"token": TOKEN})
                assert late.status_code == 429
                assert 1 <= int(late.headers["retry-after"]) <= 6
                assert operator.get("/", headers=PAGE).status_code == 200
            assert console.stop() == 0
            assert TOKEN not in console.log
            assert "wrong-" not in console.log
            assert not (console.home / "run/console/otlp.sock").exists()
        finally:
            console.process.kill()
