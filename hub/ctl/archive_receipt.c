/* hubctl archive receipt: the proof that an event was taken, for whoever has said it. It is the record as its
 * connector published it, in the archive of its topic, and the entry of the log that the hub made of it. */
#include "hub/ctl/archive.h"
#include "hub/ctl/source.h"

#include <stdio.h>
#include <string.h>

struct place {
    const char *topic; /* NULL: not found */
    int32_t partition;
    int64_t offset;
};

struct searching {
    struct hub_ctl *ctl;
    struct hub_source *source;
    struct hub_arena arena;
    char **topics;      /* NULL-ended */
    const char *header; /* whose value is looked for */
    const char *value;
    const char *topic; /* that is read */
    struct place found;
};

static enum hub_status look(void *context, const struct hub_kafka_record *record,
                            struct hub_error *reterr) {
    struct searching *searching = context;
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, searching->header) == 0 &&
            hub_bytes_equal_text(record->headers[i].value, searching->value)) {
            searching->found = (struct place){searching->topic, record->partition, record->offset};
            return hub_fail(reterr, HUB_REJECT, "found"); /* ends the reading */
        }
    return HUB_OK;
}

/* The first record with that header, in the topics that begin so. */
static enum hub_status search(struct searching *searching, const char *prefix, const char *header,
                              const char *value, struct place *ret_found,
                              struct hub_error *reterr) {
    searching->header = header;
    searching->value = value;
    searching->found = (struct place){0};
    for (size_t i = 0; searching->topics[i] != NULL && searching->found.topic == NULL; i++) {
        int32_t partitions = 0;
        searching->topic = searching->topics[i];
        if (strncmp(searching->topic, prefix, strlen(prefix)) != 0)
            continue;
        HUB_TRY(hub_source_partition_count(searching->source, searching->topic, &partitions, reterr));
        for (int32_t k = 0; k < partitions && searching->found.topic == NULL; k++) {
            enum hub_status status = hub_source_read(searching->source, searching->topic, k, 0, -1,
                                                     look, searching, NULL, reterr);
            if (searching->found.topic == NULL)
                HUB_TRY(status);
        }
    }
    *ret_found = searching->found;
    return HUB_OK;
}

static enum hub_status write_proofs(struct searching *searching, struct hub_ctl_keys *keys,
                                    const struct place *place, const char *name,
                                    struct hub_error *reterr) {
    const struct hub_ctl *ctl = searching->ctl;
    struct hub_note_key key;
    const char *folder = hub_arena_format(&searching->arena, "%s/%s-%d", ctl->archive, place->topic,
                                          place->partition);
    printf("%s/%d@%lld\n", place->topic, place->partition, (long long)place->offset);
    HUB_TRY(hub_ctl_keys_of(keys, folder, &key, reterr));
    return hub_ctl_prove_offset(folder, &key, place->offset,
                                hub_arena_format(&searching->arena, "%s.%s", ctl->to_file, name),
                                reterr);
}

/* What changed nothing has no entry; nor has what was refused. */
static enum hub_status make_receipt(struct searching *searching, struct hub_ctl_keys *keys,
                                    struct hub_error *reterr) {
    struct place said, entered;
    const char *id = searching->ctl->arguments[1];
    HUB_TRY(hub_source_topics(searching->source, &searching->arena, &searching->topics, reterr));
    HUB_TRY(search(searching, "ingest.", "ce_id", id, &said, reterr));
    if (said.topic == NULL)
        return hub_fail(reterr, HUB_REJECT, "no record of the archive has the ce_id '%s'", id);
    HUB_TRY(write_proofs(searching, keys, &said, "said", reterr));
    const char *origin = hub_arena_format(&searching->arena, "%s/%d@%lld", said.topic, said.partition,
                                          (long long)said.offset);
    HUB_TRY(search(searching, hub_arena_format(&searching->arena, "log.%s", strrchr(said.topic, '.') + 1),
                   "hub_origin", origin, &entered, reterr));
    if (entered.topic != NULL)
        return write_proofs(searching, keys, &entered, "entered", reterr);
    printf("no entry of the log was made of it: it changed nothing, was late to do so, or was refused\n");
    return HUB_OK;
}

enum hub_exit hub_ctl_archive_receipt(struct hub_ctl *ctl) {
    struct searching searching = {.ctl = ctl};
    struct hub_ctl_keys keys = {0};
    struct hub_error error = {{0}};
    if (ctl->to_file == NULL) {
        fprintf(stderr, "hubctl: --to-file says where to write it\n");
        return HUB_EXIT_USAGE;
    }
    ctl->archive = ctl->arguments[0];
    if (!hub_ctl_keys_load(ctl, &keys))
        return HUB_EXIT_USAGE;
    searching.source = hub_ctl_source(ctl);
    enum hub_status status =
        searching.source == NULL
            ? hub_fail(&error, HUB_FATAL, "%s: no archive", ctl->archive)
            : make_receipt(&searching, &keys, &error);
    hub_source_free(searching.source);
    hub_arena_destroy(&searching.arena);
    hub_ctl_keys_free(&keys);
    if (status == HUB_OK)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return HUB_EXIT_NOT_FOUND;
}
