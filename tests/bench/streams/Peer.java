import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;

/** The hub's job as a program of Kafka Streams: statements that say something new, put together by trial, merged
 * field by field. Exactly once; stores are RocksDB with the cache of Kafka Streams over it; every change is
 * published, as the hub does.
 *
 * usage: Peer BOOTSTRAP APPLICATION STATE SCHEMAS ID THREADS FROM,FROM... TO
 *   ID  the schema of trials, in the folder SCHEMAS */
public final class Peer {
    private static final int COMMIT_INTERVAL_MS = 100;
    private static final int POLL_RECORDS_MAX = 5000;
    private static final int BATCH_BYTES = 256 * 1024;
    private static final long PURGE_INTERVAL_MS = 3_600_000; // so that the topic in between can be looked at

    private Peer() {}

    private static Topology topology(Path schemas, int id, List<String> from, String to) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(from, Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .process(Admit.supplier(schemas, id))
            .repartition(
                Repartitioned.with(Serdes.String(), Serdes.ByteArray()).withName("changed"))
            .process(Fold.supplier(schemas, id))
            .to(to, Produced.with(Serdes.String(), Serdes.ByteArray()));
        return builder.build();
    }

    private static Properties settings(String[] arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[5]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL_MS);
        settings.put(StreamsConfig.REPARTITION_PURGE_INTERVAL_MS_CONFIG, PURGE_INTERVAL_MS);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG),
                     POLL_RECORDS_MAX);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, POLL_RECORDS_MAX);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), BATCH_BYTES);
        settings.put(StreamsConfig.topicPrefix(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG),
                     "LogAppendTime");
        return settings;
    }

    public static void main(String[] arguments) throws InterruptedException {
        Topology topology = topology(Path.of(arguments[3]), Integer.parseInt(arguments[4]),
                                     List.of(arguments[6].split(",")), arguments[7]);
        CountDownLatch failed = new CountDownLatch(1);
        KafkaStreams streams = new KafkaStreams(topology, settings(arguments));
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            failed.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        failed.await();
        System.exit(1);
    }
}
