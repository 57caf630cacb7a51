/* hubctl consume: a topic's records, decoded. */
#include "hub/ctl/line.h"

#include "schemas/lib/render.h"

#include <stdio.h>
#include <string.h>

struct consuming {
    struct hub_ctl *ctl;
    int64_t left;
};

static const char *header_of(const struct hub_ctl_record *record, const char *name,
                             size_t *ret_size) {
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0) {
            *ret_size = record->headers[i].value.size;
            return (const char *)record->headers[i].value.data;
        }
    *ret_size = 0;
    return "";
}

static void print_json(const struct hub_ctl_record *record) {
    HUB_SCOPED_BUFFER line = {.size_max = HUB_CTL_LINE_SIZE_MAX};
    hub_ctl_line_append(record, &line);
    printf("%s}\n", hub_buffer_text(&line));
}

static bool take(void *context, const struct hub_ctl_record *record) {
    struct consuming *consuming = context;
    if (consuming->left-- == 0)
        return false;
    if (consuming->ctl->json) {
        print_json(record);
        return true;
    }
    size_t size = 0;
    const char *type = header_of(record, "ce_type", &size);
    HUB_SCOPED_BUFFER text = {0};
    HUB_SCOPED_BUFFER time = {0};
    hub_render_time(record->timestamp_ms, &time);
    if (record->schema != NULL)
        hub_render_json(record->schema->root, record->body, &text);
    else
        hub_buffer_append_format(&text, "(%zu bytes)", record->value.size);
    printf("%d@%lld  %s  %.*s  %.*s\n  %s\n", record->partition, (long long)record->offset,
           hub_buffer_text(&time), (int)size, type, (int)record->key.size,
           (const char *)record->key.data, hub_buffer_text(&text));
    return true;
}

enum hub_exit hub_ctl_consume(struct hub_ctl *ctl) {
    struct consuming consuming = {ctl, ctl->limit};
    struct hub_error error;
    int32_t partitions = 0;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    struct hub_source *source = hub_ctl_source(ctl);
    if (source == NULL)
        return HUB_EXIT_UNREACHABLE;
    enum hub_exit code = HUB_EXIT_OK;
    if (hub_source_partition_count(source, ctl->arguments[0], &partitions, &error) != HUB_OK ||
        partitions < 0) {
        fprintf(stderr, "hubctl: there is no topic %s\n", ctl->arguments[0]);
        code = HUB_EXIT_NOT_FOUND;
    } else if (!hub_ctl_read_topic(ctl, source, ctl->arguments[0], take, &consuming)) {
        code = HUB_EXIT_UNREACHABLE;
    }
    hub_source_free(source);
    return code;
}
