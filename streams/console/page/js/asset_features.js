// Features against what is expected of them: small charts, each with its healthy band.
import { waiting } from "./asset.js";
import { Chart } from "./chart.js";
import { el, put, words } from "./dom.js";
import { number } from "./text.js";
import { clock } from "./time.js";

export class Features {
  constructor(page) {
    this.page = page;
    this.choice = el("select", { "aria-label": "Show another feature", hidden: true, onchange: (event) => this.add(event.target.value) });
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
    const range = this.page.score.range();
    const { names } = this.page.state;
    try {
      const found = await this.page.ask("asset/features", { point: this.page.point.point, names, width: 300, ...range });
      const { from, minutes } = this.page.state;
      const begin = from || minutes ? Number(range.from_ms) : Math.max(range.from_ms, found.t_ms[0] ?? 0);
      this.draw(found, [begin, Number(range.to_ms)]);
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
    put(this.choice, el("option", { value: "" }, `Show another of ${found.names.length}`), found.names.filter((each) => !this.shown.includes(each)).map((each) => el("option", { value: each }, each)));
    if (!found.features.length || !found.t_ms.length) {
      put(this.body, words("No features in this time.", "They come with each scored block."));
      return;
    }
    put(this.body, el("div.small-charts", null, found.features.map((each) => this.one(each, found.t_ms, range))));
  }

  one(feature, x, [from, to]) {
    const has = feature.lower !== null && feature.upper !== null;
    const flat = (value) => x.map(() => value);
    const last = feature.values.findLast((each) => each !== null);
    const off = has && last !== undefined ? (last > feature.upper ? "above" : last < feature.lower ? "below" : "") : "";
    const unit = feature.unit && feature.unit !== "u" ? ` ${feature.unit}` : "";
    const levels = feature.limits.flatMap((each) => [each.above, each.below].filter((at) => at !== null).map((at) => ({ at, name: `limit ${each.severity}`, colour: each.severity })));
    const chart = new Chart({
      height: 128, time: true, x, levels, sync: "asset", xRange: () => [from, to], bands: has ? [[0, 1]] : [],
      lines: [{ values: has ? flat(feature.upper) : x.map(() => null), width: 0 }, { values: has ? flat(feature.lower) : x.map(() => null), width: 0 }, { name: feature.name, values: feature.values, width: 1.25 }],
      still: has ? `${number(last)}${unit}, expected ${number(feature.lower)} to ${number(feature.upper)}` : `${number(last)}${unit}; no band is known yet`,
      label: `${feature.name}: ${number(last)}${has ? `, expected ${number(feature.lower)} to ${number(feature.upper)}` : ""}`,
      readout: (at) => [el("b", null, clock(x[at])), `   ${number(feature.values[at], 4)}${unit}`],
    });
    this.charts.push(chart);
    return el("figure.small", null, el("figcaption", { title: feature.meaning }, el("b", null, feature.name), off && el("span.off", null, `${off} the band`), el("span.hint", null, feature.meaning)), chart.root);
  }

  close() {
    this.drop();
  }
}
