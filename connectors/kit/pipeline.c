#include "connectors/kit/pipeline.h"

#include "connectors/kit/group.h"
#include "connectors/kit/guard.h"
#include "hub/base/table.h"
#include "hub/io/crypto.h"
#include "schemas/lib/deadletter.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "schemas/lib/walk.h"

#include <stdlib.h>
#include <string.h>

static const char held_back[] = "(held back)";

/* A key that the document has told. */
struct told_key {
    UT_hash_handle hh;
};

struct run {
    struct hub_pipeline *pipeline;
    const struct hub_raw_document *raw;
    struct hub_document document;
    struct hub_arena *arena;
    struct hub_outgoing_list *list;
    bool original_told;  /* the document's bytes went with an earlier dead letter */
    bool original_judged, original_stays; /* whether they may go with one at all */
    /* What a filter was given: it may answer with less, and the originals have it still. */
    bool unfiltered_tells;
    struct hub_guard_told unfiltered; /* and what documents in folders tell of */
    struct told_key *keys;
    struct hub_groups groups;
    bool all_keys_known; /* whatever could not be mapped, its key is known */
};

static struct hub_outgoing *add(struct run *run) {
    struct hub_outgoing_list *list = run->list;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        struct hub_outgoing *wider = hub_arena_take(run->arena, capacity * sizeof *wider);
        if (list->count > 0)
            memcpy(wider, list->items, list->count * sizeof *wider);
        list->items = wider;
        list->capacity = capacity;
    }
    struct hub_outgoing *outgoing = &list->items[list->count++];
    memset(outgoing, 0, sizeof *outgoing);
    return outgoing;
}

static void see(struct run *run, const char *key, struct hub_bytes body) {
    struct hub_outgoing_list *list = run->list;
    if (list->seen_count == list->seen_capacity) {
        size_t capacity = list->seen_capacity == 0 ? 64 : list->seen_capacity * 2;
        struct hub_seen *wider = hub_arena_take(run->arena, capacity * sizeof *wider);
        if (list->seen_count > 0)
            memcpy(wider, list->seen, list->seen_count * sizeof *wider);
        list->seen = wider;
        list->seen_capacity = capacity;
    }
    list->seen[list->seen_count++] = (struct hub_seen){key, body};
}

static void set_headers(const struct hub_connector *connector, const char *what,
                        const struct hub_stamp *stamp, int64_t sequence, size_t index,
                        struct hub_arena *arena, struct hub_outgoing *outgoing) {
    struct hub_envelope envelope = {
        .id = hub_arena_format(arena, "%s/%lld/%zu", connector->name, (long long)sequence, index),
        .source = hub_arena_format(arena, "urn:atmp:%s:%s", connector->institution,
                                   connector->system->name),
        .type = hub_arena_format(arena, "atmp.%s", what),
        .subject = outgoing->key};
    if (stamp != NULL && stamp->has_event_time) {
        envelope.has_time = true;
        envelope.time_ms = stamp->event_time_ms;
    }
    outgoing->header_count = hub_envelope_headers(&envelope, arena, outgoing->headers);
}

static struct hub_bytes keep(struct hub_arena *arena, const struct hub_buffer *buffer) {
    return hub_bytes(hub_arena_text(arena, (const char *)buffer->data, buffer->size), buffer->size);
}

/* --- dead letters --- */

struct refusal {
    const char *stage, *code, *reason, *path, *place, *key;
    struct hub_bytes raw;
    const json_t *tree; /* of the record's own bytes; NULL: none could be read */
    bool own_raw;    /* the record's own bytes; else the whole document's */
    bool held_back;  /* the bytes must not leave */
};

static bool finds(const char *text) {
    const char *kind = NULL;
    return text != NULL && hub_guard_finds(hub_bytes_of_text(text), &kind);
}

static const char *without_numbers(const char *text) {
    return finds(text) ? held_back : text;
}

/* In the bytes as they are, or in what they mean: a tree has no escapes and no character sets. */
static bool tells(struct hub_bytes raw, const json_t *tree) {
    struct hub_guard_told told = {0};
    const char *kind = NULL;
    hub_guard_listen(tree, &told);
    return hub_guard_finds(raw, &kind) || hub_guard_finds_in(tree, &told, &kind);
}

/* What is sealed in the records would be read in a letter. */
static bool seals(const struct run *run) {
    return hub_mapping_seals(run->pipeline->connector->mapping);
}

