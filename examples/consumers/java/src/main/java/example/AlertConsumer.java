package example;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A consumer of alerts in Java: kafka-clients and Avro's single-object encoding, nothing of Foreshock.
 *
 * <pre>mvn -q compile exec:java -Dexec.args="127.0.0.1:9092 alerts.v1 my-desk ../../../avro_schemas"</pre>
 *
 * It prints one line for each transition, each once. Copy it, and put what your plant does with an alert in the place of
 * {@link #handle}.
 */
public final class AlertConsumer {
  /** Ids of a partition: repeats come within the seconds of work that a crash lost. */
  private static final int REMEMBERED = 10_000;

  /** What is to be done with a transition. Yours pages, opens a ticket, or lights a lamp. */
  private static void handle(GenericRecord alert) {
    Instant at = Instant.ofEpochSecond((long) alert.get("at_ns") / 1_000_000_000L);
    String score = alert.get("score") == null ? "" : String.format(" score %.2f", (double) alert.get("score"));
    String why = alert.get("suppressed_by") == null ? "" : " (" + alert.get("suppressed_by") + ")";
    String id = alert.get("alert_id").toString();
    System.out.printf(
        "%s %s%s %s %s%s [%s] %s: %s%n",
        at, alert.get("change"), why, alert.get("severity"), alert.get("asset"), score,
        id.substring(0, Math.min(8, id.length())), alert.get("owner"), alert.get("action"));
    System.out.flush();
  }

  /** All versions of AlertTransition: a record is read with the schema that it was written with. */
  private static BinaryMessageDecoder<GenericRecord> decoder(Path folder) throws IOException {
    Schema newest = new Schema.Parser().parse(folder.resolve("AlertTransition.avsc").toFile());
    var decoder = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), newest);
    Path old = folder.resolve("history").resolve("AlertTransition");
    if (Files.isDirectory(old)) {
      try (var files = Files.newDirectoryStream(old, "*.avsc")) {
        for (Path file : files) {
          decoder.addSchema(new Schema.Parser().parse(file.toFile()));
        }
      }
    }
    return decoder;
  }

  /** Tells repeats by their id. Its memory is bounded, and a partition that comes is read back to fill it. */
  private static final class Once implements ConsumerRebalanceListener {
    private final KafkaConsumer<String, byte[]> consumer;
    private final Map<TopicPartition, Map<String, Boolean>> seen = new HashMap<>();
    private final Map<TopicPartition, Long> handled = new HashMap<>(); // what is before it is only remembered

    Once(KafkaConsumer<String, byte[]> consumer) {
      this.consumer = consumer;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      Map<TopicPartition, Long> lows = consumer.beginningOffsets(partitions);
      Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(Set.copyOf(partitions));
      for (TopicPartition each : partitions) {
        OffsetAndMetadata place = committed.get(each);
        long first = Math.max(place == null ? 0 : place.offset(), lows.get(each));
        handled.put(each, first);
        seen.put(each, new LinkedHashMap<>() {
          @Override
          protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > REMEMBERED;
          }
        });
        consumer.seek(each, Math.max(first - REMEMBERED, lows.get(each)));
      }
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

    boolean isNew(ConsumerRecord<String, byte[]> message, String eventId) {
      TopicPartition place = new TopicPartition(message.topic(), message.partition());
      boolean known = seen.get(place).remove(eventId) != null; // put back as the newest
      seen.get(place).put(eventId, true);
      return !known && message.offset() >= handled.get(place);
    }
  }

  public static void main(String[] args) throws Exception {
    BinaryMessageDecoder<GenericRecord> decoder = decoder(Path.of(args[3]));
    Properties properties = new Properties();
    properties.put("bootstrap.servers", args[0]);
    properties.put("group.id", args[2]);
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new ByteArrayDeserializer());
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      consumer.wakeup();
      try {
        main.join(10_000); // it leaves the group before the process ends
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }));
    Once once = new Once(consumer);
    try (consumer) {
      consumer.subscribe(List.of(args[1]), once);
      while (true) {
        for (ConsumerRecord<String, byte[]> message : consumer.poll(Duration.ofMillis(500))) {
          if (message.value() == null) {
            continue;
          }
          GenericRecord alert = decoder.decode(message.value());
          if (once.isNew(message, alert.get("event_id").toString())) {
            handle(alert);
            // After it was handled: a crash before this line brings it again, never loses it.
            consumer.commitAsync(
                Map.of(
                    new TopicPartition(message.topic(), message.partition()),
                    new OffsetAndMetadata(message.offset() + 1)),
                null);
          }
        }
      }
    } catch (WakeupException stopped) {
      // told to stop
    }
  }
}
