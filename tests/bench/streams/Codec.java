import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/** Values of one schema as Avro's bytes. For one thread. */
final class Codec<T> {
    private final DatumReader<T> reader;
    private final DatumWriter<T> writer;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;

    Codec(Schema schema) {
        this(schema, schema);
    }

    /** Reads what was written by one schema as the other has it, by which it writes, too. */
    Codec(Schema written, Schema wanted) {
        reader = new GenericDatumReader<>(written, wanted);
        writer = new GenericDatumWriter<>(wanted);
    }

    T read(byte[] from) {
        return read(from, 0, from.length);
    }

    T read(byte[] from, int offset, int size) {
        try {
            decoder = DecoderFactory.get().binaryDecoder(from, offset, size, decoder);
            return reader.read(null, decoder);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    byte[] write(T value, byte... header) {
        try {
            bytes.reset();
            bytes.write(header);
            encoder = EncoderFactory.get().binaryEncoder(bytes, encoder);
            writer.write(value, encoder);
            encoder.flush();
            return bytes.toByteArray();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
