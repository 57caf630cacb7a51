/* Archiving records beside reading the same bytes, and writing as many as an archive of them has, with SHA-256
 * over those; and verifying what was archived beside SHA-256 alone, as `openssl speed` runs it, over the records'
 * bytes.
 *
 * Records are of 300 to 800 bytes with a key and an envelope's headers, as the hub's log has them. Rounds of
 * all are taken in turn; what is told is CPU time of this process, of verifying and its limit time on the
 * wall (it uses all processors, and openssl speed one), of each the median, and the median of the rounds' ratios.
 *
 * usage: archive FOLDER RECORDS ROUNDS   (prints JSON; whoever made the folder removes it) */
#include "hub/archive/partition_log.h"
#include "hub/archive/verify.h"
#include "hub/io/file.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1024 * 1024, BLOCK = 16 * 1024, HEADERS = 7, ROUNDS_MAX = 100 };

static const struct hub_ed25519_key private = {{1, 2, 3}};
static const char origin[] = "archive.bench.example/log.trial-0";

static void must(enum hub_status status, const struct hub_error *error) {
    if (status == HUB_OK)
        return;
    fprintf(stderr, "archive: %s\n", error->text);
    exit(1);
}

static double cpu_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double wall_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *path_in(const char *folder, const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* --- the records --- */

struct source {
    struct hub_buffer bytes; /* of all: for each the key, the headers' values and the value */
    struct record {
        size_t at, key_size, header_sizes[HEADERS], value_size;
    } *records;
    size_t count;
};

static size_t add(struct hub_buffer *bytes, const char *text) {
    hub_buffer_append_text(bytes, text);
    return strlen(text);
}

static void make_record(struct source *source, size_t index, unsigned short *seed) {
    struct record *record = &source->records[index];
    struct hub_buffer *bytes = &source->bytes;
    char key[64], id[64];
    snprintf(key, sizeof key, "ctgov/NCT%08zu", index % 100000);
    snprintf(id, sizeof id, "lumc-ctgov/%zu/0", index);
    const char *const values[HEADERS] = {"1.0", id, "urn:atmp:lumc:ctgov", "atmp.trial.stated", key,
                                         "2026-03-03T12:00:00.000Z", "application/avro"};
    record->at = bytes->size;
    record->key_size = add(bytes, key);
    for (size_t i = 0; i < HEADERS; i++)
        record->header_sizes[i] = add(bytes, values[i]);
    record->value_size = 300 + (size_t)nrand48(seed) % 500;
    for (size_t i = 0; i < record->value_size; i++)
        hub_buffer_append_byte(bytes, (uint8_t)nrand48(seed));
}

static void make_source(struct source *source, size_t count) {
    unsigned short seed[3] = {1, 2, 3};
    source->records = hub_allocate_zero(count, sizeof *source->records);
    source->count = count;
    for (size_t i = 0; i < count; i++)
        make_record(source, i, seed);
}

/* --- the limit of archiving --- */

/* Once it is all read, it is read again from the start, until as much is written as an archive has. */
static double copy_all(const char *folder, uint64_t size) {
    double began_s = cpu_s();
    struct hub_error error;
    struct hub_file_stream *stream = NULL;
    FILE *out = fopen(path_in(folder, "copy"), "w");
    must(hub_file_stream_open(path_in(folder, "input"), 0, &stream, &error), &error);
    uint64_t input = hub_file_stream_size(stream), left = input;
    while (size > 0) {
        uint64_t most = left < size ? left : size;
        size_t taken = most < PIECE ? (size_t)most : PIECE;
        struct hub_bytes piece;
        must(hub_file_stream_take(stream, taken, &piece, &error), &error);
        hub_sha256.digest(piece);
        if (fwrite(piece.data, 1, taken, out) != taken)
            exit(1);
        size -= taken;
        left -= taken;
        if (left > 0)
            continue;
        hub_file_stream_close(stream);
        must(hub_file_stream_open(path_in(folder, "input"), 0, &stream, &error), &error);
        left = input;
    }
    fflush(out);
    fsync(fileno(out));
    fclose(out);
    hub_file_stream_close(stream);
    return cpu_s() - began_s;
}

/* --- ours --- */

/* A new one for each round: where files have just been removed, the file system looks for room at every new
 * one, and nobody removes an archive. */
static const char *log_folder(const char *folder, size_t round) {
    char name[32];
    snprintf(name, sizeof name, "log-%zu", round);
    return path_in(folder, name);
}

static struct hub_bytes take(struct hub_file_stream *stream, size_t size) {
    struct hub_bytes bytes;
    struct hub_error error;
    must(hub_file_stream_take(stream, size, &bytes, &error), &error);
    return bytes;
}

static void archive_record(struct hub_partition_log *log, const struct record *record, int64_t offset,
                           struct hub_bytes bytes) {
    static const char *const names[HEADERS] = {"ce_specversion", "ce_id", "ce_source", "ce_type",
                                               "ce_subject", "ce_time", "content-type"};
    struct hub_header headers[HEADERS];
    struct hub_error error;
    size_t at = record->key_size;
    for (size_t i = 0; i < HEADERS; at += record->header_sizes[i], i++)
        headers[i] = (struct hub_header){
            names[i], hub_bytes(bytes.data + at, record->header_sizes[i])};
    struct hub_archived archived = {.offset = offset,
                                    .timestamp_ms = 1772539200000 + offset,
                                    .has_key = true,
                                    .key = hub_bytes(bytes.data, record->key_size),
                                    .headers = headers,
                                    .header_count = HEADERS,
                                    .kind = HUB_ARCHIVED_AVRO,
                                    .value = hub_bytes(bytes.data + at, record->value_size)};
    must(hub_partition_log_append(log, &archived, 100001, "\"bytes\"", &error), &error);
}

static double archive_all(const char *folder, size_t round, const struct source *source) {
    double began_s = cpu_s();
    struct hub_error error;
    struct hub_file_stream *stream = NULL;
    struct hub_partition_log *log = NULL;
    struct hub_partition_log_config config = {.folder = log_folder(folder, round),
                                              .deployment = "archive.bench.example",
                                              .topic = "log.trial",
                                              .private = &private};
    must(hub_partition_log_open(&config, &log, &error), &error);
    must(hub_file_stream_open(path_in(folder, "input"), 0, &stream, &error), &error);
    for (size_t i = 0; i < source->count; i++) {
        size_t end = i + 1 < source->count ? source->records[i + 1].at : source->bytes.size;
        archive_record(log, &source->records[i], (int64_t)i,
                       take(stream, end - source->records[i].at));
    }
    must(hub_partition_log_sign(log, (int64_t)source->count, &error), &error);
    hub_partition_log_close(log);
    hub_file_stream_close(stream);
    return cpu_s() - began_s;
}

/* --- verifying --- */

static double verify_all(const char *folder, size_t round, uint64_t *ret_bytes) {
    double began_s = wall_s();
    struct hub_note_key key;
    struct hub_verified verified;
    struct hub_error error;
    must(hub_note_key_make(origin, HUB_NOTE_SIGNATURE, &private, &key, &error), &error);
    struct hub_verify_config config = {.folder = log_folder(folder, round), .key = &key};
    must(hub_archive_verify(&config, &verified, &error), &error);
    *ret_bytes = verified.bytes;
    return wall_s() - began_s;
}

static double digest_all(uint64_t bytes) {
    static uint8_t block[BLOCK];
    double began_s = wall_s();
    for (uint64_t left = bytes; left >= BLOCK; left -= BLOCK) {
        struct hub_digest digest = hub_sha256.digest(hub_bytes(block, BLOCK));
        block[0] = digest.bytes[0]; /* so that none can be left out */
    }
    return wall_s() - began_s;
}

/* --- rounds --- */

static uint64_t size_found;

static int add_size(const char *path, const struct stat *facts, int kind, struct FTW *at) {
    (void)path;
    (void)at;
    size_found += kind == FTW_F ? (uint64_t)facts->st_size : 0;
    return 0;
}

/* Of all files of the archive. */
static uint64_t size_of(const char *folder, size_t round) {
    size_found = 0;
    if (nftw(log_folder(folder, round), add_size, 16, FTW_PHYS) != 0)
        exit(1);
    return size_found;
}

static int by_size(const void *a, const void *b) {
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double median(double *items, size_t count) {
    qsort(items, count, sizeof *items, by_size);
    return items[count / 2];
}

/* Of the rounds' own ratios: what moves the machine moves both sides of one. */
static double median_ratio(const double *above, const double *below, size_t count) {
    double ratios[ROUNDS_MAX];
    for (size_t i = 0; i < count; i++)
        ratios[i] = above[i] / below[i];
    return median(ratios, count);
}

int main(int argc, char **argv) {
    enum { COPY, ARCHIVE, VERIFY, DIGEST, KINDS };
    static double took_s[KINDS][ROUNDS_MAX];
    struct source source = {.bytes = {.size_max = (size_t)4 << 30}};
    struct hub_error error;
    uint64_t bytes = 0, size = 0;
    size_t rounds = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (rounds == 0 || rounds > ROUNDS_MAX)
        return 2;
    make_source(&source, strtoul(argv[2], NULL, 10));
    must(hub_file_write(path_in(argv[1], "input"), hub_buffer_bytes(&source.bytes), &error), &error);
    for (size_t i = 0; i < rounds; i++) {
        took_s[ARCHIVE][i] = archive_all(argv[1], i, &source);
        size = size_of(argv[1], i);
        took_s[COPY][i] = copy_all(argv[1], size);
        took_s[VERIFY][i] = verify_all(argv[1], i, &bytes);
        took_s[DIGEST][i] = digest_all(bytes);
    }
    double archive_vs_copy = median_ratio(took_s[ARCHIVE], took_s[COPY], rounds);
    double verify_vs_digest = median_ratio(took_s[DIGEST], took_s[VERIFY], rounds);
    printf("{\"archive_cpu_vs_copy\": %.6f, \"verify_rate_vs_sha256\": %.6f, ", archive_vs_copy,
           verify_vs_digest);
    printf("\"records\": %zu, \"bytes\": %zu, \"record_bytes\": %llu, \"archive_bytes\": %llu, "
           "\"copy_s\": %.6f, \"archive_s\": %.6f, \"verify_s\": %.6f, \"digest_s\": %.6f}\n",
           source.count, source.bytes.size, (unsigned long long)bytes, (unsigned long long)size,
           median(took_s[COPY], rounds),
           median(took_s[ARCHIVE], rounds), median(took_s[VERIFY], rounds),
           median(took_s[DIGEST], rounds));
    return 0;
}
