/* hubctl archive verify: whether an archive is what was signed. It reads the archive's files, and nothing
 * else: no Kafka, and no schemas folder. */
#include "hub/ctl/archive.h"

#include "hub/archive/prover.h"
#include "hub/archive/verify.h"
#include "hub/ctl/archive_rollup.h"
#include "hub/ctl/read.h"
#include "hub/io/clock.h"
#include "hub/io/file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* As old as that a signature should be renewed: by one of a kind that is trusted then, over the same
 * checkpoint, while the old kind still is. */
enum { AGED_YEARS = 10 };
static const double year_ms = 365.2425 * 24 * 3600 * 1000;

static const char *const head[] = {"LOG",         "ENTRIES", "RECORDS", "BYTES",     "NEXT OFFSET",
                                   "CHECKPOINTS", "NEWEST",  "YEARS",   "SIGNATURE", "KEY",
                                   "FOUND"};

struct verifying {
    struct hub_ctl *ctl;
    struct hub_ctl_keys keys;
    uint64_t from, to;
    struct hub_ctl_table table;
    struct hub_buffer remarks;
    const char *name; /* of the log */
    size_t logs, failed;
    bool progress;
};

static void show_progress(void *verifying_, uint64_t done, uint64_t size) {
    const struct verifying *verifying = verifying_;
    fprintf(stderr, "\r%s: %llu of %llu entries", verifying->name, (unsigned long long)done,
            (unsigned long long)size);
}

/* --- of one log --- */

/* When its last record was appended to its partition. False where its entries are of no records. */
static bool find_newest(const char *folder, const struct hub_note_key *key, int64_t *ret_ms) {
    struct hub_prover *prover = NULL;
    HUB_SCOPED_BUFFER entry = {0};
    struct hub_leaf leaf;
    struct hub_error error;
    if (hub_prover_open(folder, key, &prover, &error) != HUB_OK)
        return false;
    uint64_t size = hub_prover_checkpoint(prover)->size;
    bool found = size > 0 && hub_prover_entry(prover, size - 1, &entry, &leaf, &error) == HUB_OK;
    if (found)
        *ret_ms = leaf.timestamp_ms;
    hub_prover_close(prover);
    return found;
}

static void show_newest(struct verifying *verifying, const char *folder,
                        const struct hub_note_key *key) {
    struct hub_ctl_table *table = &verifying->table;
    char date[32];
    int64_t newest_ms = 0;
    if (!find_newest(folder, key, &newest_ms)) {
        hub_ctl_table_cell(table, "%s", "");
        hub_ctl_table_cell(table, "%s", "");
        return;
    }
    time_t seconds = (time_t)(newest_ms / 1000);
    struct tm parts;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&seconds, &parts));
    long long years = (long long)((double)(hub_clock_realtime_ms() - newest_ms) / year_ms);
    hub_ctl_table_cell(table, "%s", date);
    hub_ctl_table_cell(table, "%lld", years);
    if (years >= AGED_YEARS)
        hub_buffer_append_format(
            &verifying->remarks,
            "%s: its newest record is of %s, %lld years ago, and its signature (Ed25519) may be as "
            "old. One of more than %d years should be renewed: let its checkpoint be signed again, as a "
            "cosignature, by a kind that is trusted today, and keep both.\n",
            key->name, date, years, AGED_YEARS);
}

static void show(struct verifying *verifying, const char *folder, const struct hub_note_key *key,
                 const struct hub_verified *verified, enum hub_status status,
                 const struct hub_error *error) {
    struct hub_ctl_table *table = &verifying->table;
    hub_ctl_table_cell(table, "%s", key->name);
    hub_ctl_table_cell(table, "%llu", (unsigned long long)verified->size);
    hub_ctl_table_cell(table, "%llu", (unsigned long long)verified->records);
    hub_ctl_table_cell(table, "%llu", (unsigned long long)verified->bytes);
    if (verified->next_offset < 0)
        hub_ctl_table_cell(table, "%s", "");
    else
        hub_ctl_table_cell(table, "%lld", (long long)verified->next_offset);
    hub_ctl_table_cell(table, "%llu", (unsigned long long)verified->checkpoints);
    show_newest(verifying, folder, key);
    hub_ctl_table_cell(table, "%s", "Ed25519");
    hub_ctl_table_cell(table, "%s", verifying->keys.count == 0 ? "its own" : "given");
    hub_ctl_table_cell(table, "%s", status == HUB_OK ? "as signed" : error->text);
    if (verified->unsigned_bytes > 0)
        hub_buffer_append_format(&verifying->remarks,
                                 "%s: %llu bytes beyond its checkpoint are not signed yet\n",
                                 key->name, (unsigned long long)verified->unsigned_bytes);
}

/* Without a key there is nothing to be said of it but that. */
static void show_unread(struct verifying *verifying, const char *folder,
                        const struct hub_error *error) {
    hub_ctl_table_cell(&verifying->table, "%s", folder);
    for (size_t i = 2; i < sizeof head / sizeof *head; i++)
        hub_ctl_table_cell(&verifying->table, "%s", "");
    hub_ctl_table_cell(&verifying->table, "%s", error->text);
}

static bool is_rollup(const struct hub_note_key *key) {
    const char *slash = strrchr(key->name, '/');
    return slash != NULL && strcmp(slash + 1, HUB_ROLLUP_FOLDER) == 0;
}

