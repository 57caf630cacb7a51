#include "connectors/kit/remap_state.h"

#include "hub/base/text.h"
#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- the decision --- */

enum hub_remap_verdict hub_remap_judge(const struct hub_remap_standing *standing) {
    if (!standing->published)
        return standing->given ? HUB_REMAP_ADD : HUB_REMAP_REFUSED;
    if (standing->vanished)
        return HUB_REMAP_VANISHED;
    /* What was refused speaks for the key still: nothing older may speak instead. */
    bool free = standing->mapped_again && !standing->refused;
    if (standing->given && (free || !standing->older))
        return standing->differs ? HUB_REMAP_REPLACE : HUB_REMAP_UNCHANGED;
    if (standing->refused)
        return HUB_REMAP_REFUSED;
    if (!free)
        return HUB_REMAP_OTHER;
    return standing->stated ? HUB_REMAP_WITHDRAW : HUB_REMAP_UNCHANGED;
}

/* --- what is known --- */

static void add_source(struct hub_remap *remap, const struct hub_journal_item *item) {
    struct remap_source *source = NULL;
    HASH_FIND(hh, remap->sources, &item->raw_hash, sizeof item->raw_hash, source);
    if (source == NULL) {
        source = hub_arena_take_zero(&remap->arena, 1, sizeof *source);
        source->raw_hash = item->raw_hash;
        HASH_ADD(hh, remap->sources, raw_hash, sizeof source->raw_hash, source);
    }
    source->sequence = item->sequence;
}

struct hub_remap *hub_remap_new(const struct hub_connector *connector,
                                const struct hub_journal_list *journal) {
    struct hub_remap *remap = hub_allocate_zero(1, sizeof *remap);
    remap->connector = connector;
    remap->read = hub_known_new(connector->catalogue, connector->domain, connector->system,
                                &hub_sha256);
    remap->known = hub_known_new(connector->catalogue, connector->domain, connector->system,
                                 &hub_sha256);
    for (size_t i = 0; i < journal->count; i++)
        if (!journal->items[i].empty)
            add_source(remap, &journal->items[i]);
    return remap;
}

void hub_remap_free(struct hub_remap *remap) {
    struct remap_key *key, *next;
    if (remap == NULL)
        return;
    HASH_ITER(hh, remap->keys, key, next) {
        HASH_DELETE(hh, remap->keys, key);
        free((void *)key->published_by.version.data);
        free((void *)key->given_by.version.data);
        free((void *)key->given_body.data);
        free(key->why);
        free(key->text);
        hub_release(key);
    }
    HASH_CLEAR(hh, remap->sources);
    hub_known_free(remap->read);
    hub_known_free(remap->known);
    hub_release(remap->changes);
    hub_arena_destroy(&remap->arena);
    hub_release(remap);
}

static struct remap_key *need_key(struct hub_remap *remap, const char *text) {
    struct remap_key *key = NULL;
    HASH_FIND_STR(remap->keys, text, key);
    if (key != NULL)
        return key;
    key = hub_allocate_zero(1, sizeof *key);
    key->text = hub_copy_text(text);
    HASH_ADD_KEYPTR(hh, remap->keys, key->text, strlen(key->text), key);
    return key;
}

static struct hub_bytes copy(struct hub_bytes bytes) {
    return hub_bytes(hub_copy_bytes(bytes.data, bytes.size), bytes.size);
}

struct hub_stamp hub_remap_stamp(const struct hub_remap *remap, struct hub_bytes body) {
    uint32_t starts[HUB_FIELDS_MAX + 1];
    hub_slice_fields(remap->connector->domain->schema->root, body, starts);
    return hub_statement_stamp(remap->connector->domain, body, starts);
}

