// Runs k6.js without k6: its setup, some visits and its teardown, one request after the other.
//
//   node k6_stand_in.mjs SCRIPT URL VISITS
//
// Prints the checks with how often they held and did not, as JSON. SCRIPT is a copy of k6.js that
// imports this file in place of k6's modules.

import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const counts = {};

export function check(value, statements) {
  let all = true;
  Object.entries(statements).forEach(([name, holds]) => {
    const held = Boolean(holds(value));
    counts[name] = counts[name] || [0, 0];
    counts[name][held ? 0 : 1] += 1;
    all = all && held;
  });
  return all;
}

export function fail(message) {
  throw new Error(message);
}

export function sleep() {}

// k6 writes names of headers as Go does.
const canonical = (name) => name.split('-').map((part) => part[0].toUpperCase() + part.slice(1)).join('-');

function request(method, url, body, options) {
  const given = Object.entries(options.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const data = body === null ? [] : ['-d', body];
  const said = execFileSync('curl', ['-sS', '-i', '-X', method, url, ...given, ...data], { encoding: 'utf8' });
  const end = said.indexOf('\r\n\r\n');
  const [first, ...lines] = said.slice(0, end).split('\r\n');
  const text = said.slice(end + 4);
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(lines.map((line) => {
      const colon = line.indexOf(':');
      return [canonical(line.slice(0, colon)), line.slice(colon + 1).trim()];
    })),
    body: text,
    json: () => JSON.parse(text),
  };
}

export default { request, setResponseCallback() {}, expectedStatuses() {} };

const [script, url, visits] = process.argv.slice(2);
globalThis.__ENV = { URL: url };
// No `await` here: the script imports this file, and each would wait for the other.
import(pathToFileURL(script)).then((test) => {
  const data = test.setup();
  for (let number = 0; number < Number(visits); number += 1) test.default(data);
  test.teardown(data);
  console.log(JSON.stringify({ checks: counts, options: test.options }));
});
