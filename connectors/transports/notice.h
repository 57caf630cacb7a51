/* A notice: a form that names what has changed, by ids, and says nothing of it. Who may send one,
 * and what of it is believed. */
#pragma once

#include "connectors/kit/transport.h"

struct hub_notice_options {
    const char *id_field;
    const char *const *fields;
    int64_t ids_max;
    const char *const *senders;
};

/* HUB_FATAL where the options do not go together. */
HUB_MUST_USE enum hub_status hub_notice_check(const struct hub_notice_options *options,
                                              struct hub_error *reterr);
/* What an id is to be fetched with, each but once: a list of objects with the id as `id` and the
 * other fields, which the caller frees (json_decref). HUB_REJECT with a reason that repeats nothing
 * of the notice where it is none: no id or too many of them, a field that is missing or comes
 * twice, a text that is none (RFC 3629), is too long, or could be taken for something else than a
 * name. */
HUB_MUST_USE enum hub_status hub_notice_read(const struct hub_notice_options *options,
                                             struct hub_bytes form, json_t **ret_requests,
                                             struct hub_error *reterr);
/* Whether notices from that IPv4 address (hub_http_peer) are wanted. */
bool hub_notice_is_from(const struct hub_notice_options *options, uint32_t address);
