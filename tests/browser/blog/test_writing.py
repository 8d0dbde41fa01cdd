"""What writers do, in both languages and colour schemes, on a wide and a narrow screen."""

from __future__ import annotations

import re
import secrets
from typing import Any

import pytest

from tests.browser.blog.visitor import NARROW, WIDE, Visit, Visitor
from tests.support import Person, Platform

pytestmark = pytest.mark.e2e

WAYS = pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", WIDE), ("ko", "dark", NARROW)],
    ids=["en-light-wide", "ko-dark-narrow"],
)
TEXT = "Some *words*.\n\n## A part\n\n```python\nprint(1)\n```"


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def fill(page: Any, **values: str) -> None:
    """Fields by their names."""
    for name, value in values.items():
        page.locator(f"[name={name}]").first.fill(value)


def toast(visitor: Visitor, key: str, **values: object) -> None:
    """Wait until the page says this."""
    visitor.page.locator("#toast", has_text=visitor.words(key, **values)).wait_for()


def open_editor(visitor: Visitor, path: str = "/blog/write") -> Any:
    """The editor, ready to be typed into."""
    visitor.go(path)
    visitor.page.locator("#editor [name=content]:enabled").wait_for()
    return visitor.page


@WAYS
def test_a_writer_registers_writes_edits_deletes_and_logs_out(
    visit: Visit, language: str, scheme: str, width: int
) -> None:
    """From a reader's page and back to it, by what the pages themselves offer."""
    writer = visit(language=language, scheme=scheme, width=width)
    page, t = writer.page, writer.words
    name = f"new-{secrets.token_hex(4)}"
    writer.go("/blog/?q=postgres")
    page.get_by_role("link", name=t("site.register"), exact=True).first.click()
    fill(page, username=name, email=f"{name}@example.org", password="a long sentence of mine")
    button(page, t("register.submit")).click()
    toast(writer, "form.welcome", name=name)
    assert page.url.endswith("/blog/?q=postgres"), "back to where the reader was"
    page.get_by_role("link", name=t("site.write"), exact=True).click()
    page.locator("#editor [name=content]:enabled").wait_for()
    title = f"A title of {name}"
    fill(page, title=title, category="Test kitchen", content=TEXT)
    if width == NARROW:
        button(page, t("write.tab_preview")).click()
    page.locator("#preview h2", has_text="A part").wait_for()
    preview = page.locator("#preview").inner_html().strip()
    button(page, t("write.publish")).click()
    toast(writer, "editor.published")
    address = re.sub(r"[?#].*", "", page.url)
    assert page.locator("h1").inner_text() == title
    assert preview in page.locator("main .prose").inner_html(), "as the preview said"
    page.locator("#edit").click()
    page.locator("#editor [name=content]:enabled").wait_for()
    assert page.locator("[name=content]").input_value() == TEXT
    if width == NARROW:
        button(page, t("write.tab_write")).click()
    fill(page, title=f"{title}, edited", content=f"{TEXT}\n\nMore.")
    button(page, t("write.save_view")).click()
    toast(writer, "editor.saved")
    assert page.locator("h1").inner_text() == f"{title}, edited"
    assert "More." in page.locator("main").inner_text()
    page.locator("#edit").click()
    page.locator("#editor [name=content]:enabled").wait_for()
    button(page, t("write.delete")).click()
    button(page, t("write.cancel")).click()
    assert page.url.startswith(address)
    button(page, t("write.delete")).click()
    button(page, t("write.delete_now")).click()
    toast(writer, "editor.deleted")
    assert title not in page.locator("main").inner_text()
    button(page, t("site.log_out")).click()
    toast(writer, "js.logged_out")
    page.get_by_role("link", name=t("site.log_in"), exact=True).first.wait_for()
    writer.expect(404)
    assert page.goto(address).status == 404


@WAYS
def test_logging_in_leads_back_to_the_page(
    visit: Visit, person: Person, language: str, scheme: str, width: int
) -> None:
    """Also to a page that is for writers; a wrong password is said, and the name stays."""
    writer = visit(language=language, scheme=scheme, width=width)
    page, t = writer.page, writer.words
    writer.expect(401)
    writer.go("/blog/write")
    page.wait_for_url("**/blog/login?next=*")
    fill(page, username=person.username, password="not this one")
    button(page, t("login.submit")).click()
    page.get_by_role("alert").get_by_text(t("form.wrong_login")).wait_for()
    assert page.locator("[name=username]").input_value() == person.username
    fill(page, password=person.password)
    button(page, t("login.submit")).click()
    page.wait_for_url("**/blog/write")
    page.locator("#editor [name=content]:enabled").wait_for()


@pytest.mark.parametrize("next_page", ["https://example.org/", "//example.org", "javascript:x"])
def test_logging_in_leads_to_no_other_site(visit: Visit, person: Person, next_page: str) -> None:
    writer = visit()
    writer.go(f"/blog/login?next={next_page}")
    fill(writer.page, username=person.username, password=person.password)
    button(writer.page, writer.words("login.submit")).click()
    writer.page.wait_for_url(f"{writer.url}/blog/")


