// A producer of vibration blocks in Node: kafkajs and the JSON framing.
//
//   npm ci
//   node producer.js --bootstrap 127.0.0.1:9092 --asset pump-8 --blocks 100
//
// JSON is for small blocks and for trying out; a busy gateway sends Avro (see ../python and ../java).
import { parseArgs } from "node:util";
import { Kafka, Partitioners, logLevel } from "kafkajs";

const RATE_HZ = 12800;
const SAMPLES = 1024;

const { values: given } = parseArgs({
  options: {
    bootstrap: { type: "string", default: process.env.FORESHOCK_KAFKA__BOOTSTRAP ?? "127.0.0.1:9092" },
    topic: { type: "string", default: "sensors.v1" },
    asset: { type: "string", default: "pump-8" },
    blocks: { type: "string", default: "100" },
  },
});
const blocks = Number(given.blocks);

// One block of acceleration in m/s2: a shaft at 25 Hz, its second harmonic, and noise. Yours comes from hardware.
function readSensor(seconds) {
  return Array.from({ length: SAMPLES }, (_, n) => {
    const at = 2 * Math.PI * 25 * (seconds + n / RATE_HZ);
    return Math.sin(at) + 0.3 * Math.sin(2 * at) + 0.4 * (Math.random() - 0.5);
  });
}

// These blocks end now; a real sensor sends as time goes by.
const lengthMs = (SAMPLES / RATE_HZ) * 1000;
const startMs = Date.now() - blocks * lengthMs;

const messages = Array.from({ length: blocks }, (_, number) => ({
  key: given.asset, // the key is the asset: it keeps an asset's blocks in one order
  value: JSON.stringify({
    asset: given.asset,
    point: "drive-end",
    channels: ["x"],
    // Time of the first sample, UTC. A number in JavaScript cannot hold nanoseconds since 1970; this text can.
    source_time: new Date(startMs + number * lengthMs).toISOString(),
    sampling_rate_hz: RATE_HZ,
    quantity: "acceleration",
    unit: "m/s2",
    samples: readSensor((number * SAMPLES) / RATE_HZ),
    sequence: number,
  }),
}));

const kafka = new Kafka({ clientId: "example", brokers: given.bootstrap.split(","), logLevel: logLevel.ERROR });
// DefaultPartitioner is murmur2, as Java's: all gateways of an asset must agree on its partition.
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true });
await producer.connect();
try {
  for (let first = 0; first < messages.length; first += 20) {
    await producer.send({ topic: given.topic, acks: -1, messages: messages.slice(first, first + 20) });
  }
} finally {
  await producer.disconnect();
}
console.log(`${blocks} blocks of ${given.asset} sent to ${given.topic}`);
