import static java.util.Map.entry;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/** The merged trial: for each field the rule that schemas/domains/trial.avsc has for it (hub:merge). What the load
 * does not have is left out: links, dates that are known by the month only, withdrawn statements. */
final class Merge {
    private static final List<String> SYSTEMS =
        List.of("ctis", "euctr", "isrctn", "ctgov", "eclaire", "cart-register", "sus-trials",
                "sus-redcap", "lumc-studies");
    /** Whose own system it is. The registers are nobody's. */
    private static final Map<String, String> OWNERS =
        Map.of("sus-trials", "ror:02z31g829", "sus-redcap", "ror:02z31g829",
               "lumc-studies", "ror:05xvt9f17");

    private static final Comparator<Rules.Candidate> BY_LATEST =
        Rules.LATEST.thenComparing(Rules.first(SYSTEMS));
    private static final Comparator<Rules.Candidate> BY_SPONSOR = Rules.SPONSOR.thenComparing(BY_LATEST);
    private static final Comparator<Rules.Candidate> BY_REGISTER =
        Rules.authority("ctis", "euctr", "isrctn", "ctgov").thenComparing(BY_LATEST);

    private static final Map<String, Rules.Rule> RULES = Map.ofEntries(
        entry("identifiers", Rules.union(Rules.parts("scheme", "issuer", "value", "relation"), BY_LATEST)),
        entry("links", Rules.union(Rules.parts("domain", "identifier", "role"), BY_LATEST)),
        entry("titles", Rules.union(Rules.parts("lang"), BY_SPONSOR)),
        entry("acronym", Rules.one(BY_SPONSOR)),
        entry("sponsor", Rules.one(BY_REGISTER)),
        entry("status", Rules.one(BY_REGISTER)),
        entry("phases", Rules.one(BY_SPONSOR)),
        entry("conditions", Rules.one(BY_SPONSOR)),
        entry("products", Rules.union(product -> Rules.fold(product.get("name").toString()), BY_SPONSOR)),
        entry("enrolment", Rules.one(Rules.precedence("type", "ACTUAL").thenComparing(BY_SPONSOR))),
        entry("start", Rules.one(BY_SPONSOR)),
        entry("primary_end", Rules.one(BY_SPONSOR)),
        entry("end", Rules.one(BY_SPONSOR)),
        entry("by_country", Rules.union(Rules.parts("country"),
                                        Rules.authority("ctis", "euctr").thenComparing(BY_LATEST))),
        entry("sites", Rules.union(site -> keyOf((GenericRecord) site.get("site")), BY_LATEST)));

    private final Schema schema;
    private final Object current;

    Merge(Schema schema) {
        this.schema = schema;
        Schema stamp = schema.getField("statement").schema();
        current = new GenericData.EnumSymbol(stamp.getField("state").schema(), "CURRENT");
    }

    /** Of one trial; sorted by key. */
    GenericRecord merge(List<Rules.Voice> voices) {
        GenericRecord merged = new GenericData.Record(schema);
        GenericRecord sponsor = (GenericRecord) mergeField(schema.getField("sponsor"), voices);
        for (Rules.Voice voice : voices)
            voice.isSponsor = speaksFor(voice.system, sponsor);
        for (Schema.Field field : schema.getFields())
            merged.put(field.pos(), field.name().equals("statement") ? stampOf(voices)
                                                                     : mergeField(field, voices));
        return merged;
    }

    private static Object mergeField(Schema.Field field, List<Rules.Voice> voices) {
        List<Rules.Candidate> stated = new ArrayList<>(voices.size());
        for (Rules.Voice voice : voices) {
            Object value = voice.statement.get(field.pos());
            if (value != null && !(value instanceof Collection<?> array && array.isEmpty()))
                stated.add(new Rules.Candidate(voice, value));
        }
        return RULES.get(field.name()).merge(field.schema(), stated);
    }

    /** Nobody's version, and the latest event of all. */
    private GenericRecord stampOf(List<Rules.Voice> voices) {
        Rules.Voice latest = voices.get(0);
        for (Rules.Voice voice : voices)
            if (voice.eventTimeMs > latest.eventTimeMs)
                latest = voice;
        GenericRecord stamp = Statements.stampOf(latest.statement);
        return Statements.bareStamp(stamp, stamp.get("event_time"), current, null);
    }

    private static boolean speaksFor(String system, GenericRecord sponsor) {
        Object org = sponsor == null ? null : sponsor.get("org");
        return org != null && org.toString().equals(OWNERS.get(system));
    }

    private static String keyOf(GenericRecord organisation) {
        Object org = organisation.get("org");
        return org != null ? org.toString() : Rules.fold(organisation.get("text").toString());
    }
}
