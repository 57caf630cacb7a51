/* The plain SHA-256 functions are deprecated since OpenSSL 3 but not gone: EVP looks its
 * implementation up under a lock for each digest, which costs more than digesting a short text. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "hub/io/crypto.h"

#include "hub/base/memory.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

static struct hub_digest sha256(struct hub_bytes bytes) {
    HUB_NOT_ZEROED struct hub_digest digest;
    HUB_NOT_ZEROED SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes.data, bytes.size);
    SHA256_Final(digest.bytes, &context);
    return digest;
}

const struct hub_digester hub_sha256 = {.digest = sha256};

static SHA256_CTX context_of(const struct hub_digesting *digesting) {
    SHA256_CTX context;
    _Static_assert(sizeof context == sizeof digesting->state, "its state");
    if (digesting->begun)
        memcpy(&context, digesting->state, sizeof context);
    else
        SHA256_Init(&context);
    return context;
}

void hub_digesting_add(struct hub_digesting *digesting, struct hub_bytes piece) {
    SHA256_CTX context = context_of(digesting);
    SHA256_Update(&context, piece.data, piece.size);
    memcpy(digesting->state, &context, sizeof context);
    digesting->begun = true;
}

struct hub_digest hub_digesting_so_far(const struct hub_digesting *digesting) {
    SHA256_CTX context = context_of(digesting);
    struct hub_digest digest;
    SHA256_Final(digest.bytes, &context);
    return digest;
}

struct hub_digest hub_hmac_sha256(struct hub_bytes key, struct hub_bytes message) {
    struct hub_digest digest;
    unsigned size = 0;
    hub_need(HMAC(EVP_sha256(), key.data, (int)key.size, message.data, message.size, digest.bytes,
                  &size));
    assert(size == HUB_DIGEST_SIZE);
    return digest;
}

bool hub_same_secret(struct hub_bytes a, struct hub_bytes b) {
    return a.size == b.size && CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}

/* --- sealing --- */

enum { SEALED_SIZE_MAX = 1 << 30 };

static void free_cipher(EVP_CIPHER_CTX **cipher) {
    EVP_CIPHER_CTX_free(*cipher);
}
#define SCOPED_CIPHER __attribute__((cleanup(free_cipher))) EVP_CIPHER_CTX

/* What can fail here is a want of memory. */
static void must(int done) {
    if (done != 1)
        hub_memory_end();
}

static void begin_cipher(EVP_CIPHER_CTX *cipher, const struct hub_digest *key,
                         const uint8_t *nonce, struct hub_bytes associated, int seals) {
    int size = 0;
    must(EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key->bytes, nonce, seals));
    if (associated.size > 0)
        must(EVP_CipherUpdate(cipher, NULL, &size, associated.data, (int)associated.size));
}

static void seal_with(const struct hub_digest *key, const uint8_t *nonce,
                      struct hub_bytes associated, struct hub_bytes plain,
                      struct hub_buffer *buffer) {
    SCOPED_CIPHER *cipher = hub_need(EVP_CIPHER_CTX_new());
    uint8_t tag[HUB_SEAL_TAG_SIZE];
    int size = 0, rest = 0;
    assert(plain.size <= SEALED_SIZE_MAX && associated.size <= SEALED_SIZE_MAX);
    uint8_t *sealed = hub_allocate(plain.size + 1);
    begin_cipher(cipher, key, nonce, associated, /* seals= */ 1);
    if (plain.size > 0)
        must(EVP_CipherUpdate(cipher, sealed, &size, plain.data, (int)plain.size));
    must(EVP_CipherFinal_ex(cipher, sealed + size, &rest));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag));
    hub_buffer_append(buffer, nonce, HUB_SEAL_NONCE_SIZE);
    hub_buffer_append(buffer, sealed, plain.size);
    hub_buffer_append(buffer, tag, sizeof tag);
    hub_release(sealed);
}

enum hub_status hub_random(void *bytes, size_t size, struct hub_error *reterr) {
    assert(size <= INT_MAX);
    if (RAND_bytes(bytes, (int)size) != 1)
        return hub_fail(reterr, HUB_FATAL, "the system gives no random bytes");
    return HUB_OK;
}

enum hub_status hub_seal(const struct hub_digest *key, struct hub_bytes associated,
                         struct hub_bytes plain, struct hub_buffer *buffer,
                         struct hub_error *reterr) {
    uint8_t nonce[HUB_SEAL_NONCE_SIZE];
    HUB_TRY(hub_random(nonce, sizeof nonce, reterr));
    seal_with(key, nonce, associated, plain, buffer);
    return HUB_OK;
}

void hub_seal_same(const struct hub_digest *key, struct hub_bytes associated,
                   struct hub_bytes plain, struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER whole = {0};
    struct hub_digest own =
        hub_hmac_sha256(hub_bytes(key->bytes, sizeof key->bytes), hub_bytes_of_text("nonce"));
    hub_buffer_append_long(&whole, (int64_t)associated.size);
    hub_buffer_append_bytes(&whole, associated);
    hub_buffer_append_bytes(&whole, plain);
    struct hub_digest nonce =
        hub_hmac_sha256(hub_bytes(own.bytes, sizeof own.bytes), hub_buffer_bytes(&whole));
    seal_with(key, nonce.bytes, associated, plain, buffer);
    explicit_bzero(whole.data, whole.size);
    explicit_bzero(&own, sizeof own);
}

