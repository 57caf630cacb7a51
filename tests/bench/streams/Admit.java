import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Lets pass, under the trial's number, what is newer than what was seen of its statement and says something else.
 * The value passes as it is. */
final class Admit implements Processor<String, byte[], String, byte[]> {
    static final String STORE = "seen";
    private static final Schema SEEN = new Schema.Parser().parse("""
        {"type": "record", "name": "Seen", "fields": [
         {"name": "version", "type": "string"},
         {"name": "event_time_ms", "type": "long"},
         {"name": "content", "type": "bytes", "doc": "SHA-256."}]}""");

    private final Wire wire;
    private final Codec<GenericRecord> codec = new Codec<>(SEEN);
    private final MessageDigest sha256;
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> store;

    private Admit(Path schemas, int id) {
        wire = new Wire(schemas, id);
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException failure) {
            throw new IllegalStateException(failure);
        }
    }

    static ProcessorSupplier<String, byte[], String, byte[]> supplier(Path schemas, int id) {
        return new ProcessorSupplier<>() {
            @Override
            public Processor<String, byte[], String, byte[]> get() {
                return new Admit(schemas, id);
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
        GenericRecord statement = wire.read(ByteBuffer.wrap(record.value()));
        GenericRecord seen = seenOf(statement);
        byte[] stored = store.get(record.key());
        GenericRecord before = stored == null ? null : codec.read(stored);
        if (before != null && compare(seen, before) <= 0)
            return;
        store.put(record.key(), codec.write(seen));
        if (before == null || !before.get("content").equals(seen.get("content")))
            context.forward(record.withKey(Statements.nctOf(statement)));
    }

    private GenericRecord seenOf(GenericRecord statement) {
        GenericRecord seen = new GenericData.Record(SEEN);
        seen.put("version", Statements.stampOf(statement).get("version"));
        seen.put("event_time_ms", Statements.eventTimeMs(statement));
        seen.put("content", ByteBuffer.wrap(sha256.digest(contentOf(statement))));
        return seen;
    }

    /** All that it says, without its version and the document that it was read from. */
    private byte[] contentOf(GenericRecord statement) {
        GenericRecord stamp = Statements.stampOf(statement);
        GenericRecord content =
            new GenericData.Record((GenericData.Record) statement, /* deep= */ false);
        content.put("statement", Statements.bareStamp(stamp, stamp.get("event_time"),
                                                      stamp.get("state"), stamp.get("reason")));
        return wire.write(content);
    }

    private static int compare(GenericRecord a, GenericRecord b) {
        int order = NaturalOrder.compare(a.get("version").toString(), b.get("version").toString());
        if (order == 0)
            order = Long.compare((Long) a.get("event_time_ms"), (Long) b.get("event_time_ms"));
        return order != 0 ? order
                          : ((ByteBuffer) a.get("content")).compareTo((ByteBuffer) b.get("content"));
    }
}
