// The pipeline: what is behind, where the time goes, what was not used, and who works on it.
import { get } from "./api.js";
import { waiting } from "./asset.js";
import { Chart } from "./chart.js";
import { diagnosis } from "./diagnosis.js";
import { el, marked, put, words } from "./dom.js";
import { keys } from "./keys.js";
import { Letters } from "./letters.js";
import { count, many, number, plain } from "./text.js";
import { bare } from "./session.js";
import { length } from "./time.js";

const AGAIN_MS = 5000;
const head = (names) =>
  el(
    "thead",
    null,
    el(
      "tr",
      null,
      names.map((name) => {
        const right = name.startsWith(">");
        return el(right ? "th.num" : "th", { scope: "col" }, right ? name.slice(1) : name);
      }),
    ),
  );
const table = (names, rows) => el("div.scroll", null, el("table", null, head(names), el("tbody", null, rows)));
const behind = (seconds) =>
  seconds === null || seconds === undefined ? "" : seconds < 1 ? "under 1 s" : length(seconds * 1000);

/** The state of all in one sentence each, so that nobody has to read the tables when all is well. */
function summary(found) {
  const { kafka, group, topics, checkpoints, dead_letters: dead, sinks } = found;
  const input = topics.filter((topic) =>
    topic.partitions.some((each) => each.committed !== null && each.committed !== undefined),
  );
  const lag = input.reduce((sum, topic) => sum + (topic.lag ?? 0), 0);
  const late = Math.max(0, ...input.flatMap((topic) => topic.partitions.map((each) => each.lag_s ?? 0)));
  const oldest = Math.max(0, ...checkpoints.map((each) => each.age_s));
  const sinkLag = sinks.reduce((sum, each) => sum + (each.lag ?? 0), 0);
  const tile = (name, value, note, bad = false) =>
    el(
      "div.tile",
      bad ? { data: { bad: "" } } : null,
      el("span.hint", null, name),
      el("b", null, value),
      el("span.note", null, marked(note)),
    );
  const lost = !kafka.reachable;
  return el(
    "div.tiles",
    null,
    tile(
      "Kafka",
      lost ? "not reachable" : many(kafka.brokers.length, "broker"),
      lost ? kafka.problem : `cluster ${(kafka.cluster_id ?? "").slice(0, 12)}`,
      lost,
    ),
    tile(
      "Workers",
      group.members.length ? many(group.members.length, "worker") : "none",
      `group ${group.name}, ${plain(group.state)}`,
      !group.members.length,
    ),
    tile(
      "Behind",
      lag ? `${count(lag)} records` : "nothing",
      late ? `the oldest waits ${behind(late)}` : "every record was taken",
      late > 30,
    ),
    tile("Checkpoints", checkpoints.length ? length(oldest * 1000) : "none yet", "age of the oldest", oldest > 120),
    tile(
      "Dead letters",
      count(dead.total),
      dead.last_hour ? `${count(dead.last_hour)} in the last hour` : "none in the last hour",
      dead.last_hour > 0,
    ),
    tile(
      "Sinks",
      sinks.length ? many(sinks.length, "sink") : "none",
      sinks.length ? (sinkLag ? `${count(sinkLag)} records wait` : "all is delivered") : "no `foreshock deliver` group",
      sinkLag > 1000,
    ),
  );
}

function topicRows(topics) {
  return topics.flatMap((topic) => [
    el(
      "tr.topic",
      null,
      el("td", null, el("b", null, topic.name)),
      el("td.num", null, count(topic.partitions.length)),
      el("td.num", null, count(topic.end)),
      el("td.num", null, number(topic.per_s)),
      el("td.num", null, topic.lag === null || topic.lag === undefined ? "" : count(topic.lag)),
      el("td"),
      el("td"),
      el("td"),
    ),
    ...topic.partitions
      .filter((each) => each.committed !== null && each.committed !== undefined)
      .map((each) =>
        el(
          "tr.part",
          null,
          el("td", null, `partition ${each.partition}`),
          el("td"),
          el("td.num", null, count(each.end)),
          el("td.num", null, number(each.per_s)),
          el("td.num", null, count(each.lag)),
          el("td.num", null, each.lag ? behind(each.lag_s) : ""),
          el(
            "td.num",
            null,
            each.checkpoint_age_s === null || each.checkpoint_age_s === undefined
              ? ""
              : length(each.checkpoint_age_s * 1000),
          ),
          el("td.wrap.hint", null, each.owner ?? "no worker has it"),
        ),
      ),
  ]);
}

function stages(found) {
  if (!found.length)
    return words("No trace is stored yet.", "The times of the stages come from stored traces: set telemetry.store.");
  const most = Math.max(...found.map((each) => each.took_ms), 1e-9);
  return el(
    "div.pad",
    null,
    el(
      "div.bars",
      null,
      found.map((each) => {
        const fill = el(each.took_ms === most ? "div.fill.most" : "div.fill");
        fill.style.width = `${(100 * each.took_ms) / most}%`;
        return [
          el("span.name", null, bare(each.name)),
          el("div.track", null, fill),
          el("span.num", null, `${length(each.took_ms)}, ${Math.round(each.share * 100)} %`),
        ];
      }),
    ),
    el("p.hint.gap", null, `${found[0].from}, ${many(Math.max(...found.map((each) => each.count)), "trace")}`),
  );
}

