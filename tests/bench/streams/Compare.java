import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Whether hub and peer have merged every trial to the same value, byte for byte: the latest of each in the topics
 * of both. Prints JSON: entities that the hub has, trials that the peer has, and how many are the same. Fails
 * where one is not, and tells of the first of them.
 *
 * usage: Compare BOOTSTRAP SCHEMAS UNIFIED_ID TRIAL_ID UNIFIED MERGED
 *   the ids of the schemas, then the topics */
public final class Compare {
    private static final Duration POLL = Duration.ofSeconds(1);
    private static final int EMPTY_POLLS_MAX = 60;
    private static final int TOLD_MAX = 3;

    private Compare() {}

    private static KafkaConsumer<String, byte[]> open(String bootstrap) {
        Properties settings = new Properties();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    private static boolean isRead(KafkaConsumer<String, byte[]> consumer,
                                  Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream().allMatch(
            end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private static Map<String, byte[]> latestIn(String bootstrap, String topic) {
        Map<String, byte[]> latest = new HashMap<>();
        int empty = 0;
        try (KafkaConsumer<String, byte[]> consumer = open(bootstrap)) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (!isRead(consumer, ends)) {
                ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
                for (ConsumerRecord<String, byte[]> record : records)
                    latest.put(record.key(), record.value());
                empty = records.isEmpty() ? empty + 1 : 0;
                if (empty > EMPTY_POLLS_MAX)
                    throw new IllegalStateException(topic + ": nothing came");
            }
        }
        return latest;
    }

    public static void main(String[] arguments) {
        Path schemas = Path.of(arguments[1]);
        Wire wire = new Wire(schemas, Integer.parseInt(arguments[2]));
        Wire trials = new Wire(schemas, Integer.parseInt(arguments[3]));
        Map<String, byte[]> unified = latestIn(arguments[0], arguments[4]);
        Map<String, byte[]> merged = latestIn(arguments[0], arguments[5]);
        int entities = 0;
        int same = 0;
        for (byte[] message : unified.values()) {
            GenericRecord value = (GenericRecord) wire.read(ByteBuffer.wrap(message)).get("value");
            if (value == null) // it has become part of another
                continue;
            entities++;
            byte[] own = merged.get(Statements.nctOf(value));
            if (own != null && Arrays.equals(own, trials.write(value)))
                same++;
            else if (entities - same <= TOLD_MAX)
                System.err.println("hub:  " + value + "\npeer: "
                                   + (own == null ? "nothing" : trials.read(ByteBuffer.wrap(own))));
        }
        System.out.printf("{\"entities\": %d, \"merged\": %d, \"same\": %d}%n", entities, merged.size(),
                          same);
        System.exit(same == entities ? 0 : 1);
    }
}
