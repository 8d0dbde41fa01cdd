// The login page.

import { next } from "./addresses.js";
import { notice, takeOver } from "./forms.js";
import { accessToken, logIn, remembered } from "./session.js";
import { t } from "./strings.js";
import { goSaying } from "./toast.js";

const form = document.getElementById("login");

takeOver(
  form,
  async ({ username, password }) => {
    await logIn(username, password);
    if (!remembered()) return notice(form, t("form.nothing_stored"));
    goSaying(next(), t("form.welcome_back", { name: username }));
  },
  (error) => (error.status === 401 ? { message: t("form.wrong_login") } : null),
);

/** Somebody who is signed in already has nothing to do here. */
function leave() {
  accessToken().then(
    (token) => token && location.replace(next()),
    () => {}, // No network, say: the form tells when it is used.
  );
}

leave();
addEventListener("pageshow", ({ persisted }) => persisted && leave());
