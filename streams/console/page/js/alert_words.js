// The alert in words and bars: its headline, why it fired, what to do, what happened.
import { el, facts, panel, words } from "./dom.js";
import { href } from "./route.js";
import { heldBack, number, plain, sentence, severity, short } from "./text.js";
import { ago, length, stamp } from "./time.js";

/** The shares of the features, the largest first; what is small is summed up. */
export function contributions(anomaly) {
  if (!anomaly) return null;
  const sorted = [...anomaly.contributions].sort((a, b) => Math.abs(b.amount) - Math.abs(a.amount));
  const most = Math.abs(sorted[0]?.amount ?? 1) || 1;
  const shown = sorted.slice(0, 8);
  const rest = sorted.slice(8).reduce((sum, each) => sum + each.amount, 0);
  const bar = (amount, at) => {
    const fill = el(at === 0 ? "div.fill.most" : "div.fill");
    fill.style.width = `${(100 * Math.abs(amount)) / most}%`;
    return el("div.track", null, fill);
  };
  const band = (each) =>
    each.value === null
      ? ""
      : `${number(each.value)}${each.lower === null ? "" : `, expected ${number(each.lower)} to ${number(each.upper)}`}`;
  return panel(
    "What moved the score",
    el(
      "div.bars",
      null,
      shown.map((each, at) => [
        el("span.name", { title: each.meaning }, each.feature),
        bar(each.amount, at),
        el("span.num", { title: `${number(each.share * 100)} % of the score` }, number(each.amount)),
        el("span.note", null, [each.meaning, band(each)].filter(Boolean).join(": ")),
      ]),
      sorted.length > 8 && [
        el("span.name.muted", null, `${sorted.length - 8} others`),
        bar(rest, 99),
        el("span.num", null, number(rest)),
      ],
    ),
    { hint: `the parts sum to the score of ${number(anomaly.score)}` },
  );
}

// what everybody reads; the rest of the account is folded away
const FIRST = ["what", "machine", "rule"];
const said = ([name, lines]) => [sentence(name), lines.map((line) => el("p", null, line))];

/** A rate of growth in the unit that can be read. */
function growth(rate) {
  const [value, unit] = Math.abs(rate) >= 1 ? [rate / 60, "a minute"] : [rate, "an hour"];
  return `the level ${rate > 0 ? "grows" : "falls"} by ${number(Math.abs(value) * 100, 2)} % ${unit}`;
}

/** Why it fired: the account that everybody reads, and folded away what an auditor asks for. */
export function decision(anomaly, alert) {
  if (!anomaly)
    return panel("Decision", [
      words("The anomaly behind it is no longer kept.", "Only what the alert itself says remains."),
      facts([
        ["Rule", alert.rule],
        ["Policy", alert.policy],
      ]),
    ]);
  const account = anomaly.account ?? [];
  return panel(
    "Decision",
    [
      facts(
        [
          ...account.filter(([name]) => FIRST.includes(name)).map(said),
          account.length ? null : ["Rule", anomaly.decision.rule],
          ["Alert level", alert.rule],
          ["Lowered by", anomaly.lowered_by?.join("; ")],
        ].filter(Boolean),
      ),
      account.length
        ? el(
            "details",
            null,
            el("summary", null, "Records, model, and all that moved"),
            facts(account.filter(([name]) => !FIRST.includes(name)).map(said)),
          )
        : el(
            "details",
            null,
            el("summary", null, `The ${anomaly.decision.operands.length} figures of the rule`),
            facts(anomaly.decision.operands.map((each) => [each.name, number(each.value, 6)])),
          ),
    ],
    { hint: alert.policy && `policy ${alert.policy.split("@")[0]}` },
  );
}

/** What became of it, the newest first. */
export function timeline(alert) {
  return panel(
    "What happened",
    el(
      "ul.past",
      null,
      [...alert.timeline]
        .sort((a, b) => b.at_ms - a.at_ms)
        .map((each) =>
          el(
            "li",
            null,
            stamp(each.at_ms),
            el(
              "div",
              null,
              el("b", null, sentence(plain(each.change))),
              each.actor ? ` by ${each.actor}` : "",
              " ",
              ["raised", "escalated", "de_escalated"].includes(each.change) ? severity(each.severity) : "",
              el(
                "div.hint",
                null,
                [each.reason, each.effect, each.score === null ? "" : `score ${number(each.score)}`]
                  .filter(Boolean)
                  .join("; "),
              ),
            ),
          ),
        ),
    ),
    { flush: true },
  );
}

/** What to do, step by step, and who is told. */
export function runbook(alert) {
  const steps = alert.runbook?.length
    ? el(
        "ol.steps",
        null,
        alert.runbook.map((each) => el("li", null, each)),
      )
    : el("p.hint", null, "The policy of this asset names no runbook.");
  return panel("What to do", [
    alert.action && el("p.action", null, alert.action),
    steps,
    facts([
      ["Owner", alert.owner],
      ["Then", alert.escalation?.join(", then ")],
      ["Work order", alert.work_order],
    ]),
  ]);
}

/** What it is, how bad, since when, until when somebody is to answer. */
export function headline(alert) {
  const answer = alert.respond_by_ms && alert.state === "unacknowledged" ? alert.respond_by_ms - Date.now() : null;
  return el(
    "section.panel.headline",
    { "aria-label": "Summary" },
    el(
      "div.head",
      null,
      el("h1", null, el("a", { href: href("asset", alert.asset) }, alert.asset)),
      severity(alert.severity),
      el("span.tag", null, plain(alert.state)),
      alert.suppressed_by &&
        ["suppressed", "shelved", "out_of_service"].includes(alert.state) &&
        el("span.tag", null, `held back: ${heldBack(alert.suppressed_by)}`),
      el("span.hint", null, "alert ", short(alert.id)),
    ),
    el(
      "p.big",
      { data: { level: alert.severity } },
      alert.hypothesis
        ? `${sentence(alert.hypothesis)}.`
        : "It departs from its own normal in a way that fits no known pattern.",
      alert.score === null ? "" : ` Score ${number(alert.score)}; 1 is the boundary of normal.`,
    ),
    facts([
      [
        "Raised",
        el(
          "span",
          null,
          stamp(alert.raised_ms),
          alert.ended_ms ? ` for ${length(alert.ended_ms - alert.raised_ms)}` : ` (${ago(alert.raised_ms)})`,
        ),
      ],
      ["Trend", Number.isFinite(alert.trend) && alert.trend !== 0 ? growth(alert.trend) : ""],
      ["Points", alert.points?.join(", ")],
      [
        "Priority",
        alert.priority
          ? `${alert.priority}, from ${alert.priority_inputs?.map((each) => `${plain(each.name)} ${number(each.value)}`).join(", ")}`
          : "",
      ],
      [
        "Line",
        alert.incident && [
          `part of an incident of ${alert.incident.line}: `,
          alert.incident.members.map(({ asset }, at) => [
            at ? ", " : "",
            el("a", { href: href("asset", asset) }, asset),
          ]),
        ],
      ],
      [
        "Answer due",
        answer === null
          ? ""
          : answer > 0
            ? `in ${length(answer)}`
            : el("b.late", null, `overdue for ${length(-answer)}`),
      ],
    ]),
  );
}
