/* Keys of subjects: those whom sealed fields (schemas/lib/sealed.h) are about. Destroying a subject's key makes all
 * that was sealed with it unreadable, wherever it is, and changes no byte of it.
 *
 * In the keys folder:
 *   subjects/NAME   one for each subject: 32 random bytes, wrapped with a key of the part `sealing`, and the
 *                   key's id, which is random. NAME is a local pseudonym of what the institution knows the subject
 *                   by; nothing but this file leads from the one to the other
 *   erased/ID       one for each key that was destroyed: when, by whom and why
 *   held/ID         one for each key that may not be: likewise
 *
 * A key is made when the first field of its subject is sealed, is on the disk before it is used, and is in memory only
 * while it is used: once it is destroyed no process has it. Connectors of one institution that seal
 * for the same subjects have one folder. A backup of it has the keys still. */
#pragma once

#include "connectors/kit/keys.h"
#include "hub/base/digest.h"

enum { HUB_KEY_ID_DIGITS = 32 }; /* of a subject's key: 128 bits in hexadecimal */

struct hub_subject {
    const char *name; /* of its file */
    char key_id[HUB_KEY_ID_DIGITS + 1];
};

/* Whether it may be the id of a subject's key; what is none is no part of a path. */
bool hub_key_id_is(const char *text);

/* Seals with the subject's key, bound to the origin. The same is sealed to the same, as long as the key is. Who only
 * tries has a key whose id is `trial` and which is kept nowhere; where none is to be made, there is no id, and nothing
 * is sealed. HUB_FATAL where there is no key in `sealing`, or one that is there cannot be read; HUB_RETRY on a full
 * disk. */
HUB_MUST_USE enum hub_status hub_subject_seal(const struct hub_keys *keys, struct hub_bytes subject,
                                              const char *origin, struct hub_bytes plain,
                                              char ret_key_id[HUB_KEY_ID_DIGITS + 1],
                                              struct hub_buffer *ciphertext,
                                              struct hub_error *reterr);

enum hub_unsealed {
    HUB_UNSEALED_PLAIN = 0,
    HUB_UNSEALED_ERASED,  /* its key was destroyed here */
    HUB_UNSEALED_NO_KEY,  /* it is another institution's, or was never here */
    HUB_UNSEALED_DAMAGED, /* the key is here, and this was not sealed with it for this origin */
};
/* Appends what was sealed, where it can be read. HUB_FATAL where a key that is there cannot be. */
HUB_MUST_USE enum hub_status hub_subject_unseal(const struct hub_keys *keys, const char *key_id,
                                                const char *origin, struct hub_bytes ciphertext,
                                                enum hub_unsealed *ret_unsealed,
                                                struct hub_buffer *plain, struct hub_error *reterr);

/* The subjects that a text means: a key's id, or what the institution knows the subject by (under each local key
 * that is or was in use). HUB_FATAL where the folder, or a file in it, cannot be read. */
HUB_MUST_USE enum hub_status hub_subjects_find(const struct hub_keys *keys, const char *text,
                                               struct hub_arena *arena,
                                               struct hub_subject **ret_subjects,
                                               size_t *ret_count, struct hub_error *reterr);

/* --- what becomes of a key --- */

/* Why it was destroyed, or may not be. */
struct hub_key_note {
    const char *basis; /* or NULL */
    const char *reason, *by;
    int64_t time_ms;
    bool told; /* that it was destroyed is an entry of the log */
};

enum hub_key_notes { HUB_KEYS_ERASED = 0, HUB_KEYS_HELD };

/* Writes the note, which is then on the disk; reads it (`ret_found` is false where there is none); removes it;
 * lists the keys that have one. HUB_FATAL where a file cannot be written or read. */
HUB_MUST_USE enum hub_status hub_key_note_write(const struct hub_keys *keys, enum hub_key_notes kind,
                                                const char *key_id, const struct hub_key_note *note,
                                                struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_key_note_read(const struct hub_keys *keys, enum hub_key_notes kind,
                                               const char *key_id, struct hub_arena *arena,
                                               struct hub_key_note *ret_note, bool *ret_found,
                                               struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_key_note_remove(const struct hub_keys *keys, enum hub_key_notes kind,
                                                 const char *key_id, struct hub_error *reterr);
HUB_MUST_USE enum hub_status hub_key_notes_list(const struct hub_keys *keys, enum hub_key_notes kind,
                                                struct hub_arena *arena, char ***ret_ids,
                                                size_t *ret_count, struct hub_error *reterr);

/* Writes over the key and removes it; one that is gone is fine. HUB_REJECT where it is held. */
HUB_MUST_USE enum hub_status hub_subject_destroy(const struct hub_keys *keys,
                                                 const struct hub_subject *subject,
                                                 struct hub_error *reterr);

/* Whoever makes or destroys a subject's key does so alone. Waits for it; the descriptor is to be closed. */
HUB_MUST_USE enum hub_status hub_subjects_lock(const struct hub_keys *keys, int *ret_descriptor,
                                               struct hub_error *reterr);
