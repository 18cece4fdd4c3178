// The fleet: every asset over time, the worst first.
import { get, listen } from "./api.js";
import { el, panel, put, say, words } from "./dom.js";
import { GROUPS, lineOf, pick, siteOf, values } from "./filter.js";
import { keys } from "./keys.js";
import { Lanes, badge } from "./lanes.js";
import { adjust, href } from "./route.js";
import { count, many } from "./text.js";

const SPANS = [
  ["", "last hour, fitted"],
  ["5", "last 5 min"],
  ["15", "last 15 min"],
  ["60", "last 1 h"],
  ["360", "last 6 h"],
  ["1440", "last 24 h"],
];
const SORTS = [
  ["severity", "worst first"],
  ["score", "highest score"],
  ["trend", "fastest growth"],
  ["heard", "longest unheard"],
  ["name", "name"],
];
const MOST = 5000;
const AGAIN_MS = 20_000;
// what was read last is shown at once when the page is opened again
let kept = null;

/** Where the axis begins unless a span was chosen: that of a plant that began just now is not mostly empty. */
function fit({ assets, from_ms: from, to_ms: to }) {
  const first = assets.reduce((least, asset) => Math.min(least, asset.lane[0]?.[0] ?? to), to);
  return Math.min(Math.max(from, first), to - 60_000);
}

