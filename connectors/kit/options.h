/* Option tables: one table drives checks, defaults, help and documentation of a transport or a
 * format. The macros refuse, at compile time, a member of another type than the option's. */
#pragma once

#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/node.h"

#include <stddef.h>
#include <stdint.h>

enum hub_option_kind {
    HUB_OPTION_TEXT,    /* const char * */
    HUB_OPTION_NUMBER,  /* int64_t, within minimum and maximum */
    HUB_OPTION_FLAG,    /* bool */
    HUB_OPTION_TEXTS,   /* const char *const *, NULL-ended: a text or a list of texts */
};

struct hub_option {
    const char *name;
    enum hub_option_kind kind;
    size_t offset; /* of the member in the options structure */
    bool required;
    const char *initial; /* the default, as text; NULL: none (NULL, 0, false) */
    int64_t minimum, maximum;
    const char *const *choices; /* NULL-ended, or NULL for any text */
    const char *help;           /* one sentence, with the unit */
    bool secret; /* a text that is never written into the configuration, but named there */
};

/* The offset of a member, where it has the type; comparing distinct pointer types is an error. */
#define HUB_MEMBER(structure, member, type)                                                        \
    (offsetof(structure, member) +                                                                 \
     0 * sizeof((type *)NULL == &((structure *)NULL)->member))
#define HUB_TEXT_OPTION(structure, member)                                                         \
    .kind = HUB_OPTION_TEXT, .offset = HUB_MEMBER(structure, member, const char *)
#define HUB_NUMBER_OPTION(structure, member)                                                       \
    .kind = HUB_OPTION_NUMBER, .offset = HUB_MEMBER(structure, member, int64_t)
#define HUB_FLAG_OPTION(structure, member)                                                         \
    .kind = HUB_OPTION_FLAG, .offset = HUB_MEMBER(structure, member, bool)
#define HUB_TEXTS_OPTION(structure, member)                                                        \
    .kind = HUB_OPTION_TEXTS, .offset = HUB_MEMBER(structure, member, const char *const *)

/* Fills `structure` from a configuration's mapping by the table (ended by a NULL name). Keys listed
 * in `also` (NULL-ended; may be NULL) are somebody else's. `${env:NAME}`, `${env:NAME:-otherwise}` and
 * `${file:/path}` in texts are replaced. HUB_FATAL with file, line and column. A secret may be missing:
 * who checks a configuration, or tries it on a document, need not have it. */
HUB_MUST_USE enum hub_status hub_options_read(const struct hub_node *node,
                                              const struct hub_option *options,
                                              const char *const *also, struct hub_arena *arena,
                                              void *structure, struct hub_error *reterr);

/* HUB_FATAL where a secret that the mapping names is not there; before a source is asked. The mapping has
 * been read by the same table. */
HUB_MUST_USE enum hub_status hub_options_need_secrets(const struct hub_node *node,
                                                      const struct hub_option *options,
                                                      struct hub_error *reterr);

/* Appends the table as text for people. */
void hub_options_describe(const struct hub_option *options, struct hub_buffer *buffer);
