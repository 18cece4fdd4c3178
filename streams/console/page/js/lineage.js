// Lineage as a picture: columns from the raw records to the alert, lines between what made what.
import { el, svg } from "./dom.js";
import { fromPath } from "./route.js";
import { bare } from "./session.js";
import { plain } from "./text.js";

const GAP = 26;
const LEAST = 172;
const LINE = 15;
const BETWEEN = 14;
const TITLES = ["Records", "What it was read with", "Model and state", "Score", "Anomaly", "Alert, and what followed"];
const KINDS = {
  input: "what was measured",
  schema: "how it was written",
  asset: "what the machine is",
  features: "what was computed",
  state: "what was known",
  calibration: "what is normal",
  model: "what judges",
  score: "the judgement",
  anomaly: "the episode",
  case: "the proof",
  policy: "what is tolerated",
  alert: "who is told",
  command: "what people said",
  work: "what was done",
  sink: "where it went",
};
// width of a letter of the small text, in px
const LETTER = 6.7;

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Where each node stands: in the column of its layer (empty layers are left out), columns centred. */
function place(nodes, room) {
  const layers = [...new Set(nodes.map((node) => node.layer))].sort((a, b) => a - b);
  const wide = Math.max(LEAST, Math.min(240, Math.floor((room - 4 - (layers.length - 1) * GAP) / layers.length)));
  const boxes = new Map();
  let tall = 0;
  const columns = layers.map((layer) =>
    nodes
      .filter((node) => node.layer === layer)
      .map((node) => ({ node, h: 40 + LINE * Math.min(4, node.lines.length) })),
  );
  for (const column of columns)
    tall = Math.max(
      tall,
      column.reduce((sum, each) => sum + each.h + BETWEEN, -BETWEEN),
    );
  columns.forEach((column, at) => {
    let y = 28 + (tall - column.reduce((sum, each) => sum + each.h + BETWEEN, -BETWEEN)) / 2;
    for (const { node, h } of column) {
      boxes.set(node.id, { x: 2 + at * (wide + GAP), y, w: wide, h, node });
      y += h + BETWEEN;
    }
  });
  return { boxes, width: 4 + columns.length * (wide + GAP) - GAP, height: tall + 34, layers, wide };
}

function box({ x, y, w, h, node }) {
  const fit = Math.floor((w - 18) / LETTER);
  const strong = ["anomaly", "alert"].includes(node.kind);
  const body = [
    svg("title", null, [node.title, ...node.lines].join("\n")),
    svg("rect", { x, y, width: w, height: h, rx: 3, class: strong ? "box strong" : "box" }),
    svg("text", { x: x + 9, y: y + 15, class: "kind" }, KINDS[node.kind] ?? plain(node.kind)),
    svg("text", { x: x + 9, y: y + 31, class: "title" }, cut(bare(node.title), Math.floor(fit * 0.88))),
    node.lines
      .slice(0, 4)
      .map((line, at) => svg("text", { x: x + 9, y: y + 47 + at * LINE, class: "line" }, cut(bare(line), fit))),
  ];
  return node.link
    ? svg("a", { href: node.link.startsWith("/") ? fromPath(node.link) : "#", class: "go" }, body)
    : svg("g", null, body);
}

function edge(from, to) {
  const x0 = from.x + from.w;
  const y0 = from.y + from.h / 2;
  const y1 = to.y + to.h / 2;
  const x1 = to.x;
  if (x1 <= from.x) {
    // within one column: a bow at the left
    return svg("path", {
      d: `M${from.x},${y0} C${from.x - 22},${y0} ${from.x - 22},${y1} ${to.x},${y1}`,
      class: "edge",
    });
  }
  const bend = Math.min(60, (x1 - x0) / 2 + 8);
  return svg("path", { d: `M${x0},${y0} C${x0 + bend},${y0} ${x1 - bend},${y1} ${x1},${y1}`, class: "edge" });
}

/** The picture and, for those who do not see it, the same as a list. */
export function lineage({ nodes: all, edges }, room) {
  // what people and sinks made of an alert stands below it: a column of its own would be cut on most screens
  const nodes = all.map((node) => ({ ...node, layer: Math.min(node.layer, TITLES.length - 1) }));
  const { boxes, width, height, layers, wide } = place(nodes, room);
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      class: "lineage",
      role: "group",
      "aria-label": `Lineage: ${nodes.length} things and what was made of what`,
    },
    layers.map((layer, at) => svg("text", { x: 2 + at * (wide + GAP), y: 13, class: "column" }, TITLES[layer] ?? "")),
    edges.map(([from, to]) => boxes.has(from) && boxes.has(to) && edge(boxes.get(from), boxes.get(to))),
    [...boxes.values()].map(box),
  );
  return el(
    "div.scroll.lineage-scroll",
    { tabindex: "0", role: "region", "aria-label": "Lineage picture, scrolls sideways" },
    picture,
  );
}