export function open(view, { query }) {
  const set = {
    q: "",
    severity: "",
    site: "",
    line: "",
    asset_class: "",
    state: "",
    sort: "severity",
    span: "",
    ...Object.fromEntries(query),
  };
  let data = kept?.span === set.span ? kept.data : null;
  let gone = false;
  const lanes = new Lanes({
    open: (row) => {
      location.hash = href("asset", row.id);
    },
    chosen: (row) => say(`${row.id}, ${row.severity}`),
  });
  const search = el("input", {
    type: "search",
    placeholder: "Search assets, classes, places",
    "aria-label": "Search assets",
    value: set.q,
    autocomplete: "off",
    spellcheck: "false",
  });
  const chips = el("div.chips", { role: "group", "aria-label": "Severities" });
  const choices = el("div.choices");
  const told = el("p.hint.told", { role: "status" });
  const empty = el("div.lane-empty");
  put(
    view,
    el(
      "div.fleet",
      null,
      el("h1.unseen", null, "Fleet"),
      el("div.tools", null, search, chips),
      el("div.second", null, told, choices),
      lanes.root,
      empty,
    ),
  );

  const change = (name, value) => {
    set[name] = value;
    adjust({ [name]: value === "severity" && name === "sort" ? "" : value });
    draw();
  };

  function drawChips() {
    const counts = data?.counts ?? {};
    const wanted = new Set(set.severity ? set.severity.split(",") : []);
    put(
      chips,
      GROUPS.map(([title, levels]) => {
        const held = levels.reduce((sum, level) => sum + (counts[level] ?? 0), 0);
        const on = levels.every((level) => wanted.has(level));
        const mark = badge(levels[0]);
        mark.textContent = title;
        return el(
          "button.chip",
          {
            type: "button",
            "aria-pressed": on,
            class: held || on ? "chip" : "chip zero",
            "aria-label": `${title}: ${held}`,
            onclick: () => {
              for (const level of levels)
                if (on) wanted.delete(level);
                else wanted.add(level);
              change("severity", [...wanted].join(","));
            },
          },
          held ? mark : title,
          el("b", null, count(held)),
        );
      }),
    );
  }

  function choice(name, title, options) {
    if (options.length < 2 && !set[name]) return null;
    return el(
      "select",
      { "aria-label": title, onchange: (event) => change(name, event.target.value) },
      el("option", { value: "" }, `${title}: all`),
      options.map((each) => el("option", { value: each, selected: set[name] === each }, each)),
    );
  }

  function drawChoices() {
    const assets = data?.assets ?? [];
    put(
      choices,
      choice("site", "Site", values(assets, siteOf)),
      choice("line", "Line", values(assets, lineOf)),
      choice(
        "asset_class",
        "Class",
        values(assets, (each) => each.class),
      ),
      choice(
        "state",
        "Run state",
        values(assets, (each) => each.run_state),
      ),
      el(
        "select",
        { "aria-label": "Order", onchange: (event) => change("sort", event.target.value) },
        SORTS.map(([value, title]) => el("option", { value, selected: set.sort === value }, title)),
      ),
      el(
        "select",
        {
          "aria-label": "Time span",
          onchange: (event) => {
            change("span", event.target.value);
            load();
          },
        },
        SPANS.map(([value, title]) => el("option", { value, selected: set.span === value }, title)),
      ),
    );
  }

  function draw() {
    if (gone) return;
    drawChips();
    if (!data) return;
    const rows = pick(data.assets, set);
    const bound =
      data.total > data.assets.length
        ? ` The first ${count(data.assets.length)} are held here; search to see others.`
        : "";
    told.textContent = `${rows.length === data.total ? many(data.total, "asset") : `${count(rows.length)} of ${many(data.total, "asset")}`}.${bound}`;
    lanes.root.hidden = !rows.length;
    put(
      empty,
      rows.length
        ? null
        : data.total
          ? [words("No asset fits these filters."), el("button", { type: "button", onclick: clear }, "Show all")]
          : panel("No assets yet", [
              words(
                "Nothing was heard and no asset is registered.",
                "Send blocks to sensors.v1, or run `foreshock demo --open`.",
              ),
            ]),
    );
    lanes.set(rows, data.from_ms, data.to_ms, data.assets.length);
  }

  function clear() {
    for (const name of ["q", "severity", "site", "line", "asset_class", "state"]) {
      set[name] = "";
    }
    search.value = "";
    adjust({ q: "", severity: "", site: "", line: "", asset_class: "", state: "" });
    drawChoices();
    draw();
  }

  async function load() {
    const span = set.span;
    try {
      const found = await get("fleet", { minutes: span || "60", limit: MOST });
      if (gone || span !== set.span) return;
      const first = !data;
      data = found;
      if (!span) data.from_ms = fit(data);
      kept = { span, data };
      if (first || choices.childElementCount === 0) drawChoices();
      draw();
    } catch (problem) {
      if (gone) return;
      if (data) told.textContent = `${problem.message} What is shown is from before.`;
      else put(empty, el("p.state.fault", null, problem.message, " ", problem.fix ?? ""));
    }
  }

  /** Take newest scores into the rows; their lanes grow with them. */
  function hear(kind, event) {
    if (kind !== "scores" || !data) return;
    const known = new Map(data.assets.map((asset) => [asset.id, asset]));
    let missing = false;
    for (const [id, level, score, p, alarm, last, state] of event.rows) {
      const asset = known.get(id);
      if (!asset) {
        missing = true;
        continue;
      }
      if (level !== asset.severity) {
        data.counts[asset.severity] -= 1;
        data.counts[level] = (data.counts[level] ?? 0) + 1;
        asset.since_ms = last;
      }
      Object.assign(asset, { severity: level, score, p, alarm, last_ms: last, state, stale: false });
      const end = asset.lane.at(-1);
      if (end && end[2] === level) end[1] = last;
      else asset.lane.push([end ? end[1] : last, last, level]);
    }
    const span = data.to_ms - data.from_ms;
    data.to_ms = Math.max(data.to_ms, event.now_ms);
    data.from_ms = data.to_ms - span;
    if (missing) load();
    draw();
  }

  search.addEventListener("input", () => {
    set.q = search.value;
    adjust({ q: set.q });
    draw();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      lanes.select(0);
    }
  });
  keys({
    "/": [
      "",
      () => {
        search.focus();
        search.select();
      },
    ],
    j: ["", () => lanes.move(1)],
    k: ["", () => lanes.move(-1)],
    ArrowDown: ["", () => lanes.move(1)],
    ArrowUp: ["", () => lanes.move(-1)],
    Home: ["", () => lanes.move(-1e9)],
    End: ["", () => lanes.move(1e9)],
    Enter: ["", () => lanes.enter()],
    Escape: ["", clear],
  });
  const stop = listen(hear);
  const again = setInterval(load, AGAIN_MS);
  if (data) drawChoices();
  else {
    told.textContent = "Reading the fleet …";
  }
  draw();
  load();
  return () => {
    gone = true;
    stop();
    clearInterval(again);
    lanes.close();
  };
}