/* Every log beside it is held to what it was. */
static enum hub_status verify_rollup(struct verifying *verifying, const char *folder,
                                     const struct hub_note_key *key,
                                     struct hub_verified *ret_verified, struct hub_error *reterr) {
    struct hub_ctl_rollup rollup;
    HUB_SCOPED_BUFFER archive = {0};
    hub_buffer_append_format(&archive, "%s/..", folder);
    hub_ctl_rollup_verify(verifying->ctl, &verifying->keys, hub_buffer_text(&archive), key, &rollup);
    *ret_verified = (struct hub_verified){.size = rollup.verified.size, .next_offset = -1};
    *reterr = rollup.error;
    if (rollup.status == HUB_OK)
        hub_buffer_append_format(&verifying->remarks,
                                 "%s: each of the %zu logs it speaks of is what it was\n", key->name,
                                 rollup.verified.logs);
    hub_buffer_append_bytes(&verifying->remarks, hub_buffer_bytes(&rollup.remarks));
    hub_buffer_free(&rollup.remarks);
    return rollup.status;
}

static enum hub_status verify_records(struct verifying *verifying, const char *folder,
                                      const struct hub_note_key *key,
                                      struct hub_verified *ret_verified,
                                      struct hub_error *reterr) {
    struct hub_verify_config config = {.folder = folder,
                                       .key = key,
                                       .from = verifying->from,
                                       .to = verifying->to,
                                       .progress = verifying->progress ? show_progress : NULL,
                                       .context = verifying};
    enum hub_status status = hub_archive_verify(&config, ret_verified, reterr);
    if (verifying->progress)
        fprintf(stderr, "\r\033[K");
    return status;
}

static void verify_log(struct verifying *verifying, const char *folder) {
    struct hub_note_key key;
    struct hub_verified verified = {0};
    struct hub_error error = {{0}};
    verifying->logs++;
    enum hub_status status = hub_ctl_keys_of(&verifying->keys, folder, &key, &error);
    if (status != HUB_OK) {
        verifying->failed++;
        show_unread(verifying, folder, &error);
        return;
    }
    verifying->name = key.name;
    status = is_rollup(&key) ? verify_rollup(verifying, folder, &key, &verified, &error)
                             : verify_records(verifying, folder, &key, &verified, &error);
    verifying->failed += status != HUB_OK;
    show(verifying, folder, &key, &verified, status, &error);
}

/* --- of a folder --- */

static bool is_log(const char *folder) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_file_facts facts;
    struct hub_error error;
    hub_buffer_append_format(&path, "%s/checkpoint", folder);
    return hub_file_facts(hub_buffer_text(&path), &facts, &error) == HUB_OK;
}

/* A log that is gone altogether is missed only by whoever has its key. */
static void miss_logs(struct verifying *verifying) {
    const struct hub_ctl_keys *keys = &verifying->keys;
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->used[i] || keys->items[i].kind != HUB_NOTE_SIGNATURE)
            continue;
        verifying->failed++;
        hub_buffer_append_format(&verifying->remarks, "%s: there is a key of it, and no log\n",
                                 keys->items[i].name);
    }
}

static void verify_logs(struct verifying *verifying, const char *folder) {
    struct hub_arena arena = {0};
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    if (is_log(folder)) {
        verify_log(verifying, folder);
        return;
    }
    if (hub_file_list(folder, "", &arena, &names, &count, &error) != HUB_OK)
        fprintf(stderr, "hubctl: %s\n", error.text);
    for (size_t i = 0; i < count; i++) {
        const char *path = hub_arena_format(&arena, "%s/%s", folder, names[i]);
        if (is_log(path))
            verify_log(verifying, path);
    }
    hub_arena_destroy(&arena);
    miss_logs(verifying);
}

static void conclude(struct verifying *verifying) {
    hub_ctl_table_show(verifying->ctl, &verifying->table);
    if (verifying->keys.count == 0)
        hub_buffer_append_text(&verifying->remarks,
                               "Each log was held against the key in its own folder: so it was not "
                               "changed since it was signed, but who signed it is not shown. --key "
                               "gives the keys that you believe.\n");
    fflush(stdout);
    if (verifying->remarks.size > 0)
        fprintf(verifying->ctl->json ? stderr : stdout, "\n%s", hub_buffer_text(&verifying->remarks));
}

enum hub_exit hub_ctl_archive_verify(struct hub_ctl *ctl) {
    struct verifying verifying = {.ctl = ctl,
                                  .table = {.head = head, .columns = sizeof head / sizeof *head},
                                  .progress = isatty(STDERR_FILENO) == 1};
    const char *folder = ctl->arguments[0];
    if ((ctl->from != NULL && !hub_ctl_number(ctl->from, &verifying.from)) ||
        (ctl->to != NULL && !hub_ctl_number(ctl->to, &verifying.to)) ||
        !hub_ctl_keys_load(ctl, &verifying.keys))
        return HUB_EXIT_USAGE;
    verify_logs(&verifying, folder);
    if (verifying.logs == 0)
        fprintf(stderr, "hubctl: %s: no log there; a folder with a 'checkpoint', or one with such "
                "folders, would pass\n", folder);
    else
        conclude(&verifying);
    bool none = verifying.logs == 0, failed = verifying.failed > 0;
    hub_ctl_table_free(&verifying.table);
    hub_buffer_free(&verifying.remarks);
    hub_ctl_keys_free(&verifying.keys);
    return none ? HUB_EXIT_NOT_FOUND : failed ? HUB_EXIT_FINDINGS : HUB_EXIT_OK;
}
