// The scenario `steps` of `titanium load` for k6: 10, then 50, then 100 users.
//
//   k6 run tests/performance/k6.js
//   k6 run -e URL=http://127.0.0.1:8080 -e SCALE=0.1 tests/performance/k6.js   (a tenth as long)
//
// Visitors think about a second between requests, which keeps 100 of them below the 100 requests a
// second that the platform allows a client address. k6 exits with status 99 when a threshold was
// missed. PLAN is equal to cli/src/titanium/load/scenario.py: a test compares them.

import http from 'k6/http';
import { check, fail, sleep } from 'k6';

const PLAN = {
  "steps": [[15, 10], [30, 10], [15, 50], [30, 50], [15, 100], [30, 100]],
  "thresholds": {"p95_ms": 500, "error_percent": 1, "checks_percent": 99},
  "think": [0.8, 1.4],
  "accounts": 3,
  "actions": {
    "newest": 20, "next_page": 5, "read": 45, "search": 20, "categories": 5, "page": 5,
    "write": 4, "edit": 4, "delete": 4
  },
  "words": ["river", "coffee", "database", "weekend", "python", "커피", "여행", "책", "산책로", "부산"],
  "categories": ["Load", "부하"],
  "not_limited": "not refused by the rate limit",
  "checks": {
    "register": "registered: 201",
    "log in": "logged in: 200 with both tokens",
    "list": "list: 200, at most 20 posts",
    "next page": "next page: 200, other posts",
    "read": "read: 200 with an ETag",
    "read again": "read again: 304, or 200 with another ETag",
    "search": "search: 200, at most 20 posts",
    "categories": "categories: 200 with counts",
    "page": "page: 200, HTML",
    "write": "written: 201 with the title",
    "edit": "edited: 200 with another ETag",
    "delete": "deleted: 204",
    "leave": "left: 204"
  }
};

const URL = __ENV.URL || __ENV.TITANIUM_URL || 'http://127.0.0.1:8080';
const SCALE = Number(__ENV.SCALE || 1);
// Access tokens live for 15 minutes, and this script does not renew them.
if (!(SCALE > 0 && SCALE <= 4)) throw new Error(`SCALE=${SCALE}: expected more than 0, at most 4`);
const LIMIT = 20;
const KEPT_POSTS = 3;
const TEXT = 'A note written by the load test; it is deleted at its end.\n\n'
  + '- measure first\n- change **one** thing\n- measure again\n\n'
  + '늦은 저녁 기차를 기다리며 같은 문단을 두 번 읽었습니다.\n';

// A refusal by the rate limit is no failure of the platform; the check counts it.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }, 429));

export const options = {
  stages: PLAN.steps.map(([seconds, target]) => ({ duration: `${seconds * SCALE}s`, target })),
  thresholds: {
    http_req_duration: [`p(95)<${PLAN.thresholds.p95_ms}`],
    http_req_failed: [`rate<${PLAN.thresholds.error_percent / 100}`],
    checks: [`rate>${PLAN.thresholds.checks_percent / 100}`],
  },
  setupTimeout: '120s',
};

function send(name, method, path, body, headers, holds) {
  const answer = http.request(method, `${URL}${path}`, body === null ? null : JSON.stringify(body), {
    headers: Object.assign(body === null ? {} : { 'Content-Type': 'application/json' }, headers),
    tags: { name },
    timeout: '10s',
  });
  const limited = answer.status === 429;
  check(answer, { [PLAN.not_limited]: () => !limited });
  if (limited) {
    sleep(Math.min(Number(answer.headers['Retry-After'] || 1), 5));
    return { answer, good: false };
  }
  let held = false;
  try {
    held = holds(answer);
  } catch (error) {
    held = false;
  }
  return { answer, good: check(answer, { [PLAN.checks[name]]: () => held }) };
}

const etag = (answer) => answer.headers.Etag || answer.headers.ETag || '';
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const bearer = (account) => ({ Authorization: `Bearer ${account.token}` });
const isPage = (answer) => answer.status === 200 && answer.json().length <= LIMIT;

function logIn(account) {
  const body = { username: account.username, password: account.password, with_refresh_token: true };
  const { answer, good } = send('log in', 'POST', '/api/login', body, {}, (found) =>
    found.status === 200 && found.json().access_token && found.json().refresh_token);
  if (good) account.token = answer.json().access_token;
}

