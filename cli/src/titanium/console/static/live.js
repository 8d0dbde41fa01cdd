// A region whose HTML the server sends. Only what differs is changed in the page, so that the
// focus, a selection and the position in a scrolled table survive an update.
function same(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function patchAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(old.nodeName === "DETAILS" && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function patch(old, fresh) {
  let child = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    if (!child) {
      old.appendChild(next);
      continue;
    }
    const following = child.nextSibling;
    if (!same(child, next)) old.replaceChild(next, child);
    else if (child.nodeType !== Node.ELEMENT_NODE) {
      if (child.nodeValue !== next.nodeValue) child.nodeValue = next.nodeValue;
    } else if (!child.isEqualNode(next)) {
      patchAttributes(child, next);
      patch(child, next);
    }
    child = following;
  }
  while (child) {
    const following = child.nextSibling;
    child.remove();
    child = following;
  }
}

export default {
  props: { html: String },
  mounted() {
    this.$el.innerHTML = this.html;
    // The browser looked for the place that its address names before there was any content.
    const place = decodeURIComponent(location.hash.slice(1));
    if (place) this.$el.querySelector(`#${CSS.escape(place)}`)?.scrollIntoView();
    this.$el.addEventListener("click", (event) => this.act(event));
    this.$el.addEventListener("keydown", (event) => {
      const native = ["BUTTON", "A", "INPUT"].includes(event.target.nodeName.toUpperCase());
      if (event.key === "Enter" && !native) this.act(event);
    });
  },
  updated() {
    const fresh = document.createElement("template");
    fresh.innerHTML = this.html;
    patch(this.$el, fresh.content);
  },
  methods: {
    act(event) {
      const target = event.target.closest("[data-action]");
      if (!target || target.hasAttribute("disabled")) return;
      if (target.nodeName.toUpperCase() === "A") event.preventDefault();
      this.$emit("action", target.dataset.action, target.dataset.value || "");
    },
  },
  render() {
    // The content is ours alone: Vue draws the element and touches nothing in it.
    return Vue.h("div", { class: "live" });
  },
};
