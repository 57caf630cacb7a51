#include "hub/ctl/read.h"

#include "hub/base/table.h"
#include "hub/base/text.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"
#include "schemas/lib/walk.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SIZE_MAX = 504 };

struct topic_reading {
    struct hub_ctl *ctl;
    bool (*take)(void *context, const struct hub_ctl_record *record);
    void *context;
    bool ended;
};

static enum hub_status take_record(void *context, const struct hub_kafka_record *kafka,
                                   struct hub_error *reterr) {
    struct topic_reading *reading = context;
    struct hub_walk_limits limits = {.size_max = HUB_KAFKA_MESSAGE_SIZE_MAX,
                                     .elements_max = 10000000};
    struct hub_walk walk = {0};
    struct hub_error ignored;
    int32_t id = 0;
    struct hub_ctl_record record = {.topic = kafka->topic,
                                    .partition = kafka->partition,
                                    .offset = kafka->offset,
                                    .timestamp_ms = kafka->timestamp_ms,
                                    .key = kafka->key,
                                    .value = kafka->value,
                                    .headers = kafka->headers,
                                    .header_count = kafka->header_count};
    (void)reterr;
    if (kafka->has_value &&
        hub_frame_open(kafka->value, &id, &record.body, &ignored) == HUB_OK) {
        record.schema = hub_catalogue_by_id(reading->ctl->catalogue, id);
        if (record.schema != NULL &&
            hub_walk(record.schema->root, record.body, &limits, &walk, &ignored) != HUB_OK)
            record.schema = NULL;
    }
    reading->ended = !reading->take(reading->context, &record);
    return reading->ended ? HUB_REJECT : HUB_OK; /* ends the reading */
}

bool hub_ctl_read_topic(struct hub_ctl *ctl, struct hub_source *source, const char *topic,
                        bool (*take)(void *context, const struct hub_ctl_record *record),
                        void *context) {
    struct topic_reading reading = {ctl, take, context, false};
    struct hub_error error;
    int32_t partitions = 0;
    enum hub_status status = hub_source_partition_count(source, topic, &partitions, &error);
    for (int32_t i = 0; status == HUB_OK && i < partitions; i++)
        status = hub_source_read(source, topic, i, 0, -1, take_record, &reading, NULL, &error);
    if (status == HUB_OK || reading.ended)
        return true;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return false;
}

json_t *hub_ctl_value(const struct hub_ctl_record *record) {
    HUB_SCOPED_BUFFER text = {0};
    json_error_t error;
    if (record->schema == NULL)
        return NULL;
    hub_render_json(record->schema->root, record->body, &text);
    return json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, &error);
}

/* --- the latest of each key --- */

/* As it stands in Kafka: rendered is only what nothing came after. */
struct latest {
    UT_hash_handle hh;
    char *key;
    const char *topic; /* of the collecting */
    int32_t partition;
    int64_t offset;
    const struct hub_schema *schema; /* or NULL */
    struct hub_buffer body;
};

struct collecting {
    struct latest *latest;
    const char *topic; /* that is read; lives as long as the collecting */
};

static bool take_latest(void *context, const struct hub_ctl_record *record) {
    struct collecting *collecting = context;
    struct latest *latest = NULL;
    char *key = hub_copy_bytes(record->key.data, record->key.size);
    HASH_FIND_STR(collecting->latest, key, latest);
    if (latest == NULL) {
        latest = hub_allocate_zero(1, sizeof *latest);
        latest->key = hub_copy_text(key);
        HASH_ADD_KEYPTR(hh, collecting->latest, latest->key, strlen(latest->key), latest);
    }
    hub_release(key);
    latest->topic = collecting->topic;
    latest->partition = record->partition;
    latest->offset = record->offset;
    latest->schema = record->schema;
    latest->body.size = 0;
    if (record->schema != NULL)
        hub_buffer_append_bytes(&latest->body, record->body);
    return true;
}

static json_t *render_latest(const struct latest *latest) {
    const struct hub_ctl_record record = {.schema = latest->schema,
                                          .body = hub_buffer_bytes(&latest->body)};
    return json_pack("{s:s, s:i, s:I, s:s, s:o?}", "topic", latest->topic, "partition",
                     (int)latest->partition, "offset", (json_int_t)latest->offset, "key",
                     latest->key, "value", hub_ctl_value(&record));
}

