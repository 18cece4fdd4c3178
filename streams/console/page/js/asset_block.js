// The signal of one block: waveform, spectrum, envelope with the frequencies of known faults, and the waterfall of those before it.
import { waiting } from "./asset.js";
import { Chart } from "./chart.js";
import { el, facts, put, words } from "./dom.js";
import { Spectrogram } from "./spectrogram.js";
import { count, number, plain } from "./text.js";
import { clock, stamp } from "./time.js";

export class Block {
  constructor(page) {
    this.page = page;
    this.end = el("div.chips");
    const made = waiting("Signal", 560, {
      end: this.end,
      hint: "drag across a chart to zoom, double click for all of it",
    });
    this.body = made.body;
    this.fall = waiting("Spectrogram", 240, { hint: "each column is one block, the newest at the right" });
    this.root = el("div.stack", null, made.root, this.fall.root);
    this.charts = [];
  }

  async load() {
    const { partition, offset } = this.page.state;
    await Promise.all([this.one(offset ? { partition, offset } : this.page.score.newest()), this.before()]);
  }

  async one({ partition, offset }) {
    try {
      this.block = await this.page.ask("asset/block", { point: this.page.point.point, partition, offset, width: 1000 });
      this.draw();
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.drop();
      put(this.end);
      put(this.body, el("p.state.fault", null, problem.message, " ", problem.fix));
    }
  }

  async before() {
    const channel = this.page.state.channel || this.page.point.channels?.[0] || "";
    if (this.page.point.kind === "telemetry") {
      this.fall.root.hidden = true;
      return;
    }
    try {
      const found = await this.page.ask("asset/spectrogram", {
        point: this.page.point.point,
        channel,
        blocks: 240,
        bins: 256,
      });
      if (!found.columns) {
        put(this.fall.body, words("No block of this channel is kept."));
        return;
      }
      this.picture ??= new Spectrogram({
        picked: (column) => this.at(found.partition, this.picture.data.offsets[column]),
      });
      put(this.fall.body, this.picture.root);
      this.picture.set(found);
    } catch (problem) {
      if (problem.name !== "AbortError")
        put(this.fall.body, el("p.state.fault", null, problem.message, " ", problem.fix));
    }
  }

  /** Show another block. */
  at(partition, offset) {
    this.page.set({ partition, offset });
    this.one({ partition, offset });
  }

  step(where) {
    const to = this.block?.[where];
    if (to) this.at(to.partition, to.offset);
  }

  drop() {
    for (const chart of this.charts) chart.close();
    this.charts = [];
  }

  channel() {
    return this.block.channels.find((each) => each.name === this.page.state.channel) ?? this.block.channels[0];
  }

  buttons() {
    const { channels, previous, next } = this.block;
    const now = this.channel();
    put(
      this.end,
      channels.length > 1 &&
        channels.map((each) =>
          el(
            "button.chip",
            {
              type: "button",
              "aria-pressed": each === now,
              onclick: () => {
                this.page.set({ channel: each.name });
                this.draw();
                this.before();
              },
            },
            each.name,
          ),
        ),
      el(
        "button",
        { type: "button", disabled: !previous, onclick: () => this.step("previous"), "aria-label": "The block before" },
        "‹ before",
      ),
      el(
        "button",
        { type: "button", disabled: !next, onclick: () => this.step("next"), "aria-label": "The next block" },
        "next ›",
      ),
      el(
        "button",
        {
          type: "button",
          disabled: !next,
          onclick: () => {
            this.page.set({ partition: "", offset: "" });
            this.one({});
          },
        },
        "newest",
      ),
    );
  }

  draw() {
    this.drop();
    this.buttons();
    const { block } = this;
    const about = this.about();
    if (block.kind === "telemetry") {
      put(this.body, about, this.tags());
      return;
    }
    const channel = this.channel();
    if (!channel) {
      put(this.body, about, words("This record holds no samples."));
      return;
    }
    const unit = block.si_unit || block.unit;
    const add = (title, hint, spec) => {
      const chart = new Chart({ height: 150, yUnit: unit, zoom: true, ...spec });
      this.charts.push(chart);
      return el(
        "figure.signal",
        null,
        el("figcaption", null, el("b", null, title), el("span.hint", null, hint)),
        chart.root,
      );
    };
    put(
      this.body,
      about,
      add(
        "Waveform",
        `${count(block.samples)} samples${block.duration_s ? ` in ${number(block.duration_s)} s` : ""}, ${unit}`,
        this.waveform(channel.waveform),
      ),
      add("Spectrum", `amplitude, ${unit}`, this.spectrum(channel.spectrum)),
      channel.envelope?.hz?.length
        ? add("Envelope spectrum", this.envelopeHint(channel.envelope), this.envelope(channel.envelope))
        : words("No envelope: the sampling rate is not known."),
    );
  }

