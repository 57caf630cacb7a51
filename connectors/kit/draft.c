#include "connectors/kit/draft.h"

#include "connectors/kit/check.h"
#include "hub/base/table.h"
#include "hub/io/file.h"
#include "schemas/lib/sealed.h"

#include <ctype.h>
#include <string.h>

enum { NAME_SIZE_MAX = 64, EXAMPLE_SIZE_MAX = 40, DEPTH_MAX = 12 };

/* Something that the sample has, with the first example of it. */
struct leaf {
    char *path, *example;
    bool used;
    UT_hash_handle hh;
};

struct drafting {
    const struct hub_draft *draft;
    const struct hub_format *format;
    struct hub_arena arena;
    struct leaf *leaves; /* of the records, by path, as they come */
    struct hub_buffer *text;
};

static const struct {
    const char *suffix, *format;
} suffixes[] = {{".json", "json"}, {".xml", "xml"},       {".csv", "csv"},
                {".hl7", "hl7v2"}, {".ics", "icalendar"}, {".txt", "labelled-text"}};

static const struct hub_format *format_of(const char *file) {
    size_t size = strlen(file);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t own = strlen(suffixes[i].suffix);
        if (size > own && strcasecmp(file + size - own, suffixes[i].suffix) == 0)
            return hub_format_find(suffixes[i].format);
    }
    return NULL;
}

/* --- what is in the sample --- */

static void note_leaf(struct drafting *drafting, struct hub_bytes path, const json_t *value) {
    struct leaf *leaf = NULL;
    const char *example = hub_tree_text(value, &drafting->arena);
    HASH_FIND(hh, drafting->leaves, path.data, path.size, leaf);
    if (leaf != NULL || path.size == 0 || example == NULL)
        return;
    leaf = hub_arena_take_zero(&drafting->arena, 1, sizeof *leaf);
    leaf->path = hub_arena_text(&drafting->arena, (const char *)path.data, path.size);
    leaf->example = hub_arena_format(&drafting->arena, "%.*s", EXAMPLE_SIZE_MAX, example);
    HASH_ADD_KEYPTR(hh, drafting->leaves, leaf->path, path.size, leaf);
}

static void walk(struct drafting *drafting, const json_t *value, struct hub_buffer *path,
                 unsigned depth) {
    size_t index, size = path->size;
    const char *name;
    json_t *part;
    if (hub_tree_is_absent(value) || depth > DEPTH_MAX)
        return;
    if (json_is_array(value)) {
        json_array_foreach((json_t *)value, index, part)
            walk(drafting, part, path, depth + 1);
        return;
    }
    if (!json_is_object(value) || hub_tree_text(value, &drafting->arena) != NULL)
        note_leaf(drafting, hub_buffer_bytes(path), value);
    json_object_foreach((json_t *)value, name, part) {
        bool plain = *name != '\0' && strpbrk(name, ".[]\"^ ") == NULL;
        const char *quote = plain ? "" : "\"";
        if (strcmp(name, "#text") == 0)
            continue;
        hub_buffer_append_format(path, "%s%s%s%s", size == 0 ? "" : ".", quote, name, quote);
        walk(drafting, part, path, depth + 1);
        path->size = size;
    }
}

/* The first list of objects on the way in: where records mostly are. */
static const json_t *find_records(const json_t *value, struct hub_buffer *path, unsigned depth) {
    const json_t *found = NULL;
    const char *name;
    json_t *part;
    if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
        return value;
    if (!json_is_object(value) || depth > DEPTH_MAX)
        return NULL;
    json_object_foreach((json_t *)value, name, part) {
        size_t size = path->size;
        if (strpbrk(name, ".[]\"^ ") != NULL)
            continue;
        hub_buffer_append_format(path, "%s%s", size == 0 ? "" : ".", name);
        found = find_records(part, path, depth + 1);
        if (found != NULL)
            return found;
        path->size = size;
    }
    return NULL;
}

/* --- guessing --- */

/* Letters and digits alone, small; of a path its last part. */
static void reduce(const char *text, char name[NAME_SIZE_MAX]) {
    const char *dot = strrchr(text, '.');
    size_t size = 0;
    for (const char *at = dot == NULL ? text : dot + 1; *at != '\0' && size + 1 < NAME_SIZE_MAX; at++)
        if (isalnum((unsigned char)*at))
            name[size++] = (char)tolower((unsigned char)*at);
    name[size] = '\0';
}

/* The first leaf of that name, else the first that has it, or that it has, within. */
static struct leaf *find_leaf(struct drafting *drafting, const char *wanted) {
    char name[NAME_SIZE_MAX], own[NAME_SIZE_MAX];
    struct leaf *leaf, *next, *near = NULL;
    reduce(wanted, own);
    HASH_ITER(hh, drafting->leaves, leaf, next) {
        reduce(leaf->path, name);
        if (strcmp(name, own) == 0)
            return leaf;
        const char *within = strlen(own) < strlen(name) ? strstr(name, own) : strstr(own, name);
        if (near == NULL && within != NULL && strlen(own) > 3 && strlen(name) > 3)
            near = leaf;
    }
    return near;
}

