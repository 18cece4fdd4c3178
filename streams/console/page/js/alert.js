// One alert: why it fired in words and figures, what to do, who did what, and the proof.
import { get, listen, post } from "./api.js";
import { waiting } from "./asset.js";
import { contributions, decision, headline, runbook, timeline } from "./alert_words.js";
import { el, facts, panel, put, say, words } from "./dom.js";
import { Actions } from "./forms.js";
import { keys } from "./keys.js";
import { lineage } from "./lineage.js";
import { href } from "./route.js";
import { length } from "./time.js";
import { waterfall } from "./waterfall.js";

const trouble = (problem) => el("p.state.fault", null, problem.message, " ", problem.fix ?? "");

class Page {
  constructor(view, id) {
    Object.assign(this, { view, id, gone: false });
    this.cancel = new AbortController();
    this.actions = new Actions(() => this.load());
    this.words = el("div.stack");
    this.side = el("div.stack");
    this.replayed = el(
      "div.replay",
      { role: "status" },
      el("p.hint", null, "Computes the score again from the recorded state and records, and compares every bit."),
    );
    this.replayButton = el("button", { type: "button", onclick: () => this.replay() }, "Replay ", el("kbd", null, "r"));
    this.picture = waiting("Lineage", 300, { hint: "from the raw records to the alert" });
    this.trace = waiting("Trace", 200, { hint: "where the time went, from the sender to the sink" });
  }

  start() {
    put(
      this.view,
      el(
        "div.sheet",
        null,
        el("nav.crumbs", { "aria-label": "Place" }, el("a", { href: href("alerts") }, "Alerts")),
        el("h1", null, "Alert"),
        words("Reading …"),
      ),
    );
    this.load(true);
  }

  async load(first = false) {
    try {
      this.alert = await get(`alerts/${encodeURIComponent(this.id)}`, {}, this.cancel.signal);
    } catch (problem) {
      if (first && problem.name !== "AbortError")
        put(
          this.view,
          el(
            "div.sheet",
            null,
            el("nav.crumbs", null, el("a", { href: href("alerts") }, "Alerts")),
            el("h1", null, "Alert"),
            el("section.panel", null, trouble(problem)),
          ),
        );
      return;
    }
    // where Kafka keeps the anomaly no more there is a reason in its place
    if (this.alert.anomaly?.error) this.alert.anomaly = null;
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
    put(
      this.view,
      el(
        "div.sheet",
        null,
        el(
          "nav.crumbs",
          { "aria-label": "Place" },
          el("a", { href: href("alerts") }, "Alerts"),
          el("span", { "aria-hidden": "true" }, "/"),
          el("a", { href: href("asset", this.alert.asset) }, this.alert.asset),
        ),
        this.head,
        el(
          "div.wide-narrow.act-first",
          null,
          el(
            "div.stack",
            null,
            this.words,
            panel(
              "Evidence and replay",
              [
                facts([
                  [
                    "Case file",
                    evidence
                      ? el("span.mono", null, `sha256 ${evidence}`)
                      : "none is kept of it: the replay reads the log",
                  ],
                  [
                    "Block",
                    anomaly?.block &&
                      el(
                        "a",
                        {
                          href: href("asset", this.alert.asset, {
                            point: anomaly.point,
                            partition: anomaly.block.partition,
                            offset: anomaly.block.offset,
                          }),
                        },
                        `partition ${anomaly.block.partition}, offset ${anomaly.block.offset}`,
                      ),
                  ],
                  ["By hand", anomaly && el("code", null, `foreshock replay ${anomaly.event_id.slice(0, 8)}`)],
                ]),
                this.replayed,
              ],
              { end: this.replayButton },
            ),
          ),
          el("div.stack", null, this.actions.root, this.side),
        ),
        this.picture.root,
        this.trace.root,
      ),
    );
    this.replayButton.disabled = !anomaly;
    this.more();
  }

  async more() {
    const { anomaly } = this.alert;
    const fill = async (place, path, draw) => {
      try {
        put(place.body, draw(await get(path, {}, this.cancel.signal)));
      } catch (problem) {
        if (problem.name !== "AbortError") put(place.body, trouble(problem));
      }
    };
    fill(this.picture, `lineage/${this.id}`, (found) =>
      found.nodes.length
        ? el("div.pad", null, lineage(found, this.picture.body.clientWidth - 24))
        : words("Nothing of its lineage is kept."),
    );
    fill(this.trace, `traces/${this.alert.trace_id || anomaly?.trace_id || this.id}`, (found) =>
      el("div.pad", null, waterfall(found)),
    );
    if (!anomaly) return;
    try {
      this.account = await get(`anomalies/${anomaly.event_id}`, {}, this.cancel.signal);
      put(this.words, decision(this.account, this.alert), contributions(this.account));
    } catch {
      /* what the alert holds of it is shown already */
    }
  }

  async replay() {
    if (this.replayButton.disabled) return;
    this.replayButton.disabled = true;
    put(this.replayed, el("p.verdict", null, "Replaying: the records are read from Kafka and scored again …"));
    try {
      const found = await post(`replay/${this.alert.anomaly.event_id}`);
      const notes = found.notes?.map((each) => el("p.hint", null, each));
      put(
        this.replayed,
        el(
          `p.verdict.${found.equal ? "good" : "poor"}`,
          null,
          found.verdict,
          el(
            "span.muted",
            null,
            ` from the ${found.from === "case" ? "case file" : "log"}, in ${length(found.took_s * 1000)}`,
          ),
        ),
        found.equal
          ? el("p.muted", null, "Every bit of the recorded score came out again.")
          : this.differences(found.differences),
        notes,
      );
      say(`Replay: ${found.verdict}`);
    } catch (problem) {
      put(this.replayed, el("p.verdict.poor", null, problem.message), el("p.hint", null, problem.fix));
    }
    this.replayButton.disabled = false;
  }

  differences(found) {
    return el(
      "table",
      null,
      el(
        "thead",
        null,
        el(
          "tr",
          null,
          ["field", "recorded", "replayed"].map((each) => el("th", { scope: "col" }, each)),
        ),
      ),
      el(
        "tbody",
        null,
        found.map((each) =>
          el(
            "tr",
            null,
            [each.field, each.recorded, each.replayed].map((value) => el("td.wrap.mono", null, String(value))),
          ),
        ),
      ),
    );
  }

  close() {
    this.cancel.abort();
    this.actions.close();
  }
}

export function open(view, { id }) {
  const page = new Page(view, id);
  keys({
    r: ["replay", () => page.replay()],
    a: ["acknowledge", () => page.actions.open("ack")],
    s: ["shelve", () => page.actions.open("shelve")],
    l: ["label", () => page.actions.open("label")],
    o: [
      "open the asset",
      () => {
        if (page.alert) location.hash = href("asset", page.alert.asset);
      },
    ],
    Escape: [
      "",
      () => {
        location.hash = href("alerts");
      },
    ],
  });
  const stop = listen((kind, event) => {
    if (kind === "alert" && page.alert && event.alert_id === page.alert.id) page.load();
  });
  page.start();
  return () => {
    stop();
    page.close();
  };
}