/* Whether the bytes must not leave. Those of a whole document are judged once. */
static bool must_stay(struct run *run, const struct refusal *refusal) {
    if (refusal->held_back || run->unfiltered_tells || seals(run))
        return true;
    if (refusal->own_raw)
        return tells(refusal->raw, refusal->tree);
    if (!run->original_judged)
        run->original_stays |= tells(refusal->raw, run->document.parsed->tree);
    run->original_judged = true;
    return run->original_stays;
}

const char *hub_pipeline_document(const struct hub_raw_document *document, const char *place,
                                  struct hub_arena *arena) {
    if (place == NULL || *place == '\0')
        return without_numbers(document->name);
    return without_numbers(hub_arena_format(arena, "%s#%s", document->name, place));
}

/* Of a source that is read again and again each is told once. */
static void refuse(struct run *run, const struct refusal *refusal,
                   const struct hub_mapped *mapped) {
    const struct hub_connector *connector = run->pipeline->connector;
    const struct hub_schema *schema = hub_catalogue_latest(connector->catalogue, "deadletter");
    struct hub_known *known = run->pipeline->known;
    HUB_SCOPED_BUFFER value = {0}, identity = {0};
    bool stays = must_stay(run, refusal);
    bool tell = !stays && (refusal->own_raw || !run->original_told);
    const char *key = finds(refusal->key) ? NULL : refusal->key;
    struct hub_deadletter letter = {
        .stage = refusal->stage,
        .code = refusal->code,
        .reason = without_numbers(refusal->reason),
        .path = refusal->path,
        .institution = connector->institution,
        .connector = connector->name,
        .document = hub_pipeline_document(run->raw, refusal->place, run->arena),
        .key = key == NULL ? hub_bytes(NULL, 0) : hub_bytes_of_text(key),
        .original = tell ? refusal->raw : hub_bytes(NULL, 0),
        .original_hash = hub_sha256.digest(refusal->raw)};
    run->original_told |= tell && !refusal->own_raw;
    hub_deadletter_identity(&letter, &identity);
    if (known != NULL && !run->pipeline->tells_once &&
        hub_known_is_refused(known, hub_buffer_bytes(&identity))) {
        run->list->counts.unchanged++;
        return;
    }
    hub_frame_append(&value, schema->id);
    hub_deadletter_encode(&letter, &value);
    struct hub_outgoing *outgoing = add(run);
    outgoing->dead = true;
    outgoing->mapped = mapped;
    outgoing->key = key != NULL ? key : without_numbers(run->raw->name);
    outgoing->value = keep(run->arena, &value);
    outgoing->identity = keep(run->arena, &identity);
    outgoing->stage = refusal->stage;
    outgoing->code = refusal->code;
    outgoing->reason = hub_arena_text(run->arena, letter.reason, strlen(letter.reason));
    outgoing->path = refusal->path;
    if (stays && !seals(run)) /* else they are in the journal, which is not kept for ever */
        outgoing->held = refusal->raw;
    set_headers(connector, "deadletter", NULL, run->document.sequence, run->list->count - 1,
                run->arena, outgoing);
    run->list->counts.dead++;
}

static void refuse_mapped(struct run *run, const struct hub_mapped *mapped, const char *stage,
                          const char *code, const struct hub_error *error) {
    struct refusal refusal = {.stage = stage,
                              .code = code,
                              .reason = error->text,
                              .path = mapped->path,
                              .place = mapped->place,
                              .key = mapped->key,
                              .raw = mapped->raw,
                              .tree = mapped->element,
                              .own_raw = mapped->own_raw,
                              .held_back = mapped->held};
    refuse(run, &refusal, mapped);
    see(run, finds(mapped->key) ? NULL : mapped->key, hub_bytes(NULL, 0));
    hub_groups_doubt(&run->groups, mapped);
    if (mapped->key == NULL)
        run->all_keys_known = false;
    else if (run->pipeline->known != NULL)
        hub_known_note(run->pipeline->known, mapped->key);
}

/* --- records --- */

int64_t hub_pipeline_sequence_in(const char *name, struct hub_bytes id) {
    struct hub_bytes own, rest, number, index;
    if (!hub_bytes_cut(id, '/', &own, &rest) || !hub_bytes_cut(rest, '/', &number, &index) ||
        !hub_bytes_equal_text(own, name) || number.size == 0 || number.size > 18)
        return -1;
    int64_t sequence = 0;
    for (size_t i = 0; i < number.size; i++) {
        if (number.data[i] < '0' || number.data[i] > '9')
            return -1;
        sequence = sequence * 10 + (number.data[i] - '0');
    }
    return sequence;
}

