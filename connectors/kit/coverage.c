#include "connectors/kit/coverage.h"

#include "connectors/kit/check.h"
#include "hub/base/table.h"
#include "hub/io/file.h"
#include "schemas/lib/slice.h"

#include <string.h>

/* A place that documents have something at. */
struct place {
    char *path; /* as in path.h, without indexes; of a table or a file of messages, in its row or message */
    size_t documents, unread; /* that have it; in which nothing there was read */
    size_t document;          /* the last that it was met in, from 1 */
    bool read;                /* in that one */
    UT_hash_handle hh;
};

struct coverage {
    struct hub_connector *connector;
    struct place *places;
    size_t filled[HUB_FIELDS_MAX];
    size_t documents, records, refused, skipped;
    struct hub_hook_set read; /* of the running document */
};

/* --- places --- */

static void note_place(struct coverage *coverage, struct hub_bytes path, bool read) {
    struct place *place = NULL;
    HASH_FIND(hh, coverage->places, path.data, path.size, place);
    if (place == NULL) {
        place = hub_allocate_zero(1, sizeof *place);
        place->path = hub_copy_bytes(path.data, path.size);
        HASH_ADD_KEYPTR(hh, coverage->places, place->path, path.size, place);
    }
    if (place->document != coverage->documents) {
        place->document = coverage->documents;
        place->documents++;
        place->unread++;
        place->read = false;
    }
    if (read && !place->read) {
        place->read = true;
        place->unread--;
    }
}

static bool is_plain(const char *name) {
    return *name != '\0' && strpbrk(name, ".[]\"^ ") == NULL;
}

static void walk_tree(struct coverage *coverage, const json_t *value, bool read,
                      struct hub_buffer *path);

static void walk_members(struct coverage *coverage, const json_t *object, bool read,
                         struct hub_buffer *path) {
    const char *each = coverage->connector->format->each, *name;
    json_t *member;
    size_t size = path->size;
    json_object_foreach((json_t *)object, name, member) {
        bool whole = size == 0 && each != NULL && strcmp(name, each) == 0;
        const char *quote = is_plain(name) ? "" : "\"";
        if (!whole)
            hub_buffer_append_format(path, "%s%s%s%s", size == 0 ? "" : ".", quote, name, quote);
        walk_tree(coverage, member, read && strcmp(name, "#text") == 0, path);
        path->size = size;
    }
}

/* Who reads an XML element with attributes reads its own text. */
static void walk_tree(struct coverage *coverage, const json_t *value, bool read,
                      struct hub_buffer *path) {
    size_t index;
    json_t *element;
    if (hub_tree_is_absent(value))
        return;
    bool here = !hub_hook_set_add(&coverage->read, (uintptr_t)value);
    if (json_is_array(value))
        json_array_foreach((json_t *)value, index, element)
            walk_tree(coverage, element, read, path);
    else if (json_is_object(value))
        walk_members(coverage, value, here, path);
    else
        note_place(coverage, hub_buffer_bytes(path), here || read);
}

/* --- documents --- */

static void count_fields(struct coverage *coverage, struct hub_bytes body) {
    const struct hub_type *type = coverage->connector->domain->schema->root;
    for (size_t i = 0; i < type->count; i++)
        coverage->filled[i] +=
            !hub_slice_is_unstated(type->fields[i].type, hub_slice_field(type, body, i));
}

static void count_records(struct coverage *coverage, const struct hub_mapped_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        const struct hub_mapped *mapped = &list->items[i];
        coverage->skipped += mapped->skipped != NULL;
        coverage->refused += mapped->skipped == NULL && mapped->status != HUB_OK;
        if (mapped->skipped != NULL || mapped->status != HUB_OK)
            continue;
        coverage->records++;
        if (!mapped->withdrawn)
            count_fields(coverage, mapped->body);
    }
}

static enum hub_status map_document(struct coverage *coverage, const char *path,
                                    struct hub_arena *arena, struct hub_error *reterr) {
    struct hub_connector *connector = coverage->connector;
    struct hub_raw_document raw = {0};
    struct hub_parsed parsed = {0};
    struct hub_mapped_list list = {0};
    HUB_SCOPED_BUFFER place = {0};
    HUB_TRY(hub_check_read(connector, path, arena, &raw, reterr));
    enum hub_status status =
        connector->format->parse(connector->format_options, raw.bytes, arena, &parsed, reterr);
    if (status == HUB_OK) {
        const struct hub_document document = {.name = raw.name,
                                              .raw = raw.bytes,
                                              .parsed = &parsed,
                                              .context = raw.context,
                                              .sequence = 1,
                                              .read = &coverage->read};
        coverage->documents++;
        hub_mapping_run(connector->mapping, &document, arena, &list);
        count_records(coverage, &list);
        walk_tree(coverage, parsed.tree, /* read= */ false, &place);
        hub_hook_set_free(&coverage->read);
        json_decref(parsed.tree);
    }
    json_decref(raw.context);
    return status;
}

/* --- what is told --- */

static int compare_places(const struct place *a, const struct place *b) {
    return a->unread != b->unread ? (a->unread < b->unread) - (a->unread > b->unread)
                                  : strcmp(a->path, b->path);
}

static void tell(struct coverage *coverage, FILE *out) {
    const struct hub_type *type = coverage->connector->domain->schema->root;
    struct place *place, *next;
    size_t unread = 0;
    fprintf(out, "%zu documents, %zu records, %zu refused, %zu skipped\n\nfields, and how many "
            "records fill them\n", coverage->documents, coverage->records, coverage->refused,
            coverage->skipped);
    for (size_t i = 0; i < type->count; i++)
        fprintf(out, "  %-24s %8zu%s\n", type->fields[i].name, coverage->filled[i],
                coverage->filled[i] == 0 ? "  never" : "");
    fprintf(out, "\nin the source, and never read\n");
    HASH_SRT(hh, coverage->places, compare_places);
    HASH_ITER(hh, coverage->places, place, next) {
        if (place->unread < place->documents)
            continue;
        fprintf(out, "  %-56s in %zu\n", place->path, place->documents);
        unread++;
    }
    if (unread == 0)
        fprintf(out, "  nothing\n");
}

size_t hub_coverage(struct hub_connector *connector, const char *folder, FILE *out) {
    struct coverage coverage = {.connector = connector};
    struct hub_arena names = {0};
    struct hub_error error;
    struct place *place, *next;
    char **files = NULL;
    size_t count = 0;
    if (hub_file_list(folder, "", &names, &files, &count, &error) != HUB_OK) {
        fprintf(out, "%s\n", error.text);
        hub_arena_destroy(&names);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct hub_arena arena = {0};
        if (map_document(&coverage, hub_file_resolve(folder, files[i], &names), &arena, &error) !=
            HUB_OK) {
            fprintf(out, "%s: %s\n", files[i], error.text);
            coverage.refused++;
        }
        hub_arena_destroy(&arena);
    }
    tell(&coverage, out);
    HASH_ITER(hh, coverage.places, place, next) {
        HASH_DELETE(hh, coverage.places, place);
        hub_release(place->path);
        hub_release(place);
    }
    hub_arena_destroy(&names);
    return coverage.refused;
}
