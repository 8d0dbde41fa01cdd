// What could run later, when somebody clicks or moves the pointer.
() => [...document.querySelectorAll("*")].flatMap((node) => [...node.attributes].flatMap(
  ({ name, value }) => {
    const scheme = /^([a-z][a-z0-9+.-]*):/.exec(value.replace(/[\u0000-\u0020]/g, "").toLowerCase());
    const leads = ["href", "src", "action", "formaction", "data", "srcdoc", "xlink:href"].includes(name);
    const foreign = leads && scheme && !["http", "https", "mailto"].includes(scheme[1]);
    return name.startsWith("on") || foreign ? [`${node.tagName} ${name}=${value}`] : [];
  }
)).concat([...document.querySelectorAll("main iframe, main object, main embed, main base, main meta,"
  + " main link, main style, main script:not([type$=json])")].map((node) => node.outerHTML))
