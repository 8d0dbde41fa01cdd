// Short messages at the lower edge of the page, also across a change of pages.

const KEY = "flash";
const SHOWN_MS = 8_000;
const place = document.getElementById("toast");
let timer = 0;

/** @param {string} text */
export function toast(text) {
  if (!place) return;
  clearTimeout(timer);
  place.textContent = text;
  timer = setTimeout(() => place.replaceChildren(), SHOWN_MS);
}

/**
 * Goes to another page and says `text` there.
 * @param {string} address
 * @param {string} text
 */
export function goSaying(address, text) {
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // Then nothing is said.
  }
  location.assign(address);
}

/** Says what the page before wanted to be said. */
export function sayWhatWasLeft() {
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    if (text) toast(text);
  } catch {
    // There is nothing to say.
  }
}
