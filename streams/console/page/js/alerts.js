// The list of alerts: what waits for somebody, the most urgent first.
import { get, listen } from "./api.js";
import { el, panel, put, say, words } from "./dom.js";
import { keys } from "./keys.js";
import { adjust, href } from "./route.js";
import { heldBack, many, number, plain, severity, short } from "./text.js";
import { ago, length, stamp } from "./time.js";

function due(alert) {
  if (!alert.respond_by_ms || alert.state !== "unacknowledged") return "";
  const left = alert.respond_by_ms - Date.now();
  return left > 0 ? `in ${length(left)}` : el("b.late", null, `overdue for ${length(-left)}`);
}

function stateOf(alert) {
  if (alert.suppressed_by && ["suppressed", "shelved", "out_of_service"].includes(alert.state))
    return `${plain(alert.state)}: ${heldBack(alert.suppressed_by)}`;
  return alert.state === "acknowledged" && alert.acknowledged_by
    ? `acknowledged by ${alert.acknowledged_by}`
    : plain(alert.state);
}

const COLUMNS = ["severity", "asset", "state", "hypothesis", "score", "raised", "answer due", "owner", "alert"];

function row(alert, at, selected) {
  const go = () => {
    location.hash = href("alert", alert.id);
  };
  return el(
    "tr.pick",
    {
      "aria-selected": at === selected,
      onclick: (event) => {
        if (!event.target.closest("a")) go();
      },
    },
    el("td", null, severity(alert.severity)),
    el("td.wrap", null, el("a", { href: href("alert", alert.id) }, alert.asset)),
    el("td", null, stateOf(alert)),
    el("td.wrap", null, alert.hypothesis || el("span.hint", null, "no known pattern")),
    el("td.num", null, number(alert.score)),
    el(
      "td",
      { title: "" },
      stamp(alert.raised_ms),
      el(
        "span.hint",
        null,
        ` ${alert.ended_ms ? `for ${length(alert.ended_ms - alert.raised_ms)}` : ago(alert.raised_ms)}`,
      ),
    ),
    el("td", null, due(alert)),
    el("td", null, alert.owner),
    el("td", null, short(alert.id)),
  );
}

/** Incidents of lines: several machines that fail together are one thing to somebody. */
function lines(incidents) {
  const standing = incidents.filter((each) => each.open);
  if (!standing.length) return null;
  const machines = (each) =>
    each.members.map(({ asset, alert_id: alert }, at) => [
      at ? ", " : "",
      el("a", { href: href("alert", alert) }, asset),
    ]);
  const item = (each) =>
    el(
      "li",
      null,
      stamp(each.raised_ms),
      el(
        "div",
        null,
        severity(each.severity),
        el("b", null, ` ${each.line} `),
        `${plain(each.state)}, ${many(each.members.length, "machine")}: `,
        machines(each),
        each.cause && el("div.hint", null, each.cause),
      ),
    );
  return panel("Lines on which several machines fail together", el("ul.past", null, standing.map(item)), {
    flush: true,
  });
}

export function open(view, { query }) {
  const set = { state: "open", asset: "", ...Object.fromEntries(query) };
  let alerts = null;
  let at = -1;
  let gone = false;
  const body = el("tbody");
  const incidents = el("div");
  const empty = el("div", null, words("Reading the alerts …"));
  const chips = el("div.chips", { role: "group", "aria-label": "Which alerts" });
  const table = el(
    "div.scroll",
    { hidden: true },
    el(
      "table.alerts",
      null,
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          COLUMNS.map((name) => el(name === "score" ? "th.num" : "th", { scope: "col" }, name)),
        ),
      ),
      body,
    ),
  );
  put(
    view,
    el(
      "div.sheet",
      null,
      el("h1", null, "Alerts"),
      incidents,
      panel("What needs somebody, the most urgent first", [table, empty], { flush: true, end: chips }),
    ),
  );

  function draw() {
    put(
      chips,
      [
        ["open", "open"],
        ["all", "all that are held"],
      ].map(([value, title]) =>
        el(
          "button.chip",
          {
            type: "button",
            "aria-pressed": set.state === value,
            onclick: () => {
              set.state = value;
              adjust({ state: value === "open" ? "" : value });
              load();
            },
          },
          title,
        ),
      ),
      set.asset &&
        el(
          "button.chip",
          {
            type: "button",
            "aria-pressed": "true",
            onclick: () => {
              set.asset = "";
              adjust({ asset: "" });
              load();
            },
          },
          `${set.asset} ×`,
        ),
    );
    if (!alerts) return;
    table.hidden = !alerts.length;
    put(
      empty,
      alerts.length
        ? null
        : words(
            set.state === "open" ? "No alert stands." : "No alert is held.",
            set.state === "open" ? "All is normal, or nothing was alerted." : "",
          ),
    );
    put(
      body,
      alerts.map((alert, index) => row(alert, index, at)),
    );
  }

  async function load() {
    try {
      const found = await get("alerts", { state: set.state, asset: set.asset, limit: 500 });
      if (gone) return;
      alerts = found.alerts;
      draw();
      const grouped = await get("lines");
      if (!gone) put(incidents, lines(grouped.incidents));
    } catch (problem) {
      if (!gone && !alerts) put(empty, el("p.state.fault", null, `${problem.message} ${problem.fix}`));
    }
  }

  function move(by) {
    if (!alerts?.length) return;
    at = Math.min(Math.max(at + by, 0), alerts.length - 1);
    draw();
    body.children[at].scrollIntoView({ block: "nearest" });
    say(`alert ${at + 1} of ${alerts.length}: ${alerts[at].severity} ${alerts[at].asset}`);
  }

  keys({
    j: ["", () => move(1)],
    k: ["", () => move(-1)],
    ArrowDown: ["", () => move(1)],
    ArrowUp: ["", () => move(-1)],
    Enter: [
      "",
      () => {
        if (alerts?.[at]) location.hash = href("alert", alerts[at].id);
      },
    ],
    Escape: [
      "",
      () => {
        location.hash = href("fleet");
      },
    ],
  });
  const stop = listen((kind) => {
    if (kind === "alert" || kind === "line") load();
  });
  const again = setInterval(load, 15_000);
  draw();
  load();
  return () => {
    gone = true;
    stop();
    clearInterval(again);
  };
}
