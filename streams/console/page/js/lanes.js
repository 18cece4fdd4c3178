// The swim-lane: a row for each asset, of which only the visible ones exist; one canvas draws all their lanes.
import { el, put } from "./dom.js";
import { NAMES, RANK, drawLane, levelAt, sharp } from "./lane.js";
import { href } from "./route.js";
import { number, plain, severity } from "./text.js";
import { colour } from "./theme.js";
import { ago, clock, tick, ticks, utc } from "./time.js";

const SPARE = 4;
const WORD = {
  ok: "normal",
  none: "not heard",
  quality: "bad data",
  warming: "warming up",
  stopped: "stopped",
  info: "information",
};
const LOOK = { quality: "bad", ok: "normal", info: "normal", warming: "none", anomaly: "watch" };

/** The word and look of a severity of the fleet. */
export function badge(level) {
  const mark = severity(LOOK[level] ?? level, WORD[level] ?? plain(level));
  if (level === "anomaly") mark.classList.add("open");
  return mark;
}

export class Lanes {
  /** `open(asset)` is called for Enter; `chosen(asset)` when the selection moves. */
  constructor({ open, chosen }) {
    this.open = open;
    this.chosen = chosen;
    this.rows = [];
    this.at = -1;
    this.from = 0;
    this.to = 1;
    this.pool = new Map();
    this.axis = el("canvas", { "aria-hidden": "true" });
    this.canvas = el("canvas.lane-canvas", { "aria-hidden": "true" });
    this.line = el("div.lane-line", { hidden: true });
    this.tip = el("div.lane-tip", { hidden: true });
    this.spacer = el("div.lane-spacer");
    this.layer = el("div.lane-layer", { role: "rowgroup" });
    this.scroller = el(
      "div.lane-scroll",
      { tabindex: "0", role: "grid", "aria-label": "Assets, the worst first", "aria-readonly": "true" },
      this.spacer,
      this.layer,
      this.canvas,
      this.line,
    );
    this.head = el(
      "div.lane-head",
      { "aria-hidden": "true" },
      el("span.c-sev", null, "state"),
      el("span.c-name", null, "asset"),
      el("span.c-place", null, "place"),
      el("span.c-score.num", null, "score"),
      el("span.c-last.num", null, "heard"),
      el("span.c-lane", null, this.axis),
    );
    this.root = el("div.lanes", null, this.head, this.scroller, this.tip);
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    this.scroller.addEventListener("mousemove", (event) => this.hover(event));
    this.scroller.addEventListener("mouseleave", () => this.unhover());
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.scroller);
    this.repaint = () => this.draw();
    document.addEventListener("theme", this.repaint);
  }

  /** Show these rows; the selected asset stays selected. */
  set(rows, from, to, all = rows.length) {
    const held = this.rows[this.at]?.id;
    Object.assign(this, { rows, from, to });
    this.at = held === undefined ? -1 : rows.findIndex((row) => row.id === held);
    const least = matchMedia("(max-width: 700px)").matches ? 34 : 26;
    // a small fleet has room; that depends on all assets, so that no filter changes the height of a row
    this.height = Math.max(least, Math.min(38, Math.floor(this.scroller.clientHeight / Math.max(all, 1))));
    this.root.style.setProperty("--row", `${this.height}px`);
    this.spacer.style.height = `${rows.length * this.height}px`;
    this.scroller.setAttribute("aria-rowcount", rows.length);
    this.draw();
  }

  /** Draw in the next frame, however often it is asked. */
  draw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      this.now();
    });
  }

  now() {
    if (!this.root.isConnected || !this.height) return;
    const top = this.scroller.scrollTop;
    const first = Math.max(0, Math.floor(top / this.height) - SPARE);
    const last = Math.min(this.rows.length, Math.ceil((top + this.scroller.clientHeight) / this.height) + SPARE);
    const wanted = new Set();
    for (let at = first; at < last; at += 1) {
      wanted.add(this.rows[at].id);
      this.place(this.rows[at], at);
    }
    for (const [id, row] of this.pool)
      if (!wanted.has(id)) {
        row.root.remove();
        this.pool.delete(id);
      }
    this.paint(top, first, last);
  }

  make(row) {
    const cell = (name) => el(`span.${name}`, { role: "gridcell" });
    const made = {
      sev: cell("c-sev"),
      name: cell("c-name"),
      place: cell("c-place"),
      score: cell("c-score.num"),
      last: cell("c-last.num"),
      was: "",
    };
    made.lane = el("span.c-lane", { role: "gridcell" });
    made.root = el(
      "a.lane-row",
      { role: "row", href: href("asset", row.id), tabindex: "-1", id: `row-${++Lanes.made}` },
      made.sev,
      made.name,
      made.place,
      made.score,
      made.last,
      made.lane,
    );
    this.pool.set(row.id, made);
    this.layer.append(made.root);
    return made;
  }

  place(row, at) {
    const made = this.pool.get(row.id) ?? this.make(row);
    made.root.style.transform = `translateY(${at * this.height}px)`;
    made.root.setAttribute("aria-rowindex", at + 1);
    made.root.setAttribute("aria-selected", at === this.at);
    const heard = row.last_ms ? ago(row.last_ms) : "never";
    const key = [row.severity, row.score, heard, row.alert?.state, row.stale].join("|");
    if (made.was === key) return;
    made.was = key;
    put(made.sev, badge(row.severity));
    made.sev.title = row.since_ms ? `since ${clock(row.since_ms)}` : "";
    put(
      made.name,
      el("span", null, row.id || "(no name)"),
      row.alert && row.alert.state !== "unacknowledged" && el("span.tag", null, plain(row.alert.state)),
    );
    made.name.title = row.id;
    const place = (row.path ?? []).slice(-2).join(" / ");
    put(made.place, place || (row.registered ? "" : "not registered"));
    made.place.title = [...(row.path ?? []), row.class].filter(Boolean).join(" / ");
    const last = row.score ?? row.spark?.findLast((each) => each !== null);
    put(made.score, last === null || last === undefined ? "" : last < 99.5 ? last.toFixed(2) : number(last));
    made.score.classList.toggle("past", row.score === null);
    made.score.title = row.score === null && last !== undefined ? "the last one; there is none now" : "";
    put(made.last, heard);
    made.last.classList.toggle("stale", Boolean(row.stale));
    made.lane.setAttribute("aria-label", this.heard(row));
  }

  /** The lane in words, for those who do not see it. */
  heard(row) {
    const worst = row.lane.reduce(
      (found, [, , level]) => ((RANK[level] ?? 0) > (RANK[found] ?? 0) ? level : found),
      "ok",
    );
    return worst === "ok"
      ? `normal since ${clock(this.from)}`
      : `at worst ${NAMES[worst] ?? worst} since ${clock(this.from)}`;
  }

  paint(top, first, last) {
    const left = this.laneLeft();
    const width = this.scroller.clientWidth - left - 12;
    if (width < 20) return;
    const height = this.scroller.clientHeight;
    this.canvas.style.transform = `translate(${left}px, ${top}px)`;
    const draw = sharp(this.canvas, width, height);
    const marks = ticks(this.from, this.to, width / 90);
    const x = (ms) => ((ms - this.from) / (this.to - this.from)) * width;
    draw.fillStyle = colour("line");
    for (const mark of marks) draw.fillRect(Math.round(x(mark)), 0, 1, height);
    for (let at = first; at < last; at += 1) {
      drawLane(
        draw,
        this.rows[at].lane,
        this.from,
        this.to,
        0,
        at * this.height - top + this.height * 0.16,
        width,
        this.height * 0.68,
      );
    }
    this.paintAxis(width, marks, x);
  }

  paintAxis(width, marks, x) {
    const draw = sharp(this.axis, width, 22);
    draw.fillStyle = colour("ink-3");
    draw.font = "11.5px system-ui, sans-serif";
    draw.textBaseline = "middle";
    for (const mark of marks) {
      const text = tick(mark, this.to - this.from);
      const half = draw.measureText(text).width / 2;
      draw.fillText(text, Math.min(Math.max(x(mark) - half, 0), width - 2 * half), 12);
    }
  }

  laneLeft() {
    const row = this.pool.values().next().value;
    return row ? row.lane.offsetLeft : this.head.lastElementChild.offsetLeft;
  }

  /** Move the selection by rows; shows it. */
  move(by) {
    if (!this.rows.length) return;
    this.select(Math.min(Math.max(this.at + by, 0), this.rows.length - 1));
  }

  select(at) {
    this.at = at;
    const top = at * this.height;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    if (top + this.height > this.scroller.scrollTop + this.scroller.clientHeight)
      this.scroller.scrollTop = top + this.height - this.scroller.clientHeight;
    this.now();
    const row = this.rows[at];
    if (!row) return;
    this.scroller.setAttribute("aria-activedescendant", this.pool.get(row.id)?.root.id ?? "");
    this.scroller.focus({ preventScroll: true });
    this.chosen(row);
  }

  enter() {
    if (this.rows[this.at]) this.open(this.rows[this.at]);
  }

  hover(event) {
    const box = this.scroller.getBoundingClientRect();
    const left = this.laneLeft();
    const width = this.scroller.clientWidth - left - 12;
    const x = event.clientX - box.left - left;
    const row = this.rows[Math.floor((event.clientY - box.top + this.scroller.scrollTop) / this.height)];
    if (x < 0 || x > width || !row) {
      this.unhover();
      return;
    }
    const ms = this.from + (x / width) * (this.to - this.from);
    this.line.hidden = false;
    this.line.style.transform = `translate(${left + x}px, ${this.scroller.scrollTop}px)`;
    this.tip.hidden = false;
    const level = levelAt(row.lane, ms);
    put(
      this.tip,
      el("b", null, clock(ms)),
      ` ${row.id}: ${NAMES[level] ?? level}`,
      el("span.hint", null, ` ${utc(ms).slice(11, 19)} UTC`),
    );
    const space = this.root.clientWidth - this.tip.offsetWidth - 8;
    this.tip.style.transform = `translate(${Math.max(4, Math.min(left + x + 12, space))}px, ${event.clientY - this.root.getBoundingClientRect().top + 16}px)`;
  }

  unhover() {
    this.line.hidden = true;
    this.tip.hidden = true;
  }

  close() {
    this.watch.disconnect();
    document.removeEventListener("theme", this.repaint);
    cancelAnimationFrame(this.asked);
  }
}
Lanes.made = 0;
