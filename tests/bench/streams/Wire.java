import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericRecord;

/** Records in the Confluent wire format: a zero byte, the schema's id in 4 bytes, Avro. Schemas come from the
 * folder that a registry is filled from. For one thread. */
final class Wire {
    private static final int HEADER_SIZE = 5;
    private final Path schemas;
    private final Schema schema;
    private final Map<Integer, Codec<GenericRecord>> codecs = new HashMap<>();
    private final Codec<GenericRecord> own;
    private final byte[] header;

    /** What is read becomes a record of the schema of that id, and so is what is written. */
    Wire(Path schemas, int id) {
        this.schemas = schemas;
        schema = load(id);
        own = new Codec<>(schema);
        codecs.put(id, own);
        header = ByteBuffer.allocate(HEADER_SIZE).put((byte) 0).putInt(id).array();
    }

    private Schema load(int id) {
        try {
            return new Schema.Parser().parse(schemas.resolve("registered/" + id + ".avsc").toFile());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    Schema schema() {
        return schema;
    }

    GenericRecord read(ByteBuffer message) {
        int start = message.position();
        if (message.remaining() < HEADER_SIZE || message.get(start) != 0)
            throw new IllegalArgumentException("a message without a schema's id");
        Codec<GenericRecord> codec = codecs.computeIfAbsent(
            message.getInt(start + 1), written -> new Codec<>(load(written), schema));
        return codec.read(message.array(), message.arrayOffset() + start + HEADER_SIZE,
                          message.remaining() - HEADER_SIZE);
    }

    byte[] write(GenericRecord record) {
        return own.write(record, header);
    }
}
