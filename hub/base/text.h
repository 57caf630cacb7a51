/* Text: folding for comparison, natural order of versions, and JSON quoting. */
#pragma once

#include "hub/base/bytes.h"

/* Whether the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool hub_text_is_utf8(struct hub_bytes text);

/* Whether it holds no control characters (U+0000 to U+001F and U+007F) but tabs and line breaks. */
bool hub_text_is_plain(struct hub_bytes text);

/* Whether all of it is printable ASCII, as nearly all is: then it is UTF-8, and plain. */
bool hub_text_is_printable(struct hub_bytes text);

/* Appends the text folded for comparison: Unicode compatibility case folding (UTS #10's loose
 * matching: NFKD, default-ignorable and combining marks dropped, lower case), letters and digits
 * kept, every run of anything else one space, none at the ends. Ill-formed text is appended as it
 * is. */
void hub_text_fold(struct hub_bytes text, struct hub_buffer *buffer);

/* Orders versions as people do: runs of digits by their value, all else by byte, so that
 * "9" < "10", "2026-04-24" < "2026-07-14" and "a9" < "a10". Equal values with other leading zeros
 * are told apart by byte order, so that 0 means the same text. */
int hub_text_natural_compare(struct hub_bytes a, struct hub_bytes b);

/* Appends the text as a JSON string with its quotes (RFC 8259 section 7). */
void hub_text_append_json(struct hub_bytes text, struct hub_buffer *buffer);

/* How many bytes of the text fit into `size_max` without cutting a character in two. */
size_t hub_text_cut(struct hub_bytes text, size_t size_max);

/* True where `text` is wholly the unsigned decimal number given back. */
bool hub_text_to_number(struct hub_bytes text, uint64_t *ret_number);

/* Texts that are put together for every record, so not by their format: a number in decimal, written where there is
 * room for that many bytes, returning where it ends; and two texts, one after the other, in the arena. */
enum { HUB_NUMBER_TEXT_SIZE_MAX = 20 };
char *hub_text_put_number(char *at, int64_t number);
struct hub_bytes hub_text_join(struct hub_arena *arena, struct hub_bytes a, struct hub_bytes b);
