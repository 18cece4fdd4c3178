// The asset in words: its headline, what was before, its quality, its master data.
import { el, facts, panel, put, words } from "./dom.js";
import { NAMES } from "./lane.js";
import { badge } from "./lanes.js";
import { href } from "./route.js";
import { number, plain, sentence, severity } from "./text.js";
import { ago, length, stamp } from "./time.js";

const RUN = {
  running: "The machine runs.",
  stopped: "The machine stands still.",
  starting: "The machine starts.",
  stopping: "The machine stops.",
};

/** What stands, since when, in one sentence. */
function summary(now) {
  const since = now.since_ms ? [" since ", stamp(now.since_ms), ` (${length(Date.now() - now.since_ms)})`] : [];
  const score =
    now.score === null || now.score === undefined ? "" : ` Score ${number(now.score)}; 1 is the boundary of normal.`;
  if (now.severity === "none") return ["Nothing is heard of it", since, "."];
  if (now.severity === "quality")
    return [
      "Its data cannot be used",
      since,
      `: ${now.quality?.map(plain).join(", ") || plain(now.reason) || "see quality"}.`,
    ];
  if (now.severity === "warming")
    return [`It is still learning what is normal: ${Math.round((now.warmup ?? 0) * 100)} % of the warm-up.`, score];
  if (now.severity === "stopped") return ["Not running", since, ": what stands still is not scored."];
  return [sentence(NAMES[now.severity] ?? plain(now.severity)), since, ".", score];
}

export class Headline {
  constructor(page) {
    this.page = page;
    this.line = el("p.big");
    this.tags = el("div.head");
    this.body = el("div.headline-body", null, words("Reading its history from Kafka …"));
    this.root = el("section.panel.headline", { "aria-label": "Summary" }, this.tags, this.line, this.body);
    this.refresh();
  }

  refresh() {
    const { id, now = {} } = this.page.data;
    const alert = now.alert;
    put(
      this.tags,
      el("h1", null, id),
      badge(now.severity ?? "none"),
      [
        now.class,
        now.criticality && `criticality ${now.criticality}`,
        now.owner && `owner ${now.owner}`,
        now.registered === false && "not registered",
      ]
        .filter(Boolean)
        .map((each) => el("span.tag", null, each)),
      alert && el("a.button", { href: href("alert", alert.id) }, "Open its alert ", el("kbd", null, "o")),
    );
    put(
      this.line,
      summary(now),
      now.severity === "stopped" ? "" : ` ${RUN[now.run_state] ?? ""}`,
      el("span.hint", null, ` Heard ${ago(now.last_ms)}.`),
    );
    this.line.dataset.level = now.severity ?? "";
  }

  newest([, level, score, p, alarm, last]) {
    Object.assign(this.page.data.now, { severity: level, score, p, alarm, last_ms: last });
    this.refresh();
  }

  async load() {
    try {
      const found = await this.page.ask("asset/dossier");
      const rows = [
        ["How fast", found.headings.map((each) => el("p", null, each.sentence))],
        ["Failure mode", found.failure_mode],
        ["Repaired", found.repaired],
        ["What to do", found.todo.map((each) => el("p", null, each))],
      ];
      put(this.body, facts(rows.filter(([, value]) => value && value.length)));
    } catch (problem) {
      if (problem.name !== "AbortError") put(this.body, el("p.state.fault", null, problem.message, " ", problem.fix));
    }
  }

  close() {}
}

const VERDICT = { true: "a real fault", false: "a false alarm", neutral: "neither" };

function events({ alerts = [], anomalies = [], labels = [], work = [] }) {
  const found = [
    ...alerts.map((each) => [
      each.raised_ms,
      el(
        "span",
        null,
        el("a", { href: href("alert", each.id) }, "Alert"),
        " raised, at worst ",
        severity(each.worst ?? each.severity),
        each.open ? ", stands" : "",
      ),
      each.hypothesis,
    ]),
    ...alerts
      .filter((each) => each.ended_ms)
      .map((each) => [
        each.ended_ms,
        el("span", null, el("a", { href: href("alert", each.id) }, "Alert"), " ended"),
        "",
      ]),
    ...anomalies
      .filter((each) => each.phase !== "updated")
      .map((each) => [each.at_ms, `Anomaly at ${each.point} ${each.phase}, score ${number(each.score)}`, ""]),
    ...labels.map((each) => [
      each.at_ms,
      `${each.actor} labelled it ${VERDICT[each.verdict] ?? plain(each.verdict)}`,
      [each.reason, each.effect].filter(Boolean).join("; "),
    ]),
    ...work.map((each) => [
      each.at_ms,
      `${sentence(plain(each.kind))} ${each.work_order}`,
      [plain(each.failure_mode), each.note].filter(Boolean).join("; "),
    ]),
  ];
  return found.sort((a, b) => b[0] - a[0]);
}