@WAYS
def test_an_account_is_changed_and_deleted(
    visit: Visit, platform: Platform, person: Person, language: str, scheme: str, width: int
) -> None:
    """Profile, password, and in the end all of it, with the password."""
    platform.post(person, "What goes with its author")
    writer = visit(person, language=language, scheme=scheme, width=width)
    page, t = writer.page, writer.words
    writer.expect(403)
    writer.go("/blog/account")
    page.locator("#profile [name=email]:enabled").wait_for()
    assert person.username in page.locator("main").inner_text()
    assert page.locator("[name=email]").input_value() == person.email
    fill(page, display_name="Somebody 누군가", email=f"new-{person.email}")
    button(page, t("account.save_profile")).click()
    page.get_by_text(t("form.profile_saved")).wait_for()
    page.reload()
    page.locator("#profile [name=email]:enabled").wait_for()
    assert page.locator("[name=display_name]").input_value() == "Somebody 누군가"
    assert page.locator("[name=email]").input_value() == f"new-{person.email}"
    chosen = "another long sentence"
    fill(page, current_password="not this one", new_password=chosen)
    button(page, t("account.save_password")).click()
    described(page, "current_password", t("form.wrong_password"))
    fill(page, current_password=person.password)
    button(page, t("account.save_password")).click()
    page.get_by_text(t("form.password_saved")).wait_for()
    person.password = chosen
    platform.login(person)
    button(page, t("account.remove")).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=password]").fill("not this one")
    button(dialog, t("account.remove_now")).click()
    described(page, "removal-password", t("form.wrong_password"))
    dialog.locator("[name=password]").fill(chosen)
    button(dialog, t("account.remove_now")).click()
    toast(writer, "form.removed")
    assert page.url.endswith("/blog/")
    page.get_by_role("link", name=t("site.log_in"), exact=True).first.wait_for()
    assert platform.client.get(f"/api/users/{person.username}").status_code == 404


def described(page: Any, field: str, message: str) -> None:
    """Wait until the field is wrong for this reason, which stands beside it."""
    place = page.locator(f"#{field}[aria-invalid=true]")
    place.wait_for()
    names = str(place.get_attribute("aria-describedby")).split()
    said = [page.locator(f"#{name}").inner_text() for name in names]
    assert message in said
    below = page.locator(f"#{names[-1]}").bounding_box()["y"] - place.bounding_box()["y"]
    assert 0 < below < 200


def test_what_the_api_refuses_is_said_beside_the_field(visit: Visit, person: Person) -> None:
    """What was typed stays; the first wrong field has the focus."""
    writer = visit(language="ko")
    page, t = writer.page, writer.words
    writer.expect(409, 422)
    writer.go("/blog/register")
    button(page, t("register.submit")).click()
    described(page, "username", t("form.required"))
    assert page.evaluate("document.activeElement.id") == "username"
    fill(page, username="a b!", email="nowhere", password="short")
    button(page, t("register.submit")).click()
    for field, rule in (("username", "username"), ("email", "email"), ("password", "password")):
        described(page, field, t(f"form.{rule}_rule"))
    fill(page, username=person.username, email=f"x-{person.email}", password="password1")
    button(page, t("register.submit")).click()
    described(page, "password", t("form.password_refused"))
    fill(page, password="not a common one at all")
    button(page, t("register.submit")).click()
    described(page, "username", t("form.taken"))
    assert page.locator("[name=email]").input_value() == f"x-{person.email}"
    assert page.evaluate("document.activeElement.id") == "username"


def test_keys_do_what_the_list_of_keys_says(visit: Visit, person: Person) -> None:
    """Bold, italic and a link around the selection; saving; the list itself."""
    writer = visit(person)
    page, t = writer.page, writer.words
    open_editor(writer)
    content = page.locator("[name=content]")
    for key, text in (("b", "**word**"), ("i", "*word*"), ("k", "[word](https://)")):
        content.fill("word")
        content.press("Control+a")
        content.press(f"Control+{key}")
        assert content.input_value() == text
    content.press("Control+z")
    assert content.input_value() == "word", "undo knows what the keys did"
    button(page, t("write.heading")).click()
    assert content.input_value() == "## word"
    page.keyboard.press("Control+/")
    dialog = page.get_by_role("dialog", name=t("write.help_title"))
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.locator("[name=title]").fill("By keys alone")
    content.press("Control+Enter")
    toast(writer, "editor.published")
    page.locator("#edit").click()
    page.locator("#editor [name=content]:enabled").wait_for()
    content.fill("changed")
    content.press("Control+s")
    page.locator("#kept", has_text=t("editor.saved")).wait_for()
    assert page.url.endswith("/edit"), "saving stays in the editor"


def test_saving_in_the_middle_of_a_syllable_keeps_the_draft(visit: Visit, person: Person) -> None:
    """Korean is always being composed; the other keys wait for the end of the syllable."""
    writer = visit(person)
    page, t = writer.page, writer.words
    open_editor(writer)
    content = page.locator("[name=content]")
    content.focus()
    keyboard = writer.context.new_cdp_session(page)
    composed = {"text": "하", "selectionStart": 1, "selectionEnd": 1}
    keyboard.send("Input.imeSetComposition", composed)
    for letter in ("b", "s"):
        key = {"key": letter, "code": f"Key{letter.upper()}", "modifiers": 2}
        keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    page.locator("#announce", has_text=t("editor.kept", when="")[:10]).wait_for()
    assert content.input_value() == "하"


def test_forms_say_what_they_need(visit: Visit) -> None:
    """Without scripts no form pretends to work."""
    reader = visit(scripts=False, language="ko")
    for path, table in (
        ("/blog/register", "register"),
        ("/blog/login", "login"),
        ("/blog/account", "account"),
        ("/blog/write", "write"),
    ):
        reader.go(path)
        assert reader.words(f"{table}.noscript") in reader.page.locator("main").inner_text()
        assert reader.page.locator("main form button[type=submit]:enabled").count() == 0
