// Times in the zone of the viewer, UTC on hover. The API speaks in ms since 1970.
import { el } from "./dom.js";

const DAY = 86_400_000;
const hms = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const hm = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const zoneName = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" });

/** The viewer's zone, short. */
export const zone = zoneName.formatToParts(0).find((part) => part.type === "timeZoneName")?.value ?? "local";

const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

/** 21:04:12, with the day unless it is today. */
export function clock(ms, now = Date.now()) {
  if (!Number.isFinite(ms)) return "–";
  const date = new Date(ms);
  return sameDay(ms, now) ? hms.format(date) : `${day.format(date)} ${hms.format(date)}`;
}

/** The label of an axis: as short as the span allows. */
export function tick(ms, span) {
  const date = new Date(ms);
  return span <= 10 * 60_000
    ? hms.format(date)
    : span <= DAY
      ? hm.format(date)
      : `${day.format(date)} ${hm.format(date)}`;
}

/** 2026-11-21 21:04:12.345 UTC */
export function utc(ms) {
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().replace("T", " ").replace("Z", "")} UTC` : "";
}

/** A length of time in one or two units: 840 µs, 12.3 ms, 4 s, 2 min 5 s, 3 h, 12 days. */
export function length(ms) {
  if (!Number.isFinite(ms)) return "–";
  const size = Math.abs(ms);
  if (size < 1) return `${Math.round(ms * 1000)} µs`;
  if (size < 1000) return `${size < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (size < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (size < 60_000) return `${Math.round(ms / 1000)} s`;
  const s = Math.round(size / 1000);
  if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
  if (s < 86_400)
    return Math.floor(s / 60) % 60
      ? `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`
      : `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** How long ago, in one unit; never less than now, whatever the clocks say. */
export function ago(ms, now = Date.now()) {
  if (!Number.isFinite(ms)) return "never";
  const s = (now - ms) / 1000;
  if (s < 2) return "now";
  if (s < 90) return `${Math.round(s)} s ago`;
  if (s < 5400) return `${Math.round(s / 60)} min ago`;
  return s < 129_600 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86_400)} days ago`;
}

/** A time element: local, UTC on hover. */
export function stamp(ms, text = clock(ms)) {
  if (!Number.isFinite(ms)) return el("span", null, "–");
  return el("time", { datetime: new Date(ms).toISOString(), title: utc(ms) }, text);
}

/** Ticks of a time axis: [ms] at round times of the viewer's zone. */
export function ticks(from, to, most) {
  const steps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
  ];
  const step = 1000 * (steps.find((each) => (to - from) / (each * 1000) <= most) ?? 2_592_000);
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const found = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) found.push(at);
  return found;
}
