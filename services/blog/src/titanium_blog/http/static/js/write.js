// The editor: a new post, or one of one's own.

import { postAddress, toLogin } from "./addresses.js";
import { choose } from "./conflict.js";
import { discard, dropOld, forgetPost, hold, newKey, onlyHere, openElsewhere, save as saveDraft } from "./drafts.js";
import { arrange } from "./editor.js";
import { check, watch } from "./fields.js";
import { GivenUp, fail, notice } from "./forms.js";
import { Refused } from "./http.js";
import { explain } from "./problems.js";
import { Conflict, Publication, readPost, same } from "./publication.js";
import { logInAgain, signedInAs } from "./relogin.js";
import { askToRemove } from "./removal.js";
import { accessToken, onChange, username } from "./session.js";
import { t, when } from "./strings.js";
import { goSaying, toast } from "./toast.js";
import { showVersions } from "./versions.js";

const KEEP_MS = 500; // since the last key
const form = document.getElementById("editor");
const [title, category, content] = ["title", "category", "content"].map((name) => form.elements.namedItem(name));
const owner = username() ?? "";
const channel = "BroadcastChannel" in window ? new BroadcastChannel("titanium") : null;

let publication = new Publication(form.dataset.post ? Number(form.dataset.post) : null, null, null);
let key = newKey(owner, publication.id);
let release = hold(key);
let leaving = false;
let timer = 0;

const view = arrange(form, { save, keep: () => keepDraft(true) });

function words() {
  return { title: title.value, content: content.value, category: category.value };
}

/** @param {import("./drafts.js").Words} next */
function fill(next) {
  [title.value, content.value, category.value] = [next.title, next.content, next.category];
  view.refresh();
}

/** Whether something is here that the server does not have. */
function dirty() {
  if (publication.saved) return !same(publication.saved, words());
  return Object.values(words()).some((text) => text.trim() !== "");
}

/** @param {boolean} [aloud] whether somebody asked for it */
function keepDraft(aloud = false) {
  clearTimeout(timer);
  if (!dirty() && !publication.pending) {
    discard(key);
    view.status("");
    return;
  }
  const { etag, pending } = publication;
  const kept = saveDraft(key, { words: words(), etag, pending, at: Date.now() });
  view.status(kept ? t("editor.kept", { when: when(Date.now()) }) : t("editor.not_kept"), aloud || !kept);
}

/** Goes on under another draft; the one before stays as it is. @param {string} next */
function switchTo(next) {
  release();
  key = next;
  release = hold(key);
}

/** The versions that were left behind, and how to get at them. */
function listVersions() {
  return showVersions(owner, publication.id, key, (next, draft) => {
    keepDraft();
    switchTo(next);
    publication.pending = draft.pending;
    if (publication.id !== null) publication.etag = draft.etag;
    fill(draft.words);
    keepDraft();
    listVersions();
    content.focus();
  });
}

/**
 * @param {import("./drafts.js").Words} other a version that lost, which is kept all the same
 * @returns {boolean} whether it outlives this page
 */
function setAside(other) {
  const draft = { words: other, etag: publication.etag, pending: null, at: Date.now() };
  const kept = saveDraft(newKey(owner, publication.id), draft);
  if (!kept) toast(t("editor.not_set_aside"));
  return kept;
}

/** @param {boolean} leave whether to go to the post's page when it is saved */
async function save(leave) {
  if (form.getAttribute("aria-busy") === "true" || form.querySelector("fieldset").disabled) return;
  notice(form, "");
  if (!check(form)) return;
  form.setAttribute("aria-busy", "true");
  view.status(t("editor.saving"), true);
  const created = publication.id === null;
  try {
    await signedInAs(owner, () => publication.store(words(), keepDraft));
    saved(created, leave);
  } catch (error) {
    keepDraft();
    if (error instanceof Conflict) settle(error, leave);
    else if (error instanceof GivenUp) notice(form, t("editor.not_logged_in"));
    else if (error instanceof Refused && error.status === 404) gone();
    else fail(form, error);
  } finally {
    if (created && publication.id !== null) published();
    form.setAttribute("aria-busy", "false");
  }
}

