// A line chart in the look of the page: uPlot with our colours, times, markers and bands, redrawn when the theme changes.
/* global uPlot */
import { el, put } from "./dom.js";
import { number } from "./text.js";
import { colour } from "./theme.js";
import { clock, tick, ticks } from "./time.js";

const FONT = "11.5px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const alive = new Set();

document.addEventListener("theme", () => {
  for (const each of alive) each.build();
});
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) target.chart?.size(contentRect.width);
});

/**
 * A chart.
 *
 * x: numbers (ms where time is true); lines: [{name, values, colour, width, dash, fill, points}]; bands: [[upper, lower]] as
 * numbers of lines; levels: [{at, name, colour}] across; marks: [{at, name, colour, dash}] upright; readout(at) says what is
 * under the cursor; range: [low, high] of y; log: logarithmic y.
 */
export class Chart {
  constructor(spec) {
    this.spec = { height: 160, time: false, levels: [], marks: [], bands: [], xUnit: "", yUnit: "", ...spec };
    this.read = el("div.readout", { "aria-hidden": "true" });
    this.host = el("div.chart", { role: "img", "aria-label": this.spec.label ?? "" });
    this.host.style.height = `${this.spec.height}px`;
    this.host.chart = this;
    this.root = el("div", null, this.read, this.host);
    this.rest();
    alive.add(this);
    observer.observe(this.host);
  }

  /** Other data of the same form. */
  update(changes) {
    Object.assign(this.spec, changes);
    if (changes.label) this.host.setAttribute("aria-label", changes.label);
    this.rest();
    this.build();
  }

  rest() {
    put(this.read, this.spec.still ?? "");
  }

  size(width) {
    if (width < 40 || Math.round(width) === this.width) return;
    this.width = Math.round(width);
    this.build();
  }

  build() {
    if (!this.width) return;
    this.plot?.destroy();
    const { x, lines, height } = this.spec;
    this.plot = new uPlot(
      {
        width: this.width,
        height,
        ms: 1,
        legend: { show: false },
        padding: [8, 26, 0, 0],
        cursor: {
          y: false,
          drag: { x: Boolean(this.spec.zoomed ?? this.spec.zoom), y: false, setScale: Boolean(this.spec.zoom) },
          points: { size: 5 },
          sync: this.spec.sync ? { key: this.spec.sync } : undefined,
        },
        scales: {
          x: {
            time: this.spec.time,
            range: this.spec.xRange ?? ((_, low, high) => (low === high ? [low - 1, high + 1] : [low, high])),
          },
          y: this.yScale(),
        },
        axes: [this.xAxis(), this.yAxis()],
        series: [{}, ...lines.map((line) => this.line(line))],
        bands: this.spec.bands.map((series) => ({
          series: series.map((at) => at + 1),
          fill: colour(this.spec.shade ?? "band"),
        })),
        hooks: {
          drawAxes: [(plot) => this.under(plot)],
          draw: [(plot) => this.over(plot)],
          setCursor: [(plot) => this.point(plot)],
          setSelect: [(plot) => this.zoom(plot)],
        },
      },
      [x, ...lines.map((line) => line.values)],
      this.host,
    );
  }

  line({ colour: name = "series", width = 1.25, dash, fill, points = false, bars = false }) {
    return {
      stroke: colour(name),
      width,
      dash,
      fill: fill ? colour(fill) : undefined,
      points: { show: points, size: 4, fill: colour(name) },
      paths: bars ? uPlot.paths.bars({ size: [0.9, 3, 1] }) : undefined,
      spanGaps: false,
    };
  }

  yScale() {
    if (this.spec.log) return { distr: 3, log: 10 };
    if (this.spec.range) return { range: this.spec.range };
    const always = this.spec.levels.filter((each) => each.inside).map((each) => each.at);
    return {
      range: (_, low, high) => {
        const least = Math.min(low ?? 0, ...always, this.spec.zero ? 0 : Infinity);
        const most = Math.max(high ?? 1, ...always);
        const room = (most - least || Math.abs(most) || 1) * 0.08;
        return [this.spec.zero && least === 0 ? 0 : least - room, most + room];
      },
    };
  }