static int by_key(const struct latest *a, const struct latest *b) {
    return strcmp(a->key, b->key);
}

json_t *hub_ctl_latest(struct hub_ctl *ctl, const char *prefix) {
    struct hub_source *source = hub_ctl_source(ctl);
    struct collecting collecting = {0};
    struct latest *latest, *next;
    struct hub_arena topics = {0};
    bool good = source != NULL;
    for (size_t i = 0; good && i < ctl->catalogue->domain_count; i++) {
        const char *domain = ctl->catalogue->domains[i].name;
        if (ctl->domain != NULL && strcmp(ctl->domain, domain) != 0)
            continue;
        collecting.topic = hub_arena_format(&topics, "%s%s", prefix, domain);
        good = hub_ctl_read_topic(ctl, source, collecting.topic, take_latest, &collecting);
    }
    json_t *list = json_array();
    HASH_SORT(collecting.latest, by_key);
    HASH_ITER(hh, collecting.latest, latest, next) {
        json_array_append_new(list, render_latest(latest));
        HASH_DELETE(hh, collecting.latest, latest);
        hub_buffer_free(&latest->body);
        hub_release(latest->key);
        hub_release(latest);
    }
    hub_source_free(source);
    hub_arena_destroy(&topics);
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

json_t *hub_ctl_text(struct hub_bytes bytes) {
    json_t *text = json_stringn((const char *)bytes.data, bytes.size);
    HUB_SCOPED_BUFFER hexadecimal = {0};
    if (text != NULL)
        return text;
    for (size_t i = 0; i < bytes.size; i++)
        hub_buffer_append_format(&hexadecimal, "%02x", bytes.data[i]);
    return json_string(hub_buffer_text(&hexadecimal));
}

/* --- tables --- */

/* Columns that a terminal shows: code points, not bytes. */
static size_t width_of(const char *text) {
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void hub_ctl_table_cell(struct hub_ctl_table *table, const char *format, ...) {
    char text[CELL_SIZE_MAX + 8];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct hub_bytes whole = hub_bytes(text, (size_t)size < sizeof text ? (size_t)size
                                                                        : sizeof text - 1);
    HUB_GROW(table->cells, table->cell_count, table->cell_capacity);
    table->cells[table->cell_count++] = hub_copy_bytes(text, hub_text_cut(whole, CELL_SIZE_MAX));
}

void hub_ctl_table_print(const struct hub_ctl_table *table) {
    size_t widths[32] = {0};
    for (size_t i = 0; i < table->columns; i++)
        widths[i] = width_of(table->head[i]);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = width_of(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t i = 0; i < table->columns + table->cell_count; i++) {
        const char *text =
            i < table->columns ? table->head[i] : table->cells[i - table->columns];
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;
        printf("%s%*s%s", text, last ? 0 : (int)(widths[column] - width_of(text)), "",
               last ? "\n" : "  ");
    }
}

static json_t *cell_value(const char *text) {
    uint64_t number = 0;
    bool is_number = hub_text_to_number(hub_bytes_of_text(text), &number) && number <= INT64_MAX;
    return is_number ? json_integer((json_int_t)number) : json_string(text);
}

static json_t *row_object(const struct hub_ctl_table *table, size_t from) {
    json_t *row = json_object();
    for (size_t i = 0; i < table->columns; i++) {
        char *name = hub_copy_text(table->head[i]);
        for (char *at = name; *at != '\0'; at++)
            *at = *at == ' ' || *at == '-' ? '_' : (char)tolower((unsigned char)*at);
        json_object_set_new(row, name, cell_value(table->cells[from + i]));
        hub_release(name);
    }
    return row;
}

void hub_ctl_table_show(const struct hub_ctl *ctl, const struct hub_ctl_table *table) {
    if (!ctl->json) {
        hub_ctl_table_print(table);
        return;
    }
    json_t *rows = json_array();
    for (size_t i = 0; i < table->cell_count; i += table->columns)
        json_array_append_new(rows, row_object(table, i));
    json_dumpf(rows, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(rows);
}

void hub_ctl_table_free(struct hub_ctl_table *table) {
    for (size_t i = 0; i < table->cell_count; i++)
        hub_release(table->cells[i]);
    hub_release(table->cells);
    *table = (struct hub_ctl_table){0};
}
