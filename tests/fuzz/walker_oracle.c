/* The walker beside avro-c: whatever the walker accepts, avro-c must decode to the last byte, and,
 * where the walker says that the bytes are canonical, encode again to the same bytes.
 *
 * Records are made by avro-c itself, at random, from the registered schemas; the walker must accept
 * every one. Then they are mutated. avro-c is unsafe on what the walker would refuse, so it is given
 * only what was accepted, and in a child process: its crash is a finding, not the end of the run.
 *
 * The first finding ends the run. Seed, schema and bytes are printed.
 *
 * usage: walker_oracle [--records N] [--seed N] [--unchecked]
 *   --records N  of each schema, 1,000,000 otherwise
 *   --unchecked  gives avro-c everything, accepted or not: the control, which must find something */
#include "schemas/lib/catalogue.h"
#include "schemas/lib/walk.h"
#include "hub/io/crypto.h"

#include <avro.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORD_SIZE_MAX = 64 * 1024, POOL = 256, BATCH = 8192, BATCH_BYTES = 32 * 1024 * 1024,
       DEPTH_OF_CHANCE = 4 };

static uint64_t random_state;

static uint64_t next_random(void) {
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static size_t below(size_t bound) {
    return bound == 0 ? 0 : (size_t)(next_random() % bound);
}

static void stop(const char *what) {
    fprintf(stderr, "walker_oracle: %s\n", what);
    exit(2);
}

static void must(int failed) {
    if (failed != 0)
        stop(avro_strerror());
}

/* --- valid records, made by avro-c --- */

static void fill(avro_value_t *value);

static void fill_text(avro_value_t *value) {
    static const char *const pieces[] = {"a", "NCT01035190", "\xc3\xa5", "\xe2\x82\xac",
                                         "\xf0\x9f\xa7\xac", " ", "0", "x/y"};
    char text[256] = "";
    for (size_t i = below(6); i > 0; i--)
        strncat(text, pieces[below(sizeof pieces / sizeof *pieces)], 20);
    must(avro_value_set_string(value, text));
}

static void fill_many(avro_value_t *value, bool keyed) {
    for (size_t i = 0, count = below(4); i < count; i++) {
        avro_value_t item;
        char key[24];
        snprintf(key, sizeof key, "k%zu", i);
        must(keyed ? avro_value_add(value, key, &item, NULL, NULL)
                   : avro_value_append(value, &item, NULL));
        fill(&item);
    }
}

static void fill_fields(avro_value_t *value) {
    size_t count = 0;
    must(avro_value_get_size(value, &count));
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        must(avro_value_get_by_index(value, i, &field, NULL));
        fill(&field);
    }
}

static int64_t any_long(void) {
    return (int64_t)(next_random() >> below(64)) * (below(2) == 0 ? 1 : -1);
}

static void fill(avro_value_t *value) {
    uint8_t bytes[64];
    avro_value_t branch;
    avro_schema_t schema = avro_value_get_schema(value);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)next_random();
    switch (avro_value_get_type(value)) {
    case AVRO_NULL:
        must(avro_value_set_null(value));
        return;
    case AVRO_BOOLEAN:
        must(avro_value_set_boolean(value, below(2) == 0));
        return;
    case AVRO_INT32:
        must(avro_value_set_int(value, (int32_t)any_long()));
        return;
    case AVRO_INT64:
        must(avro_value_set_long(value, any_long()));
        return;
    case AVRO_FLOAT:
        must(avro_value_set_float(value, (float)below(1000) / 8));
        return;
    case AVRO_DOUBLE:
        must(avro_value_set_double(value, (double)below(1000) / 8));
        return;
    case AVRO_BYTES:
        must(avro_value_set_bytes(value, bytes, below(sizeof bytes)));
        return;
    case AVRO_FIXED:
        must(avro_value_set_fixed(value, bytes, (size_t)avro_schema_fixed_size(schema)));
        return;
    case AVRO_ENUM:
        must(avro_value_set_enum(value, (int)below((size_t)avro_schema_enum_number_of_symbols(
                                            schema))));
        return;
    case AVRO_UNION:
        must(avro_value_set_branch(value, (int)below(avro_schema_union_size(schema)), &branch));
        fill(&branch);
        return;
    case AVRO_STRING:
        fill_text(value);
        return;
    case AVRO_ARRAY:
        fill_many(value, /* keyed= */ false);
        return;
    case AVRO_MAP:
        fill_many(value, /* keyed= */ true);
        return;
    case AVRO_RECORD:
        fill_fields(value);
        return;
    default:
        stop("a type that the schemas do not use");
    }
}

