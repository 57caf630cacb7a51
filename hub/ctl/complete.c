#include "hub/ctl/complete.h"

#include "schemas/lib/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What of a verdict is told, record by record; NULL: it is only counted. */
static const char *const findings[HUB_COMPLETE_VERDICTS] = {
    [HUB_COMPLETE_MISSING] = "missing",
    [HUB_COMPLETE_DIFFERENT] = "different",
    [HUB_COMPLETE_UNKNOWN] = "unknown",
    [HUB_COMPLETE_ON_THE_WAY] = "on the way"};

struct printing {
    struct hub_arena arena;
    struct hub_ctl_table table;
    json_t *list; /* of the source */
};

/* --- why --- */

static const char *ingest_of(struct hub_arena *arena, const struct hub_complete_source *source) {
    return hub_arena_format(arena, "ingest.%s.%s", source->institution, source->domain->name);
}

static const char *why_unknown(const struct hub_complete_row *row) {
    if (!row->is_listed)
        return "no manifest has it";
    if (row->item.standing == HUB_GONE)
        return "the last look at the whole source did not find it, and it was not withdrawn";
    return "it was withdrawn";
}

static const char *why(struct hub_arena *arena, const struct hub_complete_source *source,
                       const struct hub_complete_row *row) {
    const char *ingest = ingest_of(arena, source);
    if (*row->key == '?')
        return "a dead letter whose key could not be told";
    if (row->letter.place != NULL)
        return hub_arena_format(arena, "dead letter %s (%s)", row->letter.place, row->letter.code);
    if (row->is_listed && row->item.standing == HUB_REFUSED)
        return "its connector refused what the source says now";
    if (row->verdict == HUB_COMPLETE_UNKNOWN)
        return why_unknown(row);
    if (row->teller == NULL)
        return hub_arena_format(arena, "it was told, and is not in %s", ingest);
    const char *place =
        hub_arena_format(arena, "%s/%d@%lld", ingest, row->partition, (long long)row->offset);
    if (row->verdict == HUB_COMPLETE_ON_THE_WAY)
        return hub_arena_format(arena, "the hub has yet to take %s", place);
    return row->verdict == HUB_COMPLETE_MISSING
               ? hub_arena_format(arena, "%s has it, and the log does not", place)
               : "what is held was not told last";
}

/* --- sums --- */

/* As many as the source has, as far as its connectors know. */
struct having {
    int64_t of, held;
};

static void have(void *context, const struct hub_complete_source *source,
                 const struct hub_complete_row *row) {
    struct having *having = context;
    (void)source;
    if (!row->is_listed || !hub_inventory_item_is_in_source(&row->item))
        return;
    having->of++;
    having->held += row->verdict == HUB_COMPLETE_RIGHT || row->verdict == HUB_COMPLETE_LATER;
}

static struct having having_of(struct hub_complete_source *source) {
    struct having having = {0};
    hub_complete_each(source, have, &having);
    return having;
}

static bool is_whole(const struct hub_complete_source *source) {
    for (size_t i = 0; i < source->teller_count; i++)
        if (source->tellers[i].damage != NULL)
            return false;
    return source->counts[HUB_COMPLETE_MISSING] == 0 &&
           source->counts[HUB_COMPLETE_DIFFERENT] == 0 &&
           source->counts[HUB_COMPLETE_UNKNOWN] == 0;
}

/* --- printing --- */

static void note(struct printing *printing, const char *finding, const char *key,
                 const char *reason) {
    hub_ctl_table_cell(&printing->table, "%s", finding);
    hub_ctl_table_cell(&printing->table, "%s", key);
    hub_ctl_table_cell(&printing->table, "%s", reason);
    json_array_append_new(printing->list, json_pack("{s:s, s:s, s:s}", "finding", finding, "key",
                                                    key, "why", reason));
}

static void list_finding(void *context, const struct hub_complete_source *source,
                         const struct hub_complete_row *row) {
    struct printing *printing = context;
    struct hub_arena *arena = &printing->arena;
    if (findings[row->verdict] != NULL)
        note(printing, findings[row->verdict],
             hub_arena_format(arena, "%s/%s", source->institution, row->key),
             why(arena, source, row));
}

/* What cannot be told record by record. */
static void list_notes(struct printing *printing, const struct hub_complete_source *source) {
    struct hub_arena *arena = &printing->arena;
    const char *name = hub_arena_format(arena, "%s/%s", source->institution, source->system);
    if (!source->is_comparable)
        note(printing, "not compared", name,
             "what is held, with what was told: the manifest was made with another version of the "
             "schema; a restart of its connector mends that");
    if (source->counts[HUB_COMPLETE_OTHERS] > 0)
        note(printing, "not compared", name,
             hub_arena_format(arena, "%lld records of connectors without a manifest that is whole",
                              (long long)source->counts[HUB_COMPLETE_OTHERS]));
    for (size_t i = 0; i < source->teller_count; i++)
        if (source->tellers[i].damage != NULL)
            note(printing, "damaged", source->tellers[i].name, source->tellers[i].damage);
}

