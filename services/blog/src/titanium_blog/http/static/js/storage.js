// localStorage where it is allowed; where it is not, nothing is remembered and nothing breaks, but
// nobody stays logged in: see `remembered` of session.js.

/** @param {string} key */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * Whether it could be kept; null forgets the key.
 * @param {string} key
 * @param {string | null} value
 */
export function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** @returns {string[]} every key in use */
export function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}
