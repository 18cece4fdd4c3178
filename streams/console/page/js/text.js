// Numbers and vocabulary as people read them.
import { el } from "./dom.js";

export const LEVELS = ["critical", "warning", "watch", "normal"];

/** Three significant digits, no exponent where it can be helped. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e7 || size < 1e-4) return value.toExponential(Math.max(0, digits - 1));
  if (size >= 10 ** digits) return Math.round(value).toLocaleString("en").replaceAll(",", " ");
  return String(Number(value.toPrecision(digits)));
}

/** A count with thin groups: 12 345. */
export const count = (value) =>
  Number.isFinite(value) ? Math.round(value).toLocaleString("en").replaceAll(",", " ") : "–";

/** 1 alert, 2 alerts */
export const many = (value, one, more = `${one}s`) => `${count(value)} ${value === 1 ? one : more}`;

/** Bytes with a unit. */
export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at ? number(value) : Math.round(value)} ${units[at]}`;
}

/** "returned_unacknowledged" as words. */
export const plain = (name) => String(name ?? "").replaceAll("_", " ");

const HELD = {
  n_of_m: "too few rows at its level",
  fleeting: "it was too short",
  chattering: "it comes and goes",
  minimum_effect: "the change is too small",
  refractory: "too soon after the last one",
  rate_limit: "too many at once",
  parent: "what it stands on is faulty",
  sensor_fault: "its sensor is faulty",
  cleared_while_delayed: "it was over before it came",
};
/** Why an alert is held back. */
export const heldBack = (why) => (Object.hasOwn(HELD, why) ? HELD[why] : plain(why));

/** The first letter large. */
export const sentence = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

/** Severity as shape, word and colour. */
export function severity(level, text = plain(level || "normal")) {
  return el("span.sev", { data: { level: level || "normal" } }, text);
}

/** The short form of an id, whole on hover. */
export const short = (id, size = 8) => el("span.mono", { title: id }, id ? id.slice(0, size) : "–");
