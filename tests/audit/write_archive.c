/* Writes the log of a partition as it is told on standard input, one thing a line:
 *
 *   schema ID FILE
 *   record OFFSET TIMESTAMP KEY HEADERS null|avro|bytes SCHEMA_ID VALUE
 *   sign NEXT_OFFSET
 *   rollup                      the log's last checkpoint goes to the roll-up log beside it
 *
 * Bytes are hexadecimal, with an x before them; - is none. HEADERS are NAME:VALUE,... or -.
 *
 * usage: write_archive FOLDER DEPLOYMENT TOPIC PARTITION PRIVATE_KEY SEGMENT_SIZE_MAX */
#include "hub/archive/partition_log.h"
#include "hub/archive/rollup.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMAS_MAX = 16, HEADERS_MAX = 16 };

struct writing {
    const char *folder;
    const char *deployment;
    struct hub_ed25519_key private;
    struct hub_partition_log *log;
    struct hub_arena arena; /* of a line */
    struct {
        int32_t id;
        char *text;
    } schemas[SCHEMAS_MAX];
    size_t schema_count;
    struct hub_error error;
};

static _Noreturn void stop(const char *why) {
    fprintf(stderr, "write_archive: %s\n", why);
    exit(1);
}

static char *next_word(char **rest) {
    char *word = strsep(rest, " \n");
    if (word == NULL || *word == '\0')
        stop("a word is missing");
    return word;
}

/* Without data where it is none. */
static struct hub_bytes bytes_of(struct hub_arena *arena, const char *text) {
    size_t size = strlen(text) / 2;
    if (strcmp(text, "-") == 0)
        return hub_bytes(NULL, 0);
    uint8_t *bytes = hub_arena_take_zero(arena, size + 1, 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        if (sscanf(text + 1 + 2 * i, "%2x", &byte) != 1)
            stop("no hexadecimal");
        bytes[i] = (uint8_t)byte;
    }
    return hub_bytes(bytes, size);
}

static size_t read_headers(struct hub_arena *arena, char *text, struct hub_header *ret_headers) {
    size_t count = 0;
    if (strcmp(text, "-") == 0)
        return 0;
    for (char *pair; (pair = strsep(&text, ",")) != NULL; count++) {
        if (count == HEADERS_MAX)
            stop("too many headers");
        ret_headers[count].name = strsep(&pair, ":");
        ret_headers[count].value = bytes_of(arena, pair);
    }
    return count;
}

static void read_schema(struct writing *writing, char *rest) {
    HUB_SCOPED_BUFFER text = {0};
    if (writing->schema_count == SCHEMAS_MAX)
        stop("too many schemas");
    writing->schemas[writing->schema_count].id = atoi(next_word(&rest));
    if (hub_file_read(next_word(&rest), &text, &writing->error) != HUB_OK)
        stop(writing->error.text);
    writing->schemas[writing->schema_count++].text = hub_copy_text(hub_buffer_text(&text));
}

static const char *find_schema(const struct writing *writing, int32_t id) {
    for (size_t i = 0; i < writing->schema_count; i++)
        if (writing->schemas[i].id == id)
            return writing->schemas[i].text;
    return NULL;
}

static void append(struct writing *writing, char *rest) {
    struct hub_header headers[HEADERS_MAX];
    struct hub_archived record = {.headers = headers};
    record.offset = strtoll(next_word(&rest), NULL, 10);
    record.timestamp_ms = strtoll(next_word(&rest), NULL, 10);
    record.key = bytes_of(&writing->arena, next_word(&rest));
    record.has_key = record.key.data != NULL;
    record.header_count = read_headers(&writing->arena, next_word(&rest), headers);
    const char *kind = next_word(&rest);
    record.kind = strcmp(kind, "null") == 0   ? HUB_ARCHIVED_NULL
                  : strcmp(kind, "avro") == 0 ? HUB_ARCHIVED_AVRO
                                              : HUB_ARCHIVED_BYTES;
    int32_t id = atoi(next_word(&rest));
    record.value = bytes_of(&writing->arena, next_word(&rest));
    if (hub_partition_log_append(writing->log, &record, id, find_schema(writing, id),
                                 &writing->error) != HUB_OK)
        stop(writing->error.text);
}

static void roll_up(struct writing *writing) {
    struct hub_rollup *rollup = NULL;
    const char *folder = hub_arena_format(&writing->arena, "%s/../" HUB_ROLLUP_FOLDER, writing->folder);
    if (hub_rollup_open(folder, writing->deployment, &writing->private, &rollup, &writing->error) !=
            HUB_OK ||
        hub_rollup_tell(rollup, writing->folder, &writing->error) != HUB_OK ||
        hub_rollup_sign(rollup, &writing->error) != HUB_OK)
        stop(writing->error.text);
    hub_rollup_close(rollup);
}

static void obey(struct writing *writing, char *line) {
    char *rest = line;
    const char *what = next_word(&rest);
    if (strcmp(what, "schema") == 0)
        read_schema(writing, rest);
    else if (strcmp(what, "record") == 0)
        append(writing, rest);
    else if (strcmp(what, "rollup") == 0)
        roll_up(writing);
    else if (strcmp(what, "sign") != 0)
        stop(what);
    else if (hub_partition_log_sign(writing->log, strtoll(next_word(&rest), NULL, 10),
                                    &writing->error) != HUB_OK)
        stop(writing->error.text);
    hub_arena_reset(&writing->arena);
}

int main(int count, char **arguments) {
    struct writing writing = {0};
    char *line = NULL;
    size_t capacity = 0;
    if (count != 7)
        stop("usage: FOLDER DEPLOYMENT TOPIC PARTITION PRIVATE_KEY SEGMENT_SIZE_MAX");
    struct hub_bytes key = bytes_of(&writing.arena, arguments[5]);
    if (key.size != sizeof writing.private.bytes)
        stop("no private key");
    memcpy(writing.private.bytes, key.data, key.size);
    writing.folder = arguments[1];
    writing.deployment = arguments[2];
    struct hub_partition_log_config config = {.folder = writing.folder,
                                              .deployment = writing.deployment,
                                              .topic = arguments[3],
                                              .partition = atoi(arguments[4]),
                                              .private = &writing.private,
                                              .segment_size_max = (size_t)atoll(arguments[6])};
    if (hub_partition_log_open(&config, &writing.log, &writing.error) != HUB_OK)
        stop(writing.error.text);
    while (getline(&line, &capacity, stdin) > 0)
        obey(&writing, line);
    hub_partition_log_close(writing.log);
    for (size_t i = 0; i < writing.schema_count; i++)
        hub_release(writing.schemas[i].text);
    hub_arena_destroy(&writing.arena);
    free(line);
    return 0;
}
