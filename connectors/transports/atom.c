/* atom: a feed of events in archived pages (RFC 4287, RFC 5005 section 4), each page naming the one
 * before it by prev-archive.
 *
 * A walk goes back from the current page to the one that holds the entry that was read last, then
 * forward page by page in the order in which things happened. The position is that entry; so
 * whenever the connector is killed, the next walk ends at the same place, and nothing is skipped or
 * doubled. A page that grows while it is walked leads to a new walk. Archived pages do not change:
 * where one has, or lacks what was read in it, what may have been missed cannot be known, and a
 * person must look. */
#include "connectors/transports/atom_page.h"
#include "connectors/transports/transports.h"

#include <stdlib.h>
#include <string.h>

struct atom_options {
    const char *url;
    struct hub_access_options access;
    const char *order;
    const char *document;
    const char *first_run;
    int64_t archive_max;
    int64_t interval_ms;
};

static const char *const orders[] = {"newest-first", "oldest-first", NULL};
static const char *const documents[] = {"entry", "content", NULL};
static const char *const first_runs[] = {"all", "current", NULL};

static const struct hub_option options[] = {
    {.name = "url",
     HUB_TEXT_OPTION(struct atom_options, url),
     .required = true,
     .help = "Address of the current page of the feed. Every record tells the address of its page: "
             "a secret belongs in a header."},
    {.name = "order",
     HUB_TEXT_OPTION(struct atom_options, order),
     .initial = "newest-first",
     .choices = orders,
     .help = "How the entries of a page are ordered."},
    {.name = "document",
     HUB_TEXT_OPTION(struct atom_options, document),
     .initial = "entry",
     .choices = documents,
     .help = "What becomes a document: the entry, or what is in its content. @entry.id, "
             "@entry.updated, @entry.published, @entry.title, @entry.category (the first one's "
             "term) and @entry.feed are facts of both."},
    {.name = "first_run",
     HUB_TEXT_OPTION(struct atom_options, first_run),
     .initial = "all",
     .choices = first_runs,
     .help = "Whether a first run begins with the oldest archived page or with the current one."},
    {.name = "archive_max",
     HUB_NUMBER_OPTION(struct atom_options, archive_max),
     .initial = "10000",
     .minimum = 1,
     .maximum = 1000000,
     .help = "How many archived pages are walked back at most."},
    {.name = "interval_ms",
     HUB_NUMBER_OPTION(struct atom_options, interval_ms),
     .initial = "60000",
     .minimum = 100,
     .maximum = 86400000,
     .help = "From the end of one walk to the start of the next, in milliseconds."},
    HUB_ACCESS_PACE_OPTION(struct atom_options, access),
    HUB_ACCESS_OPTIONS(struct atom_options, access),
    {0},
};

/* The entry that was read last; rendered as the position. */
struct last {
    char *id, *updated; /* NULL: nothing was read yet */
    char *feed;         /* the page that it was in; of one that still grew, where it will be */
    char *digest;       /* of that page, where it was archived, or NULL */
};

struct atom {
    const struct atom_options *options;
    struct hub_env env;
    struct hub_access access;
    struct last last, pending;
    json_t *trail;   /* addresses from the current page back; empty: no walk is on */
    json_t *visited; /* the same as an object: a trail in a circle ends */
    char *behind;    /* the address of the page that was read before, on the way forward */
    json_t *before;  /* the entries of that page, which the next one may repeat */
    json_t *pending_before;
    bool forward; /* the walk has found its end, and reads */
    bool resting;
    int64_t rest_until_ms; /* by the monotonic clock */
    char *etag, *modified; /* of the current page, once all of it is safe, in this session */
    char *pending_etag, *pending_modified;
};

/* --- the position --- */

static char *copy_or_null(const char *text) {
    return text == NULL ? NULL : hub_copy_text(text);
}

static void free_last(struct last *last) {
    hub_release(last->id);
    hub_release(last->updated);
    hub_release(last->feed);
    hub_release(last->digest);
    *last = (struct last){0};
}

