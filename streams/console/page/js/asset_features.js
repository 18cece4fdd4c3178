// Features against what is expected of them: small charts, each with its healthy band.
import { waiting } from "./asset.js";
import { Chart } from "./chart.js";
import { el, put, words } from "./dom.js";
import { number } from "./text.js";
import { clock } from "./time.js";

export class Features {
  constructor(page) {
    this.page = page;
    this.choice = el("select", {
      "aria-label": "Show another feature",
      hidden: true,
      onchange: (event) => this.add(event.target.value),
    });
    const made = waiting("Features", 330, { hint: "grey band: what is expected when healthy", end: this.choice });
    Object.assign(this, made);
    this.charts = [];
  }

  add(name) {
    const shown = this.shown.filter((each) => each !== name);
    this.page.set({ names: [name, ...shown].slice(0, 6).join(",") });
    this.load();
  }

  async load() {
    const range = { ...this.page.score.range(), from_ms: this.page.score.begin };
    const { names } = this.page.state;
    try {
      const found = await this.page.ask("asset/features", {
        point: this.page.point.point,
        names,
        width: 300,
        ...range,
      });
      this.draw(found, [range.from_ms, Number(range.to_ms)]);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.drop();
      put(this.body, el("p.state.fault", null, problem.message, " ", problem.fix));
    }
  }

  drop() {
    for (const chart of this.charts) chart.close();
    this.charts = [];
  }

  draw(found, range) {
    this.drop();
    this.shown = found.features.map((each) => each.name);
    this.choice.hidden = !found.names.length;
    put(
      this.choice,
      el("option", { value: "" }, `Show another of ${found.names.length}`),
      found.names.filter((each) => !this.shown.includes(each)).map((each) => el("option", { value: each }, each)),
    );
    if (!found.features.length || !found.t_ms.length) {
      put(this.body, words("No features in this time.", "They come with each scored block."));
      return;
    }
    put(
      this.body,
      el(
        "div.small-charts",
        null,
        found.features.map((each) => this.one(each, found.t_ms, range)),
      ),
    );
  }

  /** Times and values with a hole where nothing was measured for long: no line is drawn across a standstill. */
  holes(x, values) {
    const steps = x
      .slice(1)
      .map((each, at) => each - x[at])
      .sort((a, b) => a - b);
    const long = 6 * (steps[Math.floor(steps.length / 2)] ?? Infinity);
    const times = [];
    const found = [];
    x.forEach((each, at) => {
      if (at && each - x[at - 1] > long) {
        times.push(x[at - 1] + 1);
        found.push(null);
      }
      times.push(each);
      found.push(values[at]);
    });
    return [times, found];
  }

  one(feature, measured, [from, to]) {
    const [x, values] = this.holes(measured, feature.values);
    const has = feature.lower !== null && feature.upper !== null;
    const flat = (value) => x.map(() => value);
    const last = values.findLast((each) => each !== null);
    const off = has && last !== undefined ? (last > feature.upper ? "above" : last < feature.lower ? "below" : "") : "";
    // "u" stands for the unit of the signal
    const unit = feature.unit && !/^u\d?$/.test(feature.unit) ? ` ${feature.unit}` : "";
    const positive = has && feature.lower < 0 && feature.values.every((each) => each === null || each >= 0);
    const low = positive ? 0 : feature.lower;
    const expected = has
      ? positive
        ? `expected up to ${number(feature.upper)}`
        : `expected ${number(feature.lower)} to ${number(feature.upper)}`
      : "";
    const levels = feature.limits.flatMap((each) =>
      [each.above, each.below]
        .filter((at) => at !== null)
        .map((at) => ({ at, name: `limit ${each.severity}`, colour: each.severity })),
    );
    const chart = new Chart({
      height: 128,
      time: true,
      x,
      levels,
      sync: "asset",
      xRange: () => [from, to],
      bands: has ? [[0, 1]] : [],
      lines: [
        { values: has ? flat(feature.upper) : x.map(() => null), width: 0 },
        { values: has ? flat(low) : x.map(() => null), width: 0 },
        { name: feature.name, values, width: 1.25 },
      ],
      still: has ? `${number(last)}${unit}, ${expected}` : `${number(last)}${unit}; no band is known yet`,
      label: `${feature.name}: ${number(last)}${has ? `, ${expected}` : ""}`,
      readout: (at) => [el("b", null, clock(x[at])), `   ${number(values[at], 4)}${unit}`],
    });
    this.charts.push(chart);
    return el(
      "figure.small",
      null,
      el(
        "figcaption",
        { title: feature.meaning },
        el("b", null, feature.name),
        off && el("span.off", null, `${off} the band`),
        el("span.hint", null, feature.meaning),
      ),
      chart.root,
    );
  }

  close() {
    this.drop();
  }
}
