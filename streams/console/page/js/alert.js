// One alert: why it fired in words and figures, what to do, who did what, and the proof.
import { get, listen, post } from "./api.js";
import { waiting } from "./asset.js";
import { el, facts, panel, put, say, words } from "./dom.js";
import { Actions } from "./forms.js";
import { keys } from "./keys.js";
import { lineage } from "./lineage.js";
import { href } from "./route.js";
import { heldBack, number, plain, sentence, severity, short } from "./text.js";
import { ago, length, stamp } from "./time.js";
import { waterfall } from "./waterfall.js";

const trouble = (problem) => el("p.state.fault", null, problem.message, " ", problem.fix ?? "");

/** The shares of the features, the largest first; what is small is summed up. */
function contributions(anomaly) {
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
  const band = (each) => (each.value === null ? "" : `${number(each.value)}${each.lower === null ? "" : `, expected ${number(each.lower)} to ${number(each.upper)}`}`);
  return panel("What moved the score", el("div.bars", null, shown.map((each, at) => [
    el("span.name", { title: each.meaning }, each.feature), bar(each.amount, at), el("span.num", { title: `${number(each.share * 100)} % of the score` }, number(each.amount)),
    el("span.note", null, [each.meaning, band(each)].filter(Boolean).join(": "))]),
  sorted.length > 8 && [el("span.name.muted", null, `${sorted.length - 8} others`), bar(rest, 99), el("span.num", null, number(rest))]), { hint: `the parts sum to the score of ${number(anomaly.score)}` });
}

// what everybody reads; the rest of the account is folded away
const FIRST = ["what", "machine", "rule"];
const said = ([name, lines]) => [sentence(name), lines.map((line) => el("p", null, line))];

/** A rate of growth in the unit that can be read. */
function growth(rate) {
  const [value, unit] = Math.abs(rate) >= 1 ? [rate / 60, "a minute"] : [rate, "an hour"];
  return `the level ${rate > 0 ? "grows" : "falls"} by ${number(Math.abs(value) * 100, 2)} % ${unit}`;
}

function decision(anomaly, alert) {
  if (!anomaly) return panel("Decision", [words("The anomaly behind it is no longer kept.", "Only what the alert itself says remains."), facts([["Rule", alert.rule], ["Policy", alert.policy]])]);
  const account = anomaly.account ?? [];
  return panel("Decision", [
    facts([...account.filter(([name]) => FIRST.includes(name)).map(said),
      account.length ? null : ["Rule", anomaly.decision.rule], ["Alert level", alert.rule], ["Lowered by", anomaly.lowered_by?.join("; ")]].filter(Boolean)),
    account.length ? el("details", null, el("summary", null, "Records, model, and all that moved"), facts(account.filter(([name]) => !FIRST.includes(name)).map(said)))
      : el("details", null, el("summary", null, `The ${anomaly.decision.operands.length} figures of the rule`), facts(anomaly.decision.operands.map((each) => [each.name, number(each.value, 6)])))], { hint: alert.policy && `policy ${alert.policy.split("@")[0]}` });
}

function timeline(alert) {
  return panel("What happened", el("ul.past", null, [...alert.timeline].sort((a, b) => b.at_ms - a.at_ms).map((each) => el("li", null, stamp(each.at_ms), el("div", null,
    el("b", null, sentence(plain(each.change))), each.actor ? ` by ${each.actor}` : "", " ", ["raised", "escalated", "de_escalated"].includes(each.change) ? severity(each.severity) : "",
    el("div.hint", null, [each.reason, each.effect, each.score === null ? "" : `score ${number(each.score)}`].filter(Boolean).join("; ")))))), { flush: true });
}

function runbook(alert) {
  const steps = alert.runbook?.length ? el("ol.steps", null, alert.runbook.map((each) => el("li", null, each))) : el("p.hint", null, "The policy of this asset names no runbook.");
  return panel("What to do", [alert.action && el("p.action", null, alert.action), steps,
    facts([["Owner", alert.owner], ["Then", alert.escalation?.join(", then ")], ["Work order", alert.work_order]])]);
}

