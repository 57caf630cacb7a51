/* hubctl archive prove, prove-growth and check: proofs as files, which others check without us. */
#include "hub/ctl/archive.h"

#include "hub/archive/prover.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <string.h>

static enum hub_exit say(enum hub_status status, const struct hub_error *error) {
    if (status != HUB_OK)
        fprintf(stderr, "hubctl: %s\n", error->text);
    return status == HUB_OK       ? HUB_EXIT_OK
           : status == HUB_REJECT ? HUB_EXIT_FINDINGS
                                  : HUB_EXIT_NOT_FOUND;
}

/* --- making them --- */

struct proving {
    const char *prefix; /* of the files */
    struct hub_note_key key;
    struct hub_prover *prover;
    struct hub_error error;
};

static enum hub_status begin(struct hub_ctl *ctl, struct hub_ctl_keys *keys,
                             struct proving *proving) {
    const char *folder = ctl->arguments[0];
    HUB_TRY(hub_ctl_keys_of(keys, folder, &proving->key, &proving->error));
    return hub_prover_open(folder, &proving->key, &proving->prover, &proving->error);
}

/* Opens the log of the first argument, and does it. */
static enum hub_exit prove(struct hub_ctl *ctl, enum hub_status (*make)(const struct hub_ctl *ctl,
                                                                        struct proving *proving)) {
    struct hub_ctl_keys keys = {0};
    struct proving proving = {.prefix = ctl->to_file};
    if (ctl->to_file == NULL) {
        fprintf(stderr, "hubctl: --to-file says where to write it\n");
        return HUB_EXIT_USAGE;
    }
    if (!hub_ctl_keys_load(ctl, &keys))
        return HUB_EXIT_USAGE;
    enum hub_status status = begin(ctl, &keys, &proving);
    if (status == HUB_OK)
        status = make(ctl, &proving);
    hub_prover_close(proving.prover);
    hub_ctl_keys_free(&keys);
    return say(status, &proving.error);
}

static enum hub_status write_file(struct proving *proving, const char *suffix, const char *what,
                                  const struct hub_buffer *file) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%s%s", proving->prefix, suffix);
    HUB_TRY(hub_file_write(hub_buffer_text(&path), hub_buffer_bytes(file), &proving->error));
    printf("%s: %s\n", hub_buffer_text(&path), what);
    return HUB_OK;
}

/* What is damaged in the tiles would prove nothing, and is not written. */
static enum hub_status write_proof(struct proving *proving, uint64_t index,
                                   enum hub_proof_form form, const struct hub_buffer *entry) {
    struct hub_inclusion inclusion;
    struct hub_checkpoint checkpoint;
    HUB_SCOPED_BUFFER file = {0};
    HUB_TRY(hub_prover_include(proving->prover, index, form, &file, &proving->error));
    HUB_TRY(hub_inclusion_check(hub_buffer_bytes(&file), hub_buffer_bytes(entry), &proving->key,
                                &inclusion, &checkpoint, &proving->error));
    return form == HUB_PROOF_SPICY
               ? write_file(proving, ".json.spicy",
                            "proof that it is in the log, as 'spicy' checks it", &file)
               : write_file(proving, ".json.tlog-proof", "the same as C2SP tlog-proof@v1", &file);
}

static enum hub_status find_index(const struct hub_ctl *ctl, struct proving *proving,
                                  uint64_t *ret_index) {
    uint64_t offset = 0;
    const char *index = ctl->argument_count > 1 ? ctl->arguments[1] : NULL;
    if ((index == NULL) == (ctl->offset == NULL))
        return hub_fail(&proving->error, HUB_REJECT, "one of INDEX and --offset says which record");
    if (index != NULL)
        return hub_ctl_number(index, ret_index)
                   ? HUB_OK
                   : hub_fail(&proving->error, HUB_REJECT, "'%s' is no index", index);
    if (!hub_ctl_number(ctl->offset, &offset) || offset > INT64_MAX)
        return hub_fail(&proving->error, HUB_REJECT, "'%s' is no offset", ctl->offset);
    return hub_prover_find(proving->prover, (int64_t)offset, ret_index, &proving->error);
}

