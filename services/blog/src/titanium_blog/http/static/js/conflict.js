// The dialog for a post that was changed elsewhere meanwhile: both versions side by side.

import { ask } from "./dialogs.js";
import { compare } from "./diff.js";
import { t, when } from "./strings.js";

const dialog = document.getElementById("conflict");

/**
 * Asks which version the editor goes on with.
 * @param {import("./drafts.js").Words} mine
 * @param {{words: import("./drafts.js").Words, updated: string}} theirs
 * @returns {Promise<string>} "mine", "theirs", or "" for neither yet
 */
export function choose(mine, theirs) {
  document.getElementById("conflict-when").textContent = t("editor.conflict_when", { when: when(theirs.updated) });
  const columns = { mine: mine, theirs: theirs.words };
  const parts = compare(mine.content, theirs.words.content);
  for (const [side, words] of Object.entries(columns)) {
    const other = side === "mine" ? theirs.words : mine;
    line(`conflict-${side}-title`, words.title, words.title !== other.title);
    line(`conflict-${side}-category`, words.category, words.category !== other.category);
    const content = document.getElementById(`conflict-${side}-content`);
    content.replaceChildren(...parts.filter((part) => part[side].length).map((part) => block(part, side)));
  }
  return ask(dialog);
}

/** @param {string} id @param {string} text @param {boolean} differs */
function line(id, text, differs) {
  const place = document.getElementById(id);
  place.replaceChildren(differs ? marked(text) : text);
}

/** @param {import("./diff.js").Part} part @param {"mine" | "theirs"} side */
function block(part, side) {
  const text = `${part[side].join("\n")}\n`;
  return part.same ? document.createTextNode(text) : marked(text);
}

/** @param {string} text */
function marked(text) {
  const mark = document.createElement("mark");
  mark.textContent = text;
  return mark;
}
