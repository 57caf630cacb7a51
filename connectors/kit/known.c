#include "connectors/kit/known.h"

#include "hub/base/table.h"
#include "hub/base/text.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/resolve.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "schemas/lib/walk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    UT_hash_handle hh;
    char *key;
    struct hub_digest content;
    uint8_t *body;
    size_t body_size;
    bool withdrawn;
    size_t seen; /* the last snapshot that had it */
};

enum { LETTERS_MAX = 10000 };

struct letter {
    UT_hash_handle hh;
    struct hub_digest digest;
};

struct hub_known {
    const struct hub_catalogue *catalogue;
    const struct hub_domain *domain;
    const struct hub_system *system;
    const struct hub_digester *digester;
    struct entry *entries;
    struct letter *letters;
    size_t in_force;
    size_t snapshot;
    bool keeps_latest;
};

struct hub_known *hub_known_new(const struct hub_catalogue *catalogue,
                                const struct hub_domain *domain, const struct hub_system *system,
                                const struct hub_digester *digester) {
    struct hub_known *known = hub_allocate_zero(1, sizeof *known);
    *known = (struct hub_known){
        .catalogue = catalogue, .domain = domain, .system = system, .digester = digester};
    return known;
}

static void forget_letters(struct hub_known *known) {
    struct letter *letter, *next;
    HASH_ITER(hh, known->letters, letter, next) {
        HASH_DELETE(hh, known->letters, letter);
        hub_release(letter);
    }
}

void hub_known_free(struct hub_known *known) {
    struct entry *entry, *next;
    if (known == NULL)
        return;
    forget_letters(known);
    HASH_ITER(hh, known->entries, entry, next) {
        HASH_DELETE(hh, known->entries, entry);
        hub_release(entry->key);
        hub_release(entry->body);
        hub_release(entry);
    }
    hub_release(known);
}

size_t hub_known_count(const struct hub_known *known) {
    return known->in_force;
}

static struct hub_digest content_of(const struct hub_known *known, struct hub_bytes body,
                                    bool *ret_withdrawn) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(known->domain->schema->root, body, starts);
    *ret_withdrawn = hub_statement_stamp(known->domain, body, starts).withdrawn;
    return hub_statement_digest(known->domain, known->system, known->digester, body, starts);
}

static struct entry *find(struct hub_known *known, const char *key) {
    struct entry *entry = NULL;
    HASH_FIND_STR(known->entries, key, entry);
    return entry;
}

static struct entry *need(struct hub_known *known, const char *key) {
    struct entry *entry = find(known, key);
    if (entry != NULL)
        return entry;
    entry = hub_allocate_zero(1, sizeof *entry);
    entry->key = hub_copy_text(key);
    entry->withdrawn = true; /* until something is taken */
    HASH_ADD_KEYPTR(hh, known->entries, entry->key, strlen(entry->key), entry);
    return entry;
}

void hub_known_keep_latest(struct hub_known *known) {
    known->keeps_latest = true;
}

static struct hub_bytes version_of(const struct hub_known *known, const uint8_t *body, size_t size) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(known->domain->schema->root, hub_bytes(body, size), starts);
    return hub_version_of_document(
        hub_statement_stamp(known->domain, hub_bytes(body, size), starts).version);
}

void hub_known_take(struct hub_known *known, const char *key, struct hub_bytes body) {
    struct entry *entry = need(known, key);
    bool withdrawn = false;
    if (known->keeps_latest && entry->body != NULL &&
        hub_text_natural_compare(version_of(known, entry->body, entry->body_size),
                                 version_of(known, body.data, body.size)) > 0)
        return;
    entry->content = content_of(known, body, &withdrawn);
    known->in_force += !withdrawn;
    known->in_force -= !entry->withdrawn;
    entry->withdrawn = withdrawn;
    entry->seen = known->snapshot;
    hub_release(entry->body);
    entry->body = hub_copy_bytes(body.data, body.size);
    entry->body_size = body.size;
}

struct hub_bytes hub_known_body(struct hub_known *known, const char *key) {
    const struct entry *entry = find(known, key);
    return entry == NULL ? hub_bytes(NULL, 0) : hub_bytes(entry->body, entry->body_size);
}

bool hub_known_differs(struct hub_known *known, const char *key, struct hub_bytes body) {
    struct entry *entry = find(known, key);
    bool withdrawn = false;
    if (entry == NULL)
        return true;
    entry->seen = known->snapshot;
    struct hub_digest content = content_of(known, body, &withdrawn);
    return entry->body == NULL ||
           memcmp(content.bytes, entry->content.bytes, HUB_DIGEST_SIZE) != 0;
}

