/* hubctl entity explain: why a unified record says what it says, field by field. The statements are
 * read from the log and merged again by the same core. */
#include "hub/ctl/read.h"

#include "hub/core/merge.h"
#include "hub/stages/readers.h"
#include "schemas/lib/render.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <stdio.h>
#include <string.h>

enum { VOICES_MAX = 64 };

struct explaining {
    struct hub_ctl *ctl;
    const struct hub_domain *domain;
    struct hub_readers readers;
    struct hub_arena arena;
    struct hub_voice voices[VOICES_MAX];
    const char *documents[VOICES_MAX];
    int64_t offsets[VOICES_MAX];
    size_t voice_count;
    struct hub_ctl_table table;
    json_t *list;
};

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

struct fetching {
    struct explaining *explaining;
    bool found;
};

/* Makes a voice of one log entry. */
static bool take_entry(struct explaining *explaining, const struct hub_kafka_record *record) {
    struct hub_arena *arena = &explaining->arena;
    const struct hub_domain *domain = explaining->domain;
    struct hub_opened opened;
    struct hub_error error;
    struct hub_bytes institution, key, name, rest, document;
    char *copy = hub_arena_text(arena, (const char *)record->value.data, record->value.size);
    if (explaining->voice_count == VOICES_MAX ||
        hub_readers_open(&explaining->readers, hub_bytes(copy, record->value.size), arena,
                         &opened, &error) != HUB_OK ||
        !hub_bytes_cut(record->key, '/', &institution, &key) ||
        !hub_bytes_cut(key, '/', &name, &rest))
        return false;
    struct hub_stamp stamp = hub_statement_stamp(domain, opened.body, opened.starts);
    struct hub_voice *voice = &explaining->voices[explaining->voice_count];
    *voice = (struct hub_voice){
        .key = hub_arena_text(arena, (const char *)key.data, key.size),
        .system = hub_parties_system(domain->parties, name),
        .institution = hub_arena_text(arena, (const char *)institution.data, institution.size),
        .rank = hub_domain_system_rank(domain, name),
        .body = opened.body,
        .starts = opened.starts,
        .has_event_time = stamp.has_event_time,
        .event_time_ms = stamp.event_time_ms};
    bool told = hub_slice_path(domain->schema->root, opened.body, "statement.document",
                               &document) != NULL;
    document = told ? hub_slice_octets(document) : hub_bytes("", 0);
    explaining->documents[explaining->voice_count] =
        hub_arena_text(arena, (const char *)document.data, document.size);
    explaining->offsets[explaining->voice_count++] = record->offset;
    return true;
}

static enum hub_status on_entry(void *context, const struct hub_kafka_record *record,
                                struct hub_error *reterr) {
    struct fetching *fetching = context;
    (void)reterr;
    fetching->found = take_entry(fetching->explaining, record);
    return HUB_OK;
}

static bool fetch_voices(struct explaining *explaining, const json_t *record) {
    const json_t *unified = json_object_get(record, "value");
    struct hub_reader *reader = hub_ctl_reader(explaining->ctl);
    struct hub_error error;
    size_t i;
    json_t *statement;
    bool good = reader != NULL;
    const char *topic =
        hub_arena_format(&explaining->arena, "log.%s", explaining->domain->name);
    int32_t partition = (int32_t)json_integer_value(json_object_get(record, "partition"));
    json_array_foreach(json_object_get(unified, "statements"), i, statement) {
        struct fetching fetching = {explaining, false};
        int64_t offset = json_integer_value(json_object_get(statement, "offset"));
        if (!good)
            break;
        good = hub_reader_read(reader, topic, partition, offset, offset + 1, on_entry, &fetching,
                               NULL, &error) == HUB_OK;
        if (!good)
            fprintf(stderr, "hubctl: %s\n", error.text);
        else if (!fetching.found)
            fprintf(stderr, "hubctl: %s/%d@%lld: the statement %s is no longer in the log\n",
                    topic, partition, (long long)offset, text_of(statement, "key"));
        good = good && fetching.found;
    }
    hub_reader_free(reader);
    return good;
}

static bool states(const struct explaining *explaining, size_t voice, size_t field,
                   struct hub_bytes *ret_bytes) {
    const struct hub_voice *own = &explaining->voices[voice];
    *ret_bytes = hub_statement_field(own->body, own->starts, field);
    return !hub_slice_is_unstated(explaining->domain->schema->root->fields[field].type,
                                  *ret_bytes);
}

