"""Who may have a request traced, by real proxies with a real receiver of spans."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

import pytest

from tests.otlp_support import ReceivedSpan, Receiver
from titanium.layout import GATEWAY, HOST
from titanium.mesh import Policy

from .conftest import unlimited
from .harness import Mesh, Seen

pytestmark = pytest.mark.e2e

CREDENTIALS = "/internal/credentials/verify"
TRACE_HEADERS = {"traceparent", "tracestate"}
TOKEN = secrets.token_urlsafe(32)


def sampling(percent: float, *, hops: int = 0) -> Policy:
    """Requests without limits; of those nobody asks about `percent` are traced."""
    policy = unlimited()
    return policy.model_copy(
        update={
            "tracing": policy.tracing.model_copy(update={"sampling_percent": percent}),
            "edge": policy.edge.model_copy(update={"xff_num_trusted_hops": hops}),
        }
    )


class Traced:
    """A mesh and what it reports."""

    def __init__(self, mesh: Mesh, receiver: Receiver) -> None:
        self.mesh = mesh
        self.receiver = receiver

    def ask(self, headers: Mapping[str, str], flags: str = "01", path: str = "/api/posts") -> str:
        """Send a request that asks for a trace; its trace id."""
        trace = secrets.token_hex(16)
        parent = f"00-{trace}-{secrets.token_hex(8)}-{flags}"
        reply = self.mesh.request("GET", path, {"traceparent": parent, **headers})
        assert reply.status == 200
        return trace

    def seen(self) -> Seen:
        """The request as the application saw it."""
        return self.mesh.apps["blog-0"].seen[-1]

    def spans(self, *instances: str) -> list[ReceivedSpan]:
        """All spans so far; those that `instances` (else gateway and blog) hold arrive first."""
        for instance in instances or (GATEWAY, "blog-0"):
            flushed = self.mesh.counter(instance, "tracing.opentelemetry.timer_flushed")
            self.receiver.wait_for(
                lambda name=instance, before=flushed: (  # type: ignore[misc]
                    self.mesh.counter(name, "tracing.opentelemetry.timer_flushed") > before + 1
                ),
                "the proxies' spans",
            )
        return list(self.receiver.spans)


def running(policy: Policy, token: str | None = None, bind: str = HOST) -> Iterator[Traced]:
    mesh = Mesh(policy, trace_token=token, bind=bind)
    mesh.home.otlp_socket.parent.mkdir(mode=0o700, parents=True)
    with Receiver(mesh.home.otlp_socket) as receiver, mesh:
        for instance in (GATEWAY, *mesh.apps):  # a second is long for a test
            keys = "tracing.opentelemetry.flush_interval_ms=50"
            assert mesh.admin(instance, f"/runtime_modify?{keys}", "POST").status == 200
        yield Traced(mesh, receiver)


@pytest.fixture(scope="module")
def traced_mesh() -> Iterator[Traced]:
    """Only what somebody asks for is traced; the client of the tests is on loopback."""
    yield from running(sampling(0), TOKEN)


@pytest.fixture(scope="module")
def mesh_behind_proxy() -> Iterator[Traced]:
    """The same behind a load balancer, where every client comes from the same address."""
    yield from running(sampling(0, hops=1), TOKEN)


@pytest.fixture
def traced(traced_mesh: Traced) -> Traced:
    traced_mesh.mesh.clear()
    traced_mesh.receiver.spans.clear()
    return traced_mesh


@pytest.fixture
def behind_proxy(mesh_behind_proxy: Traced) -> Traced:
    mesh_behind_proxy.mesh.clear()
    mesh_behind_proxy.receiver.spans.clear()
    return mesh_behind_proxy


def test_a_loopback_client_that_asks_gets_one_trace_of_gateway_and_sidecar(traced: Traced) -> None:
    trace = traced.ask({}, path="/api/posts?q=private")
    spans = {span.service: span for span in traced.spans()}
    assert set(spans) == {"gateway", "blog"}
    assert {span.trace_id for span in spans.values()} == {trace}
    assert spans["blog"].parent == spans["gateway"].span_id
    assert spans["blog"].resource["service.instance.id"] == "blog-0"
    assert spans["gateway"].name == "GET /api/posts"
    assert "private" not in str(spans)
    headers = traced.seen().headers
    assert headers["traceparent"] == f"00-{trace}-{spans['blog'].span_id}-01"
    assert spans["gateway"].attributes["guid:x-request-id"] == headers["x-request-id"]


def test_a_request_that_does_not_ask_makes_no_spans(traced: Traced) -> None:
    assert traced.mesh.request("GET", "/api/posts").status == 200
    assert not TRACE_HEADERS & set(traced.seen().headers)
    for flags in ("00", "02", "fe"):
        traced.ask({"tracestate": "vendor=1"}, flags=flags)
        assert not TRACE_HEADERS & set(traced.seen().headers)
    assert traced.spans() == []


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "0",
        "00-1-1-01",
        f"00-{'0' * 32}-{'0' * 16}-01",
        f"01-{'a' * 32}-{'b' * 16}-01",
        "x" * 99,
    ],
)
def test_a_malformed_wish_is_served_without_a_trace(traced: Traced, parent: str) -> None:
    assert traced.mesh.request("GET", "/api/posts", {"traceparent": parent}).status == 200
    assert traced.spans() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"x-envoy-force-trace": "true"},
        {"x-client-trace-id": "abc"},
        {"x-request-id": "7c408934-74ea-a3f8-ae9c-1e412d8c0114"},
        {"b3": "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"},
        {"x-b3-sampled": "1", "x-ot-span-context": "1", "x-datadog-sampling-priority": "2"},
    ],
)
def test_no_other_header_starts_a_trace(traced: Traced, headers: dict[str, str]) -> None:
    assert traced.mesh.request("GET", "/api/posts", headers).status == 200
    assert not TRACE_HEADERS & set(traced.seen().headers)
    assert traced.spans() == []


def test_a_sidecar_begins_no_trace(traced: Traced) -> None:
    """A call without trace headers, as an application's background work makes it."""
    answer = traced.mesh.egress("auth-0", "user.titanium.internal", "POST", CREDENTIALS)
    assert answer.status == 200
    assert not TRACE_HEADERS & set(traced.mesh.apps["user-0"].seen[-1].headers)
    assert traced.spans() == []


