// The rendered text beside what is being written, made by the server as it makes the page.

import { call } from "./api.js";
import { Refused } from "./http.js";
import { explain } from "./problems.js";

const REST_MS = 400; // since the last key

export class Preview {
  /**
   * @param {HTMLTextAreaElement} source
   * @param {HTMLElement} place
   * @param {string} nothing what to show for an empty text
   */
  constructor(source, place, nothing) {
    this.source = source;
    this.place = place;
    this.nothing = nothing;
    /** @type {string | null} the text that is shown */
    this.shown = null;
    this.timer = 0;
    /** When the server may be asked again; on the clock of `performance`. */
    this.notBefore = 0;
    this.request = new AbortController();
    place.addEventListener("click", (event) => this.#follow(event));
  }

  /** The text has changed. */
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), REST_MS);
  }

  /** Shows the text as it is now, when the preview can be seen. */
  async now() {
    clearTimeout(this.timer);
    const content = this.source.value;
    if (content === this.shown || this.place.checkVisibility?.() === false) return;
    const pause = this.notBefore - performance.now();
    if (pause > 0) {
      this.timer = setTimeout(() => this.now(), pause);
      return;
    }
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    try {
      const html = content.trim() ? await this.#render(content, signal) : "";
      if (signal.aborted) return;
      if (html) this.place.innerHTML = html; // sanitized by the server, as on the post's page
      else this.#say(this.nothing, "muted");
      this.shown = content;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status === 429) return this.#wait(error.wait);
      this.shown = null;
      this.#say(explain(error), "notice error");
    }
  }

  /** Nothing that a writer could do about: what is shown stays a little longer. @param {number} seconds */
  #wait(seconds) {
    this.notBefore = performance.now() + seconds * 1000;
    this.now();
  }

  /** @param {string} content @param {AbortSignal} signal */
  async #render(content, signal) {
    const { data } = await call("POST", "/api/preview", { body: { content }, signal });
    return data.content_html;
  }

  /** @param {string} text @param {string} style */
  #say(text, style) {
    const paragraph = document.createElement("p");
    paragraph.className = style;
    paragraph.textContent = text;
    this.place.replaceChildren(paragraph);
  }

  /** Links open beside the editor, not in its place. @param {MouseEvent} event */
  #follow(event) {
    const link = event.target.closest?.("a[href]");
    if (!link || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    window.open(link.href, "_blank", "noopener");
  }
}
