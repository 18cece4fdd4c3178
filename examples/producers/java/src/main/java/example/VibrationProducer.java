package example;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.ArrayList;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A producer of vibration blocks in Java: kafka-clients and Avro's single-object encoding, nothing of Foreshock.
 *
 * <pre>mvn -q compile exec:java -Dexec.args="127.0.0.1:9092 sensors.v1 pump-9 100 ../../../avro_schemas/SensorBlock.avsc"</pre>
 *
 * Copy it, and put your own reader in the place of {@link #readSensor}.
 */
public final class VibrationProducer {
  private static final double RATE_HZ = 12_800.0;
  private static final int SAMPLES = 4096;
  private static final Random NOISE = new Random();

  /** One block of acceleration in m/s2: a shaft at 25 Hz, its second harmonic, and noise. Yours comes from hardware. */
  private static ByteBuffer readSensor(double seconds) {
    ByteBuffer samples = ByteBuffer.allocate(SAMPLES * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int n = 0; n < SAMPLES; n++) {
      double at = 2 * Math.PI * 25 * (seconds + n / RATE_HZ);
      samples.putFloat((float) (Math.sin(at) + 0.3 * Math.sin(2 * at) + 0.2 * NOISE.nextGaussian()));
    }
    return samples.flip();
  }

  public static void main(String[] args) throws Exception {
    String bootstrap = args[0];
    String topic = args[1];
    String asset = args[2];
    int blocks = Integer.parseInt(args[3]);
    Schema schema = new Schema.Parser().parse(Path.of(args[4]).toFile());
    // Single-object encoding: two bytes, the fingerprint of the schema, the record.
    BinaryMessageEncoder<GenericRecord> encoder = new BinaryMessageEncoder<>(GenericData.get(), schema);

    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    // acks=all, idempotence and the murmur2 partitioner are the defaults of the Java client: leave them.

    long lengthNs = Math.round(SAMPLES / RATE_HZ * 1e9);
    Instant now = Instant.now();
    // These blocks end now; a real sensor sends as time goes by.
    long startNs = now.getEpochSecond() * 1_000_000_000L + now.getNano() - blocks * lengthNs;
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (var producer = new KafkaProducer<>(properties, new StringSerializer(), new ByteArraySerializer())) {
      for (int number = 0; number < blocks; number++) {
        GenericRecord block =
            new GenericRecordBuilder(schema)
                .set("asset", asset)
                .set("point", "drive-end")
                .set("channels", List.of("x"))
                .set("source_ns", startNs + number * lengthNs) // time of the first sample, UTC
                .set("sampling_rate_hz", RATE_HZ)
                .set("quantity", "acceleration")
                .set("unit", "m/s2")
                .set("encoding", symbol(schema, "encoding", "f32le"))
                .set("count", SAMPLES)
                .set("samples", readSensor(number * SAMPLES / RATE_HZ))
                .set("sequence", (long) number)
                .build();
        ByteBuffer value = encoder.encode(block);
        byte[] bytes = new byte[value.remaining()];
        value.get(bytes);
        // The key is the asset: it keeps an asset's blocks in one order.
        sent.add(producer.send(new ProducerRecord<>(topic, asset, bytes)));
      }
      for (Future<RecordMetadata> each : sent) {
        each.get(); // throws when a block was refused
      }
    }
    System.out.printf("%d blocks of %s sent to %s%n", blocks, asset, topic);
  }

  private static Object symbol(Schema record, String field, String name) {
    return new GenericData.EnumSymbol(record.getField(field).schema(), name);
  }
}