function headline(alert) {
  const answer = alert.respond_by_ms && alert.state === "unacknowledged" ? alert.respond_by_ms - Date.now() : null;
  return el("section.panel.headline", { "aria-label": "Summary" },
    el("div.head", null, el("h1", null, el("a", { href: href("asset", alert.asset) }, alert.asset)), severity(alert.severity), el("span.tag", null, plain(alert.state)),
      alert.suppressed_by && ["suppressed", "shelved", "out_of_service"].includes(alert.state) && el("span.tag", null, `held back: ${heldBack(alert.suppressed_by)}`), el("span.hint", null, "alert ", short(alert.id))),
    el("p.big", { data: { level: alert.severity } }, alert.hypothesis ? `${sentence(alert.hypothesis)}.` : "It departs from its own normal in a way that fits no known pattern.",
      alert.score === null ? "" : ` Score ${number(alert.score)}; 1 is the boundary of normal.`),
    facts([["Raised", el("span", null, stamp(alert.raised_ms), alert.ended_ms ? ` for ${length(alert.ended_ms - alert.raised_ms)}` : ` (${ago(alert.raised_ms)})`)],
      ["Trend", Number.isFinite(alert.trend) && alert.trend !== 0 ? growth(alert.trend) : ""],
      ["Points", alert.points?.join(", ")], ["Priority", alert.priority ? `${alert.priority}, from ${alert.priority_inputs?.map((each) => `${plain(each.name)} ${number(each.value)}`).join(", ")}` : ""],
      ["Answer due", answer === null ? "" : answer > 0 ? `in ${length(answer)}` : el("b.late", null, `overdue for ${length(-answer)}`)]]));
}

class Page {
  constructor(view, id) {
    Object.assign(this, { view, id, gone: false });
    this.cancel = new AbortController();
    this.actions = new Actions(() => this.load());
    this.words = el("div.stack");
    this.side = el("div.stack");
    this.replayed = el("div.replay", { role: "status" }, el("p.hint", null, "Computes the score again from the recorded state and records, and compares every bit."));
    this.replayButton = el("button", { type: "button", onclick: () => this.replay() }, "Replay ", el("kbd", null, "r"));
    this.picture = waiting("Lineage", 300, { hint: "from the raw records to the alert" });
    this.trace = waiting("Trace", 200, { hint: "where the time went, from the sender to the sink" });
  }

  start() {
    put(this.view, el("div.sheet", null, el("nav.crumbs", { "aria-label": "Place" }, el("a", { href: href("alerts") }, "Alerts")), el("h1", null, "Alert"), words("Reading …")));
    this.load(true);
  }

  async load(first = false) {
    try {
      this.alert = await get(`alerts/${encodeURIComponent(this.id)}`, {}, this.cancel.signal);
    } catch (problem) {
      if (first && problem.name !== "AbortError") put(this.view, el("div.sheet", null, el("nav.crumbs", null, el("a", { href: href("alerts") }, "Alerts")), el("h1", null, "Alert"), el("section.panel", null, trouble(problem))));
      return;
    }
    document.title = `${this.alert.asset}: ${this.alert.severity} · Foreshock`;
    if (first) this.frame();
    this.actions.take(this.alert);
    const { anomaly } = this.alert;
    put(this.head, headline(this.alert));
    put(this.words, decision(this.account ?? anomaly, this.alert), contributions(anomaly));
    put(this.side, runbook(this.alert), timeline(this.alert));
  }

