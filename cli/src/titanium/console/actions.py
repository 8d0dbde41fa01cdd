"""What an operator does from a page: asked about first, done by the supervisor, its end shown."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from titanium.console.backend import Backend
from titanium.errors import TitaniumError
from titanium.supervise.protocol import Request

# A rolling restart of the slowest service takes a fraction of this.
PATIENCE = 180.0


async def confirm(title: str, text: str, action: str, danger: bool = False) -> bool:
    """Ask before something is done; Escape and a click outside mean no."""
    with ui.dialog() as dialog, ui.element("div").classes("dialog"):
        ui.label(title).classes("title")
        ui.label(text).classes("quiet")
        with ui.element("div").classes("buttons"):
            ui.button("Cancel", on_click=lambda: dialog.submit(False)).props("flat no-caps")
            color = "negative" if danger else "primary"
            ui.button(action, color=color, on_click=lambda: dialog.submit(True)).props(
                "unelevated no-caps autofocus"
            )
    return bool(await once(dialog))


async def once(dialog: ui.dialog) -> Any:
    """Show a dialog that is used once: what it was answered, None for Escape.

    It goes when it is hidden and not before: then the focus is back where it was.
    """
    dialog.on("hide", dialog.delete)
    return await dialog


async def perform(backend: Backend, request: Request, words: str) -> bool:
    """Do it and show the result; `words` name it, as in `Restart of blog`. True when it was done.

    It goes on when the page is closed meanwhile.
    """
    waiting = ui.notification(f"{words} …", spinner=True, timeout=None, position="bottom-right")
    backend.poller.hurry()
    try:
        await backend.supervisor.ask(request, timeout=PATIENCE)
    except TitaniumError as error:
        waiting.dismiss()
        ui.notification(
            f"{words} failed: {error.message}. {error.hint}",
            type="negative",
            timeout=20,
            close_button="Close",
            multi_line=True,
            position="bottom-right",
        )
        return False
    else:
        waiting.dismiss()
        ui.notification(f"{words}: done", type="positive", timeout=4, position="bottom-right")
        return True
    finally:
        backend.poller.hurry()
