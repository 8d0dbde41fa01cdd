// Every way in which a page's skeleton may be wrong, in words; [] when all is well.
() => {
  const wrong = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (node) => node.checkVisibility();
  const once = (selector) => {
    const count = all(selector).filter(shown).length;
    if (count !== 1) wrong.push(`${count} of ${selector}`);
  };
  if (!document.title.trim()) wrong.push("no title");
  if (!document.documentElement.lang) wrong.push("no language");
  for (const landmark of ["main", "body > header", "h1"]) once(landmark);
  if (all("body > footer").length !== 1) wrong.push("no footer");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4, h5, h6").filter(shown)) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) wrong.push(`${heading.tagName} after level ${level}: ${heading.innerText}`);
    if (!heading.innerText.trim()) wrong.push(`empty ${heading.tagName}`);
    level = next;
  }
  for (const image of all("img")) if (!image.hasAttribute("alt")) wrong.push(`no alt: ${image.src}`);
  for (const field of all("input:not([type=hidden]), textarea, select").filter(shown)) {
    if (!field.labels.length && !field.ariaLabel && !field.getAttribute("aria-labelledby")) {
      wrong.push(`no label: ${field.name || field.id}`);
    }
  }
  const navs = all("nav").filter(shown).map((nav) => nav.ariaLabel ?? nav.getAttribute("aria-labelledby"));
  if (navs.length > 1 && new Set(navs).size !== navs.length) wrong.push(`navs are called ${navs}`);
  const ids = all("[id]").map((node) => node.id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  if (twice.length) wrong.push(`ids used twice: ${twice}`);
  for (const node of all("[style]")) wrong.push(`style attribute: ${node.outerHTML.slice(0, 80)}`);
  for (const node of all("script:not([src]):not([type='application/json']):not([type='application/ld+json'])")) {
    wrong.push(`inline script: ${node.textContent.slice(0, 80)}`);
  }
  for (const node of all("style")) wrong.push("inline style");
  for (const node of all("*")) {
    for (const { name } of node.attributes) {
      if (name.startsWith("on")) wrong.push(`${name} on ${node.tagName}`);
    }
  }
  for (const link of all("a[target=_blank]")) {
    if (!link.relList.contains("noopener")) wrong.push(`opener: ${link.href}`);
  }
  const viewport = document.querySelector("meta[name=viewport]")?.content ?? "";
  if (!viewport.includes("width=device-width")) wrong.push(`viewport ${viewport}`);
  if (/maximum-scale|user-scalable/.test(viewport)) wrong.push("zoom is forbidden");
  return wrong;
}