/** Alerts, anomalies, labels and work, the newest first. */
export function history(data) {
  const rows = events(data);
  return panel(
    "History",
    rows.length
      ? el(
          "ul.past",
          null,
          rows
            .slice(0, 40)
            .map(([at, what, more]) =>
              el("li", null, stamp(at), el("div", null, what, more && el("div.hint", null, more))),
            ),
        )
      : words("No alert, anomaly, label or work order in the time that is held."),
    { flush: true },
  );
}

/** What was wrong with its data. */
export function quality({ quality: rows = [] }) {
  return panel(
    "Data quality",
    rows.length
      ? el(
          "ul.past",
          null,
          [...rows]
            .sort((a, b) => b.at_ms - a.at_ms)
            .slice(0, 12)
            .map((each) =>
              el(
                "li",
                null,
                stamp(each.at_ms),
                el(
                  "div",
                  null,
                  el(
                    "span",
                    null,
                    `${sentence(plain(each.kind))} ${each.raised ? "began" : "ended"} at ${each.point}${each.channel ? ` ${each.channel}` : ""}`,
                  ),
                  el(
                    "div.hint",
                    null,
                    each.detail,
                    each.cause ? `; ${plain(each.cause)}` : "",
                    each.layer ? `. It is the ${plain(each.layer)}: ${each.why}` : "",
                    typeof each.health === "number" ? `. Health of the sensor: ${Math.round(100 * each.health)} %` : "",
                  ),
                ),
              ),
            ),
        )
      : words("Nothing was wrong with its data in the time that is held."),
    { flush: true },
  );
}

/** Why is there a score, or none: asked of Kafka when the viewer wants to know. */
export function why(page) {
  const body = el(
    "div",
    null,
    page.because ?? el("p.hint", null, "Reads the last records, quality and state of this asset."),
  );
  const ask = async () => {
    put(body, el("p.hint", null, "Reading Kafka …"));
    try {
      const found = await page.ask("asset/why");
      page.because = [
        el("p", null, el("b", null, found.sentence)),
        found.fix && el("p.hint", null, "Next: ", el("code", null, found.fix)),
        el(
          "ul.lines.small",
          null,
          found.lines.map((each) => el("li", null, `${each.what}: ${each.value}`)),
        ),
      ];
      put(body, page.because);
    } catch (problem) {
      if (problem.name !== "AbortError") put(body, el("p.fault", null, `${problem.message} ${problem.fix}`));
    }
  };
  return panel("Why this state?", body, { end: el("button", { type: "button", onclick: ask }, "Ask") });
}

/** Master data. */
export function register({ registered, points }) {
  const head = registered
    ? [
        ["Place", registered.path?.join(" / ")],
        ["Class", registered.class],
        ["Completed by", registered.class_record && el("span.mono", null, registered.class_record)],
        ["Criticality", registered.criticality],
        ["Owner", registered.owner],
        [
          "Rated speed",
          registered.rated_speed_hz &&
            `${number(registered.rated_speed_hz)} Hz (${number(registered.rated_speed_hz * 60, 4)} rpm)`,
        ],
        ["Bearings", registered.bearings?.map((each) => each.name).join(", ")],
        ["Shafts", registered.shafts?.map((each) => `${each.name} (${number(each.ratio)} x)`).join(", ")],
        ["Gears", registered.gears?.map((each) => `${each.name} (${each.teeth} teeth)`).join(", ")],
        ["Gear teeth", registered.gear_teeth?.join(", ")],
        ["Impellers", registered.impellers?.map((each) => `${each.name} (${each.blades} blades)`).join(", ")],
      ]
    : [];
  const body = points.flatMap((each) => {
    const known = registered?.points?.find((other) => other.point === each.point);
    return [
      [
        `Point ${each.point}`,
        [
          known &&
            `${known.quantity}, ${known.unit}${known.sampling_rate_hz ? `, ${number(known.sampling_rate_hz, 6)} Hz` : ""}`,
          each.channels?.length ? ` channels ${each.channels.join(", ")}` : "",
        ]
          .filter(Boolean)
          .join(";"),
      ],
      ["Model", each.model && el("span.mono", null, each.model)],
      ["Features", each.feature_set && el("span.mono", null, each.feature_set)],
      ["Learning", each.learning && plain(each.learning)],
      ["Newest record", Number.isFinite(each.offset) ? `partition ${each.partition}, offset ${each.offset}` : ""],
    ];
  });
  return panel("Master data", [
    registered
      ? null
      : el("p.hint", null, "Not registered: it is scored with defaults. Send an Asset record to assets.v1."),
    facts([...head, ...body]),
  ]);
}
