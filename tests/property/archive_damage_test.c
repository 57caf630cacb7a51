/* Whatever is done to the files of an archive, hub_archive_verify finds it: bits, bytes and whole files, an
 * earlier checkpoint put back, a fork, another key. On an archive of several schemas, whose segments take turns,
 * with several checkpoints. */
#include "hub/archive/partition_log.h"
#include "hub/archive/verify.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/records.h"
#include "tests/lib/schema.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 300, CASES = 1000, FILES_MAX = 100, SCHEMAS = 2 };

static const uint64_t signed_at[] = {20, 256, SIZE};
static const struct hub_ed25519_key own = {{1, 2, 3}}, anothers = {{3, 2, 1}};
static const char *const schemas[SCHEMAS] = {
    "{\"type\": \"record\", \"name\": \"atmp.Slot\", \"fields\": [{\"name\": \"suite\", \"type\": "
    "\"string\"}]}",
    "{\"type\": \"record\", \"name\": \"atmp.Batch\", \"fields\": [{\"name\": \"lot\", \"type\": "
    "\"string\"}]}"};

struct kept_file {
    const char *name; /* within the folder */
    struct hub_bytes bytes;
    bool needed; /* by a log of its size; else a partial tile of an earlier one */
};

struct archive {
    struct folder folder;
    struct hub_note_key key;
    struct kept_file files[FILES_MAX];
    size_t file_count;
    struct test_random random;
};

/* --- an archive, and as it was --- */

static struct hub_partition_log *open_log(struct archive *archive,
                                          const struct hub_ed25519_key *private) {
    struct hub_partition_log_config config = {.folder = archive->folder.path,
                                              .deployment = "audit.example",
                                              .topic = "log.slot",
                                              .private = private,
                                              .segment_size_max = 4000};
    struct hub_partition_log *log = NULL;
    struct hub_error error;
    expect_ok(hub_partition_log_open(&config, &log, &error), &error);
    return log;
}

static void append(struct archive *archive, struct hub_partition_log *log) {
    char value[16];
    struct hub_error error;
    uint64_t index = hub_partition_log_size(log);
    size_t kind = test_random_below(&archive->random, 4), schema = kind % SCHEMAS;
    snprintf(value, sizeof value, "%c%06zu", 12, test_random_below(&archive->random, 1000000));
    struct hub_archived record = {
        .offset = 3 * (int64_t)index,
        .timestamp_ms = 1772323200000,
        .has_key = true,
        .key = hub_bytes_of_text("mes/1"),
        .kind = kind == 3 ? HUB_ARCHIVED_BYTES : HUB_ARCHIVED_AVRO,
        .value = hub_bytes_of_text(value)};
    expect_ok(hub_partition_log_append(log, &record, 7 + (int32_t)schema, schemas[schema], &error),
              &error);
}

static void sign_at(struct archive *archive, struct hub_partition_log *log, uint64_t size) {
    struct hub_error error;
    while (hub_partition_log_size(log) < size)
        append(archive, log);
    expect_ok(hub_partition_log_sign(log, 3 * (int64_t)size, &error), &error);
}

static struct archive *keeping;

static int keep(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    HUB_SCOPED_BUFFER bytes = {0};
    struct hub_error error;
    struct hub_arena *arena = &keeping->folder.arena;
    const char *name = path + strlen(keeping->folder.path) + 1;
    (void)facts;
    (void)at;
    if (kind != FTW_F)
        return 0;
    assert_true(keeping->file_count < FILES_MAX);
    struct kept_file *file = &keeping->files[keeping->file_count++];
    expect_ok(hub_file_read(path, &bytes, &error), &error);
    file->name = hub_arena_text(arena, name, strlen(name));
    file->bytes = hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
    file->needed = strcmp(name, "log.vkey") != 0 &&
                   (strstr(name, ".p/") == NULL || strstr(name, ".p/44") != NULL ||
                    strcmp(name, "tile/1/000.p/1") == 0);
    return 0;
}

static int remove_file(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    (void)facts;
    (void)at;
    return kind == FTW_F ? remove(path) : 0;
}

static void put_all(struct archive *archive) {
    struct hub_error error;
    assert_int_equal(nftw(archive->folder.path, remove_file, 16, FTW_PHYS), 0);
    for (size_t i = 0; i < archive->file_count; i++)
        expect_ok(hub_file_put(folder_path(&archive->folder, archive->files[i].name),
                               archive->files[i].bytes, &error), &error);
}

static void make_archive(struct archive *archive) {
    struct hub_error error;
    *archive = (struct archive){.random = {test_seed(1)}};
    folder_make(&archive->folder);
    expect_ok(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &own,
                                &archive->key, &error), &error);
    struct hub_partition_log *log = open_log(archive, &own);
    for (size_t i = 0; i < sizeof signed_at / sizeof *signed_at; i++)
        sign_at(archive, log, signed_at[i]);
    hub_partition_log_close(log);
    keeping = archive;
    assert_int_equal(nftw(archive->folder.path, keep, 16, FTW_PHYS), 0);
}

static enum hub_status verify(struct archive *archive) {
    struct hub_verify_config config = {.folder = archive->folder.path, .key = &archive->key};
    struct hub_verified verified;
    struct hub_error error;
    return hub_archive_verify(&config, &verified, &error);
}

/* --- what is done to it --- */

enum mutation {
    FLIP,
    CUT,
    REMOVE,
    INSERT,
    REPEAT,
    SWAP,
    DELETE,
    ADD,
    PUT_BACK,
    FORK,
    ANOTHER_KEY,
    MUTATION_COUNT
};

