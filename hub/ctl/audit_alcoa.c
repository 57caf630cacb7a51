/* ALCOA+ (WHO, Guideline on data integrity, TRS 1033 annex 4; EMA, Guideline on computerised systems and electronic
 * data in clinical trials, 2023): what it asks, where the system meets it, and figures of what was read. */
#include "hub/ctl/audit.h"

#include "hub/archive/checkpoint.h"
#include "hub/archive/rollup.h"
#include "hub/ctl/archive.h"
#include "hub/ctl/refold.h"
#include "hub/io/file.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <string.h>

enum { SEE_MAX = 4 };

enum row { ATTRIBUTABLE, LEGIBLE, CONTEMPORANEOUS, ORIGINAL, ACCURATE, COMPLETE, CONSISTENT, ENDURING,
           AVAILABLE, ROWS };

static const struct {
    const char *name, *asks, *met, *see[SEE_MAX];
} rows[ROWS] = {
    [ATTRIBUTABLE] =
        {"Attributable", "Who said it, and who did it?",
         "The key of an entry of log.<domain> is institution/system/source record; a statement of a system that the "
         "institution does not carry is refused. statement.mapping_hash is the connector's configuration. Decisions "
         "and rules have decided_by and reason, settlements of dead letters about.by and about.because, positions "
         "that were set the headers hub_by and hub_reason. Which principal may write to which topic, and that a name "
         "after --by is its bearer's, is the site's to see to, in Kafka and at its machines.",
         {"hubctl entity explain ID", "hubctl consume log.DOMAIN"}},
    [LEGIBLE] =
        {"Legible", "Can it be read, for as long as it is kept?",
         "Values are Avro of a registered schema whose text never changes (registry.lock.json); in an archive each "
         "file has that text in it, and README and verify.sh beside it say how it is read without this program.",
         {"hubctl consume TOPIC -o json", "hubctl entity show ID"}},
    [CONTEMPORANEOUS] =
        {"Contemporaneous", "Was it recorded when it happened?",
         "statement.event_time is when it happened and statement.recorded_time when the source recorded it, where the "
         "source tells; the timestamp of an entry is Kafka's own, of when it was appended (LogAppendTime). A "
         "decision's decided_time, by the decider's clock, stands beside that.",
         {"hubctl entity history ID", "hubctl consume log.DOMAIN -o json"}},
    [ORIGINAL] =
        {"Original", "Is it the first record, or a true copy of it?",
         "statement.raw_hash is the SHA-256 of the document as it arrived, statement.document the place in it; the "
         "document itself is the institution's, in the connector's encrypted journal. A log holds each message as it "
         "came. A dead letter holds the original bytes, or their hash where they are held back or went before.",
         {"hubctl entity explain ID FIELD", "hubctl dlq show PLACE"}},
    [ACCURATE] =
        {"Accurate", "Does it say what is so, and is what is wrong seen?",
         "What does not fit its schema or its scheme is refused, as a dead letter with the reason. Where sources "
         "differ that is a conflict, published and open until they agree or a person has decided, with a reason. "
         "Whether a source says what is so, this system cannot know.",
         {"hubctl conflict list", "hubctl dlq list"}},
    [COMPLETE] =
        {"Complete", "Is all of it there, with what was changed and taken back?",
         "Every input ends as published, unchanged, superseded, withdrawn, skipped or dead-lettered, and the counts "
         "add up. What is replaced stays in the log; revisions of an entity have no gap. A manifest of each source "
         "tells what it has.",
         {"hubctl status", "hubctl complete", "hubctl entity history ID"}},
    [CONSISTENT] =
        {"Consistent", "Is it in order, and does it agree with itself?",
         "Each shard has one log in one order, and what is published is a function of it: folded again, with the "
         "decisions and rules in it, it gives what was published, bit for bit. While the hub works, what it has not "
         "published yet shows as a difference, and is none when it is asked again.",
         {"hubctl refold DOMAIN"}},
    [ENDURING] =
        {"Enduring", "Will it last?",
         "Logs are never deleted on Kafka. atmp-archive keeps every record in files of a public form, in logs whose "
         "checkpoints are signed and may be cosigned by witnesses; what was changed, left out or put back is found by "
         "public tools too.",
         {"hubctl archive verify FOLDER --key FILE", "FOLDER/verify.sh"}},
    [AVAILABLE] =
        {"Available", "Can it be had when it is asked for?",
         "Any Kafka client reads the topics, and any Avro library the archive; what looks takes --archive and --as-of, "
         "so that what was known at a time can be asked with Kafka gone.",
         {"hubctl audit report -o json", "hubctl entity list --archive FOLDER --as-of TIME"}},
};

