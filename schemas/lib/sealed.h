/* A sealed field: {key id, origin, ciphertext}. Its type says that it is one, in every domain the same.
 *
 * Who says it seals it, with a key of the subject's that stays where it is said (connectors/kit/subject.h);
 * the hub passes the bytes on and can read none. Two institutions seal one word differently, so nothing is
 * told from the bytes but that they are there: they are believed by who says them, and compared by nobody
 * (schemas/lib/domain_lint.h). */
#pragma once

#include "schemas/lib/type.h"

#define HUB_SEALED_NAME "atmp.Sealed"

/* The fields of atmp.Sealed, in order. */
enum { HUB_SEALED_KEY_ID = 0, HUB_SEALED_ORIGIN, HUB_SEALED_CIPHERTEXT, HUB_SEALED_FIELDS };

/* Whether it is, or may be null or a list of, what is sealed. */
bool hub_sealed_is(const struct hub_type *type);