static enum hub_status prove_index(struct proving *proving, uint64_t index) {
    HUB_SCOPED_BUFFER entry = {0}, record = {0};
    struct hub_leaf leaf;
    HUB_TRY(hub_prover_entry(proving->prover, index, &entry, &leaf, &proving->error));
    HUB_TRY(hub_prover_record(proving->prover, &leaf, &record, &proving->error));
    HUB_TRY(write_file(proving, ".json", "what the log says of it", &entry));
    HUB_TRY(write_proof(proving, index, HUB_PROOF_SPICY, &entry));
    HUB_TRY(write_proof(proving, index, HUB_PROOF_TLOG, &entry));
    return write_file(proving, ".avro", "the record itself, with its schema", &record);
}

static enum hub_status make_inclusion(const struct hub_ctl *ctl, struct proving *proving) {
    uint64_t index = 0;
    HUB_TRY(find_index(ctl, proving, &index));
    return prove_index(proving, index);
}

enum hub_status hub_ctl_prove_offset(const char *folder, const struct hub_note_key *key,
                                     int64_t offset, const char *prefix,
                                     struct hub_error *reterr) {
    struct proving proving = {.prefix = prefix, .key = *key};
    uint64_t index = 0;
    enum hub_status status = hub_prover_open(folder, key, &proving.prover, &proving.error);
    if (status == HUB_OK)
        status = hub_prover_find(proving.prover, offset, &index, &proving.error);
    if (status == HUB_OK)
        status = prove_index(&proving, index);
    hub_prover_close(proving.prover);
    *reterr = proving.error;
    return status;
}

enum hub_exit hub_ctl_archive_prove(struct hub_ctl *ctl) {
    return prove(ctl, make_inclusion);
}

static enum hub_status make_growth(const struct hub_ctl *ctl, struct proving *proving) {
    HUB_SCOPED_BUFFER file = {0};
    struct hub_checkpoint earlier, later;
    struct hub_error *error = &proving->error;
    uint64_t from = 0, to = 0;
    if (!hub_ctl_number(ctl->arguments[1], &from) || !hub_ctl_number(ctl->arguments[2], &to))
        return hub_fail(error, HUB_REJECT, "'%s' and '%s' are no sizes", ctl->arguments[1],
                        ctl->arguments[2]);
    HUB_TRY(hub_prover_growth(proving->prover, from, to, &file, error));
    HUB_TRY(hub_growth_check(hub_buffer_bytes(&file), &proving->key, &earlier, &later, error));
    return write_file(proving, "", "proof that the log only grew", &file);
}

enum hub_exit hub_ctl_archive_prove_growth(struct hub_ctl *ctl) {
    return prove(ctl, make_growth);
}

/* --- checking them --- */

struct checking {
    const char *path;
    struct hub_bytes file, entry;
    struct hub_arena arena;
    struct hub_error error;
};

static enum hub_status check_growth(struct checking *checking, const struct hub_note_key *key) {
    struct hub_checkpoint from, to;
    HUB_TRY(hub_growth_check(checking->file, key, &from, &to, &checking->error));
    printf("%s: with %llu entries it begins with what it was with %llu\n", key->name,
           (unsigned long long)to.size, (unsigned long long)from.size);
    return HUB_OK;
}

/* The path without that end; NULL where it has another. */
static const char *without(struct hub_arena *arena, const char *path, const char *end) {
    size_t size = strlen(path), end_size = strlen(end);
    return size > end_size && strcmp(path + size - end_size, end) == 0
               ? hub_arena_text(arena, path, size - end_size)
               : NULL;
}

static const char *path_of_entry(struct checking *checking) {
    const char *path = without(&checking->arena, checking->path, ".spicy");
    return path != NULL ? path : without(&checking->arena, checking->path, ".tlog-proof");
}