bool hub_unseal(const struct hub_digest *key, struct hub_bytes associated, struct hub_bytes sealed,
                struct hub_buffer *buffer) {
    SCOPED_CIPHER *cipher = hub_need(EVP_CIPHER_CTX_new());
    struct hub_cursor cursor = hub_cursor(sealed);
    struct hub_bytes nonce, body, tag;
    uint8_t wanted[HUB_SEAL_TAG_SIZE];
    int size = 0, rest = 0;
    if (sealed.size < HUB_SEAL_OVERHEAD || sealed.size > SEALED_SIZE_MAX + HUB_SEAL_OVERHEAD ||
        !hub_cursor_take(&cursor, HUB_SEAL_NONCE_SIZE, &nonce) ||
        !hub_cursor_take(&cursor, sealed.size - HUB_SEAL_OVERHEAD, &body) ||
        !hub_cursor_take(&cursor, HUB_SEAL_TAG_SIZE, &tag))
        return false;
    memcpy(wanted, tag.data, sizeof wanted);
    uint8_t *plain = hub_allocate(body.size + 1);
    begin_cipher(cipher, key, nonce.data, associated, /* seals= */ 0);
    if (body.size > 0)
        must(EVP_CipherUpdate(cipher, plain, &size, body.data, (int)body.size));
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, sizeof wanted, wanted));
    bool good = EVP_CipherFinal_ex(cipher, plain + size, &rest) == 1;
    if (good)
        hub_buffer_append(buffer, plain, body.size);
    OPENSSL_cleanse(plain, body.size + 1);
    hub_release(plain);
    return good;
}

/* --- signatures --- */

static void free_key(EVP_PKEY **key) {
    EVP_PKEY_free(*key);
}
#define SCOPED_KEY __attribute__((cleanup(free_key))) EVP_PKEY

static void free_digest(EVP_MD_CTX **digest) {
    EVP_MD_CTX_free(*digest);
}
#define SCOPED_DIGEST __attribute__((cleanup(free_digest))) EVP_MD_CTX

static EVP_PKEY *load_private(const struct hub_ed25519_key *private) {
    return hub_need(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private->bytes,
                                                 HUB_ED25519_KEY_SIZE));
}

/* Who asks for a passphrase has none. */
static int no_passphrase(char *text, int size, int writes, void *context) {
    (void)text, (void)size, (void)writes, (void)context;
    return -1;
}

enum hub_status hub_ed25519_read(struct hub_bytes pem, struct hub_ed25519_key *ret_private,
                                 struct hub_error *reterr) {
    BIO *text = hub_need(BIO_new_mem_buf(pem.size == 0 ? "" : (const void *)pem.data, (int)pem.size));
    SCOPED_KEY *key = PEM_read_bio_PrivateKey(text, NULL, no_passphrase, NULL);
    size_t size = sizeof ret_private->bytes;
    BIO_free(text);
    if (key == NULL || EVP_PKEY_id(key) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_private_key(key, ret_private->bytes, &size) != 1)
        return hub_fail(reterr, HUB_REJECT, "no private key; what `openssl genpkey -algorithm "
                        "ed25519` writes would pass");
    return HUB_OK;
}

struct hub_ed25519_key hub_ed25519_public(const struct hub_ed25519_key *private) {
    SCOPED_KEY *key = load_private(private);
    struct hub_ed25519_key public;
    size_t size = sizeof public.bytes;
    must(EVP_PKEY_get_raw_public_key(key, public.bytes, &size));
    return public;
}

struct hub_ed25519_signature hub_ed25519_sign(const struct hub_ed25519_key *private,
                                              struct hub_bytes message) {
    SCOPED_KEY *key = load_private(private);
    SCOPED_DIGEST *digest = hub_need(EVP_MD_CTX_new());
    struct hub_ed25519_signature signature;
    size_t size = sizeof signature.bytes;
    must(EVP_DigestSignInit(digest, NULL, NULL, NULL, key));
    must(EVP_DigestSign(digest, signature.bytes, &size, message.data, message.size));
    return signature;
}

/* 32 bytes that are no point of the curve are nobody's key. */
bool hub_ed25519_signed(const struct hub_ed25519_key *public, struct hub_bytes message,
                        const struct hub_ed25519_signature *signature) {
    SCOPED_DIGEST *digest = hub_need(EVP_MD_CTX_new());
    SCOPED_KEY *key = hub_need(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public->bytes,
                                                           HUB_ED25519_KEY_SIZE));
    must(EVP_DigestVerifyInit(digest, NULL, NULL, NULL, key));
    return EVP_DigestVerify(digest, signature->bytes, sizeof signature->bytes, message.data,
                            message.size) == 1;
}

void hub_base64_append(struct hub_bytes bytes, struct hub_buffer *buffer) {
    size_t size = (bytes.size + 2) / 3 * 4;
    unsigned char *text = hub_allocate(size + 1);
    EVP_EncodeBlock(text, bytes.data, (int)bytes.size);
    hub_buffer_append(buffer, text, size);
    hub_release(text);
}

/* OpenSSL's own decoder passes over white space, and counts padding as bytes. */
bool hub_base64_decode(struct hub_bytes text, struct hub_buffer *buffer) {
    HUB_SCOPED_BUFFER again = {0};
    size_t padding = 0;
    if (text.size == 0 || text.size % 4 != 0)
        return false;
    while (padding < 2 && text.data[text.size - 1 - padding] == '=')
        padding++;
    unsigned char *bytes = hub_allocate(text.size);
    int size = EVP_DecodeBlock(bytes, text.data, (int)text.size);
    bool good = size >= 0;
    if (good) {
        hub_base64_append(hub_bytes(bytes, (size_t)size - padding), &again);
        good = hub_bytes_equal(hub_buffer_bytes(&again), text);
    }
    if (good)
        hub_buffer_append(buffer, bytes, (size_t)size - padding);
    OPENSSL_cleanse(bytes, text.size);
    hub_release(bytes);
    return good;
}
