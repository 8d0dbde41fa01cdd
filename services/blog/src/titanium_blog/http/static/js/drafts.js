// Texts that are not published yet, kept in this browser: localStorage `draft:<who>:<post>:<id>`.
// A tab holds a lock of that name as long as it is open; a draft without a lock was left behind
// (the tab was closed, the machine stopped) or set aside, and can be brought back.

import { keep, keys, recall } from "./storage.js";

const KEPT_DAYS = 60; // since it was last changed
const DAY_MS = 86_400_000;

/**
 * @typedef {{title: string, content: string, category: string}} Words
 * @typedef {object} Draft
 * @property {Words} words
 * @property {string | null} etag the version that the words were made from; null of a new post
 * @property {{key: string, words: Words} | null} pending a publication with an unknown outcome
 * @property {number} at when it was kept, in milliseconds
 */

/** Drafts that the browser had no room for, by key: this page alone has them. @type {Map<string, string>} */
const homeless = new Map();

/** @param {string} owner @param {number | null} post */
function prefix(owner, post) {
  return `draft:${owner}:${post ?? "new"}:`;
}

/** @param {string} owner @param {number | null} post */
export function newKey(owner, post) {
  return prefix(owner, post) + randomText();
}

/** 128 random bits. */
export function randomText() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Holds a draft for this tab; the function that is returned lets go of it.
 * @param {string} key
 * @returns {() => void}
 */
export function hold(key) {
  let release = () => {};
  const held = new Promise((resolve) => {
    release = () => resolve(undefined);
  });
  navigator.locks?.request(key, { ifAvailable: true }, () => held);
  return release;
}

/** @param {string} key @param {Draft} draft @returns {boolean} whether there was room */
export function save(key, draft) {
  const text = JSON.stringify(draft);
  const kept = keep(key, text);
  if (kept) homeless.delete(key);
  else homeless.set(key, text);
  return kept;
}

/** @param {string} key */
export function discard(key) {
  homeless.delete(key);
  keep(key, null);
}

/**
 * The drafts of a post that no tab has open, the newest first.
 * @param {string} owner
 * @param {number | null} post null: of posts that are not published yet
 * @param {string} own this tab's key, which is not among them
 * @returns {Promise<{key: string, draft: Draft}[]>}
 */
export async function leftBehind(owner, post, own) {
  const busy = await inUse(own);
  return everyKey()
    .filter((key) => key.startsWith(prefix(owner, post)) && !busy.has(key))
    .map((key) => ({ key, draft: read(key) }))
    .filter(({ draft }) => draft !== null)
    .sort((one, other) => other.draft.at - one.draft.at);
}

/**
 * Forgets what nobody has open or came back to for a long time, whoever wrote it.
 * @param {string} own this tab's key, which stays
 */
export async function dropOld(own) {
  const busy = await inUse(own);
  const oldest = Date.now() - KEPT_DAYS * DAY_MS;
  for (const key of everyKey()) {
    const draft = key.startsWith("draft:") && !busy.has(key) ? parse(key) : null;
    if (!draft) continue;
    const at = timeOf(draft);
    if (at < oldest) discard(key);
    else if (at !== draft.at) save(key, { ...draft, at });
  }
}

/** The drafts that are open in a tab. @param {string} own this tab's key @returns {Promise<Set<string>>} */
async function inUse(own) {
  const { held: locks = [] } = (await navigator.locks?.query()) ?? {};
  return new Set([own, ...locks.map((lock) => lock.name)]);
}

/** @param {string} key @returns {Draft | null} */
function read(key) {
  const draft = parse(key);
  return draft && { ...draft, at: timeOf(draft) };
}

/** When a draft was kept; now, where what is written there cannot be. @param {Draft} draft */
function timeOf({ at }) {
  const now = Date.now();
  return Number.isFinite(at) && at > 0 && at <= now ? at : now;
}

/** A draft as it was kept; its time may be anything. @param {string} key @returns {Draft | null} */
function parse(key) {
  try {
    const draft = JSON.parse(homeless.get(key) ?? recall(key) ?? "null");
    const { title, content, category } = draft?.words ?? {};
    return [title, content, category].every((text) => typeof text === "string") ? draft : null;
  } catch {
    return null;
  }
}

/** Whether another tab has the post open. @param {string} owner @param {number} post @param {string} own */
export async function openElsewhere(owner, post, own) {
  const busy = await inUse(own);
  return [...busy].some((name) => name !== own && name.startsWith(prefix(owner, post)));
}

/** Every draft of a post that is gone. @param {string} owner @param {number} post */
export function forgetPost(owner, post) {
  forget(prefix(owner, post));
}

/** Everything that somebody left in this browser. @param {string} owner */
export function forgetAll(owner) {
  forget(`draft:${owner}:`);
}

/** @param {string} beginning */
function forget(beginning) {
  for (const key of everyKey()) if (key.startsWith(beginning)) discard(key);
}

/** Whether a draft is lost with this page, because the browser had no room for it. */
export function onlyHere() {
  return homeless.size > 0;
}

function everyKey() {
  return [...new Set([...keys(), ...homeless.keys()])];
}
