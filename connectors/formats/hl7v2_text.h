/* Texts of an HL7 v2 message: its escape sequences (HL7 2.5.1, 2.7) and its character set. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

#include <iconv.h>
#include <jansson.h>

/* What a message writes its texts with, as its MSH says. A separator that is not in use is 0. */
struct hub_hl7v2_text {
    uint8_t field, component, repetition, escape, subcomponent;
    const char *charset;   /* one of hub_hl7v2_charsets */
    iconv_t converter;     /* to UTF-8 */
    const char *converts;  /* the character set that the converter is open for, or NULL */
};

/* Those in which a separator and a line end are the bytes that they are in ASCII. */
extern const char *const hub_hl7v2_charsets[];

/* The character set that MSH-18 means (HL7 table 0211), or NULL. */
const char *hub_hl7v2_charset_of(struct hub_bytes code);

/* `charset` is one of those; that this system can convert from them was checked (charset.h). */
void hub_hl7v2_text_use(struct hub_hl7v2_text *text, const char *charset);
void hub_hl7v2_text_close(struct hub_hl7v2_text *text);

/* A component or subcomponent as a text in UTF-8, to be released by the caller; NULL where it cannot
 * be read, and then why not. \F\ \S\ \T\ \R\ \E\ are the message's own separators, \.br\ is a new
 * line and \Xhh..\ bytes in its character set. What switches the character set (\C..\ \M..\) is
 * refused; every other sequence, such as \H\, and an escape that is never closed, stay as they are. */
json_t *hub_hl7v2_text_read(const struct hub_hl7v2_text *text, struct hub_bytes bytes,
                            const char **ret_why);