static const char *time_of(struct hub_arena *arena, int64_t time_ms) {
    HUB_SCOPED_BUFFER text = {0};
    hub_render_time(time_ms, &text);
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

static json_t *list_tellers(struct printing *printing, const struct hub_complete_source *source) {
    json_t *list = json_array();
    for (size_t i = 0; i < source->teller_count; i++) {
        const struct hub_complete_teller *teller = &source->tellers[i];
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "connector", teller->name,
                                              "sequence", (json_int_t)teller->sequence, "written",
                                              time_of(&printing->arena, teller->written_ms)));
    }
    return list;
}

static json_t *print_source(struct printing *printing, struct hub_ctl_table *sums,
                            struct hub_complete_source *source) {
    const struct having having = having_of(source);
    const char *looked =
        source->has_look ? time_of(&printing->arena, source->looked_ms) : NULL;
    const int64_t cells[] = {source->counts[HUB_COMPLETE_MISSING],
                             source->counts[HUB_COMPLETE_DIFFERENT],
                             source->counts[HUB_COMPLETE_UNKNOWN],
                             source->counts[HUB_COMPLETE_ON_THE_WAY]};
    printing->list = json_array();
    hub_ctl_table_cell(sums, "%s/%s", source->institution, source->system);
    hub_ctl_table_cell(sums, "%s", source->domain->name);
    hub_ctl_table_cell(sums, "%lld of %lld", (long long)having.held, (long long)having.of);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        hub_ctl_table_cell(sums, "%lld", (long long)cells[i]);
    hub_ctl_table_cell(sums, "%s", looked == NULL ? "what it told" : looked);
    hub_complete_each(source, list_finding, printing);
    list_notes(printing, source);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s?, s:o, s:o}", "institution",
                     source->institution, "system", source->system, "domain", source->domain->name,
                     "held", (json_int_t)having.held, "of", (json_int_t)having.of, "missing",
                     (json_int_t)cells[0], "different", (json_int_t)cells[1], "unknown",
                     (json_int_t)cells[2], "on_the_way", (json_int_t)cells[3], "looked_at", looked,
                     "connectors", list_tellers(printing, source), "findings", printing->list);
}

static int by_name(const void *a_, const void *b_) {
    const struct hub_complete_source *a = a_, *b = b_;
    int order = strcmp(a->domain->name, b->domain->name);
    order = order != 0 ? order : strcmp(a->institution, b->institution);
    return order != 0 ? order : strcmp(a->system, b->system);
}

/* Whether all is whole. */
static bool print(struct hub_complete *complete) {
    static const char *const sums_head[] = {"SOURCE",  "DOMAIN",     "HELD", "MISSING", "DIFFERENT",
                                            "UNKNOWN", "ON THE WAY", "OF ALL IT HAD AT"};
    static const char *const head[] = {"FINDING", "KEY", "WHY"};
    struct hub_ctl_table sums = {.head = sums_head,
                                 .columns = sizeof sums_head / sizeof *sums_head};
    struct printing printing = {.table = {.head = head, .columns = 3}};
    json_t *list = json_array();
    bool whole = !complete->has_foreign;
    qsort(complete->sources, complete->count, sizeof *complete->sources, by_name);
    for (size_t i = 0; i < complete->count; i++) {
        json_array_append_new(list, print_source(&printing, &sums, &complete->sources[i]));
        whole = whole && is_whole(&complete->sources[i]);
    }
    if (complete->ctl->json) {
        json_dumpf(list, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        hub_ctl_table_print(&sums);
        if (printing.table.cell_count > 0) {
            printf("\n");
            hub_ctl_table_print(&printing.table);
        }
    }
    json_decref(list);
    hub_ctl_table_free(&sums);
    hub_ctl_table_free(&printing.table);
    hub_arena_destroy(&printing.arena);
    return whole;
}

enum hub_exit hub_ctl_complete(struct hub_ctl *ctl) {
    struct hub_complete complete = {0};
    enum hub_exit code = HUB_EXIT_UNREACHABLE;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    if (hub_complete_look(ctl, &complete)) {
        code = print(&complete) ? HUB_EXIT_OK : HUB_EXIT_FINDINGS;
        if (complete.count == 0) {
            fprintf(stderr, "hubctl: no connector has published a manifest\n");
            code = HUB_EXIT_NOT_FOUND;
        }
    }
    hub_complete_end(&complete);
    return code;
}
