// Elements without markup: whatever comes from outside is set as text, so a name can never become an element.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("aria-") && typeof value === "boolean") {
      node.setAttribute(name, String(value));
      continue;
    }
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) node.style.setProperty(key, each);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  add(node, children);
  return node;
}

/** Append what is given: nodes as they are, arrays one by one, all else as text; null and false are left out. */
export function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Make an element: `el("p.hint", {title: "x"}, "text", node)`. */
export function el(name, props, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  return fill(node, props, children);
}

/** Make an SVG element. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Put these children in place of what is there. */
export function put(node, ...children) {
  node.replaceChildren();
  add(node, children);
  return node;
}

/** A panel with a heading; `end` is what stands at its right. */
export function panel(title, body, { end = null, hint = null, flush = false, id = null } = {}) {
  return el(
    "section.panel",
    { id, "aria-label": title },
    el("header", null, el("h2", null, title), hint && el("span.hint", null, hint), end && el("div.end", null, end)),
    el(flush ? "div.body.flush" : "div.body", null, body),
  );
}

/** Names and values; pairs whose value is empty are left out. */
export function facts(pairs) {
  return el(
    "dl.facts",
    null,
    pairs
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => [el("dt", null, name), el("dd", null, value)]),
  );
}

/** Our own words, with `commands` set as code. */
export const marked = (text) => text.split("`").map((part, at) => (at % 2 ? el("code", null, part) : part));

/** What a panel says when there is nothing to show, or not yet. */
export function words(text, more = "") {
  return el("p.state", null, marked(text), more && el("span.hint", null, " ", marked(more)));
}

/** Tell those who listen instead of looking. */
export function say(text) {
  document.getElementById("said").textContent = text;
}
