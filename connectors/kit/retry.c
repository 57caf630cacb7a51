#include "connectors/kit/retry.h"

#include "connectors/kit/remap_state.h"

#include <stdlib.h>
#include <string.h>

/* A key that a document gives, by the record. */
struct given {
    const char *key;
    size_t index;
};

struct hub_remap_reading {
    const struct hub_raw_document *document;
    const char *name; /* the document's, as letters tell it */
    const struct remap_source *source;
    int64_t sequence;
    struct hub_outgoing_list list;
    const char **places; /* of what goes out, as letters tell them */
    struct given *given; /* by key and index */
    size_t given_count;
};

static int by_key_and_index(const void *left, const void *right) {
    const struct given *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order != 0 ? order : a->index < b->index ? -1 : a->index > b->index;
}

static const char *place_of(const struct hub_remap_reading *reading,
                            const struct hub_mapped *mapped, struct hub_arena *arena) {
    return hub_pipeline_document(reading->document, mapped == NULL ? NULL : mapped->place, arena);
}

struct hub_remap_reading *hub_remap_read(struct hub_remap *remap,
                                         const struct hub_raw_document *document, int64_t sequence,
                                         int64_t next, struct hub_arena *arena) {
    struct hub_remap_reading *reading = hub_arena_take_zero(arena, 1, sizeof *reading);
    reading->document = document;
    reading->name = hub_pipeline_document(document, NULL, arena);
    reading->source = hub_remap_source(remap, document->bytes);
    /* Where a source is read again, what is refused is told once: it speaks as of the last reading. */
    reading->sequence = hub_remap_rereads(remap) ? reading->source->sequence : sequence;
    hub_remap_map(remap, document, next, arena, &reading->list);
    size_t count = reading->list.count;
    reading->places = hub_arena_take(arena, (count + 1) * sizeof *reading->places);
    reading->given = hub_arena_take(arena, (count + 1) * sizeof *reading->given);
    for (size_t i = 0; i < count; i++) {
        const struct hub_outgoing *outgoing = &reading->list.items[i];
        reading->places[i] = place_of(reading, outgoing->mapped, arena);
        if (!outgoing->dead)
            reading->given[reading->given_count++] = (struct given){outgoing->key, i};
    }
    qsort(reading->given, reading->given_count, sizeof *reading->given, by_key_and_index);
    return reading;
}

/* Whether a record is one of the letter's: at its place, a part of the row that it is about, or of a document that is
 * wholly so. */
static bool is_of(const struct hub_remap_reading *reading, const char *letter, const char *place) {
    size_t size = strlen(letter);
    return strcmp(letter, reading->name) == 0 ||
           (strncmp(place, letter, size) == 0 && (place[size] == '\0' || place[size] == ','));
}

/* What the document gives of the same key further on, and whether the letter is about that, too. */
static bool has_later(const struct hub_remap_reading *reading, const char *letter, size_t index,
                      bool *ret_own) {
    struct given own = {reading->list.items[index].key, index};
    const struct given *end = reading->given + reading->given_count;
    const struct given *given = bsearch(&own, reading->given, reading->given_count, sizeof own,
                                        by_key_and_index);
    const struct given *next = given + 1;
    *ret_own = false;
    for (; next < end && strcmp(next->key, own.key) == 0; next++)
        *ret_own |= is_of(reading, letter, reading->places[next->index]);
    return next > given + 1;
}