  xAxis() {
    const look = this.look();
    const format = (plot, splits) => {
      const span = plot.scales.x.max - plot.scales.x.min;
      return splits.map((at) => (this.spec.time ? tick(at, span) : number(at)));
    };
    return {
      ...look,
      size: 30,
      space: 72,
      splits: this.spec.time ? (plot, _, from, to) => ticks(from, to, plot.width / 90) : undefined,
      values: format,
      grid: { ...look.grid, show: Boolean(this.spec.time) },
      label: undefined,
    };
  }

  yAxis() {
    return {
      ...this.look(),
      size: 52,
      space: 28,
      values: (_, splits) => splits.map((at) => (at === null ? "" : number(at))),
    };
  }

  look() {
    return {
      stroke: colour("ink-3"),
      font: FONT,
      grid: { stroke: colour("line"), width: 1 },
      ticks: { stroke: colour("line"), width: 1, size: 4 },
    };
  }

  /** Levels and marks lie under the lines. */
  under(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = devicePixelRatio;
    for (const { at, colour: name } of this.spec.levels) {
      const y = Math.round(plot.valToPos(at, "y", true)) + 0.5;
      ctx.strokeStyle = colour(name);
      ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    for (const { at, colour: name, dash } of this.spec.marks) {
      const at_x = Math.round(plot.valToPos(at, "x", true)) + 0.5;
      ctx.strokeStyle = colour(name ?? "ink-3");
      ctx.setLineDash(dash ? [3 * devicePixelRatio, 3 * devicePixelRatio] : []);
      ctx.beginPath();
      ctx.moveTo(at_x, bbox.top);
      ctx.lineTo(at_x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** Names of levels and marks lie over the lines, each where no earlier one is. */
  over(plot) {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.lineJoin = "round";
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = colour("panel");
    const taken = [];
    const write = (text, x, y, name) => {
      const width = ctx.measureText(text).width;
      x = Math.max(bbox.left + 2, Math.min(x, bbox.left + bbox.width - width - 2));
      if (y < bbox.top - 2 || y > bbox.top + bbox.height) return;
      while (
        taken.some(([a, b, row]) => Math.abs(row - y) < 12 * ratio && x < b + 4 * ratio && x + width > a - 4 * ratio)
      )
        y += 13 * ratio;
      if (y > bbox.top + bbox.height * 0.7) return;
      taken.push([x, x + width, y]);
      ctx.strokeText(text, x, y);
      ctx.fillStyle = colour(name);
      ctx.fillText(text, x, y);
    };
    const levels = this.spec.levels.filter((each) => each.name);
    for (const { at, name, ink } of levels)
      write(name, bbox.left + 6 * ratio, plot.valToPos(at, "y", true) - 8 * ratio, ink ?? "ink-3");
    for (const { at, name, ink } of this.spec.marks) {
      const x = plot.valToPos(at, "x", true);
      if (name && x >= bbox.left && x <= bbox.left + bbox.width)
        write(name, x + 4 * ratio, bbox.top + 8 * ratio, ink ?? "ink-2");
    }
    ctx.restore();
  }

  point(plot) {
    const at = plot.cursor.idx;
    if (at === null || at === undefined) {
      this.rest();
      return;
    }
    put(this.read, this.spec.readout ? this.spec.readout(at) : this.usual(at));
  }

  usual(at) {
    const { x, lines, time, xUnit, yUnit } = this.spec;
    const where = time ? clock(x[at]) : `${number(x[at], 4)} ${xUnit}`;
    return [
      el("b", null, where),
      lines
        .filter((line) => line.name && line.values[at] !== null)
        .map((line) => `   ${line.name} ${number(line.values[at], 4)}${yUnit ? ` ${yUnit}` : ""}`),
    ];
  }

  zoom(plot) {
    const { left, width } = plot.select;
    if (width < 6 || !this.spec.zoomed) return;
    const range = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.spec.zoomed(...range);
  }

  close() {
    alive.delete(this);
    observer.unobserve(this.host);
    this.plot?.destroy();
  }
}