/** @param {boolean} created @param {boolean} leave */
function saved(created, leave) {
  keepDraft();
  channel?.postMessage({ saved: publication.id, etag: publication.etag });
  if (leave && !dirty()) depart(postAddress(publication.id), t(created ? "editor.published" : "editor.saved"));
  else view.status(t("editor.saved"), true);
}

/** A new post has an address from now on. */
function published() {
  discard(key);
  switchTo(newKey(owner, publication.id));
  keepDraft();
  history.replaceState(null, "", `${postAddress(publication.id)}/edit`);
  view.existing(true);
}

/** @param {Conflict} conflict @param {boolean} leave */
async function settle({ theirs }, leave) {
  form.setAttribute("aria-busy", "false");
  const mine = words();
  const choice = await choose(mine, theirs);
  if (!choice) return notice(form, t("editor.undecided"));
  publication.saved = theirs.words;
  publication.etag = theirs.etag;
  const kept = setAside(choice === "mine" ? theirs.words : mine);
  listVersions();
  if (choice === "mine") return save(leave && kept);
  fill(theirs.words);
  keepDraft();
}

/** The post was deleted elsewhere: the text becomes a new one. */
function gone() {
  publication = new Publication(null, null, null);
  switchTo(newKey(owner, null));
  keepDraft();
  history.replaceState(null, "", "/blog/write");
  view.existing(false);
  notice(form, t(dirty() ? "editor.gone" : "editor.no_post"));
}

/** @param {string} address @param {string} message */
function depart(address, message) {
  leaving = true;
  release();
  goSaying(address, message);
}

async function remove() {
  try {
    if (!(await askToRemove(owner, publication))) return;
    discard(key);
    forgetPost(owner, publication.id);
    channel?.postMessage({ deleted: publication.id });
    depart("/blog/", t("editor.deleted"));
  } catch (error) {
    fail(form, error);
  }
}

function unlock() {
  for (const fields of form.querySelectorAll("fieldset")) fields.disabled = false;
}

/** Shows the post as the server has it. */
async function open() {
  notice(form, "");
  try {
    const post = await readPost(publication.id);
    if (post.author !== owner) return notice(form, t("editor.not_yours", { name: post.author }));
    publication = new Publication(publication.id, post.etag, post.words);
    unlock();
    fill(post.words);
    if (await openElsewhere(owner, publication.id, key)) toast(t("editor.elsewhere"));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) {
      unlock();
      await listVersions();
      return gone();
    }
    return notice(form, explain(error), "error", { label: t("form.again"), run: open });
  }
  return listVersions();
}

async function begin() {
  if (!owner) return toLogin();
  const token = accessToken().catch(() => "not known");
  await dropOld(key);
  if (publication.id === null) {
    unlock();
    view.refresh();
    title.focus();
    await listVersions();
  } else {
    await open();
  }
  if (!(await token) && !dirty()) toLogin();
}

watch(form);
form.noValidate = true;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  save(true);
});
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(keepDraft, KEEP_MS);
});
document.getElementById("delete").addEventListener("click", remove);
// Back from the browser's memory: everything was saved, but this page has let go of its post.
addEventListener("pageshow", ({ persisted }) => persisted && leaving && location.reload());
addEventListener("pagehide", () => leaving || keepDraft());
document.addEventListener("visibilitychange", () => document.hidden && !leaving && keepDraft());
addEventListener("beforeunload", (event) => {
  if (!leaving && (dirty() || onlyHere())) event.preventDefault();
});

onChange((name) => {
  if (leaving || name === owner) return name === owner && notice(form, "");
  const message = name ? t("form.somebody_else", { name }) : t("editor.session_ended");
  const logIn = { label: t("form.log_in_again"), run: () => logInAgain(owner).catch(() => {}) };
  return notice(form, message, "error", logIn);
});

channel?.addEventListener("message", ({ data }) => {
  if (publication.id === null || leaving) return;
  if (data.deleted === publication.id) gone();
  if (data.saved !== publication.id || data.etag === publication.etag) return;
  if (dirty()) notice(form, t("editor.changed_elsewhere"));
  else open().then(() => toast(t("editor.taken_over")));
});

begin();
