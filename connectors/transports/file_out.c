/* file-out: events become files in a folder, for whoever looks into it.
 *
 * A file is written under a name that ends in .tmp, synced, and renamed, and the folder is synced: a name
 * without .tmp is a whole file for ever. What is delivered again after a kill is written again under the
 * same name with the same content, for numbers and what goes together are committed before. */
#include "connectors/transports/outbounds.h"

#include "hub/io/file.h"

#include <string.h>

enum { PLANNED = 100, FILE_SIZE_MAX = 1024 * 1024 * 1024 };

struct options {
    const char *folder;
    int64_t events_per_file;
    int64_t wait_ms;
};

static const struct hub_option options[] = {
    {.name = "folder",
     HUB_TEXT_OPTION(struct options, folder),
     .required = true,
     .help = "Where the files go; it is made where it is not there. They are readable by the connector's "
             "user only."},
    {.name = "events_per_file",
     HUB_NUMBER_OPTION(struct options, events_per_file),
     .initial = "1",
     .minimum = 1,
     .maximum = 1000,
     .help = "With 1 each event is a file NUMBER.json; with more, up to so many, of up to 16 MiB as Avro, "
             "are the lines of a file FIRST-LAST.ndjson."},
    {.name = "wait_ms",
     HUB_NUMBER_OPTION(struct options, wait_ms),
     .initial = "10000",
     .minimum = 0,
     .maximum = 86400000,
     .help = "How long a file of several events waits to become full, in milliseconds."},
    {0},
};

struct writing {
    const struct options *options;
    struct hub_arena arena;
    const char *folder;
};

static struct hub_outbound_pace pace(const void *given) {
    const struct options *own = given;
    if (own->events_per_file == 1)
        return (struct hub_outbound_pace){.planned_max = PLANNED, .together_max = 1};
    size_t count = (size_t)own->events_per_file;
    return (struct hub_outbound_pace){count, count, own->wait_ms};
}

static enum hub_status open(void *state, const void *given, const struct hub_env *env,
                            struct hub_error *reterr) {
    struct writing *writing = state;
    writing->options = given;
    writing->folder = hub_file_resolve(env->folder == NULL ? "." : env->folder,
                                       writing->options->folder, &writing->arena);
    return hub_file_make_folder(writing->folder, reterr);
}

/* Numbers are written in 12 digits, so that names are in their order. */
static enum hub_status deliver(void *state, const struct hub_event *events, size_t count,
                               int64_t tried_ms, struct hub_outbound_result *ret_result,
                               struct hub_error *reterr) {
    const struct writing *writing = state;
    HUB_SCOPED_BUFFER path = {0};
    HUB_SCOPED_BUFFER lines = {.size_max = FILE_SIZE_MAX};
    (void)tried_ms; /* a disk that is full is waited for */
    (void)ret_result;
    hub_buffer_append_format(&path, "%s/%012lld", writing->folder, (long long)events[0].number);
    if (writing->options->events_per_file > 1)
        hub_buffer_append_format(&path, "-%012lld.ndjson", (long long)events[count - 1].number);
    else
        hub_buffer_append_text(&path, ".json");
    for (size_t i = 0; i < count; i++) {
        hub_buffer_append(&lines, events[i].json, events[i].size);
        hub_buffer_append_byte(&lines, '\n');
    }
    if (hub_buffer_overflowed(&lines))
        return hub_fail(reterr, HUB_FATAL, "%s: over the limit of %d bytes; a lower events_per_file "
                        "would pass", hub_buffer_text(&path), FILE_SIZE_MAX);
    return hub_file_write(hub_buffer_text(&path), hub_buffer_bytes(&lines), reterr);
}

static void close(void *state) {
    struct writing *writing = state;
    hub_arena_destroy(&writing->arena);
}

const struct hub_outbound hub_outbound_file = {
    .name = "file-out",
    .summary = "Writes events as JSON files into a folder.",
    .options = options,
    .options_size = sizeof(struct options),
    .pace = pace,
    .state_size = sizeof(struct writing),
    .open = open,
    .deliver = deliver,
    .close = close,
};
