/* What is sealed, for who has the keys: reading it, and destroying the keys. */
#pragma once

#include "connectors/kit/subject.h"
#include "hub/ctl/read.h"

/* The keys that --keys names; says why not. */
bool hub_ctl_keys(struct hub_ctl *ctl, struct hub_arena *arena, struct hub_keys *ret_keys);

/* Whether a field of it is sealed. */
bool hub_ctl_seals(const struct hub_domain *domain);

/* unseal.c: puts in the place of each sealed field of a rendered unified record what became of it: {"plain": TEXT},
 * {"erased": {key_id, time, basis, reason, by}}, {"sealed": {key_id}} where no key of it is here, or {"damaged":
 * {key_id, why}}. False where a key cannot be read, which has been said. */
bool hub_ctl_unseal(const struct hub_keys *keys, const struct hub_domain *domain, json_t *unified);

/* erase.c: why a key is destroyed that nobody asked to. */
struct hub_ctl_ended {
    const char *key_id, *basis, *reason;
};
/* Destroys keys as `hubctl erase` does, and ends what was begun; stops at the first that cannot be. None may be held. */
enum hub_exit hub_ctl_erase_ended(struct hub_ctl *ctl, const struct hub_ctl_ended *ended, size_t count);

/* erase_look.c: what is of a subject and is not erased. */
struct hub_ctl_kept {
    struct hub_arena arena;
    size_t count;       /* records that tell of the subject and must be kept */
    const char *domains; /* that they are of, with commas; "" for none */
};
/* What must be traceable and tells of the subject by its name or by a pseudonym. False where Kafka could not be read,
 * which has been said. */
bool hub_ctl_kept_find(struct hub_ctl *ctl, const struct hub_keys *keys, const char *subject,
                       struct hub_ctl_kept *kept);
void hub_ctl_kept_free(struct hub_ctl_kept *kept);
/* Why, in the words of the law. */
extern const char hub_ctl_kept_because[];
/* Prints until when the journals of the connectors that seal may have what was told of the subject. */
void hub_ctl_tell_journals(struct hub_ctl *ctl, int64_t now_ms);
