/* The headers of a webhook, and secrets, as anybody could write them: nobody is believed who has
 * not signed, and whoever has signed with an id that can be told from the rest is.
 *
 * id, timestamp, signatures and secrets are pieces; the rest is the body. */
#include "connectors/transports/webhook_signature.h"
#include "hub/io/crypto.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const int64_t now_s = 1772323200;
static const char now_text[] = "1772323200";
static const char known[] = "whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"; /* 24 times A */

static void sign(const struct hub_webhook_claim *claim, struct hub_buffer *signature) {
    HUB_SCOPED_BUFFER message = {0};
    hub_buffer_append_format(&message, "%s.%s.", claim->id, claim->timestamp);
    hub_buffer_append_bytes(&message, claim->body);
    struct hub_digest digest = hub_hmac_sha256(hub_bytes_of_text("AAAAAAAAAAAAAAAAAAAAAAAA"),
                                               hub_buffer_bytes(&message));
    hub_buffer_append_text(signature, "v1,");
    hub_base64_append(hub_bytes(digest.bytes, HUB_DIGEST_SIZE), signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct hub_arena arena = {0};
    struct hub_webhook_secrets secrets = {0};
    struct hub_error error;
    HUB_SCOPED_BUFFER signature = {0};
    struct hub_webhook_claim claim = {.id = fuzz_text(&input, fuzz_piece(&input)),
                                      .timestamp = fuzz_text(&input, fuzz_piece(&input)),
                                      .signatures = fuzz_text(&input, fuzz_piece(&input))};
    const char *texts[] = {fuzz_text(&input, fuzz_piece(&input)), NULL};
    claim.body = fuzz_rest(&input);
    if (hub_webhook_secrets_read(texts, &arena, &secrets, &error) == HUB_OK)
        (void)hub_webhook_verify(&secrets, &claim, now_s, 300, &error);
    texts[0] = known;
    fuzz_must(hub_webhook_secrets_read(texts, &arena, &secrets, &error) == HUB_OK);
    enum hub_webhook_verdict verdict = hub_webhook_verify(&secrets, &claim, now_s, 300, &error);
    fuzz_must(verdict == HUB_WEBHOOK_GOOD || error.text[0] != '\0');
    sign(&claim, &signature);
    bool signed_at_all = strstr(claim.signatures, hub_buffer_text(&signature)) != NULL;
    fuzz_must(verdict != HUB_WEBHOOK_GOOD || signed_at_all);
    /* The same, well signed: only the id can be wrong now. */
    claim.timestamp = now_text;
    hub_buffer_clear(&signature);
    sign(&claim, &signature);
    claim.signatures = hub_buffer_text(&signature);
    verdict = hub_webhook_verify(&secrets, &claim, now_s, 300, &error);
    fuzz_must(verdict == HUB_WEBHOOK_GOOD || verdict == HUB_WEBHOOK_UNSIGNED);
    hub_arena_destroy(&arena);
    fuzz_input_free(&input);
    return 0;
}
