/* A folder of an SFTP server.
 *
 *
 * libcurl gives two things: the listing as text, which tells files from links and pipes, with
 * sizes, but times in minutes only; and of one file at a time its size and time, for four round
 * trips. So a file is asked for when its line of the listing is new, and once more when the
 * minute that the line tells is over, for a change that the line cannot show; then the line is
 * believed as long as it stays. Times are the server's: they tell one content from another, and
 * never how old it is. */
#include "connectors/transports/drop_place.h"

#include "connectors/transports/drop_listing.h"
#include "hub/base/table.h"
#include "hub/io/http_client.h"
#include "hub/io/sftp_client.h"

#include <string.h>
#include <unistd.h>

enum { LINE_SIZE_MAX = 1024, MINUTE_MS = 120000 };

/* What is known of a file since it was listed so. */
struct known {
    UT_hash_handle hh;
    char *name, *line;
    int64_t since_ms, asked_ms; /* asked: NEVER, or when */
    struct hub_sftp_facts facts;
    bool is_listed; /* in the listing that was read last */
};

enum { NEVER = -1 };

struct sftp_place {
    struct hub_sftp_access access;
    struct hub_sftp_client *client;
    int64_t (*monotonic_ms)(void);
    struct known *known;
};

static enum hub_drop_result result_of(enum hub_sftp_result result) {
    switch (result) {
    case HUB_SFTP_OK:
        return HUB_DROP_DONE;
    case HUB_SFTP_GONE:
        return HUB_DROP_CHANGED;
    case HUB_SFTP_DENIED:
        return HUB_DROP_UNREADABLE;
    case HUB_SFTP_TOO_LARGE:
        return HUB_DROP_TOO_LARGE;
    case HUB_SFTP_AWAY:
        return HUB_DROP_AWAY;
    case HUB_SFTP_REFUSED:
        return HUB_DROP_FATAL;
    }
    return HUB_DROP_FATAL;
}

/* --- the listing --- */

static void forget(struct sftp_place *sftp, struct known *known) {
    HASH_DEL(sftp->known, known);
    hub_release(known->name);
    hub_release(known->line);
    hub_release(known);
}

static void note_line(struct sftp_place *sftp, const char *name, struct hub_bytes line) {
    struct known *known = NULL;
    HASH_FIND_STR(sftp->known, name, known);
    if (known != NULL && !hub_bytes_equal_text(line, known->line)) {
        forget(sftp, known);
        known = NULL;
    }
    if (known == NULL) {
        known = hub_allocate_zero(1, sizeof *known);
        known->name = hub_copy_text(name);
        known->line = hub_copy_bytes(line.data, line.size);
        known->since_ms = sftp->monotonic_ms();
        known->asked_ms = NEVER;
        HASH_ADD_KEYPTR(hh, sftp->known, known->name, strlen(known->name), known);
    }
    known->is_listed = true;
}

static void forget_unlisted(struct sftp_place *sftp) {
    struct known *known = NULL, *next = NULL;
    HASH_ITER(hh, sftp->known, known, next) {
        if (!known->is_listed)
            forget(sftp, known);
        else
            known->is_listed = false;
    }
}

/* What stands after the last line break is a line, too. */
static bool take_line(struct hub_bytes *rest, struct hub_bytes *ret_line) {
    if (rest->size == 0)
        return false;
    if (!hub_bytes_cut(*rest, '\n', ret_line, rest)) {
        *ret_line = *rest;
        *rest = hub_bytes(NULL, 0);
    }
    return true;
}

static const char *text_of(struct hub_bytes bytes, struct hub_arena *arena) {
    return hub_arena_text(arena, (const char *)bytes.data, bytes.size);
}

/* A zero byte would end a name before its end. */
static bool is_line(struct hub_bytes text, struct hub_drop_line *ret_line) {
    return text.size <= LINE_SIZE_MAX && memchr(text.data, 0, text.size) == NULL &&
           hub_drop_line_read(text, ret_line);
}

static struct hub_drop_file unread(struct hub_bytes text, struct hub_arena *arena) {
    size_t size = text.size > LINE_SIZE_MAX ? LINE_SIZE_MAX : text.size;
    return (struct hub_drop_file){.name = text_of(hub_bytes_part(text, 0, size), arena),
                                  .is_unread = true,
                                  .kind = HUB_FILE_OTHER,
                                  .modified_ms = INT64_MAX,
                                  .mark = "line"};
}

/* Returns how many lines could be read, also of names that begin with a dot, which are left out;
 * but not where they lead elsewhere, of which somebody should hear. */