function workers(group) {
  if (!group.members.length)
    return words(
      `No worker is in the group ${group.name}.`,
      "Start one with `foreshock worker`; what is sent waits in Kafka. If scores come all the same, the workers have another group: set worker.group for the console too.",
    );
  return table(
    ["worker", "host", "partitions"],
    group.members.map((each) =>
      el(
        "tr",
        null,
        el("td.wrap.mono", null, each.client || each.id),
        el("td", null, each.host),
        el("td", null, each.partitions.join(", ") || "none"),
      ),
    ),
  );
}

function sinks(found) {
  if (!found.length) return words("No sink.", "`foreshock deliver` sends alerts onward.");
  return table(
    ["sink", "state", ">members", ">waiting"],
    found.map((each) =>
      el(
        "tr",
        null,
        el("td", null, each.name),
        el("td", null, plain(each.state)),
        el("td.num", null, each.members),
        el("td.num", null, count(each.lag)),
      ),
    ),
  );
}

class Page {
  constructor(view, query) {
    this.gone = false;
    this.tiles = el("div", null, el("div.tiles.wait"));
    this.fault = el("p", { hidden: true, class: "state fault", role: "alert" });
    this.rate = waiting("Throughput", 196, { hint: "records a second, last ten minutes" });
    this.stages = waiting("Where the time goes", 196, { hint: "median of a stage" });
    this.topics = waiting("Topics", 300, { hint: "what was sent, what was taken" });
    this.workers = waiting("Workers", 90);
    this.sinks = waiting("Sinks", 90);
    this.letters = new Letters(query);
    this.diagnosis = diagnosis();
    this.facts = el("div");
    put(
      view,
      el(
        "div.sheet",
        null,
        el("div.head", null, el("h1", null, "Pipeline"), el("span.hint", null, this.facts)),
        this.fault,
        this.tiles,
        this.diagnosis.root,
        el("div.two", null, this.rate.root, this.stages.root),
        this.topics.root,
        el("div.two", null, this.workers.root, this.sinks.root),
        this.letters.root,
      ),
    );
  }

  async load() {
    let found;
    try {
      found = await get("pipeline");
    } catch (problem) {
      this.fault.hidden = false;
      put(this.fault, problem.message, " ", problem.fix ?? "");
      return;
    }
    if (this.gone) return;
    this.fault.hidden = true;
    put(
      this.facts,
      found.counts?.scored === undefined
        ? ""
        : `held here: ${count(found.counts.scored)} scores, and ${count(found.counts.warming ?? 0)} blocks of warm-ups`,
    );
    put(this.tiles, summary(found));
    this.throughput(found.throughput);
    put(this.stages.body, stages(found.stages));
    put(
      this.topics.body,
      table(
        ["topic", ">partitions", ">records", ">a second", ">behind", ">oldest waits", ">checkpoint", "worker"],
        topicRows(found.topics),
      ),
    );
    put(this.workers.body, workers(found.group));
    put(this.sinks.body, sinks(found.sinks));
    this.letters.counts(found.dead_letters);
  }

  throughput({ t_ms: x, in_per_s: came, scored_per_s: scored, dead_per_s: dead }) {
    if (x.length < 2) {
      put(this.rate.body, words("Measuring …", "The first figures come after ten seconds."));
      return;
    }
    const last = x.length - 1;
    const lines = [
      { name: "in", values: came, colour: "series-2", width: 2 },
      { name: "scored", values: scored, colour: "series", width: 1.25 },
      { name: "dead letters", values: dead, colour: "critical", width: 1.25 },
    ];
    const spec = {
      x,
      lines,
      still: lines.map(({ name, values, colour }) => [
        this.swatch(colour),
        `${name} ${number(values[last])} a second     `,
      ]),
      label: `Throughput: ${number(came[last])} records a second in`,
    };
    if (this.chart) {
      this.chart.update(spec);
      return;
    }
    this.chart = new Chart({ height: 236, time: true, zero: true, ...spec });
    put(this.rate.body, this.chart.root);
  }

  swatch(colour) {
    const mark = el("i.swatch");
    mark.style.background = `var(--${colour})`;
    return mark;
  }

  close() {
    this.gone = true;
    this.chart?.close();
  }
}

export function open(view, { query }) {
  const page = new Page(view, query);
  keys({
    j: ["", () => page.letters.move(1)],
    k: ["", () => page.letters.move(-1)],
    ArrowDown: ["", () => page.letters.move(1)],
    ArrowUp: ["", () => page.letters.move(-1)],
    d: ["diagnose", () => page.diagnosis.ask()],
    Enter: ["", () => page.letters.enter()],
    Escape: ["", () => page.letters.shut()],
  });
  page.load();
  page.letters.load();
  const again = setInterval(() => {
    if (!document.hidden) page.load();
  }, AGAIN_MS);
  return () => {
    clearInterval(again);
    page.close();
  };
}
