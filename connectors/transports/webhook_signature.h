/* Who a webhook comes from, and when: the symmetric signatures of Standard Webhooks
 * (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme").
 *
 * A sender signs `id.timestamp.body` by HMAC-SHA-256 and says so in three headers. It may sign by
 * several secrets at once, and several may be believed, so that a secret can be replaced. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/memory.h"
#include "hub/base/status.h"

enum {
    HUB_WEBHOOK_SECRETS_MAX = 8,
    HUB_WEBHOOK_SIGNATURES_MAX = 8, /* in one header; those behind them are not looked at */
    HUB_WEBHOOK_ID_SIZE_MAX = 128,
};

struct hub_webhook_secrets {
    struct hub_bytes items[HUB_WEBHOOK_SECRETS_MAX];
    size_t count;
};

/* Reads secrets as texts `whsec_<base64>`, of 24 to 64 bytes each, several of them in one text
 * parted by white space. They live in the arena. HUB_FATAL says which is none, and never what it
 * is. */
HUB_MUST_USE enum hub_status hub_webhook_secrets_read(const char *const *texts,
                                                      struct hub_arena *arena,
                                                      struct hub_webhook_secrets *ret_secrets,
                                                      struct hub_error *reterr);

/* What a request says; NULL: it has no such header. */
struct hub_webhook_claim {
    const char *id, *timestamp, *signatures;
    struct hub_bytes body;
};

enum hub_webhook_verdict {
    HUB_WEBHOOK_GOOD = 0,
    HUB_WEBHOOK_UNSIGNED, /* a header is missing, or is none */
    HUB_WEBHOOK_OLD,
    HUB_WEBHOOK_NEW,
    HUB_WEBHOOK_FORGED,   /* no signature is one of a secret that is believed */
};

/* `retwhy` says in one sentence what would pass; of HUB_WEBHOOK_GOOD nothing. An id is 1 to 128
 * visible ASCII characters without a full stop, which parts what is signed. */
enum hub_webhook_verdict hub_webhook_verify(const struct hub_webhook_secrets *secrets,
                                            const struct hub_webhook_claim *claim, int64_t now_s,
                                            int64_t tolerance_s, struct hub_error *retwhy);

/* Appends what webhook-signature says of them: one signature by each secret, parted by spaces. */
void hub_webhook_sign(const struct hub_webhook_secrets *secrets, const char *id,
                      const char *timestamp, struct hub_bytes body, struct hub_buffer *buffer);
