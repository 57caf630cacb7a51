#include "connectors/transports/webhook_signature.h"

#include "hub/base/text.h"
#include "hub/io/crypto.h"

#include <string.h>

enum { SECRET_SIZE_MIN = 24, SECRET_SIZE_MAX = 64, TIMESTAMP_DIGITS_MAX = 12,
       SIGNED_SIZE_MAX = 64 * 1024 * 1024, SIGNATURE_SIZE = 44 };

static const char white_space[] = " \t\r\n", prefix[] = "whsec_", version[] = "v1,";

/* --- secrets --- */

static bool read_secret(struct hub_bytes text, struct hub_arena *arena,
                        struct hub_bytes *ret_secret) {
    size_t head = sizeof prefix - 1;
    HUB_SCOPED_BUFFER bytes = {0};
    bool good = text.size > head && memcmp(text.data, prefix, head) == 0 &&
                hub_base64_decode(hub_bytes_part(text, head, text.size), &bytes) &&
                bytes.size >= SECRET_SIZE_MIN && bytes.size <= SECRET_SIZE_MAX;
    if (good)
        *ret_secret =
            hub_bytes(hub_arena_text(arena, (const char *)bytes.data, bytes.size), bytes.size);
    return good;
}

enum hub_status hub_webhook_secrets_read(const char *const *texts, struct hub_arena *arena,
                                         struct hub_webhook_secrets *ret_secrets,
                                         struct hub_error *reterr) {
    struct hub_webhook_secrets secrets = {0};
    for (size_t i = 0; texts[i] != NULL; i++) {
        for (const char *at = texts[i] + strspn(texts[i], white_space); *at != '\0';) {
            size_t size = strcspn(at, white_space);
            if (secrets.count == HUB_WEBHOOK_SECRETS_MAX)
                return hub_fail(reterr, HUB_FATAL, "more than %d secrets; no more than that would "
                                "pass", HUB_WEBHOOK_SECRETS_MAX);
            if (!read_secret(hub_bytes(at, size), arena, &secrets.items[secrets.count]))
                return hub_fail(reterr, HUB_FATAL, "secret %zu is none: whsec_ and the base64 of "
                                "%d to %d bytes would pass", secrets.count + 1, SECRET_SIZE_MIN,
                                SECRET_SIZE_MAX);
            secrets.count++;
            at += size;
            at += strspn(at, white_space);
        }
    }
    if (secrets.count == 0)
        return hub_fail(reterr, HUB_FATAL, "there is no secret: one would pass");
    *ret_secrets = secrets;
    return HUB_OK;
}

/* --- one request --- */

static bool is_id(const char *id) {
    size_t size = strlen(id);
    if (size == 0 || size > HUB_WEBHOOK_ID_SIZE_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (id[i] <= ' ' || id[i] > '~' || id[i] == '.')
            return false;
    return true;
}

static enum hub_webhook_verdict check_headers(const struct hub_webhook_claim *claim,
                                              int64_t *ret_timestamp_s,
                                              struct hub_error *retwhy) {
    uint64_t timestamp_s = 0;
    if (claim->id == NULL || !is_id(claim->id)) {
        hub_fail(retwhy, HUB_REJECT, "webhook-id: 1 to %d visible ASCII characters without a full "
                 "stop would pass", HUB_WEBHOOK_ID_SIZE_MAX);
        return HUB_WEBHOOK_UNSIGNED;
    }
    if (claim->timestamp == NULL || strlen(claim->timestamp) > TIMESTAMP_DIGITS_MAX ||
        !hub_text_to_number(hub_bytes_of_text(claim->timestamp), &timestamp_s)) {
        hub_fail(retwhy, HUB_REJECT, "webhook-timestamp: whole seconds since 1970 would pass");
        return HUB_WEBHOOK_UNSIGNED;
    }
    if (claim->signatures == NULL) {
        hub_fail(retwhy, HUB_REJECT, "webhook-signature: v1,<base64 of HMAC-SHA-256> would pass");
        return HUB_WEBHOOK_UNSIGNED;
    }
    *ret_timestamp_s = (int64_t)timestamp_s;
    return HUB_WEBHOOK_GOOD;
}

/* What the header must hold by one of the secrets: the base64 of the signature. */
static void sign(struct hub_bytes secret, const struct hub_webhook_claim *claim,
                 struct hub_buffer *signature) {
    HUB_SCOPED_BUFFER message = {.size_max = SIGNED_SIZE_MAX};
    hub_buffer_append_text(&message, claim->id);
    hub_buffer_append_byte(&message, '.');
    hub_buffer_append_text(&message, claim->timestamp);
    hub_buffer_append_byte(&message, '.');
    hub_buffer_append_bytes(&message, claim->body);
    struct hub_digest digest = hub_hmac_sha256(secret, hub_buffer_bytes(&message));
    hub_base64_append(hub_bytes(digest.bytes, HUB_DIGEST_SIZE), signature);
}

/* Whether one of the signatures, parted by spaces, is that one. Other versions are passed over. */
static bool has_signature(const char *signatures, struct hub_bytes wanted) {
    const size_t head = sizeof version - 1;
    bool found = false;
    const char *at = signatures + strspn(signatures, " ");
    for (size_t i = 0; i < HUB_WEBHOOK_SIGNATURES_MAX && *at != '\0'; i++) {
        size_t size = strcspn(at, " ");
        if (size == head + SIGNATURE_SIZE && memcmp(at, version, head) == 0)
            found |= hub_same_secret(hub_bytes(at + head, SIGNATURE_SIZE), wanted);
        at += size;
        at += strspn(at, " ");
    }
    return found;
}

enum hub_webhook_verdict hub_webhook_verify(const struct hub_webhook_secrets *secrets,
                                            const struct hub_webhook_claim *claim, int64_t now_s,
                                            int64_t tolerance_s, struct hub_error *retwhy) {
    int64_t timestamp_s = 0;
    enum hub_webhook_verdict verdict = check_headers(claim, &timestamp_s, retwhy);
    if (verdict != HUB_WEBHOOK_GOOD)
        return verdict;
    /* Before the signature, which costs a reading of the whole body. */
    if (timestamp_s < now_s - tolerance_s || timestamp_s > now_s + tolerance_s) {
        bool old = timestamp_s < now_s;
        hub_fail(retwhy, HUB_REJECT, "webhook-timestamp is %lld s in the %s; at most %lld would "
                 "pass", (long long)(old ? now_s - timestamp_s : timestamp_s - now_s),
                 old ? "past" : "future", (long long)tolerance_s);
        return old ? HUB_WEBHOOK_OLD : HUB_WEBHOOK_NEW;
    }
    bool good = false;
    for (size_t i = 0; i < secrets->count; i++) {
        HUB_SCOPED_BUFFER wanted = {0};
        sign(secrets->items[i], claim, &wanted);
        good |= has_signature(claim->signatures, hub_buffer_bytes(&wanted));
    }
    if (!good)
        hub_fail(retwhy, HUB_REJECT, "webhook-signature: one by a secret that is believed here "
                 "would pass");
    return good ? HUB_WEBHOOK_GOOD : HUB_WEBHOOK_FORGED;
}

void hub_webhook_sign(const struct hub_webhook_secrets *secrets, const char *id,
                      const char *timestamp, struct hub_bytes body, struct hub_buffer *buffer) {
    const struct hub_webhook_claim claim = {.id = id, .timestamp = timestamp, .body = body};
    for (size_t i = 0; i < secrets->count; i++) {
        hub_buffer_append_text(buffer, i == 0 ? version : " v1,");
        sign(secrets->items[i], &claim, buffer);
    }
}
