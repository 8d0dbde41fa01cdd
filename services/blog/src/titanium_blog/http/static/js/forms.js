// Sending a form: once at a time, and without losing what was typed when it fails.

import { check, showAt, showErrors, valuesOf, watch } from "./fields.js";
import { NetworkError, Refused } from "./http.js";
import { explain } from "./problems.js";
import { t } from "./strings.js";

/**
 * Something that the person gave up, so that there is nothing to tell.
 */
export class GivenUp extends Error {}

/**
 * @typedef {(error: Refused) => {field?: string, message: string} | null} Translator
 * What a refusal means in this form: a sentence, beside a field or for the whole form.
 */

/**
 * Takes a form over: its button works from now on, `act` gets the values.
 * @param {HTMLFormElement} form with an empty `.form-notice` in it
 * @param {(values: Record<string, string>) => Promise<void>} act
 * @param {Translator} [translate]
 */
export function takeOver(form, act, translate = () => null) {
  form.noValidate = true;
  form.dataset.ready = "";
  watch(form);
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
  for (const button of form.querySelectorAll("button.reveal")) revealing(button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    notice(form, "");
    if (!check(form)) return;
    form.setAttribute("aria-busy", "true");
    try {
      await act(valuesOf(form));
    } catch (error) {
      if (!(error instanceof GivenUp)) fail(form, error, translate);
    } finally {
      form.setAttribute("aria-busy", "false");
    }
  });
  addEventListener("pageshow", ({ persisted }) => persisted && forgetPasswords(form));
}

/** Back from the browser's memory, perhaps for somebody else. @param {HTMLFormElement} form */
function forgetPasswords(form) {
  for (const input of form.querySelectorAll("[autocomplete$=password]")) input.value = "";
}

/**
 * Says something about the whole form; "" takes it back.
 * @param {HTMLFormElement} form
 * @param {string} message
 * @param {"error" | "success"} [kind]
 * @param {{label: string, run: () => void}} [action] a button with what can be done
 */
export function notice(form, message, kind = "error", action = undefined) {
  const place = form.querySelector(".form-notice");
  place.replaceChildren();
  if (!message) return;
  const box = document.createElement("div");
  const text = document.createElement("p");
  box.className = `notice ${kind}`;
  text.textContent = message;
  box.append(text);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    button.textContent = action.label;
    button.addEventListener("click", action.run);
    box.append(button);
  }
  place.append(box);
}

/**
 * Says what went wrong, beside the fields where it can; what may pass can be tried again.
 * @param {HTMLFormElement} form
 * @param {unknown} error
 * @param {Translator} [translate]
 */
export function fail(form, error, translate = () => null) {
  const known = error instanceof Refused ? translate(error) : null;
  if (known?.field) {
    showAt(form, known.field, known.message);
  } else if (known) {
    notice(form, known.message);
  } else if (!(error instanceof Refused && showErrors(form, error.problem.errors ?? []))) {
    const passing = error instanceof NetworkError || (error instanceof Refused && error.passing);
    const again = { label: t("form.again"), run: () => form.requestSubmit() };
    notice(form, explain(error), "error", passing ? again : undefined);
  }
}

/** A button that shows the password beside it. @param {HTMLButtonElement} button */
function revealing(button) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.querySelector("[data-reveal]").textContent = shown ? t("form.show") : t("form.hide");
  });
}
