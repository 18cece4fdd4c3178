// The keyboard: each page says what its keys do; help lists them.
import { el, put } from "./dom.js";

const everywhere = [
  ["/", "search"],
  ["j  k", "next, previous row"],
  ["Enter", "open the row"],
  ["Esc", "clear the search, or go back"],
  ["g f", "fleet"],
  ["g a", "alerts"],
  ["g p", "pipeline"],
  ["t", "light or dark"],
  ["?", "this list"],
];
let page = {};
let waiting = "";

/** Say what the keys of the page do: {key: [what, function]}. */
export function keys(map) {
  page = map;
}

function help() {
  const own = Object.entries(page)
    .filter(([, [what]]) => what)
    .map(([key, [what]]) => [key, what]);
  const dialog = el(
    "dialog",
    { "aria-label": "Keys" },
    el("h2", null, "Keys"),
    el(
      "div.keys",
      null,
      [...own, ...everywhere].map(([key, what]) => [
        el(
          "span",
          null,
          key.split(/\s+/).map((each) => [el("kbd", null, each), " "]),
        ),
        el("span", null, what),
      ]),
    ),
    el("form", { method: "dialog" }, el("button", { autofocus: true }, "Close")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const typing = (target) =>
  target instanceof HTMLElement && target.matches("input, select, textarea, [contenteditable]");

/** Begin; `go` opens a page and `toggle` changes the theme. */
export function start(go, toggle) {
  document.getElementById("help").addEventListener("click", help);
  const fixed = { "?": help, t: toggle };
  const after = { f: "fleet", a: "alerts", p: "pipeline" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (typing(event.target)) {
      if (event.key === "Escape") {
        event.target.blur();
        page.Escape?.[1](event);
      }
      return;
    }
    if (waiting === "g" && after[event.key]) {
      event.preventDefault();
      go(after[event.key]);
      waiting = "";
      return;
    }
    waiting = event.key === "g" ? "g" : "";
    // a focused link or button keeps its own Enter
    if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.matches("a, button, summary"))
      return;
    const found = page[event.key]?.[1] ?? fixed[event.key];
    if (found) {
      event.preventDefault();
      found(event);
    }
  });
}

/** Empty the page's part when it is left. */
export function none() {
  page = {};
  put(document.getElementById("said"));
}
