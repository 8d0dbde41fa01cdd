// The texts of this page's language, which the server wrote into the page.

/** @type {Record<string, string>} */
const texts = JSON.parse(document.getElementById("strings")?.textContent ?? "{}");

/** The page's language: "en" or "ko". */
export const language = document.documentElement.lang;

/**
 * A text with its `{names}` filled in. With a number `count`, the key's `_one` or `_other` form.
 * @param {string} key as in the catalogs
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const plural = values.count === 1 ? `${key}_one` : `${key}_other`;
  const text = texts[key] ?? texts[plural];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => number(values[name]));
}

/** @param {string | number} value */
function number(value) {
  return typeof value === "number" ? value.toLocaleString(language) : String(value ?? "");
}

/**
 * A moment as people say it: the time when it is today, else with its day.
 * @param {string | number} moment milliseconds or RFC 3339
 */
export function when(moment) {
  const date = new Date(moment);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(language, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}