  frame() {
    this.head = el("div");
    const { anomaly } = this.alert;
    const evidence = this.alert.evidence || anomaly?.evidence;
    put(this.view, el("div.sheet", null,
      el("nav.crumbs", { "aria-label": "Place" }, el("a", { href: href("alerts") }, "Alerts"), el("span", { "aria-hidden": "true" }, "/"), el("a", { href: href("asset", this.alert.asset) }, this.alert.asset)),
      this.head, el("div.wide-narrow.act-first", null, el("div.stack", null, this.words, panel("Evidence and replay", [
        facts([["Case file", evidence ? el("span.mono", null, `sha256 ${evidence}`) : "none is kept of it: the replay reads the log"],
          ["Block", anomaly?.block && el("a", { href: href("asset", this.alert.asset, { point: anomaly.point, partition: anomaly.block.partition, offset: anomaly.block.offset }) }, `partition ${anomaly.block.partition}, offset ${anomaly.block.offset}`)],
          ["By hand", anomaly && el("code", null, `foreshock replay ${anomaly.event_id.slice(0, 8)}`)]]), this.replayed], { end: this.replayButton })),
      el("div.stack", null, this.actions.root, this.side)), this.picture.root, this.trace.root));
    this.replayButton.disabled = !anomaly;
    this.more();
  }

  async more() {
    const { anomaly } = this.alert;
    const fill = async (place, path, draw) => {
      try { put(place.body, draw(await get(path, {}, this.cancel.signal))); }
      catch (problem) { if (problem.name !== "AbortError") put(place.body, trouble(problem)); }
    };
    fill(this.picture, `lineage/${this.id}`, (found) => (found.nodes.length ? el("div.pad", null, lineage(found, this.picture.body.clientWidth - 24)) : words("Nothing of its lineage is kept.")));
    fill(this.trace, `traces/${this.alert.trace_id || anomaly?.trace_id || this.id}`, (found) => el("div.pad", null, waterfall(found)));
    if (!anomaly) return;
    try {
      this.account = await get(`anomalies/${anomaly.event_id}`, {}, this.cancel.signal);
      put(this.words, decision(this.account, this.alert), contributions(this.account));
    } catch { /* what the alert holds of it is shown already */ }
  }

  async replay() {
    if (this.replayButton.disabled) return;
    this.replayButton.disabled = true;
    put(this.replayed, el("p.verdict", null, "Replaying: the records are read from Kafka and scored again …"));
    try {
      const found = await post(`replay/${this.alert.anomaly.event_id}`);
      const notes = found.notes?.map((each) => el("p.hint", null, each));
      put(this.replayed, el(`p.verdict.${found.equal ? "good" : "poor"}`, null, found.verdict, el("span.muted", null, ` from the ${found.from === "case" ? "case file" : "log"}, in ${length(found.took_s * 1000)}`)),
        found.equal ? el("p.muted", null, "Every bit of the recorded score came out again.") : this.differences(found.differences), notes);
      say(`Replay: ${found.verdict}`);
    } catch (problem) {
      put(this.replayed, el("p.verdict.poor", null, problem.message), el("p.hint", null, problem.fix));
    }
    this.replayButton.disabled = false;
  }

  differences(found) {
    return el("table", null, el("thead", null, el("tr", null, ["field", "recorded", "replayed"].map((each) => el("th", { scope: "col" }, each)))),
      el("tbody", null, found.map((each) => el("tr", null, [each.field, each.recorded, each.replayed].map((value) => el("td.wrap.mono", null, String(value)))))));
  }

  close() {
    this.cancel.abort();
    this.actions.close();
  }
}

export function open(view, { id }) {
  const page = new Page(view, id);
  keys({
    r: ["replay", () => page.replay()], a: ["acknowledge", () => page.actions.open("ack")], s: ["shelve", () => page.actions.open("shelve")], l: ["label", () => page.actions.open("label")],
    o: ["open the asset", () => { if (page.alert) location.hash = href("asset", page.alert.asset); }], Escape: ["", () => { location.hash = href("alerts"); }],
  });
  const stop = listen((kind, event) => { if (kind === "alert" && page.alert && event.alert_id === page.alert.id) page.load(); });
  page.start();
  return () => { stop(); page.close(); };
}
