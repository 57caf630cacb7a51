#include "hub/stages/admit_log.h"

#include <string.h>

enum { NUMBER_SIZE_MAX = 20 }; /* of 64 bits, with its sign */

static struct hub_bytes format(struct hub_arena *arena, const char *before, const char *name,
                               const char *after) {
    return hub_bytes_of_text(hub_arena_format(arena, "%s%s%s", before, name, after));
}

void hub_admit_log_init(struct hub_admit_log *log, const char *domain, const char *institution,
                        const char *topic) {
    static const char *const told[] = {[HUB_ADMIT_REGISTERED] = "registered",
                                       [HUB_ADMIT_UPDATED] = "updated",
                                       [HUB_ADMIT_WITHDRAWN] = "withdrawn"};
    *log = (struct hub_admit_log){0};
    log->key = format(&log->arena, "", institution, "/");
    log->late_key = format(&log->arena, "late/", institution, "/");
    log->origin = format(&log->arena, "", topic, "/");
    log->type = format(&log->arena, "atmp.", domain, ".");
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        log->told[i] = hub_bytes_of_text(told[i]);
}

void hub_admit_log_free(struct hub_admit_log *log) {
    hub_arena_destroy(&log->arena);
}

/* --- texts: put together for every entry, so not by their format --- */

static char *put(char *at, struct hub_bytes text) {
    memcpy(at, text.data, text.size);
    return at + text.size;
}

static char *put_number(char *at, int64_t number) {
    HUB_NOT_ZEROED char digits[NUMBER_SIZE_MAX];
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t from = sizeof digits;
    do
        digits[--from] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        digits[--from] = '-';
    return put(at, hub_bytes(digits + from, sizeof digits - from));
}

static struct hub_bytes join(struct hub_arena *arena, struct hub_bytes a, struct hub_bytes b) {
    char *text = hub_arena_take(arena, a.size + b.size);
    return hub_bytes(text, (size_t)(put(put(text, a), b) - text));
}

/* <ingest topic>/<partition>@<offset> */
static struct hub_bytes origin_of(const struct hub_admit_log *log, const struct hub_input *input,
                                  struct hub_arena *arena) {
    char *text = hub_arena_take(arena, log->origin.size + 2 * NUMBER_SIZE_MAX + 1);
    char *at = put_number(put(text, log->origin), input->partition);
    *at++ = '@';
    at = put_number(at, input->offset);
    return hub_bytes(text, (size_t)(at - text));
}

struct hub_output *hub_admit_log_write(const struct hub_admit_log *log,
                                       const struct hub_admit_entry *entry,
                                       const struct hub_input *input, struct hub_outputs *outputs) {
    struct hub_bytes key =
        join(outputs->arena, entry->is_late ? log->late_key : log->key, input->key);
    struct hub_bytes origin = origin_of(log, input, outputs->arena);
    struct hub_bytes type = join(outputs->arena, log->type, log->told[entry->told]);
    struct hub_output *output =
        hub_outputs_add_kept(outputs, HUB_OUTPUT_LOG, entry->shard, key);
    const struct hub_envelope_texts envelope = {.id = origin,
                                                .source = hub_bytes_of_text("urn:atmp:hub:admit"),
                                                .type = type,
                                                .subject = key,
                                                .has_time = true,
                                                .time_ms = input->timestamp_ms};
    const struct hub_source *replaced = entry->replaced;
    hub_output_envelope_of(outputs, output, &envelope, input);
    hub_output_header_kept(outputs, output, "hub_origin", origin);
    if (replaced != NULL) /* which is replaced now, and changes */
        hub_output_header(outputs, output, "hub_replaced_version",
                          hub_bytes(replaced->version, replaced->version_size));
    if (replaced != NULL && replaced->status != NULL)
        hub_output_header_text(outputs, output, "hub_replaced_status", replaced->status);
    return output;
}
