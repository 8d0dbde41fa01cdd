// The list of texts that were left behind in this browser, above the editor.

import { ask } from "./dialogs.js";
import { discard, leftBehind } from "./drafts.js";
import { t, when } from "./strings.js";

const place = document.getElementById("versions");
const list = place.querySelector("ul");
const model = place.querySelector("template");

/**
 * Shows the drafts of a post that no tab has open.
 * @param {string} owner
 * @param {number | null} post
 * @param {string} own the key of the text in the editor
 * @param {(key: string, draft: import("./drafts.js").Draft) => void} bringBack
 */
export async function showVersions(owner, post, own, bringBack) {
  const again = () => showVersions(owner, post, own, bringBack);
  const found = await leftBehind(owner, post, own);
  const items = found.map(({ key, draft }) => {
    const item = model.content.firstElementChild.cloneNode(true);
    const [title, about] = item.querySelectorAll("[data-title], [data-about]");
    title.textContent = draft.words.title.trim() || firstLine(draft.words.content);
    about.textContent = t("editor.version", { when: when(draft.at), count: [...draft.words.content].length });
    item.querySelector("[data-back]").addEventListener("click", () => bringBack(key, draft));
    item.querySelector("[data-away]").addEventListener("click", async () => {
      if ((await ask(document.getElementById("discard"))) !== "discard") return;
      discard(key);
      again();
    });
    return item;
  });
  list.replaceChildren(...items);
  place.hidden = items.length === 0;
}

/** @param {string} content */
function firstLine(content) {
  return content.trim().split("\n")[0].slice(0, 80) || t("editor.untitled");
}