/* REC.avro beside REC.json, where it is there. */
static enum hub_status check_record(struct checking *checking, uint64_t index,
                                    const struct hub_leaf *leaf) {
    const char *stem = without(&checking->arena, path_of_entry(checking), ".json");
    HUB_SCOPED_BUFFER record = {.size_max = 128 * 1024 * 1024};
    struct hub_file_facts facts;
    const char *path = stem == NULL ? NULL : hub_arena_format(&checking->arena, "%s.avro", stem);
    if (path == NULL || hub_file_facts(path, &facts, &checking->error) != HUB_OK)
        return HUB_OK;
    HUB_TRY(hub_file_read(path, &record, &checking->error));
    if (hub_proof_check_record(hub_buffer_bytes(&record), index, leaf, &checking->error) != HUB_OK)
        return hub_fail_at(&checking->error, HUB_REJECT, "%s", path);
    printf("%s is that record\n", path);
    return HUB_OK;
}

static enum hub_status check_inclusion(struct checking *checking, const struct hub_note_key *key) {
    struct hub_inclusion inclusion;
    struct hub_checkpoint checkpoint;
    struct hub_leaf leaf;
    HUB_TRY(hub_inclusion_check(checking->file, checking->entry, key, &inclusion, &checkpoint,
                                &checking->error));
    printf("%s: of its %llu entries, number %llu is this one\n", key->name,
           (unsigned long long)checkpoint.size, (unsigned long long)inclusion.index);
    if (hub_leaf_read(checking->entry, &leaf, &checking->error) != HUB_OK)
        return HUB_OK; /* an entry of another kind of log */
    printf("It is of %s-%d, offset %lld.\n", leaf.topic, leaf.partition, (long long)leaf.offset);
    return check_record(checking, inclusion.index, &leaf);
}

/* Of the log that a proof speaks of: its checkpoint comes after the first empty line. */
static struct hub_bytes origin_of(struct hub_bytes file) {
    struct hub_bytes line = {0};
    do
        if (!hub_bytes_cut(file, '\n', &line, &file))
            return hub_bytes(NULL, 0);
    while (line.size > 0);
    hub_bytes_cut(file, '\n', &line, &file);
    return line;
}

static enum hub_status check(struct checking *checking, struct hub_ctl_keys *keys) {
    HUB_SCOPED_BUFFER file = {.size_max = HUB_PROOF_FILE_SIZE_MAX}, entry = {0};
    struct hub_note_key key;
    HUB_TRY(hub_file_read(checking->path, &file, &checking->error));
    checking->file = hub_buffer_bytes(&file);
    bool growth = hub_growth_is(checking->file);
    if (!growth && path_of_entry(checking) == NULL)
        return hub_fail(&checking->error, HUB_REJECT, "%s: no proof of growth, and for one of a record "
                        "REC.json.spicy or REC.json.tlog-proof beside REC.json would pass",
                        checking->path);
    if (!growth)
        HUB_TRY(hub_file_read(path_of_entry(checking), &entry, &checking->error));
    checking->entry = hub_buffer_bytes(&entry);
    HUB_TRY(hub_ctl_keys_find(keys, origin_of(checking->file), &key, &checking->error));
    return growth ? check_growth(checking, &key) : check_inclusion(checking, &key);
}

enum hub_exit hub_ctl_archive_check(struct hub_ctl *ctl) {
    struct hub_ctl_keys keys = {0};
    struct checking checking = {.path = ctl->arguments[0]};
    if (ctl->key == NULL) {
        fprintf(stderr, "hubctl: --key says whom you believe; without it a proof shows nothing\n");
        return HUB_EXIT_USAGE;
    }
    if (!hub_ctl_keys_load(ctl, &keys))
        return HUB_EXIT_USAGE;
    enum hub_status status = check(&checking, &keys);
    hub_ctl_keys_free(&keys);
    hub_arena_destroy(&checking.arena);
    return say(status, &checking.error);
}
