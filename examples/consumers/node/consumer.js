// A consumer of alerts in Node: kafkajs and avsc, nothing of Foreshock.
//
//   npm ci
//   node consumer.js --bootstrap 127.0.0.1:9092 --group my-desk --schemas ../../../avro_schemas
//
// It prints one line for each transition, each once. Copy it, and put what your plant does with an alert in the place
// of `handle`.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import avro from "avsc";
import { Kafka, logLevel } from "kafkajs";

const REMEMBERED = 10_000; // ids of a partition: repeats come within the seconds of work that a crash lost

const { values: given } = parseArgs({
  options: {
    bootstrap: { type: "string", default: process.env.FORESHOCK_KAFKA__BOOTSTRAP ?? "127.0.0.1:9092" },
    topic: { type: "string", default: "alerts.v1" },
    group: { type: "string", default: "example-desk" },
    schemas: { type: "string", default: "avro_schemas" },
  },
});

// Times are nanoseconds since 1970: more than a number of JavaScript holds exactly, so longs are BigInt.
const long = avro.types.LongType.__with({
  fromBuffer: (bytes) => bytes.readBigInt64LE(),
  toBuffer: (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value) => typeof value === "bigint",
  compare: (a, b) => (a === b ? 0 : a < b ? -1 : 1),
});

// CRC-64-AVRO of the canonical form, as its eight bytes stand in a message: Avro's specification, "Schema Fingerprints".
function fingerprint(type) {
  const EMPTY = 0xc15d213aa4d7a795n;
  let crc = EMPTY;
  for (const byte of Buffer.from(JSON.stringify(type.schema()))) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (EMPTY & -(crc & 1n));
  }
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(crc);
  return bytes.toString("hex");
}

// All versions of AlertTransition by fingerprint: a record is read with the schema that it was written with.
function loadSchemas(folder) {
  const old = join(folder, "history", "AlertTransition");
  const files = existsSync(old) ? readdirSync(old).sort().map((name) => join(old, name)) : [];
  const types = [...files, join(folder, "AlertTransition.avsc")].map((file) =>
    avro.Type.forSchema(JSON.parse(readFileSync(file, "utf8")), { registry: { long } }),
  );
  const newest = types[types.length - 1];
  return new Map(types.map((type) => [fingerprint(type), { type: newest, resolver: newest.createResolver(type) }]));
}

function decode(schemas, value) {
  if (value[0] === 0x7b) {
    // JSON.parse would round nanoseconds: they are taken from the text.
    const at = /"at_ns":(\d+)/.exec(value.toString());
    return { ...JSON.parse(value), at_ns: BigInt(at[1]) };
  }
  if (value[0] !== 0xc3 || value[1] !== 0x01) throw new Error("neither JSON nor Avro single-object encoding");
  const name = value.subarray(2, 10).toString("hex");
  const found = schemas.get(name);
  if (!found) throw new Error(`schema ${name} is not here: a newer avro_schemas folder is needed`);
  return found.type.fromBuffer(value.subarray(10), found.resolver);
}

// What is to be done with a transition. Yours pages, opens a ticket, or lights a lamp.
function handle(alert) {
  const at = new Date(Number(alert.at_ns / 1_000_000n)).toISOString().replace(/\.\d+Z/, "Z");
  const score = alert.score === null ? "" : ` score ${alert.score.toFixed(2)}`;
  const why = alert.suppressed_by ? ` (${alert.suppressed_by})` : "";
  const what = `${alert.change}${why} ${alert.severity} ${alert.asset}${score}`;
  console.log(`${at} ${what} [${alert.alert_id.slice(0, 8)}] ${alert.owner}: ${alert.action}`);
}

const schemas = loadSchemas(given.schemas);
const kafka = new Kafka({ clientId: "example", brokers: given.bootstrap.split(","), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: given.group });
const admin = kafka.admin();
await admin.connect();

// Ids that were seen, by partition, the oldest first. A partition that comes is read back a little to fill its memory.
let memory = new Map();
consumer.on(consumer.events.GROUP_JOIN, () => (memory = new Map()));

async function remember(partition, first) {
  const lows = await admin.fetchTopicOffsets(given.topic);
  const low = BigInt(lows.find((each) => each.partition === partition).low);
  const back = first - BigInt(REMEMBERED);
  memory.set(partition, { seen: new Set(), handled: first });
  consumer.seek({ topic: given.topic, partition, offset: String(back > low ? back : low) });
}

function isNew({ seen, handled }, offset, id) {
  const known = seen.delete(id); // put back as the newest
  seen.add(id);
  if (seen.size > REMEMBERED) seen.delete(seen.values().next().value);
  return !known && offset >= handled;
}

async function eachBatch({ batch, resolveOffset, heartbeat, isStale, isRunning }) {
  if (!memory.has(batch.partition)) {
    await remember(batch.partition, BigInt(batch.messages[0].offset)); // this batch comes again, after what is before it
    return;
  }
  const { topic, partition } = batch;
  const known = memory.get(partition);
  for (const message of batch.messages) {
    if (isStale() || !isRunning()) break;
    if (message.value !== null) {
      const alert = decode(schemas, message.value);
      if (isNew(known, BigInt(message.offset), alert.event_id)) {
        handle(alert);
        // After it was handled: a crash before this line brings it again, never loses it.
        await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(message.offset) + 1n) }]);
      }
    }
    resolveOffset(message.offset);
    await heartbeat();
  }
}

await consumer.connect();
await consumer.subscribe({ topic: given.topic, fromBeginning: true });
// Not autoCommit: with it `seek` would commit the place that is read back from.
await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await consumer.disconnect();
    await admin.disconnect();
    process.exit(0);
  });
}