struct pool {
    uint8_t bytes[POOL][RECORD_SIZE_MAX];
    size_t sizes[POOL];
};

static void make_pool(avro_value_iface_t *iface, const struct hub_type *root, struct pool *pool) {
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    for (size_t i = 0; i < POOL; i++) {
        avro_value_t value;
        struct hub_walk walk = {0};
        struct hub_error error;
        must(avro_generic_value_new(iface, &value));
        fill(&value);
        must(avro_value_sizeof(&value, &pool->sizes[i]));
        avro_writer_t writer = avro_writer_memory((char *)pool->bytes[i], RECORD_SIZE_MAX);
        must(avro_value_write(writer, &value));
        avro_writer_free(writer);
        avro_value_decref(&value);
        if (hub_walk(root, hub_bytes(pool->bytes[i], pool->sizes[i]), &limits, &walk, &error) !=
            HUB_OK) {
            fprintf(stderr, "walker_oracle: a valid record is refused: %s\n", error.text);
            exit(1);
        }
    }
}

/* --- mutations --- */

static size_t cut_or_grow(uint8_t *bytes, size_t size) {
    size_t at = below(size + 1), length = 1 + below(4);
    if (below(3) == 0)
        return below(size + 1); /* truncated */
    if (below(2) == 0) {
        if (at + length > size)
            return size;
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    }
    if (size + length > RECORD_SIZE_MAX)
        return size;
    memmove(bytes + at + length, bytes + at, size - at);
    for (size_t i = 0; i < length; i++)
        bytes[at + i] = (uint8_t)next_random();
    return size + length;
}

static size_t splice(uint8_t *bytes, size_t size, const struct pool *pool) {
    size_t other = below(POOL), from = below(pool->sizes[other] + 1), at = below(size + 1);
    size_t length = below(pool->sizes[other] - from + 1);
    if (at + length > RECORD_SIZE_MAX)
        return size;
    memcpy(bytes + at, pool->bytes[other] + from, length);
    return at + length > size ? at + length : size;
}

static size_t mutate(uint8_t *bytes, size_t size, const struct pool *pool) {
    static const uint8_t telling[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0xff, 0xfe, 0xc0, 0xed};
    for (size_t times = 1 + below(3); times > 0; times--) {
        size_t at = below(size);
        switch (below(5)) {
        case 0:
            size = cut_or_grow(bytes, size);
            break;
        case 1:
            size = splice(bytes, size, pool);
            break;
        case 2:
            if (size > 0)
                bytes[at] = telling[below(sizeof telling)];
            break;
        default:
            if (size > 0)
                bytes[at] ^= (uint8_t)(1u << below(8));
            break;
        }
    }
    return size;
}

/* --- avro-c, in a child --- */

/* Shared with the child. */
struct batch {
    size_t count, used_bytes;
    size_t starts[BATCH + 1];
    bool canonical[BATCH];
    size_t bad; /* index of the first that avro-c does not agree on; SIZE_MAX: none */
    size_t running;
    uint8_t bytes[BATCH_BYTES];
};

static bool encodes_to(avro_value_t *value, const uint8_t *bytes, size_t size) {
    static char again[RECORD_SIZE_MAX];
    size_t encoded = 0;
    if (avro_value_sizeof(value, &encoded) != 0 || encoded != size)
        return false;
    avro_writer_t writer = avro_writer_memory(again, sizeof again);
    bool same = avro_value_write(writer, value) == 0 && memcmp(again, bytes, size) == 0;
    avro_writer_free(writer);
    return same;
}

static bool agrees(avro_value_iface_t *iface, const uint8_t *bytes, size_t size, bool canonical) {
    avro_value_t value;
    must(avro_generic_value_new(iface, &value));
    avro_reader_t reader = avro_reader_memory((const char *)bytes, (int64_t)size);
    char rest;
    bool good = avro_value_read(reader, &value) == 0;
    good = good && avro_read(reader, &rest, 1) != 0; /* nothing is left */
    avro_reader_free(reader);
    good = good && (!canonical || encodes_to(&value, bytes, size));
    avro_value_decref(&value);
    return good;
}