static size_t read_lines(struct sftp_place *sftp, struct hub_bytes text, struct hub_arena *arena,
                         struct hub_drop_listing *listing) {
    size_t read = 0;
    for (struct hub_bytes line; take_line(&text, &line);) {
        struct hub_drop_line told;
        bool is = is_line(line, &told);
        read += is;
        if (!is) {
            listing->files[listing->count++] = unread(line, arena);
        } else if (told.name.data[0] != '.' ||
                   memchr(told.name.data, '/', told.name.size) != NULL) {
            const char *name = text_of(told.name, arena);
            listing->files[listing->count++] = (struct hub_drop_file){
                .name = name,
                .kind = told.kind,
                .size = told.size,
                .modified_ms = INT64_MAX,
                .mark = hub_arena_format(arena, "%llu", (unsigned long long)told.size)};
            if (told.kind == HUB_FILE_REGULAR)
                note_line(sftp, name, line);
        }
    }
    return read;
}

static size_t count_lines(struct hub_bytes text) {
    size_t count = 0;
    for (struct hub_bytes line; take_line(&text, &line);)
        count++;
    return count;
}

static enum hub_drop_result list(struct hub_drop_place *place, struct hub_arena *arena,
                                 struct hub_drop_listing *ret_listing,
                                 struct hub_error *reterr) {
    struct sftp_place *sftp = place->state;
    HUB_SCOPED_BUFFER text = {.size_max = (size_t)HUB_DROP_FILES_MAX * LINE_SIZE_MAX};
    const char *address = hub_arena_format(arena, "%s/", place->address);
    *ret_listing = (struct hub_drop_listing){0};
    enum hub_sftp_result result = hub_sftp_list(sftp->client, address, &text, reterr);
    /* Whatever is wrong with the folder is wrong with all that is in it. */
    if (result == HUB_SFTP_GONE || result == HUB_SFTP_DENIED)
        return HUB_DROP_AWAY;
    if (result == HUB_SFTP_TOO_LARGE)
        return HUB_DROP_FATAL;
    if (result != HUB_SFTP_OK)
        return result_of(result);
    size_t count = count_lines(hub_buffer_bytes(&text));
    if (count > HUB_DROP_FILES_MAX)
        return hub_drop_too_many(place, count, reterr);
    ret_listing->files = hub_arena_take_zero(arena, count + 1, sizeof *ret_listing->files);
    if (read_lines(sftp, hub_buffer_bytes(&text), arena, ret_listing) == 0 && count > 0) {
        hub_fail(reterr, HUB_FATAL, "%s: its listing is not as ls -l writes one, so that nobody "
                 "can tell files from links there", address);
        return HUB_DROP_FATAL;
    }
    forget_unlisted(sftp);
    hub_drop_listing_sort(ret_listing);
    return HUB_DROP_DONE;
}

/* --- one file --- */

static const char *address_of(const struct hub_drop_place *place, const char *name,
                              struct hub_arena *arena) {
    HUB_SCOPED_BUFFER address = {0};
    hub_buffer_append_format(&address, "%s/", place->address);
    hub_http_append_escaped(name, &address);
    return hub_arena_text(arena, (const char *)address.data, address.size);
}

/* NULL where what was told of it is still to be believed. */
static struct known *to_ask(struct sftp_place *sftp, const char *name, struct known **ret_known) {
    struct known *known = NULL;
    HASH_FIND_STR(sftp->known, name, known);
    *ret_known = known;
    bool later = known->asked_ms != NEVER && known->asked_ms - known->since_ms < MINUTE_MS &&
                 sftp->monotonic_ms() - known->since_ms >= MINUTE_MS;
    return known->asked_ms == NEVER || later ? known : NULL;
}

static enum hub_drop_result look(struct hub_drop_place *place, struct hub_drop_file *file,
                                 struct hub_arena *arena, struct hub_error *reterr) {
    struct sftp_place *sftp = place->state;
    struct known *known = NULL;
    if (to_ask(sftp, file->name, &known) != NULL) {
        enum hub_sftp_result result = hub_sftp_look(
            sftp->client, address_of(place, file->name, arena), &known->facts, reterr);
        if (result != HUB_SFTP_OK)
            return result_of(result);
        known->asked_ms = sftp->monotonic_ms();
    }
    file->size = known->facts.size;
    file->mark = hub_arena_format(arena, "%llu-%lld", (unsigned long long)known->facts.size,
                                  (long long)known->facts.modified_s);
    return HUB_DROP_DONE;
}

static bool same_facts(const struct hub_sftp_facts *a, const struct hub_sftp_facts *b) {
    return a->size == b->size && a->modified_s == b->modified_s;
}

