// What to tell a person about an error.

import { NetworkError, Refused, SignedOut } from "./http.js";
import { t } from "./strings.js";

/**
 * @param {unknown} error
 * @returns {string} a sentence, and what to do next
 */
export function explain(error) {
  if (error instanceof NetworkError) return t("js.network");
  if (error instanceof SignedOut) return t("js.signed_out");
  if (!(error instanceof Refused)) {
    console.error(error);
    return t("js.broken");
  }
  const { status, problem, wait } = error;
  if (status === 429) return t("js.too_many", { count: wait });
  if (error.passing) return t("js.busy");
  if (status === 413) return t("js.too_large");
  const request = problem.request_id ? ` (${t("js.request", { id: problem.request_id })})` : "";
  return t("js.refused", { detail: problem.detail ?? String(status) }) + request;
}
