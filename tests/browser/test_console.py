"""Every page of the console, in a real browser, before a real run."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.browser.blog.checks import overflow
from tests.support import Platform, wait_until

pytestmark = pytest.mark.e2e

# Path, and what it shows once it lives.
PAGES = {
    "overview": ("/", "requests/s"),
    "services": ("/services", "Accounts, profiles and password hashes."),
    "service": ("/services/blog", "titanium_blog.main:create_app"),
    "traffic": ("/traffic", "every connection"),
    "logs": ("/logs", "blog"),
    "traces": ("/traces", "Traces"),
    "dashboards": ("/dashboards", "Golden signals"),
    "alerts": ("/alerts", "Notifications"),
    "chaos": ("/chaos", "Nothing is being injected."),
    "runbook": ("/runbooks/TitaniumServiceDown", "TitaniumServiceDown"),
    "runbooks": ("/runbooks", "a process crashed and was started again"),
}
NARROW = ({"width": 800, "height": 900}, {"width": 400, "height": 800})


def visit(page: Any, platform: Platform, path: str, text: str) -> None:
    page.goto(platform.console_url + path)
    page.locator("#content", has_text=text).wait_for()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_wide_and_narrow(
    page: Any, platform: Platform, pictures: Path, name: str
) -> None:
    """Without errors in the browser, and without scrolling sideways at 800 and 400 pixels."""
    path, text = PAGES[name]
    visit(page, platform, path, text)
    page.wait_for_timeout(1500)  # charts draw themselves after the text
    page.screenshot(path=pictures / f"console-{name}.png", full_page=name != "logs")
    assert overflow(page) == 0
    for size in NARROW:
        page.set_viewport_size(size)
        assert overflow(page) == 0


def test_every_page_is_one_link_away(page: Any, platform: Platform) -> None:
    """By the navigation, with the place marked."""
    visit(page, platform, "/", "Processes")
    for name in ("Services", "Traffic", "Logs", "Traces", "Dashboards", "Alerts", "Chaos"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        page.locator(f"nav a[aria-current]:text-is('{name}')").wait_for()


def test_the_keyboard_alone_is_enough(page: Any, platform: Platform) -> None:
    """The first Tab skips the navigation; an update does not take the focus away."""
    visit(page, platform, "/services", "Processes")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    button = page.get_by_role("button", name="Restart blog")
    button.focus()
    page.wait_for_timeout(3000)  # the tables change every second
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Restart blog"
    page.keyboard.press("Enter")
    page.locator(".dialog", has_text="Restart blog?").wait_for()
    page.keyboard.press("Escape")
    page.locator(".dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Restart blog"


def test_the_traffic_map_shows_who_calls_whom(page: Any, platform: Platform) -> None:
    """With its rate, and the lock of mutual TLS."""
    visit(page, platform, "/traffic", "every connection")
    assert page.locator(".map .lock.locked").count() >= 1
    assert page.locator(".map .node").count() >= 7


def test_a_fault_is_injected_shown_and_stopped(page: Any, platform: Platform) -> None:
    """From the form to the map, for a bounded time, and ended by hand."""
    visit(page, platform, "/chaos", "Nothing is being injected.")
    page.get_by_role("button", name="Inject").click()
    page.locator(".dialog").get_by_role("button", name="Inject").click()
    stop = page.get_by_role("button", name="Stop now auth")
    stop.wait_for()
    (fault,) = platform.status()["faults"]
    assert (fault["service"], fault["delay_ms"]) == ("auth", 500)
    visit(page, platform, "/traffic", "fault injected")
    visit(page, platform, "/", "fault injected into auth")
    visit(page, platform, "/chaos", "delayed by 500 ms")
    page.get_by_role("button", name="Stop now auth").click()
    page.locator("#content", has_text="Nothing is being injected.").wait_for()
    assert platform.status()["faults"] == []
    page.locator("#content", has_text="fault ended by hand").wait_for()


def test_a_killed_process_is_seen_and_comes_back(page: Any, platform: Platform) -> None:
    """On the page that killed it, without a reload."""
    visit(page, platform, "/services", "Processes")
    page.get_by_role("button", name="Kill user-0", exact=True).click()
    page.locator(".dialog").get_by_role("button", name="Kill").click()
    row = page.locator("table.processes tr", has=page.get_by_text("user-0", exact=True))
    row.locator(".badge:not(.good)").wait_for()
    row.locator(".badge.good").wait_for(timeout=30_000)
    assert platform.processes()["user-0"]["restarts"] >= 1


def test_a_stopped_service_is_an_alert_until_it_is_started(page: Any, platform: Platform) -> None:
    """Stopped by a button, found on the overview, firing and told within a minute, then gone."""
    visit(page, platform, "/services", "Processes")
    row = page.locator("table.services tr", has=page.get_by_role("link", name="blog", exact=True))
    page.get_by_role("button", name="Stop blog", exact=True).click()
    page.locator(".dialog").get_by_role("button", name="Stop").click()
    row.get_by_text("stopped").wait_for(timeout=30_000)
    visit(page, platform, "/", "Unhealthy: blog-0 is stopped")
    page.goto(f"{platform.console_url}/alerts")
    down = page.locator("tr", has=page.get_by_role("link", name="TitaniumServiceDown"))
    firing = down.filter(has_text="firing").filter(has_text="blog is down")
    firing.first.wait_for(timeout=60_000)
    page.locator(".panel", has_text="Notifications").locator(firing).wait_for(timeout=60_000)
    assert down.count() == down.filter(has_text="blog").count(), "the gateway is not down"
    firing.first.get_by_role("link", name="TitaniumServiceDown").click()
    page.locator("article", has_text="First look").wait_for()
    visit(page, platform, "/services", "Processes")
    page.get_by_role("button", name="Start blog", exact=True).click()
    row.locator(".badge.good").wait_for(timeout=30_000)


def test_replicas_are_changed(page: Any, platform: Platform) -> None:
    """As many as the number says."""
    visit(page, platform, "/services", "Processes")
    for count in (2, 1):
        page.get_by_role("button", name="Replicas blog").click()
        page.locator(".dialog input").fill(str(count))
        page.locator(".dialog").get_by_role("button", name="Set").click()
        row = page.locator("table.services tr", has=page.get_by_role("link", name="blog"))
        row.get_by_text(f"{count} of {count}").wait_for(timeout=60_000)


def test_a_number_of_replicas_that_cannot_be_is_refused(page: Any, platform: Platform) -> None:
    """Not taken for the nearest one that can."""
    visit(page, platform, "/services", "Processes")
    page.get_by_role("button", name="Replicas blog").click()
    page.locator(".dialog input").fill("19")
    page.locator(".dialog").get_by_role("button", name="Set").click()
    page.get_by_text("1 to 9 replicas, not 19").wait_for()
    assert "blog-1" not in platform.processes()


def test_what_was_stopped_is_started_from_the_table(page: Any, platform: Platform) -> None:
    """Also what belongs to no service."""
    platform.titanium("stop", "alertmanager")
    visit(page, platform, "/services", "Processes")
    page.get_by_role("button", name="Start alertmanager").click()
    page.get_by_text("Start alertmanager: done").wait_for(timeout=30_000)
    assert platform.processes()["alertmanager"]["state"] == "ready"


def test_a_runbook_leads_to_the_place_that_it_names(page: Any, platform: Platform) -> None:
    """In another page of the documentation, at its heading."""
    visit(page, platform, "/runbooks/TitaniumPostgresDown", "Damaged")
    page.get_by_role("link", name="operate").click()
    page.locator("h2", has_text="Back up and restore").wait_for()
    top = "document.getElementById('back-up-and-restore').getBoundingClientRect().top"
    assert 0 < page.evaluate(top) < 200


def test_the_console_says_when_the_supervisor_is_gone(page: Any, platform: Platform) -> None:
    """It goes on by itself, and recovers with the next `titanium up`."""
    visit(page, platform, "/", "Processes")
    supervisor = int(platform.status()["supervisor"])
    os.kill(supervisor, signal.SIGKILL)
    page.locator("#content", has_text="The supervisor does not answer").wait_for()
    platform.up()
    wait_until(platform.healthy, 30, "the platform is back")
    page.goto(platform.console_url)
    page.locator("#content", has_text="processes ready").wait_for()