  about() {
    const { block } = this;
    const channel = this.channel();
    const shape = channel
      ? ["rms", "peak", "crest", "kurtosis"].map((name) => `${name} ${number(channel[name])}`).join(", ")
      : "";
    const score = !block.score
      ? ""
      : block.score.value === null
        ? `no score: ${plain(block.score.state)}`
        : `score ${number(block.score.value)}${block.score.alarm ? ", in alarm" : ""}`;
    const flags = [...(block.flags ?? []), ...(block.score?.quality ?? [])].map(plain).join(", ");
    return el(
      "div.about",
      null,
      facts([
        [
          "Arrived",
          el(
            "span",
            null,
            stamp(block.arrived_ms),
            el("span.hint", null, ` partition ${block.partition}, offset ${block.offset}`),
          ),
        ],
        ["Taken", el("span", null, stamp(block.source_ms), el("span.hint", null, " by the sensor's clock"))],
        ["This block", [shape, score].filter(Boolean).join("; ")],
        ["Flags", flags],
        [
          "Speed",
          block.context?.speed_hz
            ? `${number(block.context.speed_hz)} Hz${block.context.load === null ? "" : `, load ${number(block.context.load)}`}`
            : "",
        ],
      ]),
    );
  }

  waveform({ t_s: x, min, max }) {
    const whole = min.every((each, at) => each === max[at]);
    const ms = x.map((each) => each * 1000);
    return {
      x: ms,
      xUnit: "ms",
      still: "time in ms",
      label: "Waveform",
      shade: "series-2",
      bands: whole ? [] : [[0, 1]],
      lines: whole
        ? [{ name: "", values: max, width: 1 }]
        : [
            { name: "highest", values: max, width: 0.8 },
            { name: "lowest", values: min, width: 0.8 },
          ],
    };
  }

  spectrum({ hz: x, amplitude }) {
    const unit = this.block.per_sample ? "of the rate" : "Hz";
    const top = amplitude.reduce((best, value, at) => (value > amplitude[best] ? at : best), 0);
    return {
      x,
      xUnit: unit,
      zero: true,
      still: `frequency in ${unit}; largest line ${number(amplitude[top])} at ${number(x[top], 4)} ${unit}`,
      label: "Spectrum",
      lines: [{ name: "", values: amplitude, width: 1 }],
    };
  }

  marks() {
    return this.block.markers ?? [];
  }

  mark(each) {
    return {
      at: each.hz,
      name: each.harmonic > 1 && !each.name.endsWith("x") ? `${each.name}×${each.harmonic}` : each.name,
      dash: true,
      colour: each.bearing ? "focus" : "ink-3",
      ink: each.bearing ? "link" : "ink-2",
    };
  }

  envelopeHint({ band_hz: band }) {
    const from = { stated: "speed as stated in the block", rated: "rated speed", "": "" }[
      this.block.markers_speed ?? ""
    ];
    return `${band ? `of the band ${number(band[0])} to ${number(band[1])} Hz` : ""}${this.marks().length ? `; markers: fault frequencies at the ${from}` : "; no markers: speed or geometry is not known"}`;
  }

  envelope({ hz, amplitude: all }) {
    // as far as the markers go: beyond them nothing is compared
    const far = 1.1 * Math.max(0, ...this.marks().map((each) => each.hz));
    const end = far ? hz.findIndex((each) => each > far) : -1;
    const x = end > 8 ? hz.slice(0, end) : hz;
    const amplitude = all.slice(0, x.length);
    const named = this.marks().filter((each) => each.hz <= x.at(-1));
    const near = (hz) =>
      named
        .filter((each) => Math.abs(each.hz - hz) <= Math.max(2 * (x[1] - x[0]), 0.01 * hz))
        .map(
          (each) =>
            `${each.harmonic > 1 && !each.name.endsWith("x") ? `${each.harmonic}× ` : ""}${each.name} (${each.what}${each.bearing ? `, ${each.bearing}` : ""})`,
        );
    return {
      x,
      xUnit: "Hz",
      zero: true,
      still: "frequency in Hz",
      label: "Envelope spectrum with fault frequencies",
      marks: named.map((each) => this.mark(each)),
      lines: [{ name: "", values: amplitude, width: 1 }],
      readout: (at) => [
        el("b", null, `${number(x[at], 4)} Hz`),
        `   ${number(amplitude[at])}   ${near(x[at]).join("; ")}`,
      ],
    };
  }

  tags() {
    const { tags, rows } = this.block;
    return el(
      "div.scroll",
      null,
      el(
        "table",
        null,
        el(
          "thead",
          null,
          el(
            "tr",
            null,
            el("th", null, "taken"),
            tags.map((each) => el("th.num", null, `${each.name} (${each.unit})`)),
          ),
        ),
        el(
          "tbody",
          null,
          (rows ?? []).slice(-20).map(([at, ...each]) =>
            el(
              "tr",
              null,
              el("td", null, clock(at)),
              each.map((value) => el("td.num", null, number(value))),
            ),
          ),
        ),
      ),
    );
  }

  close() {
    this.drop();
    this.picture?.close();
  }
}
