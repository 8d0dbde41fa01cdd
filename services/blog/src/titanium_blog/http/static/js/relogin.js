// A session that ends in the middle of something: a dialog asks for the password, and what was
// being done goes on. Nothing that was typed is touched.

import { ask } from "./dialogs.js";
import { GivenUp, notice, takeOver } from "./forms.js";
import { SignedOut } from "./http.js";
import { logIn, username } from "./session.js";
import { t } from "./strings.js";

const dialog = document.getElementById("relogin");
const form = dialog.querySelector("form");
const name = form.elements.namedItem("username");
const password = form.elements.namedItem("password");

takeOver(
  form,
  async (values) => {
    await logIn(values.username, values.password);
    dialog.close("done");
  },
  (error) => (error.status === 401 ? { field: "password", message: t("form.wrong_login") } : null),
);

/** @type {Promise<void> | null} */
let asking = null;

/**
 * Asks `owner` to log in, once however many ask. Throws `GivenUp` when they would rather not.
 * @param {string} owner
 */
export function logInAgain(owner) {
  asking ??= (async () => {
    notice(form, username() && username() !== owner ? t("form.somebody_else", { name: username() }) : "");
    name.value = owner;
    password.value = "";
    const asked = ask(dialog);
    password.focus();
    const answer = await asked;
    password.value = "";
    if (answer !== "done") throw new GivenUp();
  })().finally(() => {
    asking = null;
  });
  return asking;
}

/**
 * Does something as `owner`, who logs in again when it must be.
 * @template T
 * @param {string} owner
 * @param {() => Promise<T>} action which may throw `SignedOut`
 * @returns {Promise<T>}
 */
export async function signedInAs(owner, action) {
  for (;;) {
    if (username() === owner) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof SignedOut)) throw error;
      }
    }
    await logInAgain(owner);
  }
}
