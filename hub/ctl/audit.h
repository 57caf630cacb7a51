/* hubctl audit report: what an inspector asks of the system itself. One JSON value is made of what is read, and
 * HTML is that value again. */
#pragma once

#include "hub/ctl/read.h"

/* Of what was read, whatever the range of acts. */
struct hub_ctl_audit_counts {
    int64_t records, legible;   /* with a value; of a schema that is known, and that they fit */
    int64_t entries, timed, in_order; /* of logs; with Kafka's time; no earlier than the entry before */
    int64_t statements;         /* in logs, late ones too */
    int64_t attributed, with_mapping, with_document, with_raw_hash;
    int64_t with_event_time, with_recorded_time, with_all_times;
    int64_t entities, gapless;  /* whose revisions are all there, from the first on */
    int64_t conflicts, conflicts_open;
    int64_t letters, letters_with_original, letters_open;
    int64_t topics, topics_there; /* that the schemas ask for */
    int64_t newest_ms;          /* when the last record was appended; 0: there is none */
};

struct hub_ctl_audit {
    struct hub_ctl *ctl;
    struct hub_source *source;
    int64_t from_ms, to_ms; /* acts of these times, both with them */
    struct hub_arena arena;
    struct hub_ctl_audit_counts counts;
    json_t *acts;    /* as hub_ctl_audit_acts says */
    json_t *remarks; /* sentences */
    /* While acts are read, by what tells of them: borrowed acts, and the last that was told of a subject. */
    json_t *by_id, *by_place, *subjects, *rules, *letters;
    int64_t last_ms; /* of the partition that is read */
    int32_t last_partition;
};

/* Reads every topic that tells of acts, and counts. `acts` becomes, in the order of time,
 *   [{time, act, who, why, told, about, before, after, places: [topic/partition@offset, ...]}]
 * `told` is when, by the clock of who did it; who and why are null where nobody said. False where Kafka or
 * the archive could not be read, which has been said. */
bool hub_ctl_audit_read(struct hub_ctl_audit *audit);

/* One record of a topic, for its acts; `value` is as hub_ctl_value gives it. */
void hub_ctl_audit_take_ruling(struct hub_ctl_audit *audit, const struct hub_ctl_record *record);
void hub_ctl_audit_take_decision(struct hub_ctl_audit *audit, const struct hub_ctl_record *record);
void hub_ctl_audit_take_outcome(struct hub_ctl_audit *audit, const struct hub_ctl_record *record);
void hub_ctl_audit_take_letter(struct hub_ctl_audit *audit, const struct hub_ctl_record *record);

/* The positions of connectors: those that were set by hand, and changes of configuration. */
bool hub_ctl_audit_positions(struct hub_ctl_audit *audit);

/* Adds an act and gives it back, borrowed. `who` and `why` are texts or NULL; about, before and after are taken
 * over, and may be NULL. */
json_t *hub_ctl_audit_add(struct hub_ctl_audit *audit, const struct hub_ctl_record *record,
                          const char *act, const char *who, const char *why, json_t *about,
                          json_t *before, json_t *after);

/* ALCOA+, row by row: [{name, asks, met, see: [command], figures: [{what, met, of} or {what, value}]}]. False where
 * something could not be read, which has been said. */
bool hub_ctl_audit_alcoa(struct hub_ctl_audit *audit, json_t **ret_rows);

/* The whole report as a page that stands alone, without scripts. */
void hub_ctl_audit_html(const json_t *report, struct hub_buffer *html);