void hub_pipeline_statement(const struct hub_connector *connector, const char *key,
                            struct hub_bytes body, int64_t sequence, size_t index,
                            struct hub_arena *arena, struct hub_outgoing *ret_outgoing) {
    const struct hub_domain *domain = connector->domain;
    HUB_SCOPED_BUFFER value = {0};
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(domain->schema->root, body, starts);
    struct hub_stamp stamp = hub_statement_stamp(domain, body, starts);
    hub_frame_append(&value, domain->schema->id);
    hub_buffer_append_bytes(&value, body);
    *ret_outgoing = (struct hub_outgoing){.key = key, .value = keep(arena, &value)};
    ret_outgoing->body =
        hub_bytes_part(ret_outgoing->value, HUB_FRAME_HEADER_SIZE, ret_outgoing->value.size);
    set_headers(connector,
                hub_arena_format(arena, "%s.%s", domain->name,
                                 stamp.withdrawn ? "withdrawn" : "stated"),
                &stamp, sequence, index, arena, ret_outgoing);
}

static void publish(struct run *run, const char *key, struct hub_bytes body,
                    const struct hub_mapped *mapped) {
    struct hub_outgoing *outgoing = add(run);
    hub_pipeline_statement(run->pipeline->connector, key, body, run->document.sequence,
                           run->list->count - 1, run->arena, outgoing);
    see(run, key, outgoing->body);
    outgoing->mapped = mapped;
}

static bool told_before(struct run *run, const char *key) {
    struct told_key *told = NULL;
    HASH_FIND_STR(run->keys, key, told);
    if (told != NULL)
        return true;
    told = hub_arena_take_zero(run->arena, 1, sizeof *told);
    HASH_ADD_KEYPTR(hh, run->keys, key, strlen(key), told);
    return false;
}

static enum hub_status guard(const struct run *run, const struct hub_mapped *mapped,
                             const struct hub_guard_told *told, struct hub_buffer *path,
                             struct hub_error *reterr) {
    const struct hub_type *type = run->pipeline->connector->domain->schema->root;
    const char *kind = NULL;
    HUB_TRY(hub_guard_check(type, mapped->body, told, path, reterr));
    for (size_t i = 0; i < mapped->sealed_count; i++)
        if (hub_guard_finds_beside(hub_bytes_of_text(mapped->sealed[i].text), told, &kind)) {
            hub_buffer_append_text(path, mapped->sealed[i].path);
            return hub_fail(reterr, HUB_REJECT, "what would be sealed holds what looks like %s; the record is "
                            "held back here", kind);
        }
    if (!hub_guard_finds_beside(hub_bytes_of_text(mapped->key), told, &kind))
        return HUB_OK;
    return hub_fail(reterr, HUB_REJECT,
                    "its key holds what looks like %s; the record is held back here", kind);
}

/* All records are asked before one is refused: their bytes may be the same document's. Hardly any holds a
 * number that would be one of a person if its document said so, and then nobody need listen what it
 * says. */
static void hold_back(struct run *run, struct hub_mapped *mapped) {
    static const struct hub_guard_told all = {.swedish = true, .dutch = true};
    struct hub_guard_told told = run->unfiltered;
    HUB_SCOPED_BUFFER path = {0};
    if (mapped->status != HUB_OK || mapped->skipped != NULL ||
        guard(run, mapped, &all, &path, &mapped->error) == HUB_OK)
        return;
    path.size = 0;
    hub_guard_listen(mapped->element, &told);
    mapped->status = guard(run, mapped, &told, &path, &mapped->error);
    mapped->held = mapped->status != HUB_OK;
    if (mapped->held && path.size > 0)
        mapped->path = hub_arena_text(run->arena, (const char *)path.data, path.size);
    run->original_stays |= mapped->held && !mapped->own_raw;
}

