// A spectrogram: columns are blocks in time, rows are frequencies, lightness is log amplitude.
import { el, put } from "./dom.js";
import { sharp } from "./lane.js";
import { number } from "./text.js";
import { colour } from "./theme.js";
import { clock, tick } from "./time.js";

const LEFT = 56;
const BELOW = 24;
const KEY = 84;
// perceptually even from dark to light (a coarse table in the manner of "magma"), and turned round for the light page
const STOPS = [
  [0, 0, 4],
  [28, 16, 68],
  [79, 18, 123],
  [129, 37, 129],
  [181, 54, 122],
  [229, 80, 100],
  [251, 135, 97],
  [254, 194, 135],
  [252, 253, 191],
];
const TABLE = Uint8ClampedArray.from({ length: 256 * 3 }, (_, at) => {
  const place = (Math.floor(at / 3) / 255) * (STOPS.length - 1);
  const low = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[low][at % 3] + (STOPS[low + 1][at % 3] - STOPS[low][at % 3]) * (place - low);
});

/** `data` is the answer of /api/asset/spectrogram; `picked(column)` is called for a click. */
export class Spectrogram {
  constructor({ height = 220, picked = () => {} } = {}) {
    this.height = height;
    this.picked = picked;
    this.canvas = el("canvas", { role: "img" });
    this.read = el("div.readout", { "aria-hidden": "true" });
    this.root = el("div.spectrogram", null, this.read, this.canvas);
    this.root.style.minHeight = `${height + 18}px`;
    this.canvas.addEventListener("mousemove", (event) => this.point(event));
    this.canvas.addEventListener("mouseleave", () => put(this.read, this.still()));
    this.canvas.addEventListener("click", (event) => {
      const [column] = this.under(event);
      if (column !== null) this.picked(column);
    });
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.root);
    this.repaint = () => this.draw();
    document.addEventListener("theme", this.repaint);
  }

  set(data) {
    this.data = data;
    this.values = Uint8Array.from(atob(data.data), (each) => each.charCodeAt(0));
    this.picture = null;
    const seconds = (data.t_ms.at(-1) - data.t_ms[0]) / 1000;
    this.canvas.setAttribute(
      "aria-label",
      `Spectrogram of ${data.columns} blocks over ${number(seconds)} s, up to ${number(data.max_hz)} Hz`,
    );
    put(this.read, this.still());
    this.draw();
  }

  still() {
    const data = this.data;
    return data
      ? `${data.columns} blocks to ${clock(data.t_ms.at(-1))}${data.truncated ? ", not all that there are" : ""}; click on one to see it above`
      : "";
  }

  image() {
    const { columns, bins } = this.data;
    const picture = el("canvas");
    picture.width = columns;
    picture.height = bins;
    const draw = picture.getContext("2d");
    const pixels = draw.createImageData(columns, bins);
    for (let column = 0; column < columns; column += 1) {
      for (let bin = 0; bin < bins; bin += 1) {
        const value = this.values[column * bins + bin] * 3;
        const at = ((bins - 1 - bin) * columns + column) * 4;
        pixels.data[at] = TABLE[value];
        pixels.data[at + 1] = TABLE[value + 1];
        pixels.data[at + 2] = TABLE[value + 2];
        pixels.data[at + 3] = 255;
      }
    }
    draw.putImageData(pixels, 0, 0);
    return picture;
  }

  draw() {
    const width = Math.floor(this.root.clientWidth);
    if (!this.data || width < 150) return;
    const draw = sharp(this.canvas, width, this.height);
    this.picture ??= this.image();
    this.box = { x: LEFT, y: 6, w: width - LEFT - KEY, h: this.height - BELOW - 6 };
    const { x, y, w, h } = this.box;
    draw.imageSmoothingEnabled = false;
    draw.drawImage(this.picture, x, y, w, h);
    draw.fillStyle = colour("ink-3");
    draw.font = "11.5px system-ui, sans-serif";
    draw.textBaseline = "middle";
    draw.textAlign = "right";
    const step =
      [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000].find(
        (each) => this.data.max_hz / each <= h / 34,
      ) ?? 50_000;
    for (let hz = 0; hz <= this.data.max_hz; hz += step) {
      const at = y + h - (hz / this.data.max_hz) * h;
      draw.fillRect(x - 4, Math.round(at), 4, 1);
      draw.fillText(number(hz), x - 7, Math.max(at, y + 5));
    }
    this.times(draw);
    this.key(draw, x + w + 14);
  }

  times(draw) {
    const { x, y, w, h } = this.box;
    const { t_ms: times, columns } = this.data;
    const shown = Math.max(2, Math.min(columns, Math.floor(w / 110)));
    draw.textAlign = "center";
    for (let at = 0; at < shown; at += 1) {
      const column = Math.round((at / (shown - 1)) * (columns - 1));
      const place = x + ((column + 0.5) / columns) * w;
      draw.fillRect(Math.round(place), y + h, 1, 4);
      draw.fillText(
        tick(times[column], times.at(-1) - times[0]),
        Math.min(Math.max(place, x + 26), x + w - 14),
        y + h + 14,
      );
    }
  }

  key(draw, x) {
    const { y, h } = this.box;
    for (let at = 0; at < h; at += 1) {
      const value = Math.round((1 - at / (h - 1)) * 255) * 3;
      draw.fillStyle = `rgb(${TABLE[value]} ${TABLE[value + 1]} ${TABLE[value + 2]})`;
      draw.fillRect(x, y + at, 10, 1);
    }
    draw.fillStyle = colour("ink-3");
    draw.textAlign = "left";
    draw.fillText(number(10 ** this.data.high, 2), x + 14, y + 6);
    draw.fillText(number(10 ** this.data.low, 2), x + 14, y + h - 6);
  }

  under(event) {
    if (!this.box) return [null, null];
    const { x, y, w, h } = this.box;
    const left = (event.offsetX - x) / w;
    const down = (event.offsetY - y) / h;
    if (left < 0 || left >= 1 || down < 0 || down >= 1) return [null, null];
    return [Math.floor(left * this.data.columns), Math.floor((1 - down) * this.data.bins)];
  }

  point(event) {
    const [column, bin] = this.under(event);
    if (column === null) {
      put(this.read, this.still());
      return;
    }
    const { bins, max_hz: most, low, high, t_ms: times, offsets } = this.data;
    const value = 10 ** (low + ((high - low) * this.values[column * bins + bin]) / 255);
    put(
      this.read,
      el("b", null, clock(times[column])),
      `   ${number(((bin + 0.5) / bins) * most, 4)} Hz   ${number(value)}   offset ${offsets[column]}`,
    );
  }

  close() {
    this.watch.disconnect();
    document.removeEventListener("theme", this.repaint);
  }
}
