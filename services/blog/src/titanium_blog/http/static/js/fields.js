// Fields of a form: what is wrong with them, said beside them.
//
// A field is `<div class="field"><label><input|textarea><p class="hint"><p class="error">`. Bounds
// are attributes of the input: `required`, `data-min`, `data-max` (in characters), `data-pattern`;
// `data-rule` names the text that tells the whole rule. (`maxlength` would cut what is pasted.)

import { t } from "./strings.js";

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Field */

/**
 * The fields of a form that people fill in.
 * @param {HTMLFormElement} form
 * @returns {Field[]}
 */
function fieldsOf(form) {
  return [...form.elements].filter((element) => element.name && element.matches("input, textarea"));
}

/**
 * Their values by name.
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>}
 */
export function valuesOf(form) {
  return Object.fromEntries(fieldsOf(form).map((field) => [field.name, valueOf(field)]));
}

/** What was meant: spaces around a line are slips, unless it is a password. @param {Field} field */
function valueOf(field) {
  return field.type === "password" || field.matches("textarea, .password") ? field.value : field.value.trim();
}

/** Length as the API counts it: in code points. @param {string} text */
export function lengthOf(text) {
  return [...text].length;
}

/**
 * What is wrong with a field; "" when nothing is.
 * @param {Field} field
 */
function fault(field) {
  const { min, max, pattern, rule } = field.dataset;
  const value = valueOf(field);
  if (field.matches("textarea") ? !value.trim() : !value) return field.required ? t("form.required") : "";
  const length = lengthOf(value);
  if (max && length > Number(max)) return t("form.too_long", { max: Number(max), over: length - Number(max) });
  const wrong = (min && length < Number(min)) || (pattern && !new RegExp(pattern, "u").test(value));
  if (!wrong) return "";
  return rule ? t(rule) : t("form.too_short", { min: Number(min) });
}

/**
 * Says beside the field what is wrong with it; "" takes that back.
 * @param {Field} field
 * @param {string} message
 */
export function show(field, message) {
  const place = document.getElementById(`${field.id}-error`);
  if (place && place.textContent !== message) place.textContent = message;
  if (message) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/**
 * Checks all fields and says what is wrong; the first wrong one gets the focus.
 * @param {HTMLFormElement} form
 * @returns {boolean} whether all is well
 */
export function check(form) {
  const wrong = fieldsOf(form).filter((field) => {
    const message = fault(field);
    show(field, message);
    return message;
  });
  wrong[0]?.focus();
  return wrong.length === 0;
}

/**
 * Says beside a field what is wrong with it, and leads there.
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {string} message
 */
export function showAt(form, name, message) {
  const field = fieldsOf(form).find((one) => one.name === name);
  show(field, message);
  field.focus();
}

/**
 * Says beside the fields what the API found wrong with them: the rule in the reader's language
 * where there is one, else the API's words. The first one gets the focus.
 * @param {HTMLFormElement} form
 * @param {{field: string, message: string}[]} errors
 * @returns {boolean} whether each has found its field
 */
export function showErrors(form, errors) {
  const fields = Object.fromEntries(fieldsOf(form).map((field) => [field.name, field]));
  const known = errors.filter(({ field }) => fields[field]);
  for (const { field: name, message } of known) {
    const { refused } = fields[name].dataset;
    show(fields[name], refused ? t(refused) : message);
  }
  if (known.length > 0) fields[known[0].field].focus();
  return known.length > 0 && known.length === errors.length;
}

/**
 * Checks a field when it is left, and again while it is being corrected.
 * @param {HTMLFormElement} form
 */
export function watch(form) {
  let pressed = false;
  document.addEventListener("pointerdown", () => {
    pressed = true;
  }, true);
  for (const kind of ["pointerup", "pointercancel"]) {
    document.addEventListener(kind, () => {
      pressed = false;
    }, true);
  }
  form.addEventListener("focusout", ({ target }) => {
    if (!target.matches?.("input, textarea") || !target.value.trim()) return;
    const tell = () => show(target, fault(target));
    // A message makes the form longer. It must not push a button away while it is being pressed.
    if (pressed) document.addEventListener("pointerup", () => setTimeout(tell), { once: true });
    else tell();
  });
  form.addEventListener("input", ({ target }) => {
    if (target.hasAttribute("aria-invalid")) show(target, fault(target));
  });
}