static enum hub_status load_last(struct last *last, const char *text, struct hub_error *reterr) {
    json_error_t error;
    if (text == NULL)
        return HUB_OK;
    json_t *position = json_loads(text, 0, &error);
    *last = (struct last){copy_or_null(json_string_value(json_object_get(position, "id"))),
                          copy_or_null(json_string_value(json_object_get(position, "updated"))),
                          copy_or_null(json_string_value(json_object_get(position, "feed"))),
                          copy_or_null(json_string_value(json_object_get(position, "digest")))};
    json_decref(position);
    if (last->id != NULL && last->updated != NULL && last->feed != NULL)
        return HUB_OK;
    return hub_fail(reterr, HUB_FATAL, "the position is not one of atom: {\"id\": ..., "
                    "\"updated\": ..., \"feed\": ...} would pass");
}

static const char *render_last(struct hub_arena *arena, const struct last *last) {
    json_t *position = json_pack("{s:s, s:s, s:s, s:s?}", "id", last->id, "updated", last->updated,
                                 "feed", last->feed, "digest", last->digest);
    char *text = json_dumps(position, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = hub_arena_text(arena, text, strlen(text));
    free(text);
    json_decref(position);
    return copy;
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct atom_options *own = options_;
    return hub_access_check(&own->access, reterr);
}

static enum hub_status open_atom(void *state_, const void *options_, const struct hub_env *env,
                                 struct hub_error *reterr) {
    struct atom *state = state_;
    state->options = options_;
    state->env = *env;
    state->trail = json_array();
    state->visited = json_object();
    HUB_TRY(load_last(&state->last, env->position, reterr));
    return hub_access_open(&state->access, &state->options->access, env, reterr);
}

static void forget_pending(struct atom *state) {
    free_last(&state->pending);
    json_decref(state->pending_before);
    state->pending_before = NULL;
    state->pending_etag = hub_release(state->pending_etag);
    state->pending_modified = hub_release(state->pending_modified);
}

static void close_atom(void *state_) {
    struct atom *state = state_;
    hub_access_close(&state->access);
    free_last(&state->last);
    forget_pending(state);
    json_decref(state->trail);
    json_decref(state->visited);
    json_decref(state->before);
    hub_release(state->behind);
    hub_release(state->etag);
    hub_release(state->modified);
}

/* --- one page --- */

/* A page of the trail. The caller frees it. */
static enum hub_status fetch(struct atom *state, size_t at, struct hub_batch *batch,
                             struct hub_atom_page *ret_page, struct hub_error *reterr) {
    const struct atom_options *own = state->options;
    bool looks = at == 0 && !state->forward;
    struct hub_atom_asking asking = {
        .address = json_string_value(json_array_get(state->trail, at)),
        .current = at == 0,
        .newest_first = strcmp(own->order, "newest-first") == 0,
        .only_content = strcmp(own->document, "content") == 0,
        .etag = looks ? state->etag : NULL,
        .modified = looks ? state->modified : NULL};
    return hub_atom_fetch(&state->access, &asking, batch, ret_page, reterr);
}

/* --- reading forward --- */

static const char *key_of(struct hub_arena *arena, const struct hub_atom_entry *entry) {
    return hub_arena_format(arena, "%s\n%s", entry->id, entry->updated);
}

static void add_entry(struct hub_batch *batch, const struct hub_atom_page *page,
                      const struct hub_atom_entry *entry) {
    if (batch->documents == NULL)
        batch->documents =
            hub_arena_take_zero(&batch->arena, page->feed.count, sizeof *batch->documents);
    json_t *facts = json_deep_copy(entry->facts);
    json_object_set_new(facts, "feed", json_string(page->address));
    batch->documents[batch->count++] = (struct hub_raw_document){
        .name = hub_arena_format(&batch->arena, "%s#%s", page->address, entry->id),
        .bytes = entry->bytes,
        .context = json_pack("{s:o}", "entry", facts)};
}

/* All of the page's entries from the one at `from` on that the page before did not have. */
static void deliver(struct atom *state, const struct hub_atom_page *page, size_t from,
                    struct hub_batch *batch) {
    const struct hub_atom_entry *newest = NULL;
    state->pending_before = json_object();
    for (size_t i = 0; i < page->feed.count; i++) {
        const struct hub_atom_entry *entry = &page->feed.entries[i];
        const char *key = key_of(&batch->arena, entry);
        bool known = i < from || json_object_get(state->before, key) != NULL ||
                     json_object_get(state->pending_before, key) != NULL;
        json_object_set_new(state->pending_before, key, json_true());
        if (known)
            continue;
        add_entry(batch, page, entry);
        newest = entry;
    }
    state->pending_etag = page->current ? copy_or_null(page->etag) : NULL;
    state->pending_modified = page->current ? copy_or_null(page->modified) : NULL;
    if (newest == NULL)
        return;
    state->pending = (struct last){hub_copy_text(newest->id), hub_copy_text(newest->updated),
                                   hub_copy_text(page->home),
                                   page->current ? NULL : hub_copy_text(page->digest)};
    batch->position = render_last(&batch->arena, &state->pending);
}

/* --- walking back --- */

static void end_walk(struct atom *state) {
    json_array_clear(state->trail);
    json_object_clear(state->visited);
    json_decref(state->before);
    state->before = NULL;
    state->behind = hub_release(state->behind);
    state->forward = false;
}

static void rest(struct atom *state) {
    end_walk(state);
    state->resting = true;
    state->rest_until_ms = state->env.monotonic_ms() + state->options->interval_ms;
}

static void step_to(struct atom *state, const char *address) {
    json_array_append_new(state->trail, json_string(address));
    json_object_set_new(state->visited, address, json_true());
}

/* How many entries of the page were read already: 0 where the last one is not in it. */
static size_t count_read(const struct atom *state, const struct hub_atom_page *page) {
    for (size_t i = page->feed.count; state->last.id != NULL && i > 0; i--)
        if (strcmp(page->feed.entries[i - 1].id, state->last.id) == 0 &&
            strcmp(page->feed.entries[i - 1].updated, state->last.updated) == 0)
            return i;
    return 0;
}

static enum hub_status lost(const struct atom *state, const char *address, const char *why,
                            struct hub_error *reterr) {
    return hub_fail(reterr, HUB_FATAL,
                    "%s: %s entry '%s' of %s, which was read last; what came after it cannot be "
                    "known, and a person must set the position", address, why, state->last.id,
                    state->last.updated);
}

/* The page where this connector was last must be as it was. */
static enum hub_status check_home(const struct atom *state, const struct hub_atom_page *page,
                                  size_t read, struct hub_error *reterr) {
    bool home = !page->current && state->last.id != NULL &&
                strcmp(page->address, state->last.feed) == 0;
    if (!home)
        return HUB_OK;
    if (read == 0)
        return lost(state, page->address, "it no longer has", reterr);
    if (state->last.digest == NULL || strcmp(page->digest, state->last.digest) == 0)
        return HUB_OK;
    return lost(state, page->address, "it is archived and has changed since it gave", reterr);
}

static enum hub_status step_back(struct atom *state, const struct hub_atom_page *page,
                                 struct hub_error *reterr) {
    if (json_object_get(state->visited, page->prev) != NULL)
        return hub_fail(reterr, HUB_FATAL, "%s: its prev-archive %s leads in a circle",
                        page->address, page->prev);
    if ((int64_t)json_array_size(state->trail) > state->options->archive_max)
        return hub_fail(reterr, HUB_FATAL, "%s: more than %lld archived pages (archive_max)",
                        page->address, (long long)state->options->archive_max);
    step_to(state, page->prev);
    return HUB_OK;
}

/* Looks at the page that the walk has come to; reads it where it is the one to begin with. */
static enum hub_status look_back(struct atom *state, const struct hub_atom_page *page,
                                 struct hub_batch *batch, struct hub_error *reterr) {
    bool first_run = state->last.id == NULL;
    if (!page->changed) { /* all of the current page was read */
        rest(state);
        return HUB_OK;
    }
    size_t read = count_read(state, page);
    HUB_TRY(check_home(state, page, read, reterr));
    bool begins = read > 0 || (first_run && (page->prev == NULL ||
                                             strcmp(state->options->first_run, "current") == 0));
    if (!begins && page->prev == NULL)
        return lost(state, page->address, "it is the oldest page, and no page has", reterr);
    if (!begins)
        return step_back(state, page, reterr);
    state->forward = true;
    deliver(state, page, read, batch);
    return HUB_OK;
}

/* The next page on the way forward. It must still be the one after the page before. */
static enum hub_status look_forward(struct atom *state, const struct hub_atom_page *page,
                                    struct hub_batch *batch, struct hub_error *reterr) {
    if (page->prev != NULL && strcmp(page->prev, state->behind) == 0) {
        deliver(state, page, 0, batch);
        return HUB_OK;
    }
    if (!page->current)
        return hub_fail(reterr, HUB_FATAL, "%s: it is archived and has changed: its prev-archive "
                        "was %s a moment ago", page->address, state->behind);
    end_walk(state); /* more was archived meanwhile */
    return HUB_OK;
}

static enum hub_status read_next(struct atom *state, struct hub_batch *batch,
                                 struct hub_error *reterr) {
    struct hub_atom_page page = {0};
    forget_pending(state);
    if (json_array_size(state->trail) == 0)
        step_to(state, state->options->url);
    size_t at = json_array_size(state->trail) - 1;
    bool forward = state->forward;
    HUB_TRY(fetch(state, at, batch, &page, reterr));
    enum hub_status status = forward ? look_forward(state, &page, batch, reterr)
                                     : look_back(state, &page, batch, reterr);
    hub_atom_page_free(&page);
    return status;
}

/* --- the transport --- */

static enum hub_status commit_atom(void *state_, struct hub_error *reterr) {
    struct atom *state = state_;
    (void)reterr;
    if (state->pending_before == NULL)
        return HUB_OK;
    if (state->pending.id != NULL) {
        free_last(&state->last);
        state->last = state->pending;
        state->pending = (struct last){0};
    }
    json_decref(state->before);
    state->before = state->pending_before;
    state->pending_before = NULL;
    size_t at = json_array_size(state->trail) - 1;
    hub_release(state->behind);
    state->behind = hub_copy_text(json_string_value(json_array_get(state->trail, at)));
    json_array_remove(state->trail, at);
    if (json_array_size(state->trail) == 0) {
        hub_release(state->etag);
        hub_release(state->modified);
        state->etag = state->pending_etag;
        state->modified = state->pending_modified;
        state->pending_etag = state->pending_modified = NULL;
        rest(state);
    }
    return HUB_OK;
}

static enum hub_status poll_atom(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                 struct hub_error *reterr) {
    struct atom *state = state_;
    struct hub_batch batch = {0};
    int64_t left_ms = state->rest_until_ms - state->env.monotonic_ms();
    if (state->resting && left_ms > 0) {
        hub_access_wait_ms(left_ms < timeout_ms ? left_ms : timeout_ms);
        batch.exhausted = true;
        *ret_batch = batch;
        return HUB_OK;
    }
    state->resting = false;
    if (hub_access_rests(&state->access, timeout_ms)) {
        *ret_batch = batch;
        return HUB_OK;
    }
    enum hub_status status = read_next(state, &batch, reterr);
    if (status != HUB_OK) {
        int64_t retry_after_ms = batch.retry_after_ms;
        hub_batch_free(&batch);
        ret_batch->retry_after_ms = retry_after_ms;
        return status;
    }
    if (batch.count == 0) /* nothing waits for Kafka */
        status = commit_atom(state, reterr);
    *ret_batch = batch;
    return status;
}

static void dress(const void *options_, struct hub_raw_document *document) {
    json_t *facts = hub_atom_facts_of(document->bytes);
    (void)options_;
    if (facts != NULL)
        json_object_set_new(document->context, "entry", facts);
}

static bool rereads(const void *options_) {
    (void)options_;
    return false;
}

const struct hub_transport hub_transport_atom = {
    .name = "atom",
    .summary = "An Atom feed with archived pages, read from its oldest entry to its newest.",
    .options = options,
    .options_size = sizeof(struct atom_options),
    .check = check_options,
    .state_size = sizeof(struct atom),
    .open = open_atom,
    .poll = poll_atom,
    .commit = commit_atom,
    .close = close_atom,
    .dress = dress,
    .rereads = rereads,
};
