// A trace as a waterfall: a row for each span, its bar where it lies in the time of the whole.
import { el, facts } from "./dom.js";
import { many, plain, short } from "./text.js";
import { bare } from "./session.js";
import { length, stamp } from "./time.js";

function ruler(total) {
  return el(
    "div.span-row.ruler",
    { "aria-hidden": "true" },
    el("span"),
    el(
      "span.span-time",
      null,
      [0, 0.25, 0.5, 0.75, 1].map((part) => {
        const mark = el("i", null, length(total * part));
        mark.style.left = `${part * 100}%`;
        mark.className = part === 1 ? "end" : part % 0.5 ? "part" : "";
        return mark;
      }),
    ),
  );
}

function row(span, total) {
  const bar = el(`i.span-bar${span.waiting ? ".waiting" : ""}${span.error ? ".error" : ""}`);
  const left = Math.min(99.4, (100 * Math.max(0, span.start_ms)) / total);
  const width = Math.max(0.4, Math.min(100 - left, (100 * span.took_ms) / total));
  bar.style.left = `${left}%`;
  bar.style.width = `${width}%`;
  const took = el("span.span-took", null, length(span.took_ms));
  // the figure stands where there is room: right of the bar, left of it, or in it
  if (left + width < 82) took.style.left = `calc(${left + width}% + 6px)`;
  else if (left < 14) {
    took.style.left = `calc(${left}% + 6px)`;
    took.classList.add(span.waiting ? "over" : "in");
  } else took.style.right = `calc(${100 - left}% + 6px)`;
  const name = el("span.span-name", { title: span.name }, bare(span.name));
  name.style.paddingLeft = `${12 + span.depth * 14}px`;
  const details = Object.entries(span.attributes ?? {});
  return el(
    "details.span",
    null,
    el(
      "summary.span-row",
      {
        "aria-label": `${span.name}, ${length(span.took_ms)}, ${length(span.start_ms)} after the start${span.waiting ? ", waiting" : ""}${span.error ? `, error: ${span.error}` : ""}`,
      },
      name,
      el("span.span-time", null, bar, took),
    ),
    el(
      "div.span-more",
      null,
      facts([
        ["Error", span.error],
        ["Kind", plain(span.kind)],
        ["Began", Number.isFinite(span.start_at_ms) ? stamp(span.start_at_ms) : ""],
        ["What", span.notes],
        ...details.map(([name, value]) => [name, el("span.mono", null, String(value))]),
      ]),
    ),
  );
}

function record(found) {
  const total = Math.max(found.total_ms, ...found.spans.map((span) => span.start_ms + span.took_ms), 0.001);
  return el(
    "div.trace",
    null,
    el(
      "p.trace-head",
      null,
      el("b", null, bare(found.root)),
      ` ${length(found.total_ms)} in ${many(found.spans.length, "span")}`,
      found.queue_ms ? `, of it ${length(found.queue_ms)} waiting in the topic` : "",
    ),
    ruler(total),
    found.spans.map((span) => row(span, total)),
  );
}

/** The answer of /api/traces/{id} as a picture. */
export function waterfall(found) {
  return [
    el(
      "p.hint.trace-id",
      null,
      "Trace ",
      short(found.trace_id, 32),
      found.link && [" · ", el("a", { href: found.link, rel: "noreferrer" }, "open it where your traces are")],
    ),
    found.records.map(record),
  ];
}
