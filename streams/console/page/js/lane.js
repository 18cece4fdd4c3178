// Drawing one lane: how an asset was over time, as coloured pieces on a canvas.
import { colour } from "./theme.js";

const FILL = {
  ok: "normal",
  info: "normal",
  warming: "warming",
  stopped: "stopped",
  quality: "bad",
  anomaly: "anomaly",
  watch: "watch",
  warning: "warning",
  critical: "critical",
};
// how much of the height a level takes: what is worse is taller, so that it shows without colour too
const TALL = {
  ok: 0.34,
  info: 0.34,
  warming: 0.34,
  stopped: 0.16,
  quality: 0.5,
  anomaly: 0.5,
  watch: 0.62,
  warning: 0.8,
  critical: 1,
};
const WORST = ["stopped", "warming", "ok", "info", "quality", "anomaly", "watch", "warning", "critical"];

export const RANK = Object.fromEntries(WORST.map((name, at) => [name, at]));
/** What a piece is called. */
export const NAMES = {
  ok: "normal",
  info: "information",
  warming: "warming up",
  stopped: "not running",
  quality: "data cannot be used",
  anomaly: "anomaly, no alert",
  watch: "watch",
  warning: "warning",
  critical: "critical",
  none: "nothing heard",
};

/** Draw pieces [[from, to, level]] into a strip of a canvas; times outside are cut. */
export function drawLane(canvas, pieces, from, to, left, top, width, height) {
  const scale = width / (to - from);
  // short pieces never vanish, and the worse are drawn last
  const sorted = [...pieces].sort((a, b) => (RANK[a[2]] ?? 0) - (RANK[b[2]] ?? 0));
  for (const [begin, end, level] of sorted) {
    if (end < from || begin > to || !FILL[level]) continue;
    const x0 = Math.floor(left + (Math.max(begin, from) - from) * scale);
    const x1 = Math.ceil(left + (Math.min(end, to) - from) * scale);
    const tall = Math.max(2, Math.round(height * TALL[level]));
    const y = top + Math.round((height - tall) / 2);
    canvas.fillStyle = colour(FILL[level]);
    canvas.fillRect(x0, y, Math.max(x1 - x0, (RANK[level] ?? 0) > 3 ? 2 : 1), tall);
  }
}

/** The level at a time. */
export function levelAt(pieces, ms) {
  return pieces.find(([begin, end]) => begin <= ms && ms < end)?.[2] ?? "none";
}

/** Make a canvas sharp on this screen: size in CSS pixels, drawing in the same. */
export function sharp(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
