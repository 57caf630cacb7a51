/* A folder of this machine, or one that is mounted there. */
#include "connectors/transports/drop_place.h"

#include <string.h>

static const char *path_of(const struct hub_drop_place *place, const char *name,
                           struct hub_arena *arena) {
    return hub_arena_format(arena, "%s/%s", place->address, name);
}

static const char *mark_of(const struct hub_file_facts *facts, struct hub_arena *arena) {
    return hub_arena_format(arena, "%llu-%lld", (unsigned long long)facts->size,
                            (long long)facts->modified_ns);
}

/* A folder that is missing has no files. */
static enum hub_drop_result list(struct hub_drop_place *place, struct hub_arena *arena,
                                 struct hub_drop_listing *ret_listing,
                                 struct hub_error *reterr) {
    char **names = NULL;
    size_t count = 0;
    struct hub_error ignored;
    *ret_listing = (struct hub_drop_listing){0};
    if (!hub_file_is_folder(place->address))
        return HUB_DROP_DONE;
    if (hub_file_list(place->address, "", arena, &names, &count, reterr) != HUB_OK)
        return HUB_DROP_FATAL;
    if (count > HUB_DROP_FILES_MAX)
        return hub_drop_too_many(place, count, reterr);
    ret_listing->files = hub_arena_take_zero(arena, count + 1, sizeof *ret_listing->files);
    for (size_t i = 0; i < count; i++) {
        struct hub_file_facts facts;
        if (hub_file_facts(path_of(place, names[i], arena), &facts, &ignored) != HUB_OK)
            continue;
        ret_listing->files[ret_listing->count++] =
            (struct hub_drop_file){.name = names[i],
                                   .kind = facts.kind,
                                   .size = facts.size,
                                   .modified_ms = facts.modified_ns / 1000000,
                                   .mark = mark_of(&facts, arena)};
    }
    return HUB_DROP_DONE;
}

/* Gone again, or changed since it was looked at, or not for us to read. */
static enum hub_drop_result fetch(struct hub_drop_place *place, const struct hub_drop_file *file,
                                  struct hub_buffer *buffer, struct hub_error *reterr) {
    struct hub_arena arena = {0};
    struct hub_file_facts facts;
    struct hub_error ignored;
    enum hub_drop_result result = HUB_DROP_CHANGED;
    const char *path = path_of(place, file->name, &arena);
    bool read = hub_file_read_unlinked(path, buffer, reterr) == HUB_OK;
    if (hub_file_facts(path, &facts, &ignored) == HUB_OK && facts.kind == HUB_FILE_REGULAR &&
        strcmp(mark_of(&facts, &arena), file->mark) == 0)
        result = read                            ? HUB_DROP_DONE
                 : hub_buffer_overflowed(buffer) ? HUB_DROP_TOO_LARGE
                                                 : HUB_DROP_UNREADABLE;
    hub_arena_destroy(&arena);
    return result;
}

static void close_local(struct hub_drop_place *place) {
    (void)place;
}

void hub_drop_local_open(const char *folder, int64_t settle_ms, const struct hub_env *env,
                         struct hub_arena *arena, struct hub_drop_place *ret_place) {
    static const struct hub_drop_kind kind = {.list = list, .fetch = fetch, .close = close_local};
    *ret_place = (struct hub_drop_place){
        .kind = &kind,
        .address = env->folder == NULL ? folder : hub_file_resolve(env->folder, folder, arena),
        .settle_ms = settle_ms};
}
