// How the editor looks and feels: buttons, keys, preview, what is said below the text.

import { send } from "./http.js";
import { ask } from "./dialogs.js";
import { lengthOf } from "./fields.js";
import { COMMANDS, commandOf, letterOf } from "./markdown.js";
import { Preview } from "./preview.js";
import { t } from "./strings.js";

/**
 * @param {HTMLFormElement} form
 * @param {{save: (leave: boolean) => void, keep: () => void}} actions
 */
export function arrange(form, { save, keep }) {
  const content = form.elements.namedItem("content");
  const place = document.getElementById("preview");
  const preview = new Preview(content, place, t("editor.nothing"));
  const help = document.getElementById("help");

  const count = () => {
    document.getElementById("count").textContent = t("editor.count", { count: lengthOf(content.value) });
  };
  content.addEventListener("input", () => {
    count();
    preview.later();
  });
  addEventListener("online", () => preview.now());
  content.addEventListener("scroll", () => {
    const way = content.scrollHeight - content.clientHeight;
    place.scrollTop = way > 0 ? (content.scrollTop / way) * (place.scrollHeight - place.clientHeight) : 0;
  });

  for (const button of form.querySelectorAll("[data-command]")) {
    button.addEventListener("click", () => COMMANDS[button.dataset.command](content));
  }
  for (const button of form.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => {
      form.dataset.view = button.dataset.show;
      for (const other of form.querySelectorAll("[data-show]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      preview.now();
    });
  }
  document.getElementById("save").addEventListener("click", () => save(false));
  document.getElementById("publish").addEventListener("click", () => save(true));
  document.getElementById("help-button").addEventListener("click", () => ask(help));

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const letter = letterOf(event);
    const command = event.target === content ? commandOf(letter) : null;
    if (command) command(content);
    else if (letter === "s") form.dataset.existing === undefined ? keep() : save(false);
    else if (letter === "enter") save(true);
    else if (letter === "/") ask(help);
    else return;
    event.preventDefault();
  });

  roving([...form.querySelectorAll(".toolbar button")]);
  suggestCategories();

  return {
    /** The text was replaced. */
    refresh() {
      count();
      preview.now();
    },

    /**
     * Says how the text is kept; `aloud` also to who does not see it.
     * @param {string} text
     * @param {boolean} [aloud]
     */
    status(text, aloud = false) {
      document.getElementById("kept").textContent = text;
      if (aloud) document.getElementById("announce").textContent = text;
    },

    /** Whether the text is a post already. @param {boolean} is */
    existing(is) {
      if (is) form.dataset.existing = "";
      else delete form.dataset.existing;
    },
  };
}

/**
 * Makes a toolbar one stop of the Tab key; arrow keys go on inside of it.
 * @param {HTMLButtonElement[]} buttons
 */
function roving(buttons) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  const choose = (chosen) => {
    for (const button of buttons) button.tabIndex = button === chosen ? 0 : -1;
  };
  choose(buttons[0]);
  for (const [index, button] of buttons.entries()) {
    button.addEventListener("focus", () => choose(button));
    button.addEventListener("keydown", (event) => {
      if (!Object.hasOwn(steps, event.key)) return;
      event.preventDefault();
      buttons[Math.min(Math.max(index + steps[event.key], 0), buttons.length - 1)].focus();
    });
  }
}

/** The categories that there are, for the browser to offer. */
async function suggestCategories() {
  try {
    const { data } = await send("GET", "/api/categories");
    const options = data.slice(0, 50).map(({ name }) => Object.assign(document.createElement("option"), { value: name }));
    document.getElementById("categories").replaceChildren(...options);
  } catch {
    // Then they are typed.
  }
}
