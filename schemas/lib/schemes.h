/* Identifier schemes: what a number must look like before it may say that two things are one.
 *
 * Loaded from schemas/schemes.json. A pattern is a picture: # a digit, @ a capital letter, * one of
 * both, % a hexadecimal digit in small letters, anything else itself. Where no check digit is
 * publicly defined, none is checked. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"
#include "schemas/lib/node.h"

#include <stdbool.h>

enum { HUB_SCHEMES_MAX = 128, HUB_IDENTIFIER_SIZE_MAX = 256 };

/* What a value must pass beside its pattern. */
enum hub_scheme_check {
    HUB_CHECK_NONE = 0,
    /* iso7064-mod37-2: the check character may follow the pattern. It is no part of the value: the
     * right one is left out of the normal form, a wrong one fits no pattern. */
    HUB_CHECK_ISO7064_MOD37_2,
    HUB_CHECK_ENDS_IN_DATE, /* ends-in-date: YYYYMMDD of a day that there is, or 00000000 */
};

struct hub_scheme {
    const char *name;
    const char *title;
    const char *pattern; /* NULL: any text */
    const char *version; /* picture of the part that follows the value, or NULL */
    const char *prefix;  /* put before a value that lacks it, or NULL */
    enum hub_scheme_check check;
    bool upper, lower, no_spaces;
    bool issuer;    /* unique within an issuer only */
    bool exclusive; /* one value an entity, of each issuer */
    bool joins;     /* false: proposes a match at most */
    const char *const *placeholders; /* NULL-ended, in normal form */
};

struct hub_schemes {
    struct hub_scheme *schemes;
    size_t count;
};

enum hub_identifier_verdict {
    HUB_IDENTIFIER_VALID = 0,
    HUB_IDENTIFIER_PLACEHOLDER, /* well-formed, and known to mean nothing */
    HUB_IDENTIFIER_MALFORMED,
};

/* HUB_FATAL with file, line and column. The schemes live in the arena. */
HUB_MUST_USE enum hub_status hub_schemes_load(const struct hub_node *node, struct hub_arena *arena,
                                              struct hub_schemes *ret_schemes,
                                              struct hub_error *reterr);

/* NULL where there is no such scheme. */
const struct hub_scheme *hub_scheme_find(const struct hub_schemes *schemes, struct hub_bytes name);
int hub_scheme_index(const struct hub_schemes *schemes, struct hub_bytes name);

/* Appends the value in normal form (spaces, case, prefix); a trailing version part goes to
 * `ret_version` (a part of `buffer` after the value, empty where there is none). Returns the size
 * of the value. */
size_t hub_scheme_normalise(const struct hub_scheme *scheme, struct hub_bytes raw,
                            struct hub_buffer *buffer, struct hub_bytes *ret_version);

/* Appends the text of an identifier, scheme:value or scheme:issuer/value (hub/core/claims.h), with
 * its value in normal form; as it is where the scheme is not known. */
void hub_identifier_normalise(const struct hub_schemes *schemes, struct hub_bytes text,
                              struct hub_buffer *buffer);

/* Judges a value that is in normal form. */
enum hub_identifier_verdict hub_scheme_judge(const struct hub_scheme *scheme,
                                             struct hub_bytes value);

/* Whether the value already is in normal form. */
bool hub_scheme_is_normal(const struct hub_scheme *scheme, struct hub_bytes value);

/* Whether a value that is malformed may be one of the scheme all the same: it fits the pattern and
 * only failed its check, or has one character that is no digit in the place of a digit, which
 * becomes `?`. */
bool hub_scheme_blot(const struct hub_scheme *scheme, uint8_t *value, size_t size);

/* The picture in words people read: "NCT and 8 digits". Appends. */
void hub_scheme_describe(const struct hub_scheme *scheme, struct hub_buffer *buffer);

/* True where `text` holds a value of the scheme from `from` on, standing alone (no letter or digit
 * beside it); `ret_value` is that part. For finding numbers in running text; only of schemes with
 * a pattern. */
bool hub_scheme_scan(const struct hub_scheme *scheme, struct hub_bytes text, size_t from,
                     struct hub_bytes *ret_value, size_t *ret_next);
