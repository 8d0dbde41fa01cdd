"""The network fails, a session ends, somebody else was quicker: no word that was typed is lost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.browser.blog.test_reading import LANGUAGES
from tests.browser.blog.test_writing import button, fill, open_editor, toast
from tests.browser.blog.visitor import Visit, Visitor
from tests.support import Person, Platform, wait_until

pytestmark = pytest.mark.e2e


def alert(page: Any, text: str) -> Any:
    found = page.get_by_role("alert").get_by_text(text)
    found.wait_for()
    return found


@LANGUAGES
def test_a_network_failure_keeps_the_text(visit: Visit, person: Person, language: str) -> None:
    """It is told; the same button works when the network is back, and publishes once."""
    writer = visit(person, language=language)
    page, t = writer.page, writer.words
    writer.expect("ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
    open_editor(writer)
    fill(page, title="Typed on a train", content="In a tunnel.")
    writer.context.set_offline(True)
    button(page, t("write.publish")).click()
    alert(page, t("js.network"))
    assert page.locator("[name=content]").input_value() == "In a tunnel."
    writer.context.set_offline(False)
    button(page, t("write.publish")).click()
    toast(writer, "editor.published")
    assert page.locator("h1").inner_text() == "Typed on a train"


def test_a_lost_answer_makes_no_second_post(
    visit: Visit, platform: Platform, person: Person
) -> None:
    """The server stored it, the answer was lost: publishing again finds the same post."""
    writer = visit(person)
    page, t = writer.page, writer.words
    writer.expect("ERR_FAILED")
    open_editor(writer)
    fill(page, title="Sent twice", content="Stored once.")

    def lose(route: Any) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/posts", lose, times=1)
    button(page, t("write.publish")).click()
    alert(page, t("js.network"))
    button(page, t("write.publish")).click()
    toast(writer, "editor.published")
    posts = platform.client.get("/api/posts", params={"author": person.username}).json()
    assert [post["title"] for post in posts] == ["Sent twice"]


@LANGUAGES
def test_registration_survives_a_network_failure(visit: Visit, language: str) -> None:
    writer = visit(language=language)
    page, t = writer.page, writer.words
    writer.expect("ERR_INTERNET_DISCONNECTED")
    writer.go("/blog/register")
    fill(page, username="somebody", email="somebody@example.org", password="a long sentence")
    writer.context.set_offline(True)
    button(page, t("register.submit")).click()
    alert(page, t("js.network"))
    for name, value in (("username", "somebody"), ("password", "a long sentence")):
        assert page.locator(f"[name={name}]").input_value() == value
    writer.context.set_offline(False)


@LANGUAGES
def test_a_session_that_ends_asks_for_the_password_and_goes_on(
    visit: Visit, platform: Platform, person: Person, language: str
) -> None:
    """In a dialog above the text; what was being done is done afterwards."""
    writer = visit(person, language=language)
    page, t = writer.page, writer.words
    writer.expect(401)
    number = platform.post(person)["id"]
    open_editor(writer, f"/blog/posts/{number}/edit")
    fill(page, content="Typed while the session ended.")
    changed = {"current_password": person.password, "new_password": "a sentence from elsewhere"}
    answer = platform.client.put("/api/users/me/password", json=changed, headers=person.bearer)
    assert answer.status_code == 204, answer.text
    person.password = changed["new_password"]
    wait_until(lambda: refused(platform, person), 5, "the old token is refused")
    button(page, t("write.save_view")).click()
    dialog = page.get_by_role("dialog", name=t("relogin.title"))
    dialog.wait_for()
    dialog.locator("[name=password]").fill("not this one")
    button(dialog, t("login.submit")).click()
    dialog.get_by_text(t("form.wrong_login")).wait_for()
    dialog.locator("[name=password]").fill(person.password)
    button(dialog, t("login.submit")).click()
    toast(writer, "editor.saved")
    assert "Typed while the session ended." in page.locator("main").inner_text()


def refused(platform: Platform, person: Person) -> bool:
    """Whether the blog has heard that this person's session is over."""
    request = {"json": {"content": "x"}, "headers": person.bearer}
    return platform.client.post("/api/preview", **request).status_code == 401  # type: ignore[arg-type]


def becomes(page: Any, text: str) -> None:
    """Wait until the editor holds this."""
    content = page.locator("[name=content]")
    wait_until(lambda: text in content.input_value(), 10, f"the editor holds {text!r}")