/* --- figures --- */

static void add_share(json_t *figures, const char *what, int64_t met, int64_t of) {
    json_array_append_new(figures, json_pack("{s:s, s:I, s:I}", "what", what, "met",
                                             (json_int_t)met, "of", (json_int_t)of));
}

static void add_text(json_t *figures, const char *what, const char *value) {
    json_array_append_new(figures, json_pack("{s:s, s:s}", "what", what, "value", value));
}

static void add_time(json_t *figures, const char *what, int64_t time_ms) {
    HUB_SCOPED_BUFFER time = {0};
    hub_render_time(time_ms, &time);
    add_text(figures, what, time_ms == 0 ? "there is none" : hub_buffer_text(&time));
}

/* Whether a person is named. */
static bool is_signed(const json_t *act) {
    const char *who = json_string_value(json_object_get(act, "who"));
    return who != NULL && strcmp(who, "nobody") != 0 && json_is_string(json_object_get(act, "why"));
}

/* Of the acts that the report lists. */
static void count_acts(const struct hub_ctl_audit *audit, json_t *figures) {
    int64_t signed_acts = 0;
    size_t i;
    const json_t *act;
    json_array_foreach(audit->acts, i, act)
        signed_acts += is_signed(act);
    add_share(figures, "acts of these times with who and why", signed_acts,
              (int64_t)json_array_size(audit->acts));
}

static bool add_refolded(struct hub_ctl_audit *audit, json_t *figures) {
    const struct hub_catalogue *catalogue = audit->ctl->catalogue;
    if (audit->ctl->as_of_ms != INT64_MAX) {
        add_text(figures, "records that the log gives as they were published",
                 "not asked of an earlier time, when the hub was between its steps");
        return true;
    }
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct hub_domain *domain = &catalogue->domains[i];
        struct hub_ctl_refolded refolded = {0};
        if (!hub_ctl_refold_domain(audit->ctl, audit->source, domain, /* tells= */ false, &refolded))
            return false;
        const char *what = hub_arena_format(&audit->arena,
                                            "%s: records that the log gives as they were published",
                                            domain->name);
        int64_t differences = (int64_t)refolded.differences, compared = (int64_t)refolded.compared;
        int64_t of = compared > differences ? compared : differences; /* what is missing is not compared */
        add_share(figures, what, of - differences, of);
    }
    return true;
}

/* --- the archive --- */

struct archived {
    int64_t logs, signed_logs, entries, rollup_entries;
};

static void look_at_log(struct archived *archived, struct hub_ctl_keys *keys, const char *folder,
                        bool is_rollup) {
    struct hub_note_key key;
    struct hub_checkpoint checkpoint;
    struct hub_error ignored;
    bool is_signed = hub_ctl_keys_of(keys, folder, &key, &ignored) == HUB_OK &&
                     hub_checkpoint_load(folder, "checkpoint", &key, &checkpoint, &ignored) == HUB_OK;
    archived->logs += !is_rollup;
    archived->signed_logs += !is_rollup && is_signed;
    if (!is_signed)
        return;
    *(is_rollup ? &archived->rollup_entries : &archived->entries) += (int64_t)checkpoint.size;
}

static bool is_log(const char *folder, struct hub_arena *arena) {
    struct hub_file_facts facts;
    struct hub_error ignored;
    return hub_file_facts(hub_arena_format(arena, "%s/log.vkey", folder), &facts, &ignored) == HUB_OK;
}