static struct leaf *guess_key(struct drafting *drafting) {
    static const char *const names[] = {"id", "key", "identifier", "number", "no", "code", "uid"};
    struct leaf *leaf = NULL;
    for (size_t i = 0; leaf == NULL && i < sizeof names / sizeof *names; i++)
        leaf = find_leaf(drafting, names[i]);
    return leaf != NULL ? leaf : drafting->leaves;
}

/* --- writing --- */

static const struct hub_type *stated_type(const struct hub_type *type) {
    if (type->kind == HUB_UNION)
        for (size_t i = 0; i < type->count; i++)
            if (type->branches[i]->kind != HUB_NULL)
                return type->branches[i];
    return type;
}

static bool is_named(const struct hub_type *type, const char *name) {
    size_t size = type->name == NULL ? 0 : strlen(type->name), own = strlen(name);
    return size >= own && strcmp(type->name + size - own, name) == 0;
}

/* What would say who it is: the key, by the strongest scheme. */
static void append_identifiers(const struct drafting *drafting, const struct leaf *key,
                               struct hub_buffer *text) {
    const struct hub_domain *domain = drafting->draft->domain;
    hub_buffer_append_text(text, "      # Schemes:");
    for (size_t i = 0; i < domain->identity_count; i++)
        hub_buffer_append_format(text, "%s %s", i == 0 ? "" : ",",
                                 domain->schemes->schemes[domain->identity[i]].name);
    const struct hub_scheme *first = &domain->schemes->schemes[domain->identity[0]];
    hub_buffer_append_format(text, ".\n      # identifiers: [{scheme: %s, %svalue: %s, relation: self}]\n",
                             first->name, first->issuer ? "issuer: {value: WHO}, " : "", key->path);
}

static void append_symbols(const struct hub_type *type, struct hub_buffer *text) {
    for (size_t i = 0; i < type->count; i++)
        hub_buffer_append_format(text, "%s%s", i == 0 ? "" : ", ", type->symbols[i]);
}

/* What a field may be filled with; `path` is what is like it in the sample. True where that needs no
 * person. */
static bool append_value(const struct hub_type *type, const char *path, struct hub_buffer *text) {
    if (type->kind == HUB_STRING) {
        hub_buffer_append_text(text, path);
        return true;
    }
    if (is_named(type, "Organisation"))
        hub_buffer_append_format(text, "{from: %s, lookup: organisations, else: keep_text}", path);
    else if (type->kind == HUB_ENUM)
        hub_buffer_append_format(text, "{from: %s, table: {HERE: %s}, else: reject}", path,
                                 type->symbols[0]);
    else if (is_named(type, "Date"))
        hub_buffer_append_format(text, "{from: %s, time: {formats: [partial]}}", path);
    else if (is_named(type, "Time"))
        hub_buffer_append_format(text, "{from: %s, time: {formats: [rfc3339]}}", path);
    else if (type->kind == HUB_ARRAY)
        hub_buffer_append_format(text, "[...] # {for_each: %s, ...}", path);
    else if (hub_sealed_is(type))
        hub_buffer_append_format(text, "{from: %s, seal: {subject: WHO}}", path);
    else if (type->kind == HUB_RECORD)
        for (size_t i = 0; i < type->count; i++)
            hub_buffer_append_format(text, "%s%s: %s%s", i == 0 ? "{" : ", ", type->fields[i].name,
                                     path, i + 1 == type->count ? "}" : "");
    else
        hub_buffer_append_text(text, path);
    return is_named(type, "Organisation");
}

/* Whether it is mapped. */
static bool append_field(struct drafting *drafting, const struct hub_field *field,
                         const struct leaf *key, struct hub_buffer *text) {
    const struct hub_type *type = stated_type(field->type);
    const struct hub_node *doc = hub_node_get(field->node, "doc");
    struct leaf *leaf = find_leaf(drafting, field->name);
    HUB_SCOPED_BUFFER value = {0};
    if (doc != NULL && doc->text != NULL)
        hub_buffer_append_format(text, "      # %s\n", doc->text);
    if (strcmp(field->name, "identifiers") == 0) {
        append_identifiers(drafting, key, text);
        return false;
    }
    if (type->kind == HUB_ENUM) {
        hub_buffer_append_text(text, "      # One of ");
        append_symbols(type, text);
        hub_buffer_append_text(text, ".\n");
    }
    bool whole = append_value(type, leaf == NULL ? "PATH" : leaf->path, &value);
    whole = whole && leaf != NULL;
    if (whole)
        leaf->used = true;
    hub_buffer_append_format(text, "      %s%s: %s\n", whole ? "" : "# ", field->name,
                             hub_buffer_text(&value));
    return whole;
}