def test_a_call_between_services_stays_in_its_trace(traced: Traced) -> None:
    trace = secrets.token_hex(16)
    parent = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    answer = traced.mesh.egress("auth-0", "user.titanium.internal", "POST", CREDENTIALS, parent)
    assert answer.status == 200
    assert trace in traced.mesh.apps["user-0"].seen[-1].headers["traceparent"]
    spans = traced.spans("auth-0", "user-0")
    assert {(span.service, span.trace_id) for span in spans} == {("auth", trace), ("user", trace)}
    denied = traced.mesh.egress("user-0", "blog.titanium.internal", "GET", "/api/posts", parent)
    assert denied.status == 403


def test_the_drawn_share_is_traced() -> None:
    with Mesh(sampling(25)) as mesh:
        for _ in range(400):
            assert mesh.request("GET", "/api/posts").status == 200
        seen = [one.headers.get("traceparent", "") for one in mesh.apps["blog-0"].seen]
        assert set(map(len, seen)) == {0, 55}
        assert 50 < sum(one.endswith("-01") for one in seen) < 150


def test_health_is_never_traced(traced: Traced) -> None:
    traced.ask({}, path="/health")
    assert traced.spans() == []


def test_behind_a_proxy_nobody_is_traced_for_asking(behind_proxy: Traced) -> None:
    """bar 34: neither a wrong token nor a claimed address nor our own names help."""
    mine = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    for headers in (
        {},
        {"x-titanium-trace": "wrong"},
        {"x-titanium-trace": TOKEN[:-1]},
        {"x-titanium-trace": f"{TOKEN}, {TOKEN}"},
        {"x-forwarded-for": "127.0.0.1"},
        {"x-titanium-sent-round": "1"},
        {"trace-token": "wrong"},
        {"trace-token": "", "x-titanium-trace": "wrong"},
        {"traceparent": mine},
        {"x-titanium-trace": "\xff\xfe"},
        {"tracestate": "vendor=1"},
    ):
        trace = behind_proxy.ask(headers)
        seen = behind_proxy.seen().headers
        assert not TRACE_HEADERS & set(seen)
        assert trace not in str(seen)
        assert mine[3:35] not in str(seen)
    assert behind_proxy.spans() == []


def test_behind_a_proxy_the_token_has_a_request_traced_and_goes_no_further(
    behind_proxy: Traced,
) -> None:
    trace = behind_proxy.ask({"x-titanium-trace": TOKEN})
    assert not {"x-titanium-trace", "trace-token"} & set(behind_proxy.seen().headers)
    spans = behind_proxy.spans()
    assert {span.service for span in spans} == {"gateway", "blog"}
    assert {span.trace_id for span in spans} == {trace}
    for file in behind_proxy.mesh.home.logs.iterdir():
        assert TOKEN not in file.read_text(), file
    assert TOKEN not in str(spans)


def test_a_gateway_that_others_can_reach_traces_nobody_for_asking() -> None:
    """Only the address that it listens on says whether all clients are on this machine."""
    for open_mesh in running(sampling(0), TOKEN, "0.0.0.0"):
        trace = open_mesh.ask({})
        assert not TRACE_HEADERS & set(open_mesh.seen().headers)
        assert open_mesh.spans() == []
        trace = open_mesh.ask({"x-titanium-trace": TOKEN})
        assert {span.trace_id for span in open_mesh.spans()} == {trace}


def test_a_drawn_trace_has_no_name_of_the_clients_choice() -> None:
    for everything in running(sampling(100, hops=1)):
        trace = everything.ask({"tracestate": "vendor=1"})
        spans = {span.service: span for span in everything.spans()}
        assert set(spans) == {"gateway", "blog"}
        assert spans["gateway"].parent == ""
        assert trace not in str(everything.seen().headers)
        assert "vendor" not in str(everything.seen().headers)


def test_without_a_receiver_requests_are_served_all_the_same() -> None:
    with Mesh(sampling(100)) as mesh:
        for _ in range(40):
            assert mesh.request("GET", "/api/posts").status == 200
        assert mesh.apps["blog-0"].seen[-1].headers["traceparent"].endswith("-01")
