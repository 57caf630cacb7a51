/* `seal: {subject: VALUE}`: what a field that is sealed is made of, and whom it is about. */
#include "connectors/kit/mapping_plan.h"

#include "connectors/kit/subject.h"
#include "schemas/lib/sealed.h"

#include <assert.h>
#include <string.h>

/* --- loading --- */

static enum hub_status check_keys(struct map_loader *loader, const struct hub_node *node) {
    const struct hub_keys *keys = loader->mapping->config.keys;
    if (keys->sealing.id != NULL && keys->local.id != NULL)
        return HUB_OK;
    return hub_node_fail(node, loader->reterr,
                         "there is no %s key in use; --keys names the folder that holds them",
                         keys->sealing.id == NULL ? HUB_SEALING_KEYS : "local");
}

static enum hub_status load_subject(struct map_loader *loader, const struct hub_node *seal,
                                    struct map_target *target) {
    static const char *const keys[] = {"subject", NULL};
    HUB_TRY(hub_node_check_keys(seal, keys, loader->reterr));
    const struct hub_node *subject = hub_node_get(seal, "subject");
    if (subject == NULL)
        return hub_node_fail(seal, loader->reterr, "'subject' is missing: whom it is about");
    target->subject = hub_arena_take_zero(loader->arena, 1, sizeof *target->subject);
    HUB_TRY(map_load_value(loader, subject, NULL, target->subject));
    if (target->subject->source == MAP_CONSTANT)
        return hub_node_fail(subject, loader->reterr, "everybody would have one key, and none could be "
                             "erased; a path would pass");
    return check_keys(loader, seal);
}

enum hub_status map_load_sealed(struct map_loader *loader, const struct hub_node *node,
                                struct map_target *target) {
    static const char *const own[] = {"seal", NULL};
    const struct hub_node *seal = hub_node_get(node, "seal");
    if (seal == NULL || seal->kind != HUB_NODE_MAPPING)
        return hub_node_fail(seal == NULL ? node : seal, loader->reterr, "only what is sealed may stand in "
                             "it: {from: PATH, seal: {subject: PATH}} would pass");
    target->kind = MAP_SEALED;
    target->value = hub_arena_take_zero(loader->arena, 1, sizeof *target->value);
    HUB_TRY(map_load_value(loader, map_without(node, own, loader->arena), NULL, target->value));
    if (target->value->time != NULL)
        return hub_node_fail(hub_node_key(node, "time"), loader->reterr, "what is sealed is a text");
    HUB_TRY(load_subject(loader, seal, target));
    loader->mapping->seals = true;
    return HUB_OK;
}

/* --- running --- */

/* The guard reads it before anything goes out. */
static void note_text(struct map_run *run, const char *path, const char *text) {
    struct hub_sealed_text *wider =
        hub_arena_take(run->arena, (run->sealed_count + 1) * sizeof *wider);
    if (run->sealed_count > 0)
        memcpy(wider, run->sealed, run->sealed_count * sizeof *wider);
    wider[run->sealed_count++] = (struct hub_sealed_text){path, text};
    run->sealed = wider;
}

static void set_sealed(avro_value_t *record, const char *key_id, const char *origin,
                       struct hub_buffer *ciphertext) {
    avro_value_t slots[HUB_SEALED_FIELDS];
    int failed = 0;
    for (size_t i = 0; i < HUB_SEALED_FIELDS; i++)
        failed |= avro_value_get_by_index(record, i, &slots[i], NULL);
    failed = failed || avro_value_set_string(&slots[HUB_SEALED_KEY_ID], key_id) ||
             avro_value_set_string(&slots[HUB_SEALED_ORIGIN], origin) ||
             avro_value_set_bytes(&slots[HUB_SEALED_CIPHERTEXT], ciphertext->data, ciphertext->size);
    assert(failed == 0);
}

static enum hub_status seal(struct map_run *run, const char *subject, const char *text,
                            const struct map_target *target, avro_value_t *slot,
                            bool *ret_stated) {
    char key_id[HUB_KEY_ID_DIGITS + 1];
    HUB_SCOPED_BUFFER ciphertext = {0};
    const char *path = hub_buffer_text(&run->path);
    const char *origin = hub_arena_format(run->arena, "%s#%s", run->statement, path);
    avro_value_t inner;
    run->code = "KEY";
    run->failed = hub_subject_seal(run->mapping->config.keys, hub_bytes_of_text(subject), origin,
                                   hub_bytes_of_text(text), key_id, &ciphertext, run->reterr);
    HUB_TRY(run->failed);
    *ret_stated = *key_id != '\0';
    if (!*ret_stated)
        return HUB_OK;
    note_text(run, hub_arena_text(run->arena, path, strlen(path)), text);
    map_enter_branch(slot, target->branch, &inner);
    set_sealed(&inner, key_id, origin, &ciphertext);
    return HUB_OK;
}

enum hub_status map_sealed_fill(struct map_run *run, const struct map_target *target,
                                const struct hub_scope *scope, avro_value_t *slot,
                                bool *ret_stated) {
    const char *text = NULL, *subject = NULL;
    *ret_stated = false;
    HUB_TRY(map_value_text(run, target->value, scope, &text));
    bool constant = run->constant;
    if (text == NULL)
        return HUB_OK;
    HUB_TRY(map_value_text(run, target->subject, scope, &subject));
    run->constant = constant;
    run->code = "MISSING";
    if (subject == NULL)
        return hub_fail(run->reterr, HUB_REJECT, "it is to be sealed, and the source does not say whom it is "
                        "about");
    return seal(run, subject, text, target, slot, ret_stated);
}
