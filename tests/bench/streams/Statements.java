import java.util.Collection;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;

/** What admitting and merging ask of a statement, a record with a field `statement`: its stamp. */
final class Statements {
    /** When what it tells of happened, where it does not say so. */
    static final long NO_TIME = Long.MIN_VALUE;

    private Statements() {}

    static GenericRecord stampOf(GenericRecord statement) {
        return (GenericRecord) statement.get("statement");
    }

    static long eventTimeMs(GenericRecord statement) {
        GenericRecord time = (GenericRecord) stampOf(statement).get("event_time");
        return time == null ? NO_TIME : (Long) time.get("time");
    }

    /** A stamp like that one, of nobody's version, that tells of no document. */
    static GenericRecord bareStamp(GenericRecord like, Object eventTime, Object state, Object reason) {
        GenericRecord stamp = new GenericData.Record(like.getSchema());
        stamp.put("version", "");
        stamp.put("event_time", eventTime);
        stamp.put("state", state);
        stamp.put("reason", reason);
        return stamp;
    }

    /** The number by which all systems know the trial. */
    static String nctOf(GenericRecord trial) {
        for (Object element : (Collection<?>) trial.get("identifiers")) {
            GenericRecord identifier = (GenericRecord) element;
            if (identifier.get("scheme").toString().equals("nct"))
                return identifier.get("value").toString();
        }
        throw new IllegalArgumentException("a trial without a number of ClinicalTrials.gov");
    }
}
