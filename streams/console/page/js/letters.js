// Dead letters: what could not be used, why, how to mend it, and the bytes as they came.
import { get } from "./api.js";
import { el, facts, panel, put, say, words } from "./dom.js";
import { adjust } from "./route.js";
import { bytes, count, plain } from "./text.js";
import { stamp } from "./time.js";

export class Letters {
  constructor(query) {
    this.reason = query.get("reason") ?? "";
    this.wanted = query.get("letter") ?? "";
    this.at = -1;
    this.letters = null;
    this.chips = el("div.chips", { role: "group", "aria-label": "Reasons" });
    this.list = el("div", null, words("Reading the dead letters …"));
    this.one = el("div");
    this.root = panel("Dead letters", [this.list, this.one], {
      flush: true,
      hint: "records that could not be used; nothing is thrown away",
      end: this.chips,
      id: "letters",
    });
  }

  /** New ones came: read again. */
  counts({ total }) {
    if (this.letters && total !== this.total) this.load();
  }

  async load() {
    try {
      const found = await get("dead-letters", { limit: 100, reason: this.reason });
      this.letters = found.letters;
      this.total = found.total;
      this.by = found.by_reason;
      this.draw();
      if (this.wanted) this.show(...this.wanted.split("-"));
    } catch (problem) {
      put(this.list, el("p.state.fault", null, problem.message, " ", problem.fix ?? ""));
    }
  }

  draw() {
    put(
      this.chips,
      Object.entries(this.by).map(([reason, number]) =>
        el(
          "button.chip",
          { type: "button", "aria-pressed": reason === this.reason, onclick: () => this.only(reason) },
          plain(reason),
          el("b", null, count(number)),
        ),
      ),
    );
    if (!this.letters.length) {
      put(
        this.list,
        words(
          this.reason
            ? `No dead letter because of ${plain(this.reason)}.`
            : "No dead letter: every record could be used.",
        ),
      );
      return;
    }
    put(
      this.list,
      el(
        "div.scroll.some",
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
              ["came", "reason", "what is wrong", "asset", "from", "size"].map((name) =>
                el("th", { scope: "col" }, name),
              ),
            ),
          ),
          el(
            "tbody",
            null,
            this.letters.map((each, at) =>
              el(
                "tr.pick",
                {
                  "aria-selected": at === this.at,
                  onclick: () => {
                    this.at = at;
                    this.enter();
                  },
                },
                el("td", null, stamp(each.at_ms)),
                el("td", null, plain(each.reason)),
                el("td.wrap", null, each.sentence),
                el("td.wrap", null, each.asset || el("span.hint", null, "no key")),
                el("td.hint", null, `${each.topic} ${each.input_partition} @ ${each.input_offset}`),
                el("td.num", null, bytes(each.size)),
              ),
            ),
          ),
        ),
      ),
    );
  }

  only(reason) {
    this.reason = this.reason === reason ? "" : reason;
    this.at = -1;
    adjust({ reason: this.reason });
    this.load();
  }

  move(by) {
    if (!this.letters?.length) return;
    this.at = Math.min(Math.max(this.at + by, 0), this.letters.length - 1);
    this.draw();
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    say(`${plain(this.letters[this.at].reason)}: ${this.letters[this.at].sentence}`);
  }

  enter() {
    const each = this.letters?.[this.at];
    if (each) this.show(each.partition, each.offset);
  }

  shut() {
    put(this.one);
    this.at = -1;
    adjust({ letter: "" });
    if (this.letters) this.draw();
  }

  async show(partition, offset) {
    if (![partition, offset].every((each) => /^\d+$/.test(each))) return; // of an address that somebody made up
    adjust({ letter: `${partition}-${offset}` });
    try {
      const found = await get(`dead-letters/${partition}/${offset}`);
      const { value } = found;
      const lines = value.hex.map((line, at) => `${line}  ${value.ascii[at] ?? ""}`).join("\n");
      put(
        this.one,
        el(
          "section.letter",
          { "aria-label": "Dead letter" },
          el(
            "div.head",
            null,
            el("h3", null, `${plain(found.reason)}: ${found.sentence}`),
            el("button.quiet", { type: "button", onclick: () => this.shut() }, "Close ", el("kbd", null, "Esc")),
          ),
          facts([
            ["How to mend it", found.fix],
            ["Field", found.field],
            ["Came", stamp(found.at_ms)],
            ["From", `${found.topic}, partition ${found.input_partition}, offset ${found.input_offset}`],
            ["Key", found.key && el("span", null, found.key.text, el("span.hint.mono", null, ` ${found.key.hex}`))],
            ["sha256", el("span.mono", null, value.sha256)],
            [
              "Headers",
              found.headers.length ? found.headers.map(([name, text]) => el("p.mono", null, `${name}: ${text}`)) : "",
            ],
          ]),
          el(
            "h3",
            null,
            `The bytes as they came: ${bytes(value.size)}${value.shown < value.size ? `, the first ${bytes(value.shown)} of them` : ""}`,
          ),
          el("pre", { tabindex: "0", "aria-label": "Bytes in hexadecimal" }, lines),
          found.decoded && [
            el("h3", null, "Decoded"),
            el("pre", { tabindex: "0" }, JSON.stringify(found.decoded, null, 2)),
          ],
        ),
      );
      this.one.scrollIntoView({ block: "nearest" });
    } catch (problem) {
      put(this.one, el("p.state.fault", null, problem.message, " ", problem.fix ?? ""));
    }
  }
}
