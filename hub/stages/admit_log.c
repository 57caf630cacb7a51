#include "hub/stages/admit_log.h"

#include "hub/base/text.h"

#include <string.h>

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

/* <ingest topic>/<partition>@<offset> */
static struct hub_bytes origin_of(const struct hub_admit_log *log, const struct hub_input *input,
                                  struct hub_arena *arena) {
    char *text = hub_arena_take(arena, log->origin.size + 2 * HUB_NUMBER_TEXT_SIZE_MAX + 1);
    memcpy(text, log->origin.data, log->origin.size);
    char *at = hub_text_put_number(text + log->origin.size, input->partition);
    *at++ = '@';
    at = hub_text_put_number(at, input->offset);
    return hub_bytes(text, (size_t)(at - text));
}

struct hub_output *hub_admit_log_write(const struct hub_admit_log *log,
                                       const struct hub_admit_entry *entry,
                                       const struct hub_input *input, struct hub_outputs *outputs) {
    struct hub_bytes key =
        hub_text_join(outputs->arena, entry->is_late ? log->late_key : log->key, input->key);
    struct hub_bytes origin = origin_of(log, input, outputs->arena);
    struct hub_bytes type = hub_text_join(outputs->arena, log->type, log->told[entry->told]);
    struct hub_output *output =
        hub_outputs_add_kept(outputs, HUB_OUTPUT_LOG, entry->shard, key);
    const struct hub_envelope_texts envelope = {.id = origin,
                                                .source = hub_bytes_of_text("urn:atmp:hub:admit"),
                                                .type = type,
                                                .subject = key,
                                                .time = hub_envelope_time(outputs->arena,
                                                                          input->timestamp_ms)};
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