static bool is_of_group(const char *key, const char *group) {
    size_t size = strlen(group);
    return strncmp(key, group, size) == 0 && (key[size] == '\0' || key[size] == '/');
}

static int by_key_of_pointer(const void *a, const void *b) {
    return strcmp((*(struct entry *const *)a)->key, (*(struct entry *const *)b)->key);
}

void hub_known_group(struct hub_known *known, const char *group,
                     void (*member)(void *context, const char *key, struct hub_bytes body),
                     void *context) {
    struct entry **members = NULL;
    size_t count = 0, capacity = 0;
    for (struct entry *entry = known->entries; entry != NULL; entry = entry->hh.next)
        if (entry->body != NULL && is_of_group(entry->key, group)) {
            HUB_GROW(members, count, capacity);
            members[count++] = entry;
        }
    if (count > 0)
        qsort(members, count, sizeof(struct entry *), by_key_of_pointer);
    for (size_t i = 0; i < count; i++)
        member(context, members[i]->key, hub_bytes(members[i]->body, members[i]->body_size));
    hub_release(members);
}

void hub_known_note(struct hub_known *known, const char *key) {
    struct entry *entry = find(known, key);
    if (entry != NULL)
        entry->seen = known->snapshot;
}

static struct letter *find_letter(struct hub_known *known, const struct hub_digest *digest) {
    struct letter *letter = NULL;
    HASH_FIND(hh, known->letters, digest, sizeof *digest, letter);
    return letter;
}

bool hub_known_is_refused(struct hub_known *known, struct hub_bytes letter) {
    struct hub_digest digest = known->digester->digest(letter);
    return find_letter(known, &digest) != NULL;
}

void hub_known_refuse(struct hub_known *known, struct hub_bytes letter) {
    struct letter *fresh = hub_allocate_zero(1, sizeof *fresh);
    fresh->digest = known->digester->digest(letter);
    if (HASH_COUNT(known->letters) == LETTERS_MAX)
        forget_letters(known);
    if (find_letter(known, &fresh->digest) == NULL)
        HASH_ADD(hh, known->letters, digest, sizeof fresh->digest, fresh);
    else
        hub_release(fresh); /* twice in one document */
}

void hub_known_begin_snapshot(struct hub_known *known) {
    known->snapshot++;
}

static int by_key(const struct entry *a, const struct entry *b) {
    return strcmp(a->key, b->key);
}

size_t hub_known_vanished(struct hub_known *known,
                          void (*vanished)(void *context, const char *key, struct hub_bytes body),
                          void *context) {
    struct entry *entry, *next;
    size_t count = 0;
    HASH_SORT(known->entries, by_key);
    HASH_ITER(hh, known->entries, entry, next) {
        if (entry->withdrawn || entry->seen == known->snapshot)
            continue;
        count++;
        if (vanished != NULL)
            vanished(context, entry->key, hub_bytes(entry->body, entry->body_size));
    }
    return count;
}

enum hub_status hub_known_load(struct hub_known *known, struct hub_bytes key,
                               struct hub_bytes message, struct hub_error *reterr) {
    struct hub_bytes system, rest, body;
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_resolver *resolver = NULL;
    HUB_SCOPED_BUFFER translated = {0};
    int32_t id = 0;
    if (!hub_bytes_cut(key, '/', &system, &rest) ||
        !hub_bytes_equal_text(system, known->system->name))
        return HUB_OK;
    if (hub_frame_open(message, &id, &body, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%.*s", (int)key.size, (const char *)key.data);
    const struct hub_schema *writer = hub_catalogue_by_id(known->catalogue, id);
    if (writer == NULL || strcmp(writer->subject, known->domain->name) != 0)
        return hub_fail(reterr, HUB_FATAL, "schema id %d is no version of %s", id,
                        known->domain->name);
    if (hub_walk(writer->root, body, &limits, &walk, reterr) != HUB_OK)
        return hub_fail_at(reterr, HUB_FATAL, "%.*s", (int)key.size, (const char *)key.data);
    HUB_TRY(hub_resolver_new(writer->root, known->domain->schema->root, &resolver, reterr));
    enum hub_status status =
        hub_resolve(resolver, body, /* canonical= */ false, &translated, reterr);
    hub_resolver_free(resolver);
    HUB_TRY(status);
    char *text = hub_copy_bytes(key.data, key.size);
    hub_known_take(known, text, hub_buffer_bytes(&translated));
    hub_release(text);
    return HUB_OK;
}
