/* Manifests: beside each file, or one for the whole folder. */
#include "connectors/transports/drop_manifest.h"

#include "connectors/transports/file_drop.h"
#include "hub/io/crypto.h"

#include <string.h>

static const char suffix[] = ".sha256", listing_name[] = "SHA256SUMS";

static bool is_beside(const struct file_drop_options *own) {
    return strcmp(own->manifest, "beside") == 0;
}

static bool is_listing(const struct file_drop_options *own) {
    return strcmp(own->manifest, "listing") == 0;
}

bool file_drop_is_manifest(const struct file_drop_options *own, const char *name) {
    size_t size = strlen(name), suffix_size = strlen(suffix);
    if (is_beside(own))
        return size >= suffix_size && strcmp(name + size - suffix_size, suffix) == 0;
    return is_listing(own) && strcmp(name, listing_name) == 0;
}

static const char *manifest_of(struct file_drop_looking *looking, const char *name) {
    return is_listing(looking->state->options)
               ? listing_name
               : hub_arena_format(&looking->batch->arena, "%s%s", name, suffix);
}

static enum hub_status look_at(struct file_drop_looking *looking, struct hub_drop_place *place,
                               struct hub_drop_file *file) {
    struct hub_error why;
    if (place->kind->look == NULL)
        return HUB_OK;
    return file_drop_take_result(
        looking, place->kind->look(place, file, &looking->batch->arena, &why), &why);
}

/* --- of a whole folder --- */

static struct file_drop_digests *digests_of(const struct file_drop_looking *looking,
                                            const struct hub_drop_place *place) {
    return &looking->state->digests[place - looking->state->places];
}

static void understand(struct file_drop_digests *digests, const struct hub_drop_file *file,
                       enum hub_status fetched, struct hub_bytes text) {
    struct hub_error why;
    json_decref(digests->of);
    hub_release(digests->mark);
    hub_release(digests->why);
    *digests = (struct file_drop_digests){.mark = hub_copy_text(file->mark)};
    if (fetched == HUB_REJECT)
        hub_fail(&why, HUB_REJECT, "over the limit of %d bytes", HUB_MANIFEST_ALL_SIZE_MAX);
    else
        fetched = hub_manifest_all(text, &digests->of, &why);
    if (fetched != HUB_OK)
        digests->why = hub_copy_text(why.text);
}

/* A dead letter, once; the files that it should tell of wait. */
static void refuse_listing(struct file_drop_looking *looking, const struct hub_drop_place *place,
                           const struct file_drop_digests *digests) {
    const char *path = file_drop_path(looking, place, listing_name);
    const char *known = json_string_value(json_object_get(looking->state->files, path));
    if (known == NULL || strcmp(known, digests->mark) != 0) {
        if (file_drop_is_full(looking)) {
            looking->full = true;
            return;
        }
        struct hub_raw_document *document = file_drop_add(looking, place, listing_name, NULL);
        document->refused = hub_arena_format(&looking->batch->arena, "%s: %s", listing_name,
                                             digests->why);
        document->refused_code = "MANIFEST";
    }
    json_object_set_new(looking->there, path, json_string(digests->mark));
}

static enum hub_status renew_listing(struct file_drop_looking *looking,
                                     struct hub_drop_place *place,
                                     const struct hub_drop_file *file,
                                     struct file_drop_digests *digests) {
    HUB_SCOPED_BUFFER text = {.size_max = HUB_MANIFEST_ALL_SIZE_MAX};
    struct hub_error why;
    if (!file_drop_is_settled(looking, place, file,
                              file_drop_path(looking, place, listing_name))) {
        looking->unsettled = true;
        return HUB_RETRY;
    }
    enum hub_status status =
        file_drop_take_result(looking, place->kind->fetch(place, file, &text, &why), &why);
    if (status == HUB_OK || status == HUB_REJECT)
        understand(digests, file, status,
                   status == HUB_OK ? hub_buffer_bytes(&text) : hub_bytes(NULL, 0));
    return status == HUB_REJECT ? HUB_OK : status;
}

enum hub_status file_drop_read_listing(struct file_drop_looking *looking,
                                       struct hub_drop_place *place,
                                       const struct hub_drop_listing *listing) {
    struct file_drop_digests *digests = digests_of(looking, place);
    struct hub_drop_file *file = hub_drop_listing_find(listing, listing_name);
    if (!is_listing(looking->state->options) || file == NULL || file->kind != HUB_FILE_REGULAR)
        return HUB_OK;
    enum hub_status status = look_at(looking, place, file);
    if (status == HUB_OK && (digests->mark == NULL || strcmp(digests->mark, file->mark) != 0))
        status = renew_listing(looking, place, file, digests);
    if (digests->why != NULL)
        refuse_listing(looking, place, digests);
    return status == HUB_FATAL ? HUB_FATAL : HUB_OK;
}