int hub_remap_compare(const struct remap_voice *a, const struct remap_voice *b) {
    int order = hub_text_natural_compare(a->version, b->version);
    return order != 0 ? order : a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void replace_voice(struct remap_voice *voice, const struct remap_voice *with) {
    free((void *)voice->version.data);
    *voice = (struct remap_voice){copy(with->version), with->sequence};
}

/* --- what is published --- */

static struct hub_digest raw_hash_of(const struct hub_remap *remap, struct hub_bytes body) {
    struct hub_digest hash = {{0}};
    struct hub_bytes part;
    if (hub_slice_path(remap->connector->domain->schema->root, body, "statement.raw_hash", &part) !=
            NULL &&
        part.size == sizeof hash.bytes)
        memcpy(hash.bytes, part.data, sizeof hash.bytes);
    return hash;
}

/* Another connector's cannot be compared: it is never older than ours. */
static int64_t sequence_in(const struct hub_remap *remap, struct hub_bytes id) {
    int64_t sequence = hub_pipeline_sequence_in(remap->connector->name, id);
    return sequence < 0 ? INT64_MAX : sequence;
}

static void take_published(struct hub_remap *remap, const char *text, struct hub_bytes body,
                           int64_t sequence) {
    struct remap_key *key = need_key(remap, text);
    struct hub_digest raw_hash = raw_hash_of(remap, body);
    struct remap_source *source = NULL;
    HASH_FIND(hh, remap->sources, &raw_hash, sizeof raw_hash, source);
    /* What was mapped again has the sequence of that, and is no newer than its document. */
    struct remap_voice voice = {hub_version_of_source(hub_remap_stamp(remap, body).version),
                                source == NULL ? sequence : source->sequence};
    /* A withdrawal of what vanished names the document that had it, and ends what came before it. */
    if (key->published && hub_text_natural_compare(voice.version, key->published_by.version) < 0)
        return;
    key->published = true;
    key->told = sequence;
    key->raw_hash = raw_hash;
    replace_voice(&key->published_by, &voice);
    hub_known_take(remap->known, text, body);
}

enum hub_status hub_remap_published(struct hub_remap *remap, struct hub_bytes key,
                                    struct hub_bytes message, struct hub_bytes id,
                                    struct hub_error *reterr) {
    HUB_TRY(hub_known_load(remap->read, key, message, reterr));
    char *text = hub_copy_bytes(key.data, key.size);
    struct hub_bytes body = hub_known_body(remap->read, text);
    if (body.data != NULL)
        take_published(remap, text, body, sequence_in(remap, id));
    hub_release(text);
    return HUB_OK;
}

/* --- what is mapped again --- */

static void take_given(struct hub_remap *remap, const struct hub_outgoing *outgoing,
                       int64_t sequence) {
    struct remap_key *key = need_key(remap, outgoing->key);
    struct remap_voice voice = {
        hub_version_of_source(hub_remap_stamp(remap, outgoing->body).version), sequence};
    key->touched = true;
    if (key->given && hub_remap_compare(&voice, &key->given_by) < 0)
        return;
    key->given = true;
    replace_voice(&key->given_by, &voice);
    free((void *)key->given_body.data);
    key->given_body = copy(outgoing->body);
}

static void take_refused(struct hub_remap *remap, const struct hub_outgoing *outgoing,
                         struct remap_source *source) {
    const char *text = outgoing->mapped == NULL ? NULL : outgoing->mapped->key;
    if (text == NULL) {
        source->whole = false;
        return;
    }
    struct remap_key *key = need_key(remap, text);
    key->touched = true;
    free(key->why);
    key->why = hub_copy_text(outgoing->reason);
    key->refused |= key->published && memcmp(&key->raw_hash, &source->raw_hash,
                                             sizeof key->raw_hash) == 0;
}

struct remap_source *hub_remap_source(struct hub_remap *remap, struct hub_bytes bytes) {
    struct hub_digest raw_hash = hub_sha256.digest(bytes);
    struct remap_source *source = NULL;
    HASH_FIND(hh, remap->sources, &raw_hash, sizeof raw_hash, source);
    assert(source != NULL);
    return source;
}

bool hub_remap_rereads(const struct hub_remap *remap) {
    const struct hub_connector *connector = remap->connector;
    return connector->transport->rereads(connector->transport_options);
}

/* Of a source that is read again, a document says one thing of each key; nothing vanishes here. What is a
 * patch is laid over what is known. */
void hub_remap_map(struct hub_remap *remap, const struct hub_raw_document *document, int64_t next,
                   struct hub_arena *arena, struct hub_outgoing_list *ret_list) {
    const struct hub_connector *connector = remap->connector;
    struct hub_raw_document one = *document;
    struct hub_pipeline pipeline = {.connector = connector};
    bool patches = hub_mapping_builds_on_earlier(connector->mapping);
    if (patches)
        pipeline.known = remap->known, pipeline.tells_once = true;
    else if (hub_remap_rereads(remap))
        pipeline.known = hub_known_new(connector->catalogue, connector->domain, connector->system,
                                       &hub_sha256);
    one.snapshot = false;
    hub_pipeline_run(&pipeline, &one, next, arena, ret_list);
    if (!patches)
        hub_known_free(pipeline.known);
}

void hub_remap_document(struct hub_remap *remap, const struct hub_raw_document *document,
                        int64_t sequence, int64_t next) {
    struct hub_arena arena = {0};
    struct hub_outgoing_list list;
    struct remap_source *source = hub_remap_source(remap, document->bytes);
    source->mapped_again = source->whole = true;
    hub_remap_map(remap, document, next, &arena, &list);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].dead)
            take_refused(remap, &list.items[i], source);
        else
            take_given(remap, &list.items[i], sequence);
    hub_arena_destroy(&arena);
}