def conflict(visit: Visit, platform: Platform, person: Person, language: str) -> Visitor:
    """A writer who saves what somebody changed meanwhile; the dialog is open."""
    number = platform.post(person, "A title", "first\n\nsecond")["id"]
    writer = visit(person, language=language)
    writer.expect(412)
    page, t = writer.page, writer.words
    open_editor(writer, f"/blog/posts/{number}/edit")
    fill(page, content="first, by me\n\nsecond")
    other = {"content": "first\n\nsecond, by the other"}
    platform.client.patch(f"/api/posts/{number}", json=other, headers=person.bearer)
    button(page, t("write.save_view")).click()
    dialog = page.get_by_role("dialog", name=t("write.conflict_title"))
    dialog.wait_for()
    assert "first, by me" in dialog.get_by_role("region", name=t("write.mine")).inner_text()
    theirs = dialog.get_by_role("region", name=t("write.theirs"))
    assert "second, by the other" in theirs.inner_text()
    return writer


@LANGUAGES
def test_a_conflict_shows_both_versions_and_mine_is_saved(
    visit: Visit, platform: Platform, person: Person, language: str
) -> None:
    """The other one is kept in this browser."""
    writer = conflict(visit, platform, person, language)
    page, t = writer.page, writer.words
    address = page.url
    button(page, t("write.use_mine")).click()
    toast(writer, "editor.saved")
    assert "first, by me" in page.locator("main").inner_text()
    page.goto(address)
    versions = page.get_by_role("region", name=t("write.versions"))
    button(versions, t("write.back")).click()
    assert "second, by the other" in page.locator("[name=content]").input_value()


def test_a_conflict_is_decided_for_the_other_version_or_later(
    visit: Visit, platform: Platform, person: Person
) -> None:
    """Going back changes nothing; taking the other version keeps mine in this browser."""
    writer = conflict(visit, platform, person, "en")
    page, t = writer.page, writer.words
    page.keyboard.press("Escape")
    content = page.locator("[name=content]")
    assert content.input_value() == "first, by me\n\nsecond"
    button(page, t("write.save_view")).click()
    button(page, t("write.use_theirs")).click()
    becomes(page, "by the other")
    versions = page.get_by_role("region", name=t("write.versions"))
    button(versions, t("write.back")).click()
    assert content.input_value() == "first, by me\n\nsecond"


