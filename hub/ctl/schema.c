/* hubctl schema lint, schema lock. */
#include "hub/ctl/retention_read.h"

#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "schemas/lib/lock.h"
#include "schemas/lib/resolve.h"

#include <stdio.h>
#include <string.h>

static bool is_sound(const struct hub_ctl *ctl) {
    struct hub_error error;
    if (hub_catalogue_check(ctl->schemas, &hub_sha256, &error) == HUB_OK)
        return true;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return false;
}

enum hub_exit hub_ctl_schema_lint(struct hub_ctl *ctl) {
    struct hub_retention_reading retention;
    if (!is_sound(ctl))
        return HUB_EXIT_FINDINGS;
    enum hub_exit code = hub_retention_open(ctl, &retention);
    hub_retention_close(&retention);
    if (code != HUB_EXIT_OK)
        return code;
    printf("%zu schemas registered, %zu domains:", ctl->catalogue->schema_count,
           ctl->catalogue->domain_count);
    for (size_t i = 0; i < ctl->catalogue->domain_count; i++)
        printf(" %s (rules %s)", ctl->catalogue->domains[i].name,
               ctl->catalogue->domains[i].rules);
    printf("\n");
    return HUB_EXIT_OK;
}

struct locking {
    const char *folder;
    struct hub_arena arena;
    struct hub_lock lock;
    size_t added;
    struct hub_error error;
};

static enum hub_status read_lock(struct locking *locking) {
    const char *path = hub_arena_format(&locking->arena, "%s/registry.lock.json", locking->folder);
    HUB_SCOPED_BUFFER text = {0};
    struct hub_node *node = NULL;
    struct hub_error ignored;
    if (hub_file_read(path, &text, &ignored) != HUB_OK)
        hub_buffer_append_text(&text, "[]\n"); /* the first registration */
    HUB_TRY(hub_node_parse(hub_buffer_bytes(&text), path, &locking->arena, &node,
                           &locking->error));
    return hub_lock_load(node, &locking->arena, &locking->lock, &locking->error);
}

/* FULL_TRANSITIVE: every registered version can read the new one, and be read by it. */
static enum hub_status check_compatible(struct locking *locking, const char *subject,
                                        const struct hub_schema *fresh) {
    for (size_t i = 0; i < locking->lock.count; i++) {
        const struct hub_lock_entry *entry = &locking->lock.entries[i];
        HUB_SCOPED_BUFFER text = {0};
        struct hub_schema *older = NULL;
        struct hub_resolver *resolver = NULL;
        if (strcmp(entry->subject, subject) != 0)
            continue;
        const char *path =
            hub_arena_format(&locking->arena, "%s/%s", locking->folder, entry->file);
        HUB_TRY(hub_file_read(path, &text, &locking->error));
        HUB_TRY(hub_schema_load(hub_buffer_bytes(&text), path, &older, &locking->error));
        enum hub_status status =
            hub_resolver_new(older->root, fresh->root, &resolver, &locking->error);
        hub_resolver_free(resolver);
        resolver = NULL;
        if (status == HUB_OK)
            status = hub_resolver_new(fresh->root, older->root, &resolver, &locking->error);
        hub_resolver_free(resolver);
        hub_schema_free(older);
        if (status != HUB_OK)
            return hub_fail_at(&locking->error, HUB_FATAL, "%s: not compatible with version %d",
                               fresh->file, entry->version);
    }
    return HUB_OK;
}

static enum hub_status register_file(struct locking *locking,
                                     const struct hub_contract_file *file) {
    struct hub_arena *arena = &locking->arena;
    struct hub_digest digest = hub_sha256.digest(file->text);
    char *sha256 = hub_arena_take(arena, HUB_DIGEST_TEXT_SIZE);
    hub_digest_text(&digest, HUB_DIGEST_SIZE, sha256);
    const struct hub_lock_entry *latest = hub_lock_latest(&locking->lock, file->subject);
    if (latest != NULL && strcmp(latest->sha256, sha256) == 0)
        return HUB_OK;
    struct hub_schema *schema = NULL;
    const char *shown = hub_arena_format(arena, "%s/%s", locking->folder, file->file);
    HUB_TRY(hub_schema_load(file->text, shown, &schema, &locking->error));
    enum hub_status status = check_compatible(locking, file->subject, schema);
    hub_schema_free(schema);
    HUB_TRY(status);
    size_t count = locking->lock.count;
    int32_t id = count == 0 ? HUB_SCHEMA_ID_FIRST : locking->lock.entries[count - 1].id + 1;
    struct hub_lock_entry added = {id, file->subject, latest == NULL ? 1 : latest->version + 1,
                                   hub_arena_format(arena, "registered/%d.avsc", id), sha256};
    HUB_TRY(hub_file_write(hub_arena_format(arena, "%s/%s", locking->folder, added.file),
                           file->text, &locking->error));
    HUB_SCOPED_BUFFER text = {0};
    hub_lock_render(&locking->lock, &added, &text);
    HUB_TRY(hub_file_write(hub_arena_format(arena, "%s/registry.lock.json", locking->folder),
                           hub_buffer_bytes(&text), &locking->error));
    struct hub_lock_entry *wider = hub_arena_take(arena, (count + 1) * sizeof *wider);
    if (count > 0)
        memcpy(wider, locking->lock.entries, count * sizeof *wider);
    wider[count] = added;
    locking->lock = (struct hub_lock){wider, count + 1};
    locking->added++;
    printf("%d  %s version %d\n", id, file->subject, added.version);
    return HUB_OK;
}

static enum hub_status lock_all(struct locking *locking) {
    struct hub_contract_file *files = NULL;
    size_t count = 0;
    HUB_TRY(hub_file_make_folder(
        hub_arena_format(&locking->arena, "%s/registered", locking->folder), &locking->error));
    HUB_TRY(read_lock(locking));
    HUB_TRY(hub_catalogue_files(locking->folder, &locking->arena, &files, &count,
                                &locking->error));
    for (size_t i = 0; i < count; i++)
        HUB_TRY(register_file(locking, &files[i]));
    return HUB_OK;
}

enum hub_exit hub_ctl_schema_lock(struct hub_ctl *ctl) {
    struct locking locking = {.folder = ctl->schemas};
    if (!is_sound(ctl))
        return HUB_EXIT_FINDINGS;
    enum hub_status status = lock_all(&locking);
    hub_arena_destroy(&locking.arena);
    if (status != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", locking.error.text);
        return HUB_EXIT_FINDINGS;
    }
    printf("%zu registered anew\n", locking.added);
    return hub_ctl_schema_lint(ctl);
}
