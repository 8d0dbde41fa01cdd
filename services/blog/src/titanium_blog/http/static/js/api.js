// Calls to the API on behalf of who is signed in.

import { Refused, SignedOut, send } from "./http.js";
import { accessToken } from "./session.js";

/**
 * A request with the access token, which is renewed once when it is refused.
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<import("./http.js").Answer>}
 * @throws {SignedOut | import("./http.js").NetworkError | Refused}
 */
export async function call(method, path, options = {}) {
  const token = await accessToken();
  if (!token) throw new SignedOut();
  try {
    return await send(method, path, { ...options, token });
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) throw error;
  }
  const next = await accessToken(token);
  if (!next) throw new SignedOut();
  try {
    return await send(method, path, { ...options, token: next });
  } catch (error) {
    if (error instanceof Refused && error.status === 401) throw new SignedOut();
    throw error;
  }
}
