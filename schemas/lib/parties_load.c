/* Loading systems.json and organisations.csv. */
#include "schemas/lib/parties.h"

#include "hub/base/memory.h"
#include "hub/base/text.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

static int compare_spellings(const void *a, const void *b) {
    const struct hub_spelling *x = a, *y = b;
    return strcmp(x->folded, y->folded);
}

/* --- systems.json --- */

/* Words that begin keys of the log which are no statements. */
static bool is_reserved(const char *name) {
    static const char *const words[] = {"late", "decision", "rules",   "ref",
                                        "tick", "skip",     "remerge", "erasure"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

#define PLAIN_NAME                                                                                 \
    "1 to 64 small letters, digits and hyphens, and none of the log's own words (late, decision, "  \
    "rules, ref, tick, skip, remerge, erasure)"

static bool is_plain_name(const char *name) {
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return size > 0 && size <= 64 && name[size] == '\0' && !is_reserved(name);
}

static enum hub_status load_system(const struct hub_node *key, const struct hub_node *node,
                                   struct hub_arena *arena, struct hub_system *system,
                                   struct hub_error *reterr) {
    static const char *const keys[] = {"title", "carriers", "owner", NULL};
    if (!is_plain_name(key->text))
        return hub_node_fail(key, reterr, "a system's name is " PLAIN_NAME);
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, reterr, "a system must be an object");
    HUB_TRY(hub_node_check_keys(node, keys, reterr));
    const struct hub_node *title = hub_node_get(node, "title");
    const struct hub_node *carriers = hub_node_get(node, "carriers");
    if (title == NULL || title->kind != HUB_NODE_SCALAR)
        return hub_node_fail(node, reterr, "the system has no 'title'");
    if (carriers == NULL || carriers->kind != HUB_NODE_SEQUENCE || carriers->count == 0)
        return hub_node_fail(node, reterr, "the system needs a list of 'carriers'");
    const char **names = hub_arena_take(arena, (carriers->count + 1) * sizeof *names);
    for (size_t i = 0; i < carriers->count; i++) {
        names[i] = carriers->items[i]->text;
        if (names[i] == NULL || !is_plain_name(names[i]))
            return hub_node_fail(carriers->items[i], reterr,
                                 "an institution's name is " PLAIN_NAME);
    }
    names[carriers->count] = NULL;
    *system = (struct hub_system){.name = key->text,
                                  .title = title->text,
                                  .carriers = names,
                                  .carrier_count = carriers->count};
    const struct hub_node *owner = hub_node_get(node, "owner");
    if (owner == NULL)
        return HUB_OK;
    if (owner->text == NULL || !hub_system_has_carrier(system, hub_bytes_of_text(owner->text)))
        return hub_node_fail(owner, reterr, "one of the carriers would pass");
    system->owner = owner->text;
    return HUB_OK;
}

static void add_institution(struct hub_parties *parties, struct hub_institution *room,
                            const char *name) {
    parties->institutions = room;
    if (hub_parties_institution(parties, hub_bytes_of_text(name)) == NULL)
        room[parties->institution_count++] = (struct hub_institution){.name = name};
}

static int compare_institutions(const void *a, const void *b) {
    const struct hub_institution *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static enum hub_status load_systems(const struct hub_node *node, struct hub_arena *arena,
                                    struct hub_parties *parties, struct hub_error *reterr) {
    if (node->kind != HUB_NODE_MAPPING)
        return hub_node_fail(node, reterr, "an object of systems would pass");
    parties->systems = hub_arena_take_zero(arena, node->count, sizeof *parties->systems);
    size_t carriers = 0;
    for (size_t i = 0; i < node->count; i++) {
        HUB_TRY(load_system(node->keys[i], node->items[i], arena, &parties->systems[i], reterr));
        carriers += parties->systems[i].carrier_count;
    }
    parties->system_count = node->count;
    struct hub_institution *room = hub_arena_take_zero(arena, carriers, sizeof *room);
    for (size_t i = 0; i < parties->system_count; i++)
        for (size_t k = 0; k < parties->systems[i].carrier_count; k++)
            add_institution(parties, room, parties->systems[i].carriers[k]);
    qsort(room, parties->institution_count, sizeof *room, compare_institutions);
    return HUB_OK;
}

/* --- organisations.csv --- */

enum { COLUMN_ORG, COLUMN_INSTITUTION, COLUMN_SPELLING, COLUMNS };

struct table {
    struct hub_parties *parties;
    struct hub_arena *arena;
    const char *file;
    struct hub_error *reterr;
    enum hub_status status;
    const char *cells[COLUMNS];
    size_t column, row, capacity;
    int ending; /* of the row before */
};

static void on_cell(void *cell, size_t size, void *data) {
    struct table *table = data;
    if (table->column < COLUMNS)
        table->cells[table->column] = hub_arena_text(table->arena, cell == NULL ? "" : cell, size);
    table->column++;
}

static enum hub_status fail_row(struct table *table, const char *what) {
    return hub_fail(table->reterr, HUB_FATAL, "%s:%zu:1: %s", table->file, table->row, what);
}

static enum hub_status take_institution(struct table *table, const char *name, const char *org) {
    for (size_t i = 0; i < table->parties->institution_count; i++) {
        struct hub_institution *institution = &table->parties->institutions[i];
        if (strcmp(institution->name, name) != 0)
            continue;
        if (institution->org != NULL && strcmp(institution->org, org) != 0)
            return fail_row(table, "the institution has another org further up");
        institution->org = org;
    }
    return HUB_OK;
}

static enum hub_status take_row(struct table *table) {
    struct hub_parties *parties = table->parties;
    HUB_SCOPED_BUFFER folded = {0};
    hub_text_fold(hub_bytes_of_text(table->cells[COLUMN_SPELLING]), &folded);
    if (folded.size == 0) /* it would be the spelling of every name that is blinded by signs */
        return fail_row(table, "a spelling with a letter or digit would pass");
    if (parties->spelling_count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        struct hub_spelling *wider = hub_arena_take(table->arena, capacity * sizeof *wider);
        if (table->capacity > 0)
            memcpy(wider, parties->spellings, table->capacity * sizeof *wider);
        parties->spellings = wider;
        table->capacity = capacity;
    }
    const char *text = hub_arena_text(table->arena, hub_buffer_text(&folded), folded.size);
    parties->spellings[parties->spelling_count++] =
        (struct hub_spelling){text, table->cells[COLUMN_ORG]};
    return take_institution(table, table->cells[COLUMN_INSTITUTION], table->cells[COLUMN_ORG]);
}

static bool is_header(const struct table *table) {
    return strcmp(table->cells[COLUMN_ORG], "org") == 0 &&
           strcmp(table->cells[COLUMN_INSTITUTION], "institution") == 0 &&
           strcmp(table->cells[COLUMN_SPELLING], "spelling") == 0;
}

static void on_row(int ending, void *data) {
    struct table *table = data;
    bool second_half = ending == '\n' && table->ending == '\r' && table->column == 0;
    bool blank = table->column == 0 || (table->column == 1 && *table->cells[0] == '\0');
    table->ending = second_half ? 0 : ending;
    table->row += !second_half; /* CR LF ends one line, and is told as two */
    if (table->status == HUB_OK && !blank) {
        if (table->column != COLUMNS || *table->cells[COLUMN_ORG] == '\0' ||
            (table->row == 1) != is_header(table))
            table->status = fail_row(table, table->row == 1
                                                ? "the header org,institution,spelling would pass"
                                                : "org,institution,spelling would pass");
        else if (table->row > 1)
            table->status = take_row(table);
    }
    table->column = 0;
}

static enum hub_status load_organisations(struct hub_bytes csv, const char *file,
                                          struct hub_arena *arena, struct hub_parties *parties,
                                          struct hub_error *reterr) {
    struct table table = {.parties = parties, .arena = arena, .file = file, .reterr = reterr};
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_realloc_func(&parser, hub_reallocate);
    size_t parsed = csv_parse(&parser, csv.data, csv.size, on_cell, on_row, &table);
    bool whole = parsed == csv.size && csv_fini(&parser, on_cell, on_row, &table) == 0;
    if (!whole && table.status == HUB_OK)
        table.status = hub_fail(reterr, HUB_FATAL, "%s:%zu:1: %s", file, table.row + 1,
                                csv_strerror(csv_error(&parser)));
    csv_free(&parser);
    HUB_TRY(table.status);
    if (parties->spelling_count > 0)
        qsort(parties->spellings, parties->spelling_count, sizeof *parties->spellings,
              compare_spellings);
    for (size_t i = 1; i < parties->spelling_count; i++)
        if (compare_spellings(&parties->spellings[i - 1], &parties->spellings[i]) == 0 &&
            strcmp(parties->spellings[i - 1].org, parties->spellings[i].org) != 0)
            return hub_fail(reterr, HUB_FATAL, "%s: spelling '%s' is given to both %s and %s", file,
                            parties->spellings[i].folded, parties->spellings[i - 1].org,
                            parties->spellings[i].org);
    return HUB_OK;
}

enum hub_status hub_parties_load(const struct hub_node *systems,
                                 struct hub_bytes organisations_csv,
                                 const char *organisations_file, struct hub_arena *arena,
                                 struct hub_parties *ret_parties, struct hub_error *reterr) {
    struct hub_parties parties = {0};
    HUB_TRY(load_systems(systems, arena, &parties, reterr));
    HUB_TRY(load_organisations(organisations_csv, organisations_file, arena, &parties, reterr));
    for (size_t i = 0; i < parties.institution_count; i++)
        if (parties.institutions[i].org == NULL)
            return hub_fail(reterr, HUB_FATAL,
                            "%s: institution '%s' carries a system but has no row here",
                            organisations_file, parties.institutions[i].name);
    *ret_parties = parties;
    return HUB_OK;
}