static const struct kept_file *pick(struct archive *archive) {
    const struct kept_file *file = NULL;
    do
        file = &archive->files[test_random_below(&archive->random, archive->file_count)];
    while (!file->needed);
    return file;
}

static void put(struct archive *archive, const char *name, struct hub_bytes bytes) {
    struct hub_error error;
    expect_ok(hub_file_put(folder_path(&archive->folder, name), bytes, &error), &error);
}

/* False where it is what it was. */
static bool change_bytes(struct archive *archive, enum mutation mutation) {
    const struct kept_file *file = pick(archive);
    size_t at = test_random_below(&archive->random, file->bytes.size);
    uint8_t byte = (uint8_t)test_random_below(&archive->random, 256);
    HUB_SCOPED_BUFFER changed = {0};
    hub_buffer_append_bytes(&changed, hub_bytes_part(file->bytes, 0, at));
    if (mutation == FLIP)
        hub_buffer_append_byte(&changed, file->bytes.data[at] ^ (uint8_t)(1 << byte % 8));
    if (mutation == INSERT)
        hub_buffer_append_byte(&changed, byte);
    if (mutation == REPEAT)
        hub_buffer_append_bytes(&changed, file->bytes);
    if (mutation != CUT && mutation != REPEAT)
        hub_buffer_append_bytes(&changed, hub_bytes_part(file->bytes, at + (mutation != INSERT),
                                                         file->bytes.size));
    put(archive, file->name, hub_buffer_bytes(&changed));
    return !hub_bytes_equal(hub_buffer_bytes(&changed), file->bytes);
}

/* One file in the place of another. */
static bool swap(struct archive *archive) {
    const struct kept_file *file = pick(archive), *other = pick(archive);
    put(archive, file->name, other->bytes);
    return !hub_bytes_equal(file->bytes, other->bytes);
}

/* With an earlier checkpoint nothing is lost but what the log was once. */
static bool delete(struct archive *archive) {
    const struct kept_file *file = pick(archive);
    assert_int_equal(remove(folder_path(&archive->folder, file->name)), 0);
    return strncmp(file->name, "checkpoints/", 12) != 0;
}

static bool add(struct archive *archive) {
    static const char *const names[] = {"segments/1.avro", "segments/299.avro", "checkpoints/30",
                                        "checkpoints/x"};
    const char *name = names[test_random_below(&archive->random, 4)];
    for (size_t i = 0; i < archive->file_count; i++)
        if (strcmp(archive->files[i].name, name) == 0)
            return false;
    put(archive, name, pick(archive)->bytes);
    return true;
}

static void put_back(struct archive *archive, size_t signing) {
    char name[32];
    snprintf(name, sizeof name, "checkpoints/%llu", (unsigned long long)signed_at[signing]);
    for (size_t i = 0; i < archive->file_count; i++)
        if (strcmp(archive->files[i].name, name) == 0)
            put(archive, "checkpoint", archive->files[i].bytes);
}

/* By whoever has the key: from an earlier checkpoint on the log goes another way, to any size. A later checkpoint
 * stays. */
static void fork_log(struct archive *archive) {
    uint64_t size = SIZE - 30 + test_random_below(&archive->random, 60);
    put_back(archive, 1);
    struct hub_partition_log *log = open_log(archive, &own);
    sign_at(archive, log, size == SIZE ? SIZE + 1 : size); /* one of that size would be written over */
    hub_partition_log_close(log);
}

/* A whole log, as good as this one, that is not signed by whom one believes. */
static void sign_by_another(struct archive *archive) {
    assert_int_equal(nftw(archive->folder.path, remove_file, 16, FTW_PHYS), 0);
    struct hub_partition_log *log = open_log(archive, &anothers);
    sign_at(archive, log, SIZE);
    hub_partition_log_close(log);
}

/* False where nothing was done that could be found. */
static bool mutate(struct archive *archive, enum mutation mutation) {
    switch (mutation) {
    case SWAP:
        return swap(archive);
    case DELETE:
        return delete(archive);
    case ADD:
        return add(archive);
    case PUT_BACK:
        put_back(archive, test_random_below(&archive->random, 2));
        return true;
    case FORK:
        fork_log(archive);
        return true;
    case ANOTHER_KEY:
        sign_by_another(archive);
        return true;
    default:
        return change_bytes(archive, mutation);
    }
}

static void whatever_is_done_to_an_archive_is_found(void **state) {
    struct archive archive;
    size_t done[MUTATION_COUNT] = {0};
    (void)state;
    make_archive(&archive);
    size_t cases = test_cases(CASES);
    for (size_t i = 0; i < cases; i++) {
        /* Each of the slow ones now and then. */
        enum mutation mutation = (enum mutation)test_random_below(
            &archive.random, i % 10 == 0 ? MUTATION_COUNT : FORK);
        if (mutate(&archive, mutation)) {
            done[mutation]++;
            if (verify(&archive) == HUB_OK)
                fail_msg("seed %llu: mutation %d in case %zu was not found",
                         (unsigned long long)test_seed(1), (int)mutation, i);
        }
        put_all(&archive);
    }
    assert_int_equal(verify(&archive), HUB_OK);
    for (size_t i = 0; i < MUTATION_COUNT && cases >= CASES; i++)
        assert_true(done[i] > 0);
    folder_remove(&archive.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_done_to_an_archive_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
