// The account page: profile, password, deletion.

import { call } from "./api.js";
import { toLogin } from "./addresses.js";
import { ask } from "./dialogs.js";
import { forgetAll } from "./drafts.js";
import { valuesOf } from "./fields.js";
import { notice, takeOver } from "./forms.js";
import { SignedOut } from "./http.js";
import { explain } from "./problems.js";
import { signedInAs } from "./relogin.js";
import { end, logIn, logOut, onChange, username } from "./session.js";
import { t } from "./strings.js";
import { goSaying } from "./toast.js";

const owner = username();
const profile = document.getElementById("profile");
const password = document.getElementById("password");
const removal = document.getElementById("removal");
const dialog = document.getElementById("remove-dialog");

/** @type {Record<string, string>} what the server has */
let saved = {};
let leaving = false;

/** @param {Record<string, string>} account */
function fill(account) {
  for (const name of ["email", "display_name", "bio"]) {
    profile.elements.namedItem(name).value = account[name];
  }
  saved = valuesOf(profile);
}

async function load() {
  notice(profile, "");
  try {
    const { data } = await call("GET", "/api/users/me");
    document.getElementById("account-name").textContent = data.username;
    document.getElementById("own-posts").href = `/blog/authors/${encodeURIComponent(data.username)}`;
    fill(data);
    profile.querySelector("fieldset").disabled = false;
  } catch (error) {
    if (error instanceof SignedOut) return toLogin();
    notice(profile, explain(error), "error", { label: t("form.again"), run: load });
  }
}

const wrongPassword = (field) => (error) =>
  error.status === 403 ? { field, message: t("form.wrong_password") } : null;

takeOver(
  profile,
  async (values) => {
    const changed = Object.entries(values).filter(([name, value]) => value !== saved[name]);
    const body = Object.fromEntries(changed);
    const { data } = await signedInAs(owner, () => call("PATCH", "/api/users/me", { body }));
    fill(data);
    notice(profile, t("form.profile_saved"), "success");
  },
  (error) => (error.status === 409 ? { field: "email", message: t("form.taken_email") } : null),
);

takeOver(
  password,
  async (values) => {
    await signedInAs(owner, () => call("PUT", "/api/users/me/password", { body: values }));
    // The change ended every session, this one too.
    await logIn(owner, values.new_password).catch(() => end());
    password.reset();
    notice(password, t("form.password_saved"), "success");
  },
  wrongPassword("current_password"),
);

document.getElementById("remove").addEventListener("click", async () => {
  removal.reset();
  notice(removal, "");
  if ((await ask(dialog)) !== "done") return;
  forgetAll(owner);
  leaving = true;
  await logOut().catch(() => end());
  goSaying("/blog/", t("form.removed"));
});

takeOver(
  removal,
  async (values) => {
    await signedInAs(owner, () => call("DELETE", "/api/users/me", { body: values }));
    dialog.close("done");
  },
  wrongPassword("password"),
);

// Who logs out leaves nothing of the account on the screen. (A session that ran out may go on.)
onChange((name, wanted) => {
  if (wanted && !name && !leaving) goSaying("/blog/", t("js.logged_out"));
});

// Nor does the browser's memory bring it back.
addEventListener("pageshow", ({ persisted }) => persisted && username() !== owner && location.reload());

if (owner) load();
else toLogin();