static void take_record(struct run *run, const struct hub_mapped *mapped) {
    const struct hub_type *type = run->pipeline->connector->domain->schema->root;
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    struct hub_known *known = run->pipeline->tells_once ? NULL : run->pipeline->known;
    if (mapped->skipped != NULL) {
        run->list->counts.skipped++;
        return;
    }
    if (mapped->held) {
        refuse_mapped(run, mapped, "guard", "PERSONAL", &mapped->error);
        return;
    }
    if (mapped->status != HUB_OK) {
        refuse_mapped(run, mapped, mapped->key == NULL && mapped->own_raw &&
                                           strcmp(mapped->code, "PARSE") == 0
                                       ? "parse"
                                       : "map",
                      mapped->code, &mapped->error);
        return;
    }
    if (hub_walk(type, mapped->body, &limits, &walk, &error) != HUB_OK) {
        refuse_mapped(run, mapped, "encode", "AVRO", &error);
        return;
    }
    /* Else what is known would swing between the two at every reading. */
    if (known != NULL && told_before(run, mapped->key)) {
        hub_fail(&error, HUB_REJECT, "its key stands in an earlier record of the document; a source "
                 "that is read again says one thing of each");
        refuse_mapped(run, mapped, "map", "KEY", &error);
        return;
    }
    hub_groups_tell(&run->groups, mapped);
    if (known != NULL && !hub_known_differs(known, mapped->key, mapped->body)) {
        run->list->counts.unchanged++;
        see(run, mapped->key, hub_known_body(known, mapped->key));
        return;
    }
    if (mapped->withdrawn)
        run->list->counts.withdrawn++;
    else
        run->list->counts.published++;
    publish(run, mapped->key, mapped->body, mapped);
}

/* --- what vanished --- */

static void withdraw(void *context, const char *key, struct hub_bytes body) {
    struct run *run = context;
    const struct hub_domain *domain = run->pipeline->connector->domain;
    uint32_t starts[HUB_FIELDS_MAX + 1];
    HUB_SCOPED_BUFFER withdrawn = {0};
    hub_slice_fields(domain->schema->root, body, starts);
    struct hub_stamp stamp = hub_statement_stamp(domain, body, starts);
    struct hub_bytes version = hub_version_of_source(stamp.version);
    const char *next =
        hub_arena_format(run->arena, "%.*s~%012lld.~", (int)version.size,
                         (const char *)version.data, (long long)run->document.sequence);
    const char *reason =
        hub_arena_format(run->arena, HUB_VANISHED_REASON "%s", without_numbers(run->raw->name));
    hub_statement_append_withdrawn(domain, body, starts, hub_bytes_of_text(next), reason,
                                   &withdrawn);
    run->list->counts.vanished++;
    publish(run, hub_arena_text(run->arena, key, strlen(key)), keep(run->arena, &withdrawn), NULL);
}

/* What a snapshot no longer has is withdrawn, unless it is so much that the snapshot itself is to
 * be doubted, or a record in it could not be told. */
static void withdraw_vanished(struct run *run) {
    struct hub_pipeline *pipeline = run->pipeline;
    size_t gone = hub_known_vanished(pipeline->known, NULL, NULL);
    size_t held = hub_known_count(pipeline->known);
    if (gone == 0)
        return;
    if (!run->all_keys_known) {
        run->list->note = hub_arena_format(
            run->arena, "%s: %zu records are no longer in it, and are not withdrawn, because a "
            "record in it has no key that could be read", without_numbers(run->raw->name), gone);
        return;
    }
    if ((int64_t)gone * 100 > run->raw->withdraw_max_percent * (int64_t)held) {
        run->list->note = hub_arena_format(
            run->arena, "%s: %zu of %zu records are no longer in it, over the limit of %lld "
            "percent, and are not withdrawn: is the snapshot whole?",
            without_numbers(run->raw->name), gone, held, (long long)run->raw->withdraw_max_percent);
        return;
    }
    hub_known_vanished(pipeline->known, withdraw, run);
}

/* Where nothing is known of what came before, nothing can be missing. */
static void withdraw_missing(struct run *run) {
    if (run->pipeline->known != NULL)
        hub_groups_compare(&run->groups, run->pipeline->known, withdraw, run);
    if (run->groups.doubted != NULL)
        run->list->note = hub_arena_format(
            run->arena, "%s: a record of %s is refused, and what may be missing from the group is not "
            "withdrawn", without_numbers(run->raw->name), without_numbers(run->groups.doubted));
    hub_groups_end(&run->groups);
}

