// Who is signed in. The access token is in this page's memory only; the refresh token is in a
// cookie that no script can read. localStorage `signed-in` holds the username: a hint that there
// may be such a cookie, so that readers who never signed in make no call at all.
//
// A refresh token works once, so tabs take turns (a lock) and tell each other what they got.

import { Refused, send } from "./http.js";
import { keep, recall } from "./storage.js";

const HINT = "signed-in";
const REFRESHING = "refreshing-since";
const EARLY_MS = 30_000; // a token that ends sooner is as good as none
// As long as a page that was left may still be getting its new cookie, also on a slow line: who asks
// earlier shows a used token and is logged out.
const ORPHAN_MS = 3_000;

/** @typedef {{token: string, username: string, ends: number}} Session */

/** @type {Session | null} */
let session = null;
const listeners = new Set();
const shown = document.documentElement.dataset; // what the page shows, kept right below
const channel = "BroadcastChannel" in window ? new BroadcastChannel("titanium") : null;

/** The name of who is signed in, as far as this browser knows without asking; else null. */
export function username() {
  return session?.username ?? recall(HINT);
}

/** Whether the next page will know that there is a session: not where this site may store nothing. */
export function remembered() {
  return recall(HINT) !== null;
}

/**
 * A token that is valid for a while yet; null when nobody is signed in (any more).
 * @param {string} [stale] a token that was refused: any other one will do
 * @returns {Promise<string | null>}
 * @throws {NetworkError | Refused} when it cannot be told now
 */
export async function accessToken(stale) {
  if (usable(stale)) return session.token;
  if (!username()) return null;
  return inTurn(async () => (usable(stale) ? session.token : await refresh()));
}

/**
 * Opens a session.
 * @param {string} name
 * @param {string} password
 */
export async function logIn(name, password) {
  await inTurn(async () => {
    const { data } = await send("POST", "/api/login", { body: { username: name, password } });
    begin(data);
  });
}

/** Ends the session everywhere. Throws when the server could not be told: then it goes on. */
export async function logOut() {
  await inTurn(async () => {
    try {
      await send("POST", "/api/auth/logout", { token: session?.token, keepalive: true });
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) throw error;
    }
    end(true);
  });
}

/**
 * Forgets the session here and in the other tabs; the server ended it already.
 * @param {boolean} [wanted] whether somebody logged out, and it did not just run out
 */
export function end(wanted = false) {
  set(null, wanted);
  channel?.postMessage({ session: null, wanted });
}

/**
 * Calls `listener` with the username (or null) whenever it changes, in this tab or another one,
 * and with whether somebody logged out.
 * @param {(username: string | null, wanted: boolean) => void} listener
 */
export function onChange(listener) {
  listeners.add(listener);
}

/** @param {string} [stale] */
function usable(stale) {
  return session !== null && session.token !== stale && session.ends - EARLY_MS > Date.now();
}

async function refresh() {
  await orphan();
  for (let attempt = 0; ; attempt += 1) {
    keep(REFRESHING, String(Date.now()));
    try {
      // Outlives the page: an answer that nobody takes would leave the browser with a used token.
      const { data } = await send("POST", "/api/auth/refresh", { keepalive: true });
      keep(REFRESHING, null);
      begin(data);
      return session.token;
    } catch (error) {
      // Without an answer (a page that is being left comes here, too) it may still be on its way.
      if (!(error instanceof Refused)) throw error;
      keep(REFRESHING, null);
      if (error.status === 401) {
        end();
        return null;
      }
      if (error.status !== 409 || attempt === 4) throw error;
      await pause(error.wait * 1000);
    }
  }
}

/** Waits for a refresh that a page began and did not see the end of: it was left meanwhile. */
async function orphan() {
  const age = Date.now() - Number(recall(REFRESHING) ?? 0);
  if (age >= 0 && age < ORPHAN_MS) await pause(ORPHAN_MS - age);
}

/** @param {{access_token: string, expires_in: number}} grant */
function begin(grant) {
  const token = grant.access_token;
  set({ token, username: nameIn(token), ends: Date.now() + grant.expires_in * 1000 });
  channel?.postMessage({ session });
}

/** @param {Session | null} next @param {boolean} [wanted] */
function set(next, wanted = false) {
  session = next;
  keep(HINT, next?.username ?? null);
  tell(wanted);
}

/** @param {boolean} wanted */
function tell(wanted) {
  const before = shown.signedIn ?? null;
  const name = username();
  if (name) shown.signedIn = name;
  else delete shown.signedIn;
  if (name !== before) for (const listener of listeners) listener(name, wanted);
}

/** The claim `username` of a token. @param {string} token */
function nameIn(token) {
  const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).username;
}

/**
 * One tab after the other. (Without locks, on an address that the browser does not trust, tabs
 * may meet; the server then answers 409 to all but one.)
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
function inTurn(action) {
  return navigator.locks ? navigator.locks.request("titanium-session", action) : action();
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

channel?.addEventListener("message", ({ data }) => {
  if (!("session" in data)) return;
  session = data.session;
  tell(data.wanted === true);
});

// Storage may reach this tab after the message: then the hint was still the old one.
addEventListener("storage", ({ key }) => {
  if (key !== HINT && key !== null) return;
  if (session?.username !== recall(HINT)) session = null;
  tell(false);
});

// A page that comes back from the browser's memory missed what the others said.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  if (session?.username !== recall(HINT)) session = null;
  tell(false);
});
