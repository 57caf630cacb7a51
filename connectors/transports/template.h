/* Texts in which {name} stands for a value of that name. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

#include <jansson.h>

/* How a value is written, so that it cannot end what it stands in. */
enum hub_template_kind {
    HUB_TEMPLATE_ESCAPED, /* percent-encoded: addresses and forms */
    HUB_TEMPLATE_JSON,    /* inside of a JSON string; elsewhere it must be a whole number */
    HUB_TEMPLATE_XML,
};

/* By a media type: JSON, XML (also +json, +xml) or a form. False for any other. */
bool hub_template_kind_of(const char *content_type, enum hub_template_kind *ret_kind);

bool hub_template_has(const char *text, const char *name);

/* Appends the text with the values of an object of texts. HUB_FATAL where a name has no value, or a
 * value cannot stand where it is to. */
HUB_MUST_USE enum hub_status hub_template_fill(enum hub_template_kind kind, const char *text,
                                               const json_t *values, struct hub_buffer *buffer,
                                               struct hub_error *reterr);