NO_ROOM = """() => {
  Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""


@pytest.mark.parametrize("choice", ["write.use_mine", "write.use_theirs"])
def test_a_conflict_in_a_browser_without_room_loses_neither_version(
    visit: Visit, platform: Platform, person: Person, choice: str
) -> None:
    """The version that was not chosen stays on the page, which says that it is there alone."""
    writer = conflict(visit, platform, person, "en")
    page, t = writer.page, writer.words
    page.evaluate(NO_ROOM)
    button(page, t(choice)).click()
    toast(writer, "editor.not_set_aside")
    versions = page.get_by_role("region", name=t("write.versions"))
    button(versions, t("write.back")).click()
    mine = choice == "write.use_theirs"
    becomes(page, "first, by me" if mine else "second, by the other")
    assert page.url.endswith("/edit")


def test_a_browser_that_may_store_nothing_says_why_nobody_stays_logged_in(
    visit: Visit, person: Person
) -> None:
    visitor = visit()
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});"
    visitor.context.add_init_script(refuse)
    page, t = visitor.page, visitor.words
    visitor.go("/blog/login?next=/blog/write")
    fill(page, username=person.username, password=person.password)
    button(page, t("login.submit")).click()
    alert(page, t("form.nothing_stored"))


def test_a_draft_survives_its_tab(visit: Visit, person: Person) -> None:
    """It is kept while it is written, and offered when the editor is opened again."""
    writer = visit(person)
    t = writer.words
    tab = writer.tab()
    tab.goto(f"{writer.url}/blog/write")
    tab.locator("#editor [name=content]:enabled").wait_for()
    fill(tab, title="Half a thought", content="which is not finished")
    tab.locator("#kept:not(:empty)").wait_for()
    tab.close(run_before_unload=False)
    page = open_editor(writer)
    versions = page.get_by_role("region", name=t("write.versions"))
    assert "Half a thought" in versions.inner_text()
    button(versions, t("write.back")).click()
    assert page.locator("[name=content]").input_value() == "which is not finished"
    button(page, t("write.publish")).click()
    toast(writer, "editor.published")
    open_editor(writer)
    assert not versions.is_visible(), "what is published is no draft any more"


def test_a_preview_that_is_asked_for_too_often_waits(visit: Visit, person: Person) -> None:
    """The last one stays, nothing is said, and the next one comes when the server allows it."""
    writer = visit(person)
    writer.expect(429)
    page = open_editor(writer)
    preview = page.locator("#preview")
    fill(page, content="first")
    preview.get_by_text("first").wait_for()
    asked: list[float] = []

    def refuse(route: Any) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            route.fulfill(status=429, headers={"Retry-After": "2"}, json={"status": 429})
        else:
            route.continue_()

    page.route("**/api/preview", refuse)
    fill(page, content="second")
    wait_until(lambda: page.evaluate("1") == len(asked), 5, "the server was asked")
    fill(page, content="third")
    page.wait_for_timeout(700)  # longer than a preview waits for the next key
    assert preview.inner_text() == "first"
    preview.get_by_text("third").wait_for()
    assert page.locator(".notice").count() == 0
    assert page.locator("#toast").inner_text() == ""
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 1.9


KEEP = """([key, at]) => localStorage.setItem(key, JSON.stringify(
  { words: { title: key, content: "words", category: "" }, etag: null, pending: null, at }))"""
DAY_MS = 86_400_000


def test_drafts_that_nobody_came_back_to_are_dropped(visit: Visit, person: Person) -> None:
    """After 60 days, whoever left them; a time that cannot be is now, not "Invalid Date"."""
    writer = visit(person)
    page = writer.page
    writer.go("/blog/")
    now = page.evaluate("Date.now()")
    mine = f"draft:{person.username}:new"
    kept = {f"{mine}:young": now - 59 * DAY_MS, f"{mine}:word": "x", f"{mine}:late": 9e15}
    old = (f"{mine}:old", f"draft:{person.username}:7:old", "draft:other:new:a")
    for key, at in {**kept, **dict.fromkeys(old, now - 61 * DAY_MS)}.items():
        page.evaluate(KEEP, [key, at])
    open_editor(writer)
    versions = page.get_by_role("region", name=writer.words("write.versions"))
    versions.get_by_text(f"{mine}:young").wait_for()
    for key in kept:
        assert key in versions.inner_text()
    assert "Invalid" not in versions.inner_text()
    left = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('draft:'))")
    assert sorted(left) == sorted(kept)
    ages = page.evaluate("(key) => Date.now() - JSON.parse(localStorage[key]).at", f"{mine}:late")
    assert 0 <= ages < DAY_MS, "and it grows old from now on"


def test_leaving_with_unsaved_words_is_asked_about(visit: Visit, person: Person) -> None:
    """And leaving without any is not."""
    writer = visit(person)
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page = writer.page
    page.on("dialog", answer)
    # Left in the middle of a refresh, the next page would wait for that one's answer.
    with page.expect_response("**/api/auth/refresh"):
        open_editor(writer)
    with page.expect_response("**/api/auth/refresh"):
        page.reload()
    page.locator("#editor [name=content]:enabled").wait_for()
    assert asked == []
    page.locator("[name=title]").click()
    page.keyboard.type("words")
    page.reload()
    assert asked == ["beforeunload"]


def test_leaving_in_the_middle_of_a_refresh_ends_no_session(visit: Visit, person: Person) -> None:
    """Its answer, which nobody sees, makes the token used that the next page would show."""
    writer = visit(person)
    page = writer.page
    with page.expect_request("**/api/auth/refresh"):
        page.goto(f"{writer.url}/blog/write", wait_until="commit")
    page.goto(f"{writer.url}/blog/write")
    page.locator("#editor [name=content]:enabled").wait_for()
    fill(page, content="seen by the server")
    page.locator("#preview", has_text="seen by the server").wait_for()


def test_tabs_agree_on_who_is_logged_in(visit: Visit, person: Person) -> None:
    """Logging in is seen in the other tab; logging out logs out all; no session breaks."""
    writer = visit()
    page, t = writer.page, writer.words
    writer.go("/blog/")
    other = writer.tab()
    other.goto(f"{writer.url}/blog/login")
    fill(other, username=person.username, password=person.password)
    button(other, t("login.submit")).click()
    other.locator("#logout").wait_for()
    button(page, t("site.log_out")).wait_for()
    third = writer.tab()
    # All three need a token at the same moment: a refresh token that is used twice ends a session.
    for tab in (page, other, third):
        tab.goto(f"{writer.url}/blog/write", wait_until="commit")
    for tab in (page, other, third):
        tab.locator("#editor [name=content]:enabled").wait_for()
        fill(tab, content="seen by the server")
        tab.locator("#preview", has_text="seen by the server").wait_for()
    writer.expect(401)
    button(other, t("site.log_out")).click()
    for tab in (page, third):
        tab.get_by_role("alert").get_by_text(t("editor.session_ended")).wait_for()
        assert tab.locator("[name=content]").input_value() == "seen by the server"
    other.get_by_role("link", name=t("site.log_in"), exact=True).first.wait_for()


def test_a_post_saved_in_one_tab_is_known_in_the_other(
    visit: Visit, platform: Platform, person: Person
) -> None:
    number = platform.post(person)["id"]
    writer = visit(person)
    page, t = writer.page, writer.words
    open_editor(writer, f"/blog/posts/{number}/edit")
    other = writer.tab()
    other.goto(f"{writer.url}/blog/posts/{number}/edit")
    other.locator("#editor [name=content]:enabled").wait_for()
    fill(other, content="Saved over there.")
    button(other, t("write.save")).click()
    other.locator("#kept", has_text=t("editor.saved")).wait_for()
    becomes(page, "over there")
