// What every page's header does: colour scheme, log out, and the links of who is signed in.

import { explain } from "./problems.js";
import { logOut, onChange, username } from "./session.js";
import { keep, recall } from "./storage.js";
import { t } from "./strings.js";
import { sayWhatWasLeft, toast } from "./toast.js";

const THEMES = ["system", "light", "dark"];
const root = document.documentElement;

function showTheme() {
  const button = document.getElementById("theme");
  if (!button) return;
  const theme = THEMES.includes(recall("theme")) ? recall("theme") : "system";
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  const label = t(`js.theme_${theme}`);
  button.dataset.choice = theme;
  button.setAttribute("aria-label", label);
  button.title = label;
}

document.getElementById("theme")?.addEventListener("click", ({ currentTarget }) => {
  const next = THEMES[(THEMES.indexOf(currentTarget.dataset.choice) + 1) % THEMES.length];
  keep("theme", next === "system" ? null : next);
  showTheme();
});
addEventListener("storage", ({ key }) => key === "theme" && showTheme());

/** Only the author sees the way to the editor; the server checks it anyway. */
function showEditLink() {
  const link = document.getElementById("edit");
  if (link) link.hidden = link.dataset.author !== username();
}

document.getElementById("logout")?.addEventListener("click", async () => {
  try {
    await logOut();
    toast(t("js.logged_out"));
  } catch (error) {
    toast(explain(error));
  }
});

// After logging in, people come back to where they were.
for (const link of document.querySelectorAll("#account .when-out a, a[data-keep-next]")) {
  const here = location.pathname + location.search;
  const there = /^\/blog\/(login|register|account)$/.test(location.pathname)
    ? new URLSearchParams(location.search).get("next")
    : here;
  if (there) link.search = new URLSearchParams({ next: there }).toString();
}

showTheme();
showEditLink();
onChange(showEditLink);
sayWhatWasLeft();
