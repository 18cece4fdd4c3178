// One asset: what it is in words, then the score, the features, the signal, the quality and the history.
import { get, listen } from "./api.js";
import { Block } from "./asset_block.js";
import { Features } from "./asset_features.js";
import { Score } from "./asset_score.js";
import { Headline, history, quality, register, why } from "./asset_words.js";
import { el, panel, put } from "./dom.js";
import { keys } from "./keys.js";
import { adjust, href } from "./route.js";
import { plain } from "./text.js";

const AGAIN_MS = 10_000;

/** The way to an asset: fleet, then its place. */
function crumbs(asset) {
  const path = asset.registered?.path ?? asset.now?.path ?? [];
  return el(
    "nav.crumbs",
    { "aria-label": "Place" },
    el("a", { href: href("fleet") }, "Fleet"),
    path.map((each) => [
      el("span", { "aria-hidden": "true" }, "/"),
      el("a", { href: href("fleet", "", { q: each }) }, each),
    ]),
  );
}

function missing(view, id, problem) {
  put(
    view,
    el(
      "div.sheet",
      null,
      crumbs({}),
      el("h1", null, id || "(no name)"),
      el(
        "section.panel",
        null,
        el("p.state.fault", { role: "alert" }, el("b", null, problem.message), " ", problem.fix ?? ""),
      ),
    ),
  );
}

class Page {
  constructor(view, id, query) {
    Object.assign(this, { view, id, gone: false, parts: [] });
    this.state = Object.fromEntries(query);
    this.cancel = new AbortController();
  }

  /** Ask for something of this asset; a page that was left hears nothing. */
  ask(path, values = {}) {
    return get(path, { id: this.id, ...values }, this.cancel.signal);
  }

  set(changes) {
    for (const [name, value] of Object.entries(changes))
      if (value === "" || value === null) delete this.state[name];
      else this.state[name] = String(value);
    adjust(changes);
  }

  async start() {
    put(
      this.view,
      el(
        "div.sheet",
        null,
        crumbs({}),
        el("h1", null, this.id),
        el("section.panel.tall", null, el("p.state", null, "Reading …")),
      ),
    );
    document.title = `${this.id} · Foreshock`;
    try {
      this.data = await this.ask("asset");
    } catch (problem) {
      if (problem.name !== "AbortError") missing(this.view, this.id, problem);
      return;
    }
    this.frame();
    this.timer = setInterval(() => this.again(), AGAIN_MS);
    this.stop = listen((kind, event) => this.hear(kind, event));
  }

  frame() {
    this.point = this.data.points.find((each) => each.point === this.state.point) ??
      this.data.points[0] ?? { point: "", channels: [], kind: "" };
    this.headline = new Headline(this);
    this.past = el("div");
    this.registered = el("div");
    this.parts = [
      this.headline,
      (this.score = new Score(this)),
      (this.features = new Features(this)),
      (this.block = new Block(this)),
    ];
    put(
      this.view,
      el(
        "div.sheet",
        null,
        crumbs(this.data),
        this.headline.root,
        this.tabs(),
        this.score.root,
        el(
          "div.wide-narrow",
          null,
          el("div.stack", null, this.features.root, this.block.root),
          el("div.stack", null, this.past, this.registered),
        ),
      ),
    );
    this.words();
    this.headline.load();
    this.score.load().then(() => {
      if (this.gone) return;
      this.block.load();
      this.features.load();
    });
  }

  words() {
    put(this.past, el("div.stack", null, history(this.data), quality(this.data), why(this)));
    put(this.registered, register(this.data));
  }

  tabs() {
    if (this.data.points.length < 2) return null;
    return el(
      "div.tabs",
      { role: "tablist", "aria-label": "Measuring points" },
      this.data.points.map((each) =>
        el(
          "button",
          {
            type: "button",
            role: "tab",
            "aria-selected": each === this.point,
            onclick: () => {
              this.set({ point: each.point, partition: "", offset: "", channel: "", names: "" });
              this.shut();
              this.frame();
            },
          },
          each.point,
          " ",
          el("span.hint", null, each.alarm ? "in alarm" : each.state === "scored" ? "" : plain(each.state)),
        ),
      ),
    );
  }

  async again() {
    if (document.hidden) return;
    try {
      this.data = await this.ask("asset");
    } catch {
      return; /* the line at the top says that the server is silent */
    }
    this.headline.refresh();
    this.words();
    this.score.load();
  }

  hear(kind, event) {
    if (kind === "scores") {
      const row = event.rows.find(([id]) => id === this.id);
      if (row) this.headline.newest(row);
    } else if (["alert", "anomaly", "quality"].includes(kind) && event.asset === this.id) this.again();
  }

  shut() {
    for (const part of this.parts) part.close();
  }

  close() {
    this.gone = true;
    this.cancel.abort();
    clearInterval(this.timer);
    this.stop?.();
    this.shut();
  }
}

export function open(view, { id, query }) {
  const page = new Page(view, id, query);
  keys({
    Escape: [
      "",
      () => {
        location.hash = href("fleet");
      },
    ],
    "[": ["the block before", () => page.block?.step("previous")],
    "]": ["the next block", () => page.block?.step("next")],
    o: [
      "open the alert that stands",
      () => {
        if (page.data?.now?.alert) location.hash = href("alert", page.data.now.alert.id);
      },
    ],
  });
  page.start();
  return () => page.close();
}

/** A panel that says what is done until its content is there; `tall` keeps its place on the page. */
export function waiting(title, tall, options = {}) {
  const body = el("div", null, el("p.state", null, "Reading Kafka …"));
  const root = panel(title, body, { flush: true, ...options });
  body.style.minHeight = `${tall}px`;
  return { root, body };
}