static void explain_voice(struct explaining *explaining, size_t field, size_t voice, int source,
                          bool is_union) {
    const struct hub_field *own = &explaining->domain->schema->root->fields[field];
    const struct hub_voice *speaker = &explaining->voices[voice];
    struct hub_bytes bytes;
    HUB_SCOPED_BUFFER text = {0};
    if (!states(explaining, voice, field, &bytes))
        return;
    hub_render_json(own->type, bytes, &text);
    bool chosen = source == (int)voice;
    bool shares = source == HUB_SOURCE_SEVERAL || (is_union && source >= 0);
    const char *why = chosen                ? "chosen"
                      : shares              ? "shares in the union"
                      : source < 0          ? "not chosen"
                                            : hub_merge_reason(explaining->domain,
                                                               explaining->voices,
                                                               explaining->voice_count, field,
                                                               (size_t)source, voice,
                                                               &explaining->arena);
    hub_ctl_table_cell(&explaining->table, "%s", own->name);
    hub_ctl_table_cell(&explaining->table, "%s", chosen ? "*" : "");
    hub_ctl_table_cell(&explaining->table, "%s", speaker->key);
    hub_ctl_table_cell(&explaining->table, "%s", why);
    hub_ctl_table_cell(&explaining->table, "%lld", (long long)explaining->offsets[voice]);
    hub_ctl_table_cell(&explaining->table, "%s", explaining->documents[voice]);
    hub_ctl_table_cell(&explaining->table, "%.80s", hub_buffer_text(&text));
    json_error_t error;
    json_array_append_new(
        explaining->list,
        json_pack("{s:s, s:b, s:s, s:s, s:s, s:I, s:s, s:o?}", "field", own->name, "chosen",
                  chosen, "statement", speaker->key, "institution", speaker->institution, "why",
                  why, "log_offset", (json_int_t)explaining->offsets[voice], "document",
                  explaining->documents[voice], "value",
                  json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, &error)));
}

static bool explain_fields(struct explaining *explaining, const char *wanted) {
    struct hub_merged merged;
    const struct hub_contract *contract = &explaining->domain->contract;
    bool any = false;
    struct hub_merge_input input = {.domain = explaining->domain,
                                    .voices = explaining->voices,
                                    .voice_count = explaining->voice_count};
    hub_merge(&input, &explaining->arena, &merged);
    for (size_t field = 1; field < contract->count; field++) {
        if (wanted != NULL && strcmp(contract->fields[field].field->name, wanted) != 0)
            continue;
        any = true;
        for (size_t voice = 0; voice < explaining->voice_count; voice++)
            explain_voice(explaining, field, voice, merged.sources[field],
                          contract->fields[field].is_union);
    }
    return any;
}

/* <domain>-<16 letters> */
static const struct hub_domain *domain_of(struct hub_ctl *ctl, const char *id) {
    size_t size = strlen(id);
    if (size < 18 || id[size - 17] != '-')
        return NULL;
    return hub_catalogue_domain(ctl->catalogue, hub_bytes(id, size - 17));
}

static enum hub_exit explain(struct explaining *explaining, const json_t *record) {
    struct hub_ctl *ctl = explaining->ctl;
    const json_t *unified = json_object_get(record, "value");
    const char *field = ctl->argument_count > 1 ? ctl->arguments[1] : NULL;
    if (strcmp(text_of(unified, "kind"), "ACTIVE") != 0) {
        printf("%s is %s%s%s\n", ctl->arguments[0], text_of(unified, "kind"),
               *text_of(unified, "into") == '\0' ? "" : " into ", text_of(unified, "into"));
        return HUB_EXIT_OK;
    }
    if (!fetch_voices(explaining, record))
        return HUB_EXIT_UNREACHABLE;
    if (!explain_fields(explaining, field)) {
        fprintf(stderr, "hubctl: the domain has no field %s\n", field);
        return HUB_EXIT_NOT_FOUND;
    }
    if (ctl->json) {
        json_dumpf(explaining->list, stdout, JSON_INDENT(1));
        printf("\n");
    } else {
        printf("%s, revision %lld, rules %s, core %lld; founded by %s\n", ctl->arguments[0],
               (long long)json_integer_value(json_object_get(unified, "revision")),
               text_of(unified, "rules"),
               (long long)json_integer_value(json_object_get(unified, "core")),
               text_of(unified, "founder"));
        hub_ctl_table_print(&explaining->table);
    }
    return HUB_EXIT_OK;
}

enum hub_exit hub_ctl_entity_explain(struct hub_ctl *ctl) {
    static const char *const head[] = {"FIELD", "",         "STATEMENT", "WHY",
                                       "LOG",   "DOCUMENT", "VALUE"};
    bool reached = false;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    const struct hub_domain *domain = domain_of(ctl, ctl->arguments[0]);
    if (domain == NULL) {
        fprintf(stderr, "hubctl: %s is no entity id\n", ctl->arguments[0]);
        return HUB_EXIT_NOT_FOUND;
    }
    ctl->domain = domain->name;
    json_t *record = hub_ctl_entity_find(ctl, ctl->arguments[0], &reached);
    if (record == NULL) {
        if (reached)
            fprintf(stderr, "hubctl: there is no entity %s\n", ctl->arguments[0]);
        return reached ? HUB_EXIT_NOT_FOUND : HUB_EXIT_UNREACHABLE;
    }
    struct explaining *explaining = hub_allocate_zero(1, sizeof *explaining);
    explaining->ctl = ctl;
    explaining->domain = domain;
    explaining->table = (struct hub_ctl_table){.head = head, .columns = 7};
    explaining->list = json_array();
    hub_readers_init(&explaining->readers, ctl->catalogue, domain);
    enum hub_exit code = explain(explaining, record);
    hub_readers_free(&explaining->readers);
    hub_ctl_table_free(&explaining->table);
    json_decref(explaining->list);
    hub_arena_destroy(&explaining->arena);
    hub_release(explaining);
    json_decref(record);
    return code;
}
