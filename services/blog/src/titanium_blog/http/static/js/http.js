// Requests to the API and the three ways in which they fail.

/** The answer did not come: no network, or no server behind it. Whether it was done is unknown. */
export class NetworkError extends Error {}

/** Nobody is signed in, or no longer. */
export class SignedOut extends Error {}

/** The API refused. `problem` is its RFC 9457 document, as far as there is one. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{detail?: string, request_id?: string, errors?: {field: string, message: string}[]}} problem
   * @param {number} wait seconds until another try makes sense
   */
  constructor(status, problem, wait) {
    super(problem.detail ?? `status ${status}`);
    this.status = status;
    this.problem = problem;
    this.wait = wait;
  }

  /** Whether the same request may succeed later, and may have been carried out now. */
  get passing() {
    return this.status === 503 || this.status === 502 || this.status === 504;
  }
}

/**
 * @typedef {object} Answer
 * @property {any} data the JSON document; null without one
 * @property {string | null} etag
 */

/**
 * Sends a request; `body` becomes JSON.
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, headers?: Record<string, string>, token?: string | null, signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<Answer>}
 * @throws {NetworkError | Refused}
 */
export async function send(method, path, { body, headers = {}, token, signal, keepalive } = {}) {
  const all = { Accept: "application/json", ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (token) all.Authorization = `Bearer ${token}`;
  let response;
  let text;
  try {
    response = await fetch(path, { method, headers: all, body: body && JSON.stringify(body), signal, keepalive });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new NetworkError(String(error));
  }
  const data = parse(text);
  if (!response.ok) throw new Refused(response.status, data ?? {}, Number(response.headers.get("Retry-After")) || 1);
  return { data, etag: response.headers.get("ETag") };
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
