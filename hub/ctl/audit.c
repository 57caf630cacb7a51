/* hubctl audit report: for an inspector. What ALCOA+ asks, with where it is met and figures; and who did what to the
 * system itself, when and why, with what was before and after. */
#include "hub/ctl/audit.h"

#include "hub/ctl/when.h"
#include "hub/io/clock.h"
#include "hub/stages/fold.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <string.h>

static const size_t page_size_max = (size_t)1 << 30;

/* Those of the last rows leave no entry in a topic that is archived. */
static const struct {
    const char *act, *command, *recorded;
} kinds[] = {
    {"value chosen, conflict put off, decision taken back", "hubctl conflict resolve, defer, reopen",
     "topic decision, log.<domain> under decision/, conflict.<domain>; archived"},
    {"statements joined, kept apart", "hubctl entity join, separate",
     "topic decision, log.<domain> under decision/, match.<domain>; archived"},
    {"rules put in force", "hubctl topic create (the first ones), rules activate",
     "topic decision, log.<domain> under rules/, with all texts and the rehearsal's report; archived"},
    {"dead letter tried again, discarded", "hubctl dlq retry, discard; connector remap --letters",
     "deadletter.<institution>, field about; archived"},
    {"position set", "connector position --to",
     "topic position, headers hub_by and hub_reason; not archived, and compacted: look before the connector has gone "
     "on for long"},
    {"mapped again", "connector remap",
     "topic position, as above; each statement it published, in ingest.* and log.*, archived, with the hash of "
     "the configuration"},
    {"configuration changed", "the connector is started with another file",
     "topic position, field config_hash, as above, and statement.mapping_hash, archived; who and why is in the "
     "history of the file, at the site"},
    {"connector paused, resumed, told to try again", "connector pause, resume, retry",
     "at the institution, a line each with who, why, before and after: STATE/connectors/NAME/wishes.jsonl; in no topic"},
    {"archived records given out again", "hubctl replay", "the certificate that it ends with, and a topic replay.*"},
    {"program started or stopped; keys, schemas folder, access rules of Kafka changed",
     "the site's own", "the site's own records; a schemas folder whose rules differ from the log's is told at the start"},
};

static json_t *list_kinds(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "act", kinds[i].act, "command",
                                              kinds[i].command, "recorded", kinds[i].recorded));
    return list;
}

static json_t *time_or_null(int64_t time_ms) {
    HUB_SCOPED_BUFFER time = {0};
    if (time_ms == INT64_MIN || time_ms == INT64_MAX)
        return json_null();
    hub_render_time(time_ms, &time);
    return json_string(hub_buffer_text(&time));
}

static json_t *describe(const struct hub_ctl_audit *audit) {
    const struct hub_ctl *ctl = audit->ctl;
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:i}", "made",
                     time_or_null(hub_clock_realtime_ms()), "source",
                     ctl->archive == NULL ? "Kafka" : "an archive", "address",
                     ctl->archive == NULL ? ctl->bootstrap : ctl->archive, "as_of",
                     time_or_null(ctl->as_of_ms), "from", time_or_null(audit->from_ms),
                     "to", time_or_null(audit->to_ms), "core", HUB_CORE_VERSION);
}

/* What the report does not tell. */
static bool remark(struct hub_ctl_audit *audit) {
    struct hub_error error;
    int32_t positions = -1;
    if (hub_source_partition_count(audit->source, "position", &positions, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        return false;
    }
    json_array_append_new(audit->remarks,
                          json_string("Figures are of all that was read, acts of the times that were asked for. "
                                      "Pauses of connectors are in no topic, but in a file at the institution, and "
                                      "not told here."));
    if (positions < 0)
        json_array_append_new(audit->remarks,
                              json_string("The topic position is not here: positions set by hand, mapping again "
                                          "and changes of configuration are not told."));
    else
        json_array_append_new(audit->remarks,
                              json_string("The topic position is compacted: of acts that are recorded there, those are "
                                          "told that a connector's later positions have not replaced yet."));
    if (audit->ctl->archive != NULL)
        json_array_append_new(audit->remarks,
                              json_string("Each record was held against its entry in the archive's log as it was read; "
                                          "whether the log is the one that was signed is told by `hubctl archive "
                                          "verify`."));
    return true;
}

static enum hub_exit print(const struct hub_ctl *ctl, const json_t *report) {
    HUB_SCOPED_BUFFER html = {.size_max = page_size_max};
    if (ctl->json) {
        json_dumpf(report, stdout, JSON_INDENT(1));
        printf("\n");
        return HUB_EXIT_OK;
    }
    hub_ctl_audit_html(report, &html);
    if (hub_buffer_overflowed(&html)) {
        fprintf(stderr, "hubctl: the page would have more than %zu bytes; --from and --to of a shorter time, or -o "
                "json, would pass\n", page_size_max);
        return HUB_EXIT_USAGE;
    }
    fwrite(html.data, 1, html.size, stdout);
    return HUB_EXIT_OK;
}

static enum hub_exit report(struct hub_ctl_audit *audit) {
    json_t *alcoa = NULL;
    audit->acts = json_array();
    audit->remarks = json_array();
    bool good = hub_ctl_audit_read(audit) && remark(audit) && hub_ctl_audit_alcoa(audit, &alcoa);
    json_t *report = json_pack("{s:o, s:o, s:o?, s:o, s:o}", "report", describe(audit), "remarks",
                               audit->remarks, "alcoa", alcoa, "acts", audit->acts, "kinds",
                               list_kinds());
    enum hub_exit code = good ? print(audit->ctl, report) : HUB_EXIT_UNREACHABLE;
    json_decref(report);
    return code;
}

enum hub_exit hub_ctl_audit_report(struct hub_ctl *ctl) {
    struct hub_ctl_audit audit = {.ctl = ctl, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    if (!ctl->json && !ctl->html) {
        fprintf(stderr, "hubctl: audit report needs -o html or -o json\n");
        return HUB_EXIT_USAGE;
    }
    if ((ctl->from != NULL && !hub_ctl_when(ctl->from, &audit.from_ms)) ||
        (ctl->to != NULL && !hub_ctl_when(ctl->to, &audit.to_ms))) {
        fprintf(stderr, "hubctl: --from, --to: 2026-03-03 or 2026-03-03T12:00:00Z would pass\n");
        return HUB_EXIT_USAGE;
    }
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    audit.source = hub_ctl_source(ctl);
    enum hub_exit code = audit.source == NULL ? HUB_EXIT_UNREACHABLE : report(&audit);
    hub_source_free(audit.source);
    hub_arena_destroy(&audit.arena);
    return code;
}
