import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/** How a field is merged: rules order those who state it, the believed first; one is picked, or their elements are
 * united by a key. */
final class Rules {
    private Rules() {}

    /** What one system says of a trial. Voices are sorted by key. */
    static final class Voice {
        final String key;
        final String system;
        final GenericRecord statement;
        final long eventTimeMs;
        boolean isSponsor; // it speaks for who the merged record names as sponsor

        Voice(String key, GenericRecord statement) {
            this.key = key;
            this.statement = statement;
            system = key.substring(0, key.indexOf('/'));
            eventTimeMs = Statements.eventTimeMs(statement);
        }
    }

    /** One value, and who states it. */
    record Candidate(Voice voice, Object value) {}

    /** Merges what is stated of a field, which may be nothing. */
    interface Rule {
        Object merge(Schema schema, List<Candidate> stated);
    }

    // --- who comes first ---

    static final Comparator<Candidate> LATEST =
        (a, b) -> Long.compare(b.voice.eventTimeMs, a.voice.eventTimeMs);

    static final Comparator<Candidate> SPONSOR =
        Comparator.comparingInt(candidate -> candidate.voice.isSponsor ? 0 : 1);

    /** Those systems in that order, before all others. */
    static Comparator<Candidate> authority(String... systems) {
        List<String> order = List.of(systems);
        return Comparator.comparingInt(candidate -> placeIn(order, candidate.voice.system));
    }

    /** Records in which that enum has those symbols in that order, before all others. */
    static Comparator<Candidate> precedence(String part, String... symbols) {
        List<String> order = List.of(symbols);
        return Comparator.comparingInt(
            candidate -> placeIn(order, ((GenericRecord) candidate.value).get(part).toString()));
    }

    /** Where the rules leave it open: the first system of the list, then the smallest key. */
    static Comparator<Candidate> first(List<String> systems) {
        return Comparator
            .<Candidate>comparingInt(candidate -> placeIn(systems, candidate.voice.system))
            .thenComparing(candidate -> candidate.voice.key);
    }

    private static int placeIn(List<String> order, String name) {
        int place = order.indexOf(name);
        return place < 0 ? order.size() : place;
    }

    // --- what becomes of their values ---

    /** The value of the first. */
    static Rule one(Comparator<Candidate> order) {
        return (schema, stated) -> {
            if (stated.isEmpty())
                return schema.getType() == Schema.Type.ARRAY ? List.of() : null;
            return pick(stated, order);
        };
    }

    /** The elements of all, sorted by key. Those of one key become one, part by part. */
    static Rule union(Function<GenericRecord, String> key, Comparator<Candidate> order) {
        return (schema, stated) -> {
            Map<String, List<Candidate>> byKey = new TreeMap<>();
            for (Candidate array : stated)
                for (Object element : (Collection<?>) array.value)
                    byKey.computeIfAbsent(key.apply((GenericRecord) element), k -> new ArrayList<>())
                        .add(new Candidate(array.voice, element));
            List<Object> merged = new ArrayList<>(byKey.size());
            for (List<Candidate> same : byKey.values())
                merged.add(mergeParts(schema.getElementType(), same, order));
            return merged;
        };
    }

    private static Object mergeParts(Schema schema, List<Candidate> same,
                                     Comparator<Candidate> order) {
        if (same.size() == 1)
            return same.get(0).value;
        GenericRecord merged = new GenericData.Record(schema);
        for (Schema.Field part : schema.getFields()) {
            List<Candidate> stated = new ArrayList<>(same.size());
            for (Candidate element : same) {
                Object value = ((GenericRecord) element.value).get(part.pos());
                if (value != null)
                    stated.add(new Candidate(element.voice, value));
            }
            merged.put(part.pos(), stated.isEmpty() ? null : pick(stated, order));
        }
        return merged;
    }

    private static Object pick(List<Candidate> stated, Comparator<Candidate> order) {
        Candidate best = stated.get(0);
        for (Candidate candidate : stated)
            if (order.compare(candidate, best) < 0)
                best = candidate;
        return best.value;
    }

    // --- keys of elements ---

    /** The parts of those names, with a slash between them. */
    static Function<GenericRecord, String> parts(String... names) {
        return element -> {
            StringBuilder key = new StringBuilder();
            for (String name : names) {
                Object part = element.get(name);
                key.append(key.isEmpty() ? "" : "/").append(part == null ? "" : part);
            }
            return key.toString();
        };
    }

    /** Letters and digits alone, without case and accents, and a space where there was anything else. */
    static String fold(String text) {
        String plain = Normalizer.normalize(text, Normalizer.Form.NFKD).toLowerCase(Locale.ROOT);
        StringBuilder folded = new StringBuilder(plain.length());
        boolean gap = false;
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            if (Character.isLetterOrDigit(c)) {
                folded.append(gap && !folded.isEmpty() ? " " : "").append(c);
                gap = false;
            } else {
                gap |= Character.getType(c) != Character.NON_SPACING_MARK;
            }
        }
        return folded.toString();
    }
}