static struct hub_remap_change judge(struct hub_remap *remap,
                                     const struct hub_remap_reading *reading,
                                     const struct hub_outgoing *outgoing, bool has_later) {
    struct hub_remap_standing standing = {.given = true};
    struct hub_stamp stamp = hub_remap_stamp(remap, outgoing->body);
    struct remap_voice voice = {hub_version_of_source(stamp.version), reading->sequence};
    struct remap_key *key = NULL;
    HASH_FIND_STR(remap->keys, outgoing->key, key);
    if (key != NULL && key->published) {
        struct hub_bytes published = hub_known_body(remap->known, key->text);
        bool same_document = memcmp(&key->raw_hash, &reading->source->raw_hash,
                                    sizeof key->raw_hash) == 0;
        standing.published = true;
        standing.vanished =
            hub_remap_has_vanished(remap, published) && reading->sequence < key->told;
        standing.older = hub_remap_compare(&voice, &key->published_by) < 0 ||
                         (same_document && has_later);
        standing.differs = hub_known_differs(remap->known, key->text, outgoing->body);
    }
    return (struct hub_remap_change){.key = outgoing->key,
                                     .verdict = hub_remap_judge(&standing),
                                     .body = outgoing->body,
                                     .withdrawn = stamp.withdrawn,
                                     .published = standing.published};
}

/* The first that fits: what is refused keeps the letter open, and what is published is more than what is not. */
static enum hub_letter_outcome outcome_of(const struct hub_remap_retry *retry,
                                          const size_t counts[HUB_REMAP_VERDICTS]) {
    if (retry->refusal != NULL)
        return HUB_LETTER_REFUSED;
    if (retry->change_count > 0)
        return HUB_LETTER_PUBLISHED;
    if (counts[HUB_REMAP_UNCHANGED] > 0)
        return HUB_LETTER_UNCHANGED;
    return retry->key_count > 0 ? HUB_LETTER_SUPERSEDED : HUB_LETTER_SKIPPED;
}

static bool is_skipped(const struct hub_remap_reading *reading, const char *letter,
                       struct hub_arena *arena) {
    const struct hub_mapped_list *mapped = &reading->list.mapped;
    for (size_t i = 0; i < mapped->count; i++)
        if (mapped->items[i].skipped != NULL &&
            is_of(reading, letter, place_of(reading, &mapped->items[i], arena)))
            return true;
    return false;
}

void hub_remap_retry(struct hub_remap *remap, const struct hub_remap_reading *reading,
                     const char *letter, struct hub_arena *arena,
                     struct hub_remap_retry *ret_retry) {
    size_t count = reading->list.count, counts[HUB_REMAP_VERDICTS] = {0};
    struct hub_remap_change *changes = hub_arena_take(arena, (count + 1) * sizeof *changes);
    const char **keys = hub_arena_take(arena, (count + 1) * sizeof *keys);
    const char **refused = hub_arena_take(arena, (count + 1) * sizeof *refused);
    *ret_retry = (struct hub_remap_retry){.changes = changes, .keys = keys, .refused = refused};
    for (size_t i = 0; i < count; i++) {
        const struct hub_outgoing *outgoing = &reading->list.items[i];
        bool own = false;
        if (!is_of(reading, letter, reading->places[i]))
            continue;
        ret_retry->found = true;
        const char *key = !outgoing->dead           ? outgoing->key
                          : outgoing->mapped == NULL ? NULL
                                                     : outgoing->mapped->key;
        if (key != NULL)
            keys[ret_retry->key_count++] = key;
        if (outgoing->dead) {
            ret_retry->refusal = ret_retry->refusal == NULL ? outgoing : ret_retry->refusal;
            if (key != NULL)
                refused[ret_retry->refused_count++] = key;
            continue;
        }
        bool later = has_later(reading, letter, i, &own);
        if (own)
            continue;
        struct hub_remap_change change = judge(remap, reading, outgoing, later);
        counts[change.verdict]++;
        if (change.verdict == HUB_REMAP_ADD || change.verdict == HUB_REMAP_REPLACE)
            changes[ret_retry->change_count++] = change;
    }
    ret_retry->found |= is_skipped(reading, letter, arena);
    ret_retry->outcome = outcome_of(ret_retry, counts);
}

bool hub_remap_is_said_after(const struct hub_remap *remap, const char *key, int64_t sequence) {
    struct remap_key *found = NULL;
    HASH_FIND_STR(remap->keys, key, found);
    return found != NULL && found->published && found->published_by.sequence > sequence;
}
