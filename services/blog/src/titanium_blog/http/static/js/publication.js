// A post on its way to the server, such that a lost answer makes neither a second post nor a
// conflict with oneself.

import { call } from "./api.js";
import { randomText } from "./drafts.js";
import { Refused, send } from "./http.js";

/** @typedef {import("./drafts.js").Words} Words */

/** The post has changed since it was opened here. `theirs` is what the server has. */
export class Conflict extends Error {
  /** @param {{words: Words, etag: string, updated: string}} theirs */
  constructor(theirs) {
    super("The post has changed.");
    this.theirs = theirs;
  }
}

const MEMBERS = { title: "title", content: "content", category: "category_name" };

/** @param {Words} words */
function canonical({ title, content, category }) {
  return {
    title: title.trim(),
    content: content.replace(/\r\n?/g, "\n"),
    category: category.normalize("NFC").split(/\s+/).filter(Boolean).join(" "),
  };
}

/** @param {Words | null} one @param {Words | null} other */
export function same(one, other) {
  if (!one || !other) return false;
  const [a, b] = [canonical(one), canonical(other)];
  return Object.keys(MEMBERS).every((name) => a[name] === b[name]);
}

/** A post of the API in this module's words. @param {import("./http.js").Answer} answer */
function received({ data, etag }) {
  const words = canonical({ title: data.title, content: data.content, category: data.category.name });
  return { words, etag, updated: data.updated_at, author: data.author };
}

/** A post as everybody may read it. @param {number} id */
export async function readPost(id) {
  return received(await send("GET", `/api/posts/${id}`));
}

export class Publication {
  /**
   * @param {number | null} id null: not published yet
   * @param {string | null} etag
   * @param {Words | null} saved what the server has under that etag
   */
  constructor(id, etag, saved) {
    this.id = id;
    this.etag = etag;
    this.saved = saved;
    /** @type {{key: string, words: Words} | null} sent without an answer so far */
    this.pending = null;
    /** @type {Words | null} a change that was sent without an answer */
    this.attempted = null;
  }

  /**
   * Brings `words` to the server.
   * @param {Words} words
   * @param {() => void} [changed] called when `pending` changes, before anything is sent
   * @throws {Conflict | Refused | import("./http.js").NetworkError | import("./http.js").SignedOut}
   */
  async store(words, changed = () => {}) {
    if (this.id === null) await this.#create(words, changed);
    while (!same(this.saved, words)) await this.#change(words);
  }

  /** @param {string | null} etag the version that is meant */
  async remove(etag) {
    await call("DELETE", `/api/posts/${this.id}`, { headers: etag ? { "If-Match": etag } : {} });
  }

  /** @param {Words} words @param {() => void} changed */
  async #create(words, changed) {
    // The same words under the same key are published once, however often they are sent.
    this.pending ??= { key: randomText(), words };
    changed();
    const sent = this.pending;
    try {
      const answer = await call("POST", "/api/posts", {
        body: bodyOf(sent.words),
        headers: { "Idempotency-Key": sent.key },
      });
      this.id = answer.data.id;
      this.#keep(sent.words, answer.etag);
      this.pending = null;
    } catch (error) {
      if (decided(error)) this.pending = null;
      throw error;
    } finally {
      changed();
    }
  }

  /** @param {Words} words */
  async #change(words) {
    const names = Object.keys(MEMBERS).filter((name) => words[name] !== this.saved?.[name]);
    const body = bodyOf(Object.fromEntries(names.map((name) => [name, words[name]])));
    try {
      const headers = { "If-Match": this.etag };
      const { etag } = await call("PATCH", `/api/posts/${this.id}`, { body, headers });
      this.#keep(words, etag);
    } catch (error) {
      if (!(error instanceof Refused && error.status === 412)) {
        if (!decided(error)) this.attempted = words;
        throw error;
      }
      const theirs = await readPost(this.id);
      if (!same(theirs.words, words) && !same(theirs.words, this.attempted)) throw new Conflict(theirs);
      this.#keep(theirs.words, theirs.etag); // It was us: the answer had been lost.
    }
  }

  /** @param {Words} words @param {string} etag */
  #keep(words, etag) {
    this.saved = words;
    this.etag = etag;
    this.attempted = null;
  }
}

/** @param {Partial<Words>} words */
function bodyOf(words) {
  return Object.fromEntries(Object.entries(words).map(([name, value]) => [MEMBERS[name], value]));
}

/** Whether the server has certainly not done it. @param {unknown} error */
function decided(error) {
  return error instanceof Refused && !error.passing && error.status !== 429;
}