static bool add_archive(struct hub_ctl_audit *audit, json_t *figures) {
    struct archived archived = {0};
    struct hub_ctl_keys keys = {0};
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    const char *archive = audit->ctl->archive;
    if (archive == NULL) {
        add_text(figures, "logs with a signed checkpoint", "asked with --archive FOLDER");
        return true;
    }
    if (!hub_ctl_keys_load(audit->ctl, &keys))
        return false;
    if (hub_file_list(archive, "", &audit->arena, &names, &count, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        hub_ctl_keys_free(&keys);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *folder = hub_arena_format(&audit->arena, "%s/%s", archive, names[i]);
        if (is_log(folder, &audit->arena))
            look_at_log(&archived, &keys, folder, strcmp(names[i], HUB_ROLLUP_FOLDER) == 0);
    }
    add_share(figures, keys.count > 0 ? "logs whose newest checkpoint is signed by a key of --key"
                                      : "logs whose newest checkpoint is signed by the key beside it",
              archived.signed_logs, archived.logs);
    hub_ctl_keys_free(&keys);
    add_text(figures, "records under those checkpoints",
             hub_arena_format(&audit->arena, "%lld", (long long)archived.entries));
    add_text(figures, "checkpoints in the roll-up log",
             hub_arena_format(&audit->arena, "%lld", (long long)archived.rollup_entries));
    return true;
}

/* --- rows --- */

/* Of statements. */
static void add_statement_figures(const struct hub_ctl_audit *audit, json_t *const *figures) {
    const struct hub_ctl_audit_counts *counts = &audit->counts;
    const struct {
        enum row row;
        const char *what;
        int64_t met;
    } shares[] = {
        {ATTRIBUTABLE, "statements with their institution and a system that it carries", counts->attributed},
        {ATTRIBUTABLE, "statements with the hash of the connector's configuration", counts->with_mapping},
        {CONTEMPORANEOUS, "statements with the time of the event", counts->with_event_time},
        {CONTEMPORANEOUS, "statements with the time of recording at the source", counts->with_recorded_time},
        {CONTEMPORANEOUS, "statements with these two and Kafka's", counts->with_all_times},
        {ORIGINAL, "statements with the hash of the raw bytes", counts->with_raw_hash},
        {ORIGINAL, "statements with the place in the document", counts->with_document},
    };
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        add_share(figures[shares[i].row], shares[i].what, shares[i].met, counts->statements);
}

static bool add_figures(struct hub_ctl_audit *audit, json_t *const *figures) {
    const struct hub_ctl_audit_counts *counts = &audit->counts;
    add_statement_figures(audit, figures);
    count_acts(audit, figures[ATTRIBUTABLE]);
    add_share(figures[CONTEMPORANEOUS], "entries of logs with the time that Kafka appended them",
              counts->timed, counts->entries);
    add_share(figures[LEGIBLE], "records that a registered schema reads", counts->legible, counts->records);
    add_share(figures[ORIGINAL], "dead letters with the original bytes", counts->letters_with_original,
              counts->letters);
    add_share(figures[ACCURATE], "conflicts that are resolved", counts->conflicts - counts->conflicts_open,
              counts->conflicts);
    add_share(figures[ACCURATE], "dead letters that are settled", counts->letters - counts->letters_open,
              counts->letters);
    add_share(figures[COMPLETE], audit->ctl->archive == NULL
                                     ? "entities whose revisions are all there (compaction takes replaced ones after "
                                       "30 days; an archive has all)"
                                     : "entities whose revisions are all there",
              counts->gapless, counts->entities);
    add_share(figures[CONSISTENT], "entries of logs that are no earlier than the one before", counts->in_order,
              counts->entries);
    if (audit->ctl->archive == NULL)
        add_share(figures[AVAILABLE], "topics of the schemas that are there", counts->topics_there,
                  counts->topics);
    else
        add_text(figures[AVAILABLE], "topics of which something is archived",
                 hub_arena_format(&audit->arena, "%lld", (long long)counts->topics_there));
    add_time(figures[ENDURING], "the newest record was appended", counts->newest_ms);
    return add_archive(audit, figures[ENDURING]) && add_refolded(audit, figures[CONSISTENT]);
}

bool hub_ctl_audit_alcoa(struct hub_ctl_audit *audit, json_t **ret_rows) {
    json_t *figures[ROWS], *list = json_array();
    for (size_t i = 0; i < ROWS; i++) {
        json_t *see = json_array();
        figures[i] = json_array();
        for (size_t k = 0; k < SEE_MAX && rows[i].see[k] != NULL; k++)
            json_array_append_new(see, json_string(rows[i].see[k]));
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", rows[i].name,
                                              "asks", rows[i].asks, "met", rows[i].met, "see", see,
                                              "figures", figures[i]));
    }
    *ret_rows = list;
    return add_figures(audit, figures);
}
