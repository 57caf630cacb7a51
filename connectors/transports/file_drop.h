/* Between the files of file-drop: its options, what it keeps from poll to poll, and the look at all
 * places that makes a batch. */
#pragma once

#include "connectors/kit/expression.h"
#include "connectors/transports/drop_place.h"

enum { FILE_DROP_BATCH_FILES_MAX = 64, FILE_DROP_BATCH_BYTES_MAX = 8 * 1024 * 1024 };

struct file_drop_options {
    const char *const *folder;
    const char *pattern;
    const char *mode;
    int64_t withdraw_max_percent;
    int64_t settle_ms;
    int64_t poll_interval_ms;
    const char *manifest;
    int64_t manifest_wait_ms;
    struct hub_drop_sftp_options sftp;
};

/* The manifest of a whole folder, as it was read last. */
struct file_drop_digests {
    char *mark;  /* of its content; NULL: none was read */
    json_t *of;  /* name -> digest; NULL: it cannot be understood, */
    char *why;   /* for this reason */
};

struct file_drop {
    const struct file_drop_options *options;
    struct hub_env env;
    struct hub_arena arena; /* for what lives as long */
    struct hub_drop_place *places;
    struct file_drop_digests *digests; /* of each place */
    size_t place_count;
    pcre2_code *pattern;
    json_t *files;   /* path -> mark: as handed out last */
    json_t *pending; /* the same, as of the batch that waits for its commit */
    json_t *seen;    /* what waits: path -> {mark, since} */
    int64_t rest_ms; /* before the next look */
    int64_t told_late_ms; /* when somebody was told last of manifests that do not come; -1: never */
};

struct file_drop_looking {
    struct file_drop *state;
    struct hub_batch *batch;
    json_t *there; /* what of `files` is still there */
    json_t *seen;  /* what of `seen` still waits */
    size_t bytes;
    bool unsettled, full;
    bool away;             /* the place that is looked at */
    bool troubled;         /* something cannot be read: */
    struct hub_error why;  /* the first of it; or what is for a person */
    size_t late;           /* files whose manifest has not come in time: */
    const char *late_name; /* the first of them */
    int64_t late_ms;
};

/* A file in one of the places. */
struct file_drop_candidate {
    struct hub_drop_place *place;
    struct hub_drop_file *file;
    struct hub_drop_file *manifest; /* where it has one that can be read */
    const char *digest;        /* as the manifest of the whole folder tells it, or NULL */
    const char *told;          /* what of its manifest goes into its mark, or NULL */
    const char *name, *path;   /* as texts */
    const char *refused, *refused_code;
    json_t *groups; /* of the pattern */
};

/* --- file_drop_look.c --- */

/* One look at all places: fills the batch's documents, its note, and whether it is exhausted;
 * `ret_there` is what is there and was read, the caller's. Anything but HUB_OK: there is nothing
 * to hand on. */
HUB_MUST_USE enum hub_status file_drop_look(struct file_drop *state, struct hub_batch *batch,
                                            json_t **ret_there, struct hub_error *reterr);

bool file_drop_is_snapshot(const struct file_drop_options *options);

/* HUB_OK: it was done. HUB_RETRY: not in this look. HUB_REJECT: it is too large. HUB_FATAL: a
 * person must act. What somebody should hear of is noted. */
enum hub_status file_drop_take_result(struct file_drop_looking *looking,
                                      enum hub_drop_result result, const struct hub_error *why);

/* For how long it has been seen to be like this. */
int64_t file_drop_seen_ms(struct file_drop_looking *looking, const char *path, const char *mark);
bool file_drop_is_settled(struct file_drop_looking *looking, const struct hub_drop_place *place,
                          const struct hub_drop_file *file, const char *path);
bool file_drop_is_full(const struct file_drop_looking *looking);
struct hub_raw_document *file_drop_add(struct file_drop_looking *looking,
                                       const struct hub_drop_place *place, const char *name,
                                       json_t *groups);
const char *file_drop_path(struct file_drop_looking *looking, const struct hub_drop_place *place,
                           const char *name);

/* --- file_drop_name.c --- */

/* A name as text: control characters, and bytes that are not UTF-8, as %XX. */
const char *file_drop_printable(struct hub_arena *arena, const char *name);

/* The named groups of the pattern as an object; NULL where the name does not match. */
json_t *file_drop_match(const pcre2_code *pattern, const char *name);

/* Refuses it where that is seen without asking any more of it. A name that holds what looks like a
 * person's number is taken off it. */
void file_drop_judge_name(struct file_drop_looking *looking, struct file_drop_candidate *file);

/* --- file_drop_manifest.c --- */

bool file_drop_is_manifest(const struct file_drop_options *options, const char *name);

/* Reads the manifest of the whole folder where there should be one and it has changed; one that
 * cannot be understood is refused once. HUB_OK or HUB_FATAL. */
HUB_MUST_USE enum hub_status file_drop_read_listing(struct file_drop_looking *looking,
                                                    struct hub_drop_place *place,
                                                    const struct hub_drop_listing *listing);

/* Finds what is told of the file; it is refused where nobody can understand that. False: nothing
 * is told yet. HUB_FATAL: a person must act. */
HUB_MUST_USE enum hub_status file_drop_find_manifest(struct file_drop_looking *looking,
                                                     const struct hub_drop_listing *listing,
                                                     struct file_drop_candidate *file,
                                                     bool *ret_found);

/* Refuses it where its bytes are not those that its manifest tells of. HUB_OK, HUB_RETRY or
 * HUB_FATAL. */
HUB_MUST_USE enum hub_status file_drop_check_manifest(struct file_drop_looking *looking,
                                                      struct file_drop_candidate *file,
                                                      struct hub_bytes bytes);
void file_drop_wait_for_manifest(struct file_drop_looking *looking,
                                 const struct file_drop_candidate *file);
