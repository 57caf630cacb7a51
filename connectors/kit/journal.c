#include "connectors/kit/journal.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "hub/io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAYS_INITIAL_MAX = 3660, DAY_SIZE = 11, DAY_MS = 86400000 };

const struct hub_option hub_journal_option_table[] = {
    {.name = "days",
     HUB_NUMBER_OPTION(struct hub_journal_options, days),
     .initial = "30",
     .minimum = 0,
     .maximum = DAYS_INITIAL_MAX,
     .help = "How long what was read is kept, encrypted, to be mapped again; 0: not at all, and what there "
             "is is removed."},
    {0},
};

struct hub_journal {
    struct hub_journal_config config;
    struct hub_arena arena;
    const char *folder;
    int descriptor; /* of today's file; -1: none is open yet */
    char day[DAY_SIZE];
    struct hub_digest key; /* of that day */
    int64_t last; /* the highest sequence that was written; 0: nobody knows */
};

static const char *folder_of(const struct hub_journal_config *config, struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/journal/%s", config->state_folder, config->name);
}

static void write_day(int64_t now_ms, char day[DAY_SIZE]) {
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm parts = {0};
    gmtime_r(&seconds, &parts);
    strftime(day, DAY_SIZE, "%Y-%m-%d", &parts);
}

/* What has another name is not ours. */
static bool is_day(const char *name) {
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof form; i++)
        if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i])
            return false;
    return true;
}

static struct hub_digest key_of(const struct hub_key *key, const char *name, const char *day) {
    HUB_SCOPED_BUFFER purpose = {0};
    hub_buffer_append_format(&purpose, "atmp-hub journal 1/%s/%s", name, day);
    return hub_hmac_sha256(key->bytes, hub_buffer_bytes(&purpose));
}

/* EFBIG: where the user's files may not be larger. */
static enum hub_status could_not(const char *path, int code, struct hub_error *reterr) {
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    return hub_fail(reterr, full ? HUB_RETRY : HUB_FATAL, "journal: %s: %s%s", path, strerror(code),
                    full ? "; nothing is published that could not be kept" : "");
}

/* --- a file as it is --- */

struct mapped_file {
    struct hub_bytes bytes;
    void *memory;
};

static void unmap(struct mapped_file *file) {
    if (file->memory != NULL)
        munmap(file->memory, file->bytes.size);
}
#define SCOPED_FILE __attribute__((cleanup(unmap))) struct mapped_file

static bool map_descriptor(int descriptor, struct mapped_file *ret_file) {
    struct stat facts;
    *ret_file = (struct mapped_file){0};
    if (fstat(descriptor, &facts) != 0)
        return false;
    if (facts.st_size == 0)
        return true;
    void *memory = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory == MAP_FAILED)
        return false;
    *ret_file = (struct mapped_file){hub_bytes(memory, (size_t)facts.st_size), memory};
    return true;
}

static bool map(const char *path, struct mapped_file *ret_file) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool done = descriptor >= 0 && map_descriptor(descriptor, ret_file);
    int code = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = code;
    return done;
}

/* --- writing --- */

static size_t end_of_entries(struct hub_bytes bytes) {
    struct hub_journal_place place;
    size_t end = 0;
    while (hub_journal_entry_find(bytes, end, &place))
        end = place.to;
    return end;
}

/* What a crash has left half written was never published: its batch came again, or comes. */
static enum hub_status cut_tail(const char *path, int descriptor, struct hub_error *reterr) {
    SCOPED_FILE file;
    if (!map_descriptor(descriptor, &file))
        return could_not(path, errno, reterr);
    size_t end = end_of_entries(file.bytes), size = file.bytes.size;
    if (end == size)
        return HUB_OK;
    if (ftruncate(descriptor, (off_t)end) != 0)
        return could_not(path, errno, reterr);
    hub_log(HUB_LOG_WARNING, "journal_cut", "%s: %zu bytes behind its last whole entry, at %zu, are "
            "removed: an entry that was not written to its end, and not published", path, size - end,
            end);
    return HUB_OK;
}

static enum hub_status sync_folder(const char *folder, struct hub_error *reterr) {
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = descriptor >= 0 && fsync(descriptor) == 0;
    int code = errno;
    if (descriptor >= 0)
        close(descriptor);
    return done ? HUB_OK : could_not(folder, code, reterr);
}

static void close_file(struct hub_journal *journal) {
    if (journal->descriptor >= 0)
        close(journal->descriptor);
    journal->descriptor = -1;
}