static void note_failure(struct run *run) {
    const struct hub_mapped_list *mapped = &run->list->mapped;
    for (size_t i = 0; i < mapped->count && run->list->failed == HUB_OK; i++) {
        run->list->failed = mapped->items[i].failed;
        if (run->list->failed != HUB_OK)
            run->list->failure = mapped->items[i].error.text;
    }
}

static struct hub_bytes find_earlier(void *context, const char *key) {
    return hub_known_body(context, key);
}

void hub_pipeline_run(struct hub_pipeline *pipeline, const struct hub_raw_document *document,
                      int64_t sequence, struct hub_arena *arena,
                      struct hub_outgoing_list *ret_list) {
    const struct hub_connector *connector = pipeline->connector;
    struct hub_parsed parsed = {0};
    struct hub_mapped_list mapped = {0};
    struct hub_error error;
    *ret_list = (struct hub_outgoing_list){0};
    struct run run = {.pipeline = pipeline,
                      .raw = document,
                      .arena = arena,
                      .list = ret_list,
                      .groups = {.arena = arena, .domain = connector->domain},
                      .unfiltered = hub_mapping_told(connector->mapping),
                      .all_keys_known = true};
    run.document = (struct hub_document){.name = document->name,
                                         .raw = document->bytes,
                                         .parsed = &parsed,
                                         .context = document->context,
                                         .sequence = sequence,
                                         .raw_hash = hub_sha256.digest(document->bytes),
                                         .mapping_hash = connector->config_hash,
                                         .earlier = pipeline->known == NULL ? NULL : find_earlier,
                                         .earlier_context = pipeline->known};
    bool readable = document->refused == NULL &&
                    connector->format->parse(connector->format_options, document->bytes, arena,
                                             &parsed, &error) == HUB_OK;
    const char *code = "PARSE";
    if (readable && connector->filter != NULL) {
        hub_guard_listen(parsed.tree, &run.unfiltered);
        run.unfiltered_tells = tells(document->bytes, parsed.tree);
        readable = hub_filter_apply(connector->filter, &parsed, &error) == HUB_OK;
        code = "FILTER";
    }
    if (!readable) {
        struct refusal refusal = {.stage = document->refused != NULL ? "transport" : "parse",
                                  .code = document->refused != NULL ? document->refused_code
                                                                    : code,
                                  .reason = document->refused != NULL ? document->refused
                                                                      : error.text,
                                  .raw = document->bytes};
        refuse(&run, &refusal, /* mapped= */ NULL);
        ret_list->counts.read = 1;
        ret_list->is_unreadable = true;
        json_decref(parsed.tree);
        return;
    }
    bool snapshot = document->snapshot && pipeline->known != NULL;
    ret_list->snapshot = snapshot;
    if (snapshot)
        hub_known_begin_snapshot(pipeline->known);
    hub_mapping_run(connector->mapping, &run.document, arena, &mapped);
    ret_list->mapped = mapped;
    note_failure(&run);
    for (size_t i = 0; i < mapped.count; i++)
        hold_back(&run, &mapped.items[i]);
    for (size_t i = 0; i < mapped.count; i++)
        take_record(&run, &mapped.items[i]);
    withdraw_missing(&run);
    HASH_CLEAR(hh, run.keys);
    ret_list->counts.read += (int64_t)mapped.count;
    if (snapshot)
        withdraw_vanished(&run);
    json_decref(parsed.tree);
}

void hub_pipeline_take(struct hub_pipeline *pipeline, const struct hub_outgoing_list *list) {
    for (size_t i = 0; pipeline->known != NULL && i < list->count; i++)
        if (list->items[i].dead)
            hub_known_refuse(pipeline->known, list->items[i].identity);
        else
            hub_known_take(pipeline->known, list->items[i].key, list->items[i].body);
}

void hub_pipeline_begin(struct hub_pipeline *pipeline, const struct hub_connector *connector) {
    *pipeline = (struct hub_pipeline){.connector = connector};
    pipeline->tells_once = !connector->transport->rereads(connector->transport_options);
    if (!pipeline->tells_once || hub_mapping_remembers(connector->mapping))
        pipeline->known = hub_known_new(connector->catalogue, connector->domain, connector->system,
                                        &hub_sha256);
    if (pipeline->known != NULL && pipeline->tells_once)
        hub_known_keep_latest(pipeline->known);
}

void hub_pipeline_end(struct hub_pipeline *pipeline) {
    hub_known_free(pipeline->known);
    *pipeline = (struct hub_pipeline){0};
}
