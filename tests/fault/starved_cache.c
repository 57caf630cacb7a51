/* The cache without memory: each allocation of opening, loading, looking up, a checkpoint and closing
 * fails, once and for ever, LMDB's too. Whoever opens it next finds all of the checkpoint, nothing of it,
 * or a new cache; and who goes on after a refusal has left no block behind.
 *
 * usage: starved_cache FOLDER   (an empty one) */
#include "hub/base/memory.h"
#include "hub/io/cache_hooks.h"
#include "hub/io/crypto.h"
#include "tests/fault/starve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORDS = 40, NOW_MS = 1000, PATIENCE_S = 20, TRIES_MAX = 100000 };

/* Of a child; shared with it. */
struct told {
    size_t allocations;
    long live;
};

struct found {
    size_t old, new, other;
};

static const char before[] = "before", after[] = "after";

static enum hub_status count_one(void *found_, struct hub_bytes key, struct hub_bytes value,
                                 struct hub_error *reterr) {
    struct found *found = found_;
    (void)key;
    (void)reterr;
    found->old += hub_bytes_equal_text(value, before);
    found->new += hub_bytes_equal_text(value, after);
    found->other += !hub_bytes_equal_text(value, before) && !hub_bytes_equal_text(value, after);
    return HUB_OK;
}

static enum hub_status count_found(void *found, unsigned topic, struct hub_bytes key,
                                   struct hub_bytes value, struct hub_error *reterr) {
    (void)topic;
    return count_one(found, key, value, reterr);
}

static uint64_t hook_of(int number) {
    return hub_hook_hash(0, hub_bytes(&number, sizeof number));
}

static enum hub_status open_shelf(struct hub_cache *cache, struct hub_cache_shelf **ret_shelf,
                                  struct hub_error *reterr) {
    static const char *const spaces[] = {"log/0"};
    return hub_cache_open_shelf(cache, "shelf", "own", spaces, 1, ret_shelf, reterr);
}

/* Each record by its hook. */
static enum hub_status find_all(struct hub_cache *cache, struct found *found,
                                struct hub_error *reterr) {
    struct hub_cache_shelf *shelf = NULL;
    HUB_TRY(open_shelf(cache, &shelf, reterr));
    for (int i = 0; i < RECORDS; i++)
        HUB_TRY(hub_cache_find(cache, shelf, hook_of(i), NULL, count_found, found, reterr));
    return HUB_OK;
}

static enum hub_status write_all(struct hub_cache *cache, const char *value, int64_t next,
                                 struct hub_error *reterr) {
    struct hub_bytes part = hub_bytes_of_text(value);
    struct hub_cache_shelf *shelf = NULL;
    HUB_TRY(open_shelf(cache, &shelf, reterr));
    const struct hub_cache_mark mark = {"log/0", next};
    for (int i = 0; i < RECORDS; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%d", i);
        const struct hub_hook hook = {.hash = hook_of(i), .is_near = true, .near_hash = 1};
        hub_cache_note_hooked(cache, shelf, 0, hub_bytes_of_text(key), &part, 1, &hook, 1);
    }
    return hub_cache_checkpoint(cache, &mark, 1, reterr);
}

static enum hub_status work(const char *folder, const char *value, int64_t next,
                            struct hub_error *reterr) {
    struct hub_cache *cache = NULL;
    struct found found = {0}, looked_up = {0};
    int64_t there = 0;
    HUB_TRY(hub_cache_open(folder, "own", &hub_sha256, NOW_MS, &cache, reterr));
    enum hub_status status =
        hub_cache_load(cache, "log/0", count_one, &found, &there, reterr);
    if (status == HUB_OK)
        status = find_all(cache, &looked_up, reterr);
    if (status == HUB_OK)
        status = write_all(cache, value, next, reterr);
    hub_cache_close(cache);
    return status;
}

/* Works in a child, in which an allocation fails (0: none); its wait status. */
static int work_in_child(const char *folder, const char *value, int64_t next, size_t number,
                         bool for_ever, struct told *told) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct hub_error error;
        alarm(PATIENCE_S);
        long before_live = starve_live();
        starve_at(number, for_ever);
        enum hub_status done = work(folder, value, next, &error);
        told->allocations = starve_count();
        starve_at(0, false);
        told->live = starve_live() - before_live;
        _exit(done == HUB_OK ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return status;
}

/* Whether the next process finds one of the three. */
static bool is_sound(const char *folder) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct hub_cache *cache = NULL;
        struct hub_error error;
        struct found found = {0}, looked_up = {0};
        int64_t next = 0;
        bool sound = hub_cache_open(folder, "own", &hub_sha256, NOW_MS, &cache, &error) == HUB_OK &&
                     hub_cache_load(cache, "log/0", count_one, &found, &next, &error) == HUB_OK &&
                     found.other == 0 && find_all(cache, &looked_up, &error) == HUB_OK &&
                     memcmp(&looked_up, &found, sizeof found) == 0;
        bool old = next == 1 && found.old == RECORDS && found.new == 0;
        bool new = next == 2 && found.new == RECORDS && found.old == 0;
        bool none = next == -1 && found.old + found.new == 0;
        hub_cache_close(cache);
        _exit(sound && (old || new || none) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return status == 0;
}

static void make_again(const char *folder) {
    static const char *const names[] = {"data.mdb", "lock.mdb", "reading", "busy"};
    struct told ignored;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    if (work_in_child(folder, before, 1, 0, false, &ignored) != 0) {
        fputs("starved_cache: there is no cache to begin with\n", stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    struct told *told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t tried = 0, stopped = 0, refused = 0, unharmed = 0, bad = 0;
    if (argc != 2 || told == MAP_FAILED)
        return 2;
    for (size_t number = 1; number < TRIES_MAX; number++) {
        for (int for_ever = 0; for_ever < 2; for_ever++, tried++) {
            make_again(argv[1]);
            *told = (struct told){0};
            int status = work_in_child(argv[1], after, 2, number, for_ever, told);
            int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
            bool ended = code == HUB_MEMORY_EXIT_CODE;
            bool good = (ended || code == 0 || code == 1) && told->live <= 0 && is_sound(argv[1]);
            if (!good)
                printf("finding: allocation %zu%s: wait status %#x, %ld blocks\n", number,
                       for_ever ? " and all after it" : "", (unsigned)status, told->live);
            stopped += ended;
            refused += code == 1;
            unharmed += code == 0;
            bad += !good;
        }
        if (told->allocations != 0 && told->allocations < number)
            break;
    }
    printf("allocations %zu\nstopped %zu\nrefused %zu\nunharmed %zu\nbad %zu\n", tried / 2, stopped,
           refused, unharmed, bad);
    return bad == 0 ? 0 : 1;
}
