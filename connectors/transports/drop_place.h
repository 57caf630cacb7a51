/* A place where files are dropped: what file-drop asks of one. There are two, a folder of this
 * machine (drop_local.c) and one of an SFTP server (drop_sftp.c). Which files are taken, when
 * they have settled, and what was read of them is file-drop's own and the same for both. Nothing
 * in a place is ever changed. */
#pragma once

#include "connectors/kit/transport.h"
#include "connectors/transports/drop_sftp.h"
#include "hub/io/file.h"

enum { HUB_DROP_FILES_MAX = 5000 };

enum hub_drop_result {
    HUB_DROP_DONE,
    HUB_DROP_CHANGED,    /* it is gone, or not what was listed: a later look tells */
    HUB_DROP_TOO_LARGE,  /* it is more than the buffer may hold */
    HUB_DROP_UNREADABLE, /* it is there and cannot be read: the reason is told */
    HUB_DROP_AWAY,       /* the place cannot be reached now: the reason is told */
    HUB_DROP_FATAL,      /* a person must act: the reason is told */
};

struct hub_drop_file {
    const char *name; /* as its system has it: any bytes but zero */
    bool is_unread;   /* the name is a line of a listing that nobody can read */
    enum hub_file_kind kind;
    uint64_t size;
    int64_t modified_ms; /* INT64_MAX: by a clock that is not ours */
    const char *mark;    /* while it is the same the content is the same */
};

struct hub_drop_listing {
    struct hub_drop_file *files; /* by their names, without those that begin with a dot */
    size_t count;
};

struct hub_drop_place {
    const struct hub_drop_kind *kind;
    const char *address; /* a path or an sftp:// address */
    int64_t settle_ms;
    void *state;
};

struct hub_drop_kind {
    /* The listing lives in the arena. HUB_DROP_DONE, _AWAY or _FATAL. */
    enum hub_drop_result (*list)(struct hub_drop_place *place, struct hub_arena *arena,
                                 struct hub_drop_listing *ret_listing, struct hub_error *reterr);
    /* Tells more exactly of a regular file what the listing did not. NULL: it told all. */
    enum hub_drop_result (*look)(struct hub_drop_place *place, struct hub_drop_file *file,
                                 struct hub_arena *arena, struct hub_error *reterr);
    /* Appends all of it, where it is still what its mark says. */
    enum hub_drop_result (*fetch)(struct hub_drop_place *place, const struct hub_drop_file *file,
                                  struct hub_buffer *buffer, struct hub_error *reterr);
    void (*close)(struct hub_drop_place *place); /* takes one that open left half made */
};

void hub_drop_listing_sort(struct hub_drop_listing *listing);
/* NULL where it has none of that name. */
struct hub_drop_file *hub_drop_listing_find(const struct hub_drop_listing *listing,
                                            const char *name);
enum hub_drop_result hub_drop_too_many(const struct hub_drop_place *place, size_t count,
                                       struct hub_error *reterr);

/* A folder as the configuration means it. What it is given must outlive the place. */
void hub_drop_local_open(const char *folder, int64_t settle_ms, const struct hub_env *env,
                         struct hub_arena *arena, struct hub_drop_place *ret_place);
HUB_MUST_USE enum hub_status hub_drop_sftp_open(const struct hub_drop_sftp_options *options,
                                                const char *address, const struct hub_env *env,
                                                struct hub_arena *arena,
                                                struct hub_drop_place *ret_place,
                                                struct hub_error *reterr);