static pid_t start_child(struct batch *batch, avro_value_iface_t *iface) {
    fflush(stdout);
    batch->bad = SIZE_MAX;
    pid_t child = fork();
    if (child < 0)
        stop("fork");
    if (child > 0)
        return child;
    for (size_t i = 0; i < batch->count && batch->bad == SIZE_MAX; i++) {
        batch->running = i;
        if (!agrees(iface, batch->bytes + batch->starts[i],
                    batch->starts[i + 1] - batch->starts[i], batch->canonical[i]))
            batch->bad = i;
    }
    _exit(0);
}

/* False where avro-c disagreed or died. */
static bool wait_for_child(pid_t child, const struct batch *batch, const char *subject) {
    int status = 0;
    waitpid(child, &status, 0);
    bool died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (!died && batch->bad == SIZE_MAX)
        return true;
    size_t at = died ? batch->running : batch->bad;
    printf("%s: avro-c %s ", subject, died ? "dies of" : "does not agree on");
    for (size_t i = batch->starts[at]; i < batch->starts[at + 1]; i++)
        printf("%02x", batch->bytes[i]);
    printf("\n");
    return false;
}

static struct batch *new_batch(void) {
    struct batch *batch = mmap(NULL, sizeof *batch, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (batch == MAP_FAILED)
        stop("mmap");
    return batch;
}

/* --- one schema --- */

struct trial {
    const struct hub_schema *schema;
    avro_value_iface_t *iface;
    struct pool *pool;
    struct batch *batches[2]; /* one is filled while avro-c reads the other */
    size_t records;
    bool unchecked;
};

static bool add_mutated(struct trial *trial, struct batch *batch, size_t *accepted) {
    static uint8_t scratch[RECORD_SIZE_MAX];
    struct hub_walk_limits limits = HUB_WALK_LIMITS_DEFAULT;
    struct hub_walk walk = {0};
    struct hub_error error;
    size_t from = below(POOL);
    memcpy(scratch, trial->pool->bytes[from], trial->pool->sizes[from]);
    size_t size = mutate(scratch, trial->pool->sizes[from], trial->pool);
    bool good = hub_walk(trial->schema->root, hub_bytes(scratch, size), &limits, &walk, &error) ==
                HUB_OK;
    *accepted += good;
    if (!good && !trial->unchecked)
        return true;
    memcpy(batch->bytes + batch->used_bytes, scratch, size);
    batch->used_bytes += size;
    batch->canonical[batch->count] = walk.canonical;
    batch->starts[++batch->count] = batch->used_bytes;
    return batch->count < BATCH && batch->used_bytes + RECORD_SIZE_MAX <= BATCH_BYTES;
}

static bool run(struct trial *trial) {
    size_t accepted = 0, made = 0;
    const struct batch *given = NULL;
    pid_t child = 0;
    bool good = true;
    for (size_t turn = 0; made < trial->records; turn++) {
        struct batch *batch = trial->batches[turn % 2];
        make_pool(trial->iface, trial->schema->root, trial->pool);
        batch->count = batch->used_bytes = batch->starts[0] = 0;
        for (bool room = true; room && made < trial->records; made++)
            room = add_mutated(trial, batch, &accepted);
        if (given != NULL)
            good = wait_for_child(child, given, trial->schema->subject);
        if (!good)
            return false;
        child = start_child(batch, trial->iface);
        given = batch;
    }
    if (given != NULL)
        good = wait_for_child(child, given, trial->schema->subject);
    printf("%-18s %zu mutated, %zu accepted\n", trial->schema->subject, made, accepted);
    return good && accepted > 0;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"records", required_argument, NULL, 'r'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"unchecked", no_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    struct trial trial = {.records = 1000000};
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    bool good = true;
    uint64_t seed = 1;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'r')
            trial.records = strtoull(optarg, NULL, 10);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else if (option == 'u')
            trial.unchecked = true;
        else
            return 2;
    }
    if (hub_catalogue_load("schemas", &hub_sha256, &catalogue, &error) != HUB_OK)
        stop(error.text);
    trial.pool = malloc(sizeof *trial.pool);
    trial.batches[0] = new_batch();
    trial.batches[1] = new_batch();
    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; good && i < catalogue->schema_count; i++) {
        avro_schema_t schema;
        avro_schema_error_t unused;
        trial.schema = catalogue->schemas[i];
        random_state = seed + i;
        must(avro_schema_from_json(trial.schema->text, (int32_t)trial.schema->text_size, &schema,
                                   &unused));
        trial.iface = avro_generic_class_from_schema(schema);
        good = run(&trial);
        avro_value_iface_decref(trial.iface);
        avro_schema_decref(schema);
    }
    free(trial.pool);
    hub_catalogue_free(catalogue);
    return good ? 0 : 1;
}
