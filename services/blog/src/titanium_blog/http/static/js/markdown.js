// The editor's buttons and keys: Markdown around what is selected.

/** @typedef {HTMLTextAreaElement} Area */

/**
 * Replaces a range such that the browser's undo knows it.
 * @param {Area} area
 * @param {number} start
 * @param {number} end
 * @param {string} text
 */
function replace(area, start, end, text) {
  area.focus();
  area.setSelectionRange(start, end);
  const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (!done) {
    area.setRangeText(text, start, end, "end");
    area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

/**
 * Puts marks around the selection, or takes them away when they are there.
 * @param {Area} area
 * @param {string} before
 * @param {string} after
 */
function wrap(area, before, after = before) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const inner = value.slice(start, end);
  const outside = value.slice(start - before.length, start) === before && value.slice(end, end + after.length) === after;
  if (outside) {
    replace(area, start - before.length, end + after.length, inner);
    area.setSelectionRange(start - before.length, end - before.length);
  } else {
    replace(area, start, end, before + inner + after);
    area.setSelectionRange(start + before.length, end + before.length);
  }
}

/**
 * Begins every selected line with `mark`, or takes it away when all have it.
 * @param {Area} area
 * @param {(index: number) => string} mark
 * @param {RegExp} present
 */
function prefixLines(area, mark, present) {
  const { value } = area;
  const start = value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const newline = value.indexOf("\n", area.selectionEnd);
  const end = newline === -1 ? value.length : newline;
  const lines = value.slice(start, end).split("\n");
  const all = lines.every((line) => present.test(line));
  const text = lines.map((line, index) => (all ? line.replace(present, "") : mark(index) + line)).join("\n");
  replace(area, start, end, text);
  area.setSelectionRange(start + (lines.length > 1 || all ? 0 : text.length), start + text.length);
}

/** @param {Area} area @param {string} mark "" or "!" */
function link(area, mark = "") {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const inner = value.slice(start, end);
  const isAddress = /^https?:\/\/\S+$/.test(inner);
  const text = isAddress ? `${mark}[](${inner})` : `${mark}[${inner}](https://)`;
  replace(area, start, end, text);
  const inside = start + mark.length + 1;
  if (isAddress || !inner) area.setSelectionRange(inside, inside);
  else area.setSelectionRange(start + text.length - 9, start + text.length - 1);
}

/** @param {Area} area */
function code(area) {
  const inner = area.value.slice(area.selectionStart, area.selectionEnd);
  if (inner.includes("\n")) wrap(area, "```\n", "\n```");
  else wrap(area, "`");
}

/** What each of the editor's buttons does. @type {Record<string, (area: Area) => void>} */
export const COMMANDS = {
  bold: (area) => wrap(area, "**"),
  italic: (area) => wrap(area, "*"),
  strike: (area) => wrap(area, "~~"),
  heading: (area) => prefixLines(area, () => "## ", /^#{1,6} /),
  quote: (area) => prefixLines(area, () => "> ", /^> ?/),
  list: (area) => prefixLines(area, () => "- ", /^[-*] /),
  numbers: (area) => prefixLines(area, (index) => `${index + 1}. `, /^\d+\. /),
  link: (area) => link(area),
  image: (area) => link(area, "!"),
  code: (area) => code(area),
};

const KEYS = { b: "bold", i: "italic", k: "link" };

/**
 * The command of a key, "" when it has none. Where the key writes no Latin letter (a Korean
 * keyboard), its place counts.
 * @param {KeyboardEvent} event
 */
export function letterOf(event) {
  // In the middle of a syllable only saving makes sense: it changes no text.
  if ((event.isComposing && event.code !== "KeyS") || !(event.ctrlKey || event.metaKey) || event.altKey) return "";
  if (event.key === "Enter") return "enter";
  const key = event.key.toLowerCase();
  return /^[\x21-\x7e]$/.test(key) ? key : event.code.replace(/^Key/, "").toLowerCase();
}

/** Commands of keys inside the text. @param {string} letter */
export function commandOf(letter) {
  return Object.hasOwn(KEYS, letter) ? COMMANDS[KEYS[letter]] : null;
}