/* --- of one file --- */

static enum hub_status find_beside(struct file_drop_looking *looking,
                                   const struct hub_drop_listing *listing,
                                   struct file_drop_candidate *file, bool *ret_found) {
    const char *name = manifest_of(looking, file->file->name);
    struct hub_drop_file *manifest = hub_drop_listing_find(listing, name);
    if (manifest == NULL || manifest->kind != HUB_FILE_REGULAR)
        return HUB_OK;
    enum hub_status status = look_at(looking, file->place, manifest);
    if (status != HUB_OK)
        return status == HUB_FATAL ? HUB_FATAL : HUB_OK;
    file->manifest = manifest;
    file->told = manifest->mark;
    *ret_found = true;
    return HUB_OK;
}

enum hub_status file_drop_find_manifest(struct file_drop_looking *looking,
                                        const struct hub_drop_listing *listing,
                                        struct file_drop_candidate *file, bool *ret_found) {
    const struct file_drop_options *own = looking->state->options;
    *ret_found = !is_beside(own) && !is_listing(own);
    if (is_beside(own))
        return find_beside(looking, listing, file, ret_found);
    if (!is_listing(own))
        return HUB_OK;
    const json_t *digests = hub_drop_listing_find(listing, listing_name) == NULL
                                ? NULL
                                : digests_of(looking, file->place)->of;
    file->digest = json_string_value(json_object_get(digests, file->file->name));
    file->told = file->digest;
    *ret_found = file->digest != NULL;
    return HUB_OK;
}

static void refuse(struct file_drop_looking *looking, struct file_drop_candidate *file,
                   const char *code, const char *why) {
    file->refused = hub_arena_format(&looking->batch->arena, "%s: %s", file->name, why);
    file->refused_code = code;
}

/* What the manifest beside it says; HUB_REJECT: the file is refused for it. */
static enum hub_status read_beside(struct file_drop_looking *looking,
                                   struct file_drop_candidate *file,
                                   char ret_digest[HUB_DIGEST_TEXT_SIZE]) {
    HUB_SCOPED_BUFFER text = {.size_max = HUB_MANIFEST_ONE_SIZE_MAX};
    struct hub_error why;
    enum hub_status status = file_drop_take_result(
        looking, file->place->kind->fetch(file->place, file->manifest, &text, &why), &why);
    if (status == HUB_REJECT)
        hub_fail(&why, HUB_REJECT, "over the limit of %d bytes", HUB_MANIFEST_ONE_SIZE_MAX);
    else if (status == HUB_OK)
        status = hub_manifest_one(hub_buffer_bytes(&text), ret_digest, &why);
    if (status == HUB_REJECT)
        refuse(looking, file, "MANIFEST",
               hub_arena_format(&looking->batch->arena, "its manifest %s%s is %s", file->name,
                                suffix, why.text));
    return status;
}

enum hub_status file_drop_check_manifest(struct file_drop_looking *looking,
                                         struct file_drop_candidate *file,
                                         struct hub_bytes bytes) {
    char wanted[HUB_DIGEST_TEXT_SIZE], found[HUB_DIGEST_TEXT_SIZE];
    struct hub_digest digest = hub_sha256.digest(bytes);
    if (file->told == NULL)
        return HUB_OK;
    hub_digest_text(&digest, HUB_DIGEST_SIZE, found);
    if (file->digest == NULL) {
        enum hub_status status = read_beside(looking, file, wanted);
        if (status != HUB_OK)
            return status == HUB_REJECT ? HUB_OK : status;
    }
    if (strcmp(file->digest != NULL ? file->digest : wanted, found) != 0)
        refuse(looking, file, "DIGEST",
               hub_arena_format(&looking->batch->arena,
                                "its SHA-256 is not the one that %s tells; both as they were "
                                "written would pass", manifest_of(looking, file->name)));
    return HUB_OK;
}

void file_drop_wait_for_manifest(struct file_drop_looking *looking,
                                 const struct file_drop_candidate *file) {
    int64_t waited_ms = file_drop_seen_ms(looking, file->path, file->file->mark);
    if (waited_ms < looking->state->options->manifest_wait_ms) {
        looking->unsettled = true;
    } else if (looking->late++ == 0) {
        looking->late_name = hub_arena_format(&looking->batch->arena, "%s: %s", file->name,
                                              manifest_of(looking, file->name));
        looking->late_ms = waited_ms;
    }
}