export function setup() {
  const accounts = [];
  for (let number = 0; number < PLAN.accounts; number += 1) {
    const name = `load-${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
    const account = { username: name, password: `correct horse ${Math.random()}`, token: '' };
    const body = { username: name, email: `${name}@example.org`, password: account.password };
    let made = false;
    for (let tries = 0; tries < 20 && !made; tries += 1) {
      made = send('register', 'POST', '/api/register', body, {}, (found) => found.status === 201).good;
    }
    for (let tries = 0; tries < 20 && made && !account.token; tries += 1) logIn(account);
    if (!account.token) fail(`${URL} does not let the load test register and log in`);
    accounts.push(account);
  }
  return { accounts };
}

const own = [];
const etags = {};
let ids = [];
let nextPath = '';

function remember({ answer, good }) {
  nextPath = '';
  if (!good) return;
  ids = answer.json().filter((post) => !post.author.startsWith('load-')).map((post) => post.id);
  const found = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.Link || '');
  if (found) nextPath = found[1];
}

const actions = {
  newest() {
    remember(send('list', 'GET', `/api/posts?limit=${LIMIT}`, null, {}, isPage));
  },
  next_page() {
    if (!nextPath) return actions.newest();
    const before = ids;
    return remember(send('next page', 'GET', nextPath, null, {}, (found) =>
      isPage(found) && found.json().every((post) => !before.includes(post.id))));
  },
  read() {
    if (!ids.length) return actions.newest();
    const post = pick(ids);
    const known = etags[post];
    if (known) {
      delete etags[post];
      return send('read again', 'GET', `/api/posts/${post}`, null, { 'If-None-Match': known },
        (found) => (found.status === 304 ? !found.body : found.status === 200 && etag(found) !== known));
    }
    const { answer, good } = send('read', 'GET', `/api/posts/${post}`, null, {}, (found) =>
      found.status === 200 && etag(found) !== '');
    if (good) etags[post] = etag(answer);
    return undefined;
  },
  search() {
    const query = `q=${encodeURIComponent(pick(PLAN.words))}&limit=${LIMIT}`;
    send('search', 'GET', `/api/posts?${query}`, null, {}, isPage);
  },
  categories() {
    send('categories', 'GET', '/api/categories', null, {}, (found) =>
      found.status === 200 && Array.isArray(found.json()));
  },
  page() {
    send('page', 'GET', '/blog/', null, {}, (found) =>
      found.status === 200 && found.body.includes('</html>'));
  },
  write(accounts) {
    if (own.length >= KEPT_POSTS) return actions.delete(accounts);
    const account = pick(accounts);
    const title = `Load test note ${Math.floor(Math.random() * 1e9)}`;
    const body = { title, content: TEXT, category_name: pick(PLAN.categories) };
    const { answer, good } = send('write', 'POST', '/api/posts', body, bearer(account), (found) =>
      found.status === 201 && found.json().title === title);
    if (good) own.push({ account, id: answer.json().id, etag: etag(answer) });
    return undefined;
  },
  edit(accounts) {
    if (!own.length) return actions.write(accounts);
    const post = pick(own);
    const headers = Object.assign({ 'If-Match': post.etag }, bearer(post.account));
    const { answer, good } = send('edit', 'PATCH', `/api/posts/${post.id}`,
      { content: `${TEXT}\nEdited.\n` }, headers, (found) =>
        found.status === 200 && etag(found) !== post.etag);
    if (good) post.etag = etag(answer);
    return undefined;
  },
  delete(accounts) {
    if (!own.length) return actions.write(accounts);
    const post = own.pop();
    return send('delete', 'DELETE', `/api/posts/${post.id}`, null, bearer(post.account), (found) =>
      found.status === 204 || found.status === 404);
  },
};

const bag = Object.entries(PLAN.actions).flatMap(([name, weight]) => Array(weight).fill(name));

export default function visit({ accounts }) {
  actions[pick(bag)](accounts);
  const [least, most] = PLAN.think;
  sleep(least + Math.random() * (most - least));
}

// What is left of the posts goes with the accounts.
export function teardown({ accounts }) {
  accounts.forEach((account) => {
    send('leave', 'DELETE', '/api/users/me', { password: account.password }, bearer(account),
      (found) => found.status === 204);
  });
}