static void append_left(struct drafting *drafting) {
    struct leaf *leaf, *next;
    hub_buffer_append_text(drafting->text,
                           "# In the sample, and not used yet; each with its first example:\n");
    HASH_ITER(hh, drafting->leaves, leaf, next) {
        if (leaf->used)
            continue;
        hub_buffer_append_format(drafting->text, "#   %-32s ", leaf->path);
        for (const char *at = leaf->example; *at != '\0'; at++)
            hub_buffer_append_byte(drafting->text,
                                   (unsigned char)*at < ' ' ? ' ' : (uint8_t)*at);
        hub_buffer_append_byte(drafting->text, '\n');
    }
}

static void append_all(struct drafting *drafting, const char *for_each) {
    const struct hub_draft *draft = drafting->draft;
    const struct hub_type *root = draft->domain->schema->root;
    const char *slash = strrchr(draft->sample, '/');
    const char *name = slash == NULL ? draft->sample : slash + 1;
    struct leaf *key = guess_key(drafting);
    HUB_SCOPED_BUFFER fields = {0};
    bool any = false;
    hub_buffer_append_format(
        drafting->text,
        "# Begun by `connector new` from %s. What has a # before it needs a person.\n"
        "connector: %s-%s\ninstitution: %s\nsystem: %s\n"
        "source: {transport: file-drop, format: %s, folder: .}\ntarget: {domain: %s}\nrecords:\n",
        name, draft->system->name, draft->domain->name, draft->system->carriers[0],
        draft->system->name, drafting->format->name, draft->domain->name);
    key->used = true;
    if (*for_each != '\0')
        hub_buffer_append_format(drafting->text, "  - for_each: %s\n    key: %s\n", for_each,
                                 key->path);
    else
        hub_buffer_append_format(drafting->text, "  - key: %s\n", key->path);
    hub_buffer_append_text(drafting->text,
                           "    # Where the source has a version or a time of change: {from: PATH, "
                           "tie: position}\n    version: {tie: position}\n");
    for (size_t i = 1; i < root->count; i++) /* the first is the stamp */
        any |= append_field(drafting, &root->fields[i], key, &fields);
    hub_buffer_append_format(drafting->text, "    fields:%s\n%s", any ? "" : " {}",
                             hub_buffer_text(&fields));
    hub_buffer_append_format(drafting->text, "tests:\n  - {input: %s}\n", name);
    append_left(drafting);
}

static enum hub_status draft(struct drafting *drafting, struct hub_error *reterr) {
    const char *sample = drafting->draft->sample, *each = drafting->format->each;
    HUB_SCOPED_BUFFER bytes = {.size_max = HUB_DOCUMENT_SIZE_MAX}, way = {0}, path = {0};
    struct hub_parsed parsed = {0};
    struct hub_node *none = NULL;
    void *options = hub_arena_take_zero(&drafting->arena, 1, drafting->format->options_size + 1);
    HUB_TRY(hub_file_read(sample, &bytes, reterr));
    HUB_TRY(hub_node_parse(hub_bytes_of_text("{}"), "defaults", &drafting->arena, &none, reterr));
    HUB_TRY(hub_options_read(none, drafting->format->options, NULL, &drafting->arena, options,
                             reterr));
    HUB_TRY(drafting->format->parse(options, hub_buffer_bytes(&bytes), &drafting->arena, &parsed,
                                    reterr));
    const json_t *records = each != NULL ? json_object_get(parsed.tree, each)
                                         : find_records(parsed.tree, &way, 0);
    walk(drafting, records != NULL ? records : parsed.tree, &path, 0);
    enum hub_status status = HUB_OK;
    if (drafting->leaves == NULL)
        status = hub_fail(reterr, HUB_REJECT, "%s: nothing is stated in it", sample);
    else
        append_all(drafting, each != NULL ? "" : hub_buffer_text(&way));
    json_decref(parsed.tree);
    return status;
}

enum hub_status hub_draft_write(const struct hub_draft *wanted, struct hub_buffer *text,
                                struct hub_error *reterr) {
    struct drafting drafting = {
        .draft = wanted, .format = format_of(wanted->sample), .text = text};
    if (drafting.format == NULL) {
        HUB_SCOPED_BUFFER list = {0};
        for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
            hub_buffer_append_format(&list, "%s %s", i == 0 ? "" : ",", suffixes[i].suffix);
        return hub_fail(reterr, HUB_REJECT, "%s: a name that ends in%s would pass", wanted->sample,
                        hub_buffer_text(&list));
    }
    enum hub_status status = draft(&drafting, reterr);
    HASH_CLEAR(hh, drafting.leaves);
    hub_arena_destroy(&drafting.arena);
    return status;
}