/* --- what is to be done --- */

bool hub_remap_has_vanished(const struct hub_remap *remap, struct hub_bytes body) {
    static const char start[] = HUB_VANISHED_REASON;
    struct hub_bytes reason;
    return hub_remap_stamp(remap, body).withdrawn &&
           hub_slice_path(remap->connector->domain->schema->root, body, "statement.reason",
                          &reason) != NULL &&
           (reason = hub_slice_octets(reason)).size >= strlen(start) &&
           memcmp(reason.data, start, strlen(start)) == 0;
}

static struct hub_remap_change decide(struct hub_remap *remap, const struct remap_key *key) {
    struct hub_remap_standing standing = {.published = key->published,
                                          .given = key->given,
                                          .refused = key->refused};
    struct hub_bytes published = hub_known_body(remap->known, key->text);
    struct remap_source *source = NULL;
    if (key->published) {
        HASH_FIND(hh, remap->sources, &key->raw_hash, sizeof key->raw_hash, source);
        standing.vanished = hub_remap_has_vanished(remap, published);
        standing.mapped_again = source != NULL && source->mapped_again && source->whole;
        standing.stated = !hub_remap_stamp(remap, published).withdrawn;
    }
    if (key->given) {
        standing.older =
            key->published && hub_remap_compare(&key->given_by, &key->published_by) < 0;
        standing.differs = hub_known_differs(remap->known, key->text, key->given_body);
    }
    struct hub_remap_change change = {.key = key->text,
                                      .verdict = hub_remap_judge(&standing),
                                      .why = key->why,
                                      .published = key->published,
                                      .body = key->given ? key->given_body : published};
    if (change.verdict == HUB_REMAP_WITHDRAW)
        change.body = published;
    change.withdrawn =
        change.verdict == HUB_REMAP_WITHDRAW ||
        (change.body.data != NULL && hub_remap_stamp(remap, change.body).withdrawn);
    return change;
}

static int by_key(const struct remap_key *a, const struct remap_key *b) {
    return strcmp(a->text, b->text);
}

const struct hub_remap_change *hub_remap_decide(struct hub_remap *remap, size_t *ret_count) {
    struct remap_key *key, *next;
    size_t count = 0, capacity = 0;
    HASH_SORT(remap->keys, by_key);
    HASH_ITER(hh, remap->keys, key, next) {
        struct hub_remap_change change = decide(remap, key);
        /* Of what nobody mapped again there is nothing to be said. */
        if (!key->touched && change.verdict != HUB_REMAP_WITHDRAW)
            continue;
        HUB_GROW(remap->changes, count, capacity);
        remap->changes[count++] = change;
    }
    *ret_count = count;
    return remap->changes;
}

/* Of the same version of the source the later one must win; and what breaks its ties has moved on with the
 * sequence. */
static struct hub_bytes version_for(const struct hub_remap *remap,
                                    const struct hub_remap_change *change, int64_t sequence,
                                    struct hub_arena *arena) {
    struct hub_bytes version = hub_remap_stamp(remap, change->body).version;
    struct hub_bytes own = hub_version_of_source(version);
    if (change->verdict == HUB_REMAP_ADD && own.size == version.size)
        return version;
    return hub_bytes_of_text(hub_arena_format(arena, "%.*s~%012lld", (int)own.size,
                                              (const char *)own.data, (long long)sequence));
}

void hub_remap_outgoing(struct hub_remap *remap, const struct hub_remap_change *change,
                        const char *reason, int64_t sequence, size_t index,
                        struct hub_arena *arena, struct hub_outgoing *ret_outgoing,
                        struct hub_connector_counts *counts) {
    const struct hub_domain *domain = remap->connector->domain;
    HUB_SCOPED_BUFFER body = {0};
    uint32_t starts[HUB_FIELDS_MAX + 1];
    struct hub_bytes version = version_for(remap, change, sequence, arena);
    hub_slice_fields(domain->schema->root, change->body, starts);
    if (change->verdict == HUB_REMAP_WITHDRAW) {
        hub_statement_append_withdrawn(domain, change->body, starts, version, reason, &body);
        counts->vanished++;
    } else {
        hub_statement_append_version(domain, change->body, starts, version, &body);
        counts->read++;
        *(change->withdrawn ? &counts->withdrawn : &counts->published) += 1;
    }
    hub_pipeline_statement(remap->connector, change->key, hub_buffer_bytes(&body), sequence, index,
                           arena, ret_outgoing);
}