static enum hub_status open_day(struct hub_journal *journal, const char *day,
                                struct hub_error *reterr) {
    const char *path = hub_arena_format(&journal->arena, "%s/%s", journal->folder, day);
    close_file(journal);
    int descriptor =
        open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return could_not(path, errno, reterr);
    enum hub_status status = cut_tail(path, descriptor, reterr);
    if (status == HUB_OK)
        status = sync_folder(journal->folder, reterr);
    if (status != HUB_OK) {
        close(descriptor);
        return status;
    }
    journal->descriptor = descriptor;
    memcpy(journal->day, day, DAY_SIZE);
    journal->key = key_of(&journal->config.keys->journal, journal->config.name, day);
    return HUB_OK;
}

static enum hub_status turn_to(struct hub_journal *journal, int64_t now_ms,
                               struct hub_error *reterr) {
    char day[DAY_SIZE];
    write_day(now_ms, day);
    if (journal->descriptor >= 0 && strcmp(day, journal->day) == 0)
        return HUB_OK;
    HUB_TRY(hub_journal_expire(&journal->config, now_ms, reterr));
    return open_day(journal, day, reterr);
}

enum hub_status hub_journal_open(const struct hub_journal_config *config, int64_t now_ms,
                                 struct hub_journal **ret_journal, struct hub_error *reterr) {
    struct hub_journal *journal = hub_allocate_zero(1, sizeof *journal);
    journal->config = *config;
    journal->descriptor = -1;
    journal->folder = folder_of(config, &journal->arena);
    enum hub_status status = hub_file_make_folder(journal->folder, reterr);
    if (status == HUB_OK)
        status = turn_to(journal, now_ms, reterr);
    if (status != HUB_OK)
        hub_journal_close(journal);
    else
        *ret_journal = journal;
    return status;
}

void hub_journal_close(struct hub_journal *journal) {
    if (journal == NULL)
        return;
    close_file(journal);
    hub_arena_destroy(&journal->arena);
    hub_release(journal);
}

static bool write_all(int descriptor, struct hub_bytes bytes) {
    while (bytes.size > 0) {
        ssize_t wrote = write(descriptor, bytes.data, bytes.size);
        if (wrote < 0 && errno != EINTR)
            return false;
        if (wrote > 0)
            bytes = hub_bytes_part(bytes, (size_t)wrote, bytes.size);
    }
    return true;
}

static bool write_entry(struct hub_journal *journal, const struct hub_journal_entry *entry,
                        enum hub_status *ret_status, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = SIZE_MAX / 2};
    *ret_status = hub_journal_entry_append(entry, &journal->key, journal->config.keys->journal.id,
                                           &bytes, reterr);
    return *ret_status == HUB_OK && write_all(journal->descriptor, hub_buffer_bytes(&bytes));
}

static bool write_batch(struct hub_journal *journal, const struct hub_raw_document *documents,
                        size_t count, int64_t first, int64_t now_ms, enum hub_status *ret_status,
                        struct hub_error *reterr) {
    struct hub_journal_entry entry = {first, now_ms, count == 0, {0}};
    if (count == 0 && !write_entry(journal, &entry, ret_status, reterr))
        return false;
    for (size_t i = 0; i < count; i++, entry.sequence++) {
        entry.document = documents[i];
        if (!write_entry(journal, &entry, ret_status, reterr))
            return false;
    }
    return fdatasync(journal->descriptor) == 0;
}

/* Where it fails, what was written of it goes: after a full disk the next batch finds a whole file, and where even
 * that fails, the next start does. */
enum hub_status hub_journal_append(struct hub_journal *journal,
                                   const struct hub_raw_document *documents, size_t count,
                                   int64_t first, int64_t now_ms, struct hub_error *reterr) {
    struct stat before;
    enum hub_status status = HUB_OK;
    /* That a sequence has none need only be said where an earlier entry could be taken for it. */
    if (count == 0 && journal->last > 0 && journal->last < first)
        return HUB_OK;
    HUB_TRY(turn_to(journal, now_ms, reterr));
    if (fstat(journal->descriptor, &before) != 0)
        return could_not(journal->folder, errno, reterr);
    if (write_batch(journal, documents, count, first, now_ms, &status, reterr)) {
        journal->last = first + (count == 0 ? 0 : (int64_t)count - 1);
        return HUB_OK;
    }
    if (status == HUB_OK)
        status = could_not(journal->folder, errno, reterr);
    if (ftruncate(journal->descriptor, before.st_size) != 0)
        close_file(journal); /* what is opened anew is cut */
    return status;
}

