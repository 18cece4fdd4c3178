// The score over time with the levels of the policy, alerts, labels and work upon it.
import { waiting } from "./asset.js";
import { Chart } from "./chart.js";
import { el, put, words } from "./dom.js";
import { number, plain } from "./text.js";
import { clock } from "./time.js";

const SPANS = [
  ["5", "5 min"],
  ["15", "15 min"],
  ["60", "1 h"],
  ["360", "6 h"],
  ["1440", "24 h"],
];
const WORD = {
  raised: "alert",
  acknowledged: "acknowledged",
  escalated: "escalated",
  returned_to_normal: "normal again",
  closed: "closed",
  shelved: "shelved",
};

export class Score {
  constructor(page) {
    this.page = page;
    this.buttons = el("div.chips", { role: "group", "aria-label": "Time span" });
    const made = waiting("Score", 236, { hint: "1 is the boundary of normal; drag across to zoom", end: this.buttons });
    Object.assign(this, made);
    this.span();
  }

  span() {
    const { from, minutes } = this.page.state;
    put(
      this.buttons,
      !from &&
        el(
          "button.chip",
          { type: "button", "aria-pressed": !minutes, onclick: () => this.show({ from: "", to: "", minutes: "" }) },
          "fitted",
        ),
      from &&
        el(
          "button.chip",
          { type: "button", "aria-pressed": "true", onclick: () => this.show({ from: "", to: "" }) },
          "zoomed ×",
        ),
      SPANS.map(([value, title]) =>
        el(
          "button.chip",
          {
            type: "button",
            "aria-pressed": !from && minutes === value,
            onclick: () => this.show({ from: "", to: "", minutes: value }),
          },
          title,
        ),
      ),
    );
  }

  async show(changes) {
    this.page.set(changes);
    this.span();
    await this.load();
    this.page.features.load();
  }

  /** The span that is shown, for the other parts too. */
  range() {
    const { from, to, minutes = "60" } = this.page.state;
    if (from) return { from_ms: from, to_ms: to };
    const now = Date.now();
    return { from_ms: now - Number(minutes) * 60_000, to_ms: now };
  }

  async load() {
    const range = this.range();
    const ask = (from) =>
      this.page.ask("asset/series", { point: this.page.point.point, width: 900, ...range, from_ms: from });
    try {
      let found = await ask(range.from_ms);
      const first = found.t_ms[0] ?? 0;
      // unless a span was asked for the axis begins where the scores do, and they are asked for again, in finer steps
      const fitted =
        !this.page.state.from &&
        !this.page.state.minutes &&
        first - range.from_ms > 0.1 * (range.to_ms - range.from_ms);
      this.begin = fitted ? Math.floor(first) - 1000 : Number(range.from_ms);
      if (fitted) found = await ask(this.begin);
      this.found = found;
      this.draw(found, [this.begin, Number(range.to_ms)]);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.drop();
      put(this.body, el("p.state.fault", null, problem.message, " ", problem.fix));
    }
  }

  /** Where the newest block is that has a score: the signal of a machine that stands still tells nothing. */
  newest() {
    const scored = this.found?.states.indexOf("scored");
    const at = this.found?.state.lastIndexOf(scored) ?? -1;
    const { partition, offsets } = this.found?.input ?? {};
    return at < 0 || !offsets?.[at] ? {} : { partition, offset: offsets[at] };
  }

  drop() {
    this.chart?.close();
    this.chart = null;
  }

  draw(found, [from, to]) {
    if (!found.t_ms.length) {
      this.drop();
      put(this.body, words("No score in this time.", "Choose a longer span, or ask below why there is none."));
      return;
    }
    const spec = this.spec(found, from, to);
    if (this.chart) {
      this.chart.update(spec);
      return;
    }
    this.chart = new Chart({
      height: 216,
      time: true,
      zero: true,
      sync: "asset",
      zoomed: (low, high) => this.show({ from: Math.round(low), to: Math.round(high) }),
      ...spec,
    });
    put(this.body, this.chart.root);
  }

  spec(found, from, to) {
    const last = found.score.findLastIndex((each) => each !== null);
    const newest = last < 0 ? "none in this time" : `${number(found.score[last])} at ${clock(found.t_ms[last])}`;
    const levels = (found.levels.length ? found.levels : [{ severity: "watch", at: found.boundary }]).map((each) => ({
      at: each.at,
      name: `${each.severity} ${number(each.at)}`,
      colour: ["watch", "warning", "critical"].includes(each.severity) ? each.severity : "ink-3",
      ink: "ink-2",
      inside: each.at <= found.boundary,
    }));
    const marks = [
      ...found.alerts
        .filter((each) => WORD[each.change])
        .map((each) => ({
          at: each.at_ms,
          name: WORD[each.change],
          colour: each.change === "raised" ? each.severity : "ink-3",
          dash: each.change !== "raised",
        })),
      ...found.labels.map((each) => ({ at: each.at_ms, name: `label ${plain(each.verdict)}`, dash: true })),
      ...found.work.map((each) => ({ at: each.at_ms, name: plain(each.kind), dash: true })),
    ].filter(({ at }) => at >= from && at <= to);
    return {
      x: found.t_ms,
      levels,
      marks,
      bands: found.downsampled ? [[0, 1]] : [],
      lines: [
        { name: "highest", values: found.score_max, width: 0 },
        { name: "lowest", values: found.score_min, width: 0 },
        { name: "score", values: found.score, width: 1.5 },
      ],
      label: `Score since ${clock(found.t_ms[0])}, the last ${newest}`,
      xRange: () => [from, to],
      still: `the last: ${newest}`,
      readout: (at) => [
        el("b", null, clock(found.t_ms[at])),
        `   score ${number(found.score[at])}${found.p[at] === null ? "" : `   p ${number(found.p[at], 2)}`}   ${plain(found.states[found.state[at]])}${found.alarm[at] ? ", in alarm" : ""}`,
      ],
    };
  }

  close() {
    this.drop();
  }
}
