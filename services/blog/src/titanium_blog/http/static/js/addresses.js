// Where people go next.

const HOME = "/blog/";

/** The page that `?next=` names, if it is one of the blog's; never another site's. */
export function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? HOME;
  if (!URL.canParse(wanted, location.origin)) return HOME;
  const address = new URL(wanted, location.origin);
  const own = address.origin === location.origin && address.pathname.startsWith(HOME);
  return own ? address.pathname + address.search + address.hash : HOME;
}

/** To the login page, and back here afterwards. */
export function toLogin() {
  const back = new URLSearchParams({ next: location.pathname + location.search });
  location.replace(`${HOME}login?${back}`);
}

/** @param {number} id */
export function postAddress(id) {
  return `${HOME}posts/${id}`;
}
