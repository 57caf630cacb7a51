import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.avro.Schema;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Keeps the statements of each trial, and tells of it anew, merged, whenever one of them is another. */
final class Fold implements Processor<String, byte[], String, byte[]> {
    static final String STORE = "trials";
    /** What was said, by statement: kept as it came, so that only its reading costs. */
    private static final Schema SAID = Schema.createMap(Schema.create(Schema.Type.BYTES));

    private final Wire wire;
    private final Merge merge;
    private final Codec<Map<? extends CharSequence, ByteBuffer>> codec = new Codec<>(SAID);
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> store;

    private Fold(Path schemas, int id) {
        wire = new Wire(schemas, id);
        merge = new Merge(wire.schema());
    }

    static ProcessorSupplier<String, byte[], String, byte[]> supplier(Path schemas, int id) {
        return new ProcessorSupplier<>() {
            @Override
            public Processor<String, byte[], String, byte[]> get() {
                return new Fold(schemas, id);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE),
                                                          Serdes.String(), Serdes.ByteArray())
                                  .withCachingEnabled());
            }
        };
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
        this.context = context;
        store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
        SortedMap<String, ByteBuffer> said = new TreeMap<>();
        byte[] stored = store.get(record.key());
        if (stored != null)
            codec.read(stored).forEach((key, message) -> said.put(key.toString(), message));
        said.put(statementKeyOf(record), ByteBuffer.wrap(record.value()));
        store.put(record.key(), codec.write(said));
        List<Rules.Voice> voices = new ArrayList<>(said.size());
        said.forEach((key, message) -> voices.add(new Rules.Voice(key, wire.read(message))));
        context.forward(record.withValue(wire.write(merge.merge(voices))));
    }

    /** system/source id, which was the key of its ingest record; its envelope tells it, too. */
    private static String statementKeyOf(Record<String, byte[]> record) {
        byte[] subject = record.headers().lastHeader("ce_subject").value();
        return new String(subject, StandardCharsets.UTF_8);
    }
}