/* It may be written again meanwhile: its facts must be the same before and after, and what came
 * must be as long as they say. */
static enum hub_drop_result fetch(struct hub_drop_place *place, const struct hub_drop_file *file,
                                  struct hub_buffer *buffer, struct hub_error *reterr) {
    struct sftp_place *sftp = place->state;
    struct hub_arena arena = {0};
    struct hub_sftp_facts before, after;
    struct known *known = NULL;
    const char *address = address_of(place, file->name, &arena);
    HASH_FIND_STR(sftp->known, file->name, known);
    enum hub_sftp_result result = hub_sftp_read(sftp->client, address, buffer, &before, reterr);
    if (result == HUB_SFTP_OK)
        result = hub_sftp_look(sftp->client, address, &after, reterr);
    bool same = result == HUB_SFTP_OK && same_facts(&before, &known->facts) &&
                same_facts(&after, &known->facts) &&
                (before.size == 0 || before.size == buffer->size);
    if (!same)
        known->asked_ms = NEVER;
    hub_arena_destroy(&arena);
    return result == HUB_SFTP_OK && !same ? HUB_DROP_CHANGED : result_of(result);
}

/* --- opening --- */

bool hub_drop_is_sftp(const char *folder) {
    return strncmp(folder, "sftp:", 5) == 0;
}

enum hub_status hub_drop_sftp_check(const struct hub_drop_sftp_options *options,
                                    const char *const *folders, struct hub_error *reterr) {
    bool any = false;
    for (size_t i = 0; folders[i] != NULL; i++)
        if (hub_drop_is_sftp(folders[i])) {
            HUB_TRY(hub_sftp_check_address(folders[i], reterr));
            any = true;
        }
    if (any && options->known_hosts == NULL)
        return hub_fail(reterr, HUB_FATAL, "sftp_known_hosts is missing: without the servers' keys "
                        "nobody knows who answers");
    if (any && (options->key == NULL) == (options->password == NULL))
        return hub_fail(reterr, HUB_FATAL, "one of sftp_key and sftp_password would pass");
    if (options->key_passphrase != NULL && options->key == NULL)
        return hub_fail(reterr, HUB_FATAL, "sftp_key_passphrase needs sftp_key");
    return HUB_OK;
}

static enum hub_status resolve(const char *file, const struct hub_env *env,
                               struct hub_arena *arena, const char **ret_path,
                               struct hub_error *reterr) {
    if (file == NULL)
        return HUB_OK;
    *ret_path = env->folder == NULL ? file : hub_file_resolve(env->folder, file, arena);
    if (access(*ret_path, R_OK) != 0)
        return hub_fail(reterr, HUB_FATAL, "%s: %m", *ret_path);
    return HUB_OK;
}

static void close_sftp(struct hub_drop_place *place) {
    struct sftp_place *sftp = place->state;
    struct known *known = NULL, *next = NULL;
    hub_sftp_client_free(sftp->client);
    HASH_ITER(hh, sftp->known, known, next)
        forget(sftp, known);
}

static const char *without_slash(const char *address, struct hub_arena *arena) {
    size_t size = strlen(address);
    while (address[size - 1] == '/')
        size--;
    return hub_arena_text(arena, address, size);
}

enum hub_status hub_drop_sftp_open(const struct hub_drop_sftp_options *options,
                                   const char *address, const struct hub_env *env,
                                   struct hub_arena *arena, struct hub_drop_place *ret_place,
                                   struct hub_error *reterr) {
    static const struct hub_drop_kind kind = {
        .list = list, .look = look, .fetch = fetch, .close = close_sftp};
    struct sftp_place *sftp = hub_arena_take_zero(arena, 1, sizeof *sftp);
    *ret_place = (struct hub_drop_place){.kind = &kind,
                                         .address = without_slash(address, arena),
                                         .settle_ms = options->settle_ms,
                                         .state = sftp};
    sftp->monotonic_ms = env->monotonic_ms;
    sftp->access = (struct hub_sftp_access){.key_passphrase = options->key_passphrase,
                                            .password = options->password,
                                            .connect_timeout_ms = options->connect_timeout_ms,
                                            .timeout_ms = options->timeout_ms,
                                            .slow_s = options->slow_s,
                                            .is_stopping = env->is_stopping};
    HUB_TRY(resolve(options->known_hosts, env, arena, &sftp->access.known_hosts, reterr));
    HUB_TRY(resolve(options->key, env, arena, &sftp->access.key, reterr));
    return hub_sftp_client_new(&sftp->access, &sftp->client, reterr);
}
