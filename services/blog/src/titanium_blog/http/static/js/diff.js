// Which lines two texts have in common.

const MOST_CELLS = 4_000_000; // beyond that the differing part is shown as one change

/** @typedef {{same: boolean, mine: string[], theirs: string[]}} Part consecutive lines */

/**
 * @param {string} mine
 * @param {string} theirs
 * @returns {Part[]} in order; together they are both texts
 */
export function compare(mine, theirs) {
  const a = mine.split("\n");
  const b = theirs.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const middle = between(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const tail = a.slice(a.length - end);
  return [common(a.slice(0, start)), ...middle, common(tail)].filter((part) => part.mine.length || part.theirs.length);
}

/** @param {string[]} lines @returns {Part} */
function common(lines) {
  return { same: true, mine: lines, theirs: lines };
}

/** The longest common subsequence of lines. @param {string[]} a @param {string[]} b @returns {Part[]} */
function between(a, b) {
  const width = b.length + 1;
  if (a.length * b.length === 0 || (a.length + 1) * width > MOST_CELLS) return [{ same: false, mine: a, theirs: b }];
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const down = longest[(i + 1) * width + j];
      const right = longest[i * width + j + 1];
      longest[i * width + j] = a[i] === b[j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(down, right);
    }
  }
  /** @type {Part[]} */
  const parts = [];
  const part = (same) => {
    if (parts.at(-1)?.same !== same) parts.push({ same, mine: [], theirs: [] });
    return parts.at(-1);
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      const line = part(true);
      line.mine.push(a[i]);
      line.theirs.push(b[j]);
      i += 1;
      j += 1;
    } else if (j === b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      part(false).mine.push(a[i]);
      i += 1;
    } else {
      part(false).theirs.push(b[j]);
      j += 1;
    }
  }
  return parts;
}