enum hub_status hub_journal_expire(const struct hub_journal_config *config, int64_t now_ms,
                                   struct hub_error *reterr) {
    struct hub_arena arena = {0};
    char first[DAY_SIZE];
    char **names = NULL;
    size_t count = 0;
    const char *folder = folder_of(config, &arena);
    write_day(now_ms - config->days * DAY_MS, first);
    enum hub_status status = HUB_OK;
    if (hub_file_is_folder(folder))
        status = hub_file_list(folder, "", &arena, &names, &count, reterr);
    for (size_t i = 0; status == HUB_OK && i < count; i++) {
        const char *path = hub_arena_format(&arena, "%s/%s", folder, names[i]);
        bool old = config->days == 0 || strcmp(names[i], first) < 0;
        if (is_day(names[i]) && old && unlink(path) != 0 && errno != ENOENT)
            status = could_not(path, errno, reterr);
    }
    hub_arena_destroy(&arena);
    return status;
}

/* --- reading --- */

struct reading {
    const struct hub_journal_config *config;
    enum hub_status (*take)(void *context, const struct hub_journal_entry *entry,
                            struct hub_error *reterr);
    void *context;
    struct hub_arena arena;
    const char *path, *day;
    char key_id[HUB_JOURNAL_KEY_ID_MAX + 1]; /* the last entry's; empty at the beginning of a file */
    struct hub_digest key;
    size_t damaged;
};

static void tell_damage(struct reading *reading, size_t from, size_t to, const char *why) {
    reading->damaged++;
    hub_log(HUB_LOG_WARNING, "journal_damaged", "%s: bytes %zu to %zu cannot be read: %s",
            reading->path, from, to, why);
}

/* Most entries of a file have one key. */
static bool take_key(struct reading *reading, const char *id, struct hub_error *reterr) {
    struct hub_key key;
    if (*reading->key_id != '\0' && strcmp(reading->key_id, id) == 0)
        return true;
    if (hub_keys_find(reading->config->keys, HUB_JOURNAL_KEYS, id, &reading->arena, &key, reterr) !=
        HUB_OK)
        return false;
    memcpy(reading->key_id, id, strlen(id) + 1);
    reading->key = key_of(&key, reading->config->name, reading->day);
    return true;
}

static enum hub_status read_entry(struct reading *reading, struct hub_bytes bytes,
                                  const struct hub_journal_place *place, bool *ret_read,
                                  struct hub_error *reterr) {
    HUB_SCOPED_BUFFER plain = {0};
    struct hub_journal_entry entry = {0};
    struct hub_error why;
    enum hub_status status = HUB_OK;
    *ret_read = false;
    if (!take_key(reading, place->key_id, &why)) {
        tell_damage(reading, place->from, place->to, why.text);
        return HUB_OK;
    }
    *ret_read =
        hub_journal_entry_read(bytes, place, &reading->key, &reading->arena, &plain, &entry);
    if (*ret_read)
        status = reading->take(reading->context, &entry, reterr);
    else
        tell_damage(reading, place->from, place->to,
                    "it is not what this connector wrote on that day with that key");
    json_decref(entry.document.context);
    return status;
}

/* Behind an entry that cannot be read the next is looked for from its head on: it may have been as little whole as its
 * size is true. */
static enum hub_status read_file(struct reading *reading, struct hub_error *reterr) {
    SCOPED_FILE file = {0};
    struct hub_journal_place place;
    size_t end = 0;
    bool read = false, told = false;
    *reading->key_id = '\0';
    if (!map(reading->path, &file))
        return could_not(reading->path, errno, reterr);
    for (size_t from = 0; hub_journal_entry_find(file.bytes, from, &place);) {
        if (place.from > end && !told)
            tell_damage(reading, end, place.from, "no entry is there");
        HUB_TRY(read_entry(reading, file.bytes, &place, &read, reterr));
        hub_arena_reset(&reading->arena);
        told = !read;
        from = read ? place.to : place.from + HUB_JOURNAL_HEAD_SIZE;
        end = read ? place.to : end;
    }
    if (!told && end < file.bytes.size)
        tell_damage(reading, end, file.bytes.size, "no whole entry is there");
    return HUB_OK;
}

enum hub_status hub_journal_read(const struct hub_journal_config *config,
                                 enum hub_status (*take)(void *context,
                                                         const struct hub_journal_entry *entry,
                                                         struct hub_error *reterr),
                                 void *context, size_t *ret_damaged, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct reading reading = {.config = config, .take = take, .context = context};
    char **names = NULL;
    size_t count = 0;
    const char *folder = folder_of(config, &arena);
    enum hub_status status = HUB_OK;
    if (hub_file_is_folder(folder))
        status = hub_file_list(folder, "", &arena, &names, &count, reterr);
    for (size_t i = 0; status == HUB_OK && i < count; i++) {
        if (!is_day(names[i]))
            continue;
        reading.day = names[i];
        reading.path = hub_arena_format(&arena, "%s/%s", folder, names[i]);
        status = read_file(&reading, reterr);
    }
    *ret_damaged = reading.damaged;
    hub_arena_destroy(&reading.arena);
    hub_arena_destroy(&arena);
    return status;
}
