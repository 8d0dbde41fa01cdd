// The page on which people make an account.

import { next } from "./addresses.js";
import { notice, takeOver } from "./forms.js";
import { Refused, send } from "./http.js";
import { logIn, remembered } from "./session.js";
import { t } from "./strings.js";
import { goSaying } from "./toast.js";

const form = document.getElementById("register");
let answered = true;

/**
 * An account that a lost answer may have told us of already is not "taken": logging in tells.
 * @param {Record<string, string>} account
 */
async function register({ username, email, password }) {
  const before = answered;
  answered = false;
  try {
    await send("POST", "/api/register", { body: { username, email, password } });
  } catch (error) {
    answered = error instanceof Refused && !error.passing;
    if (!(error instanceof Refused && error.status === 409 && !before)) throw error;
    try {
      return await logIn(username, password);
    } catch (refusal) {
      if (refusal instanceof Refused && refusal.status === 401) throw error;
      throw refusal;
    }
  }
  return logIn(username, password);
}

takeOver(
  form,
  async (values) => {
    await register(values);
    if (!remembered()) return notice(form, t("form.nothing_stored"));
    goSaying(next(), t("form.welcome", { name: values.username }));
  },
  (error) => (error.status === 409 ? { field: "username", message: t("form.taken") } : null),
);
