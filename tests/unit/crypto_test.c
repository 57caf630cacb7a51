/* crypto: by the published vectors; and that what was sealed is read whole or not at all. */
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/schema.h"

static const char *text_of(struct hub_digest digest, char text[HUB_DIGEST_TEXT_SIZE]) {
    hub_digest_text(&digest, HUB_DIGEST_SIZE, text);
    return text;
}

/* FIPS 180-4, as in NIST's examples. */
static void sha256_of_published_messages(void **state) {
    char text[HUB_DIGEST_TEXT_SIZE];
    (void)state;
    assert_string_equal(text_of(hub_sha256.digest(hub_bytes_of_text("abc")), text),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(
        text_of(hub_sha256.digest(hub_bytes_of_text(
                    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")), text),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha256_of_nothing(void **state) {
    char text[HUB_DIGEST_TEXT_SIZE];
    (void)state;
    assert_string_equal(text_of(hub_sha256.digest(hub_bytes(NULL, 0)), text),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void pieces_are_digested_as_one_message(void **state) {
    static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    struct hub_digesting digesting = {0};
    (void)state;
    for (size_t i = 0; i + 1 < sizeof message; i++) {
        struct hub_digest so_far = hub_digesting_so_far(&digesting);
        struct hub_digest due = hub_sha256.digest(hub_bytes(message, i));
        assert_memory_equal(&so_far, &due, sizeof due);
        hub_digesting_add(&digesting, hub_bytes(message + i, 1));
    }
}

static void a_digest_is_read_as_it_is_written(void **state) {
    char text[HUB_DIGEST_TEXT_SIZE];
    struct hub_digest digest = hub_sha256.digest(hub_bytes_of_text("abc")), found;
    (void)state;
    hub_digest_text(&digest, HUB_DIGEST_SIZE, text);
    assert_true(hub_digest_read(text, &found));
    assert_memory_equal(&found, &digest, sizeof digest);
    for (size_t i = 0; i < HUB_DIGEST_TEXT_SIZE - 1; i += 7)
        for (const char *other = "/:`gA "; *other != '\0'; other++) {
            char was = text[i];
            text[i] = *other;
            assert_false(hub_digest_read(text, &found));
            text[i] = was;
        }
}

static void zero_bytes_are_part_of_the_message(void **state) {
    char text[HUB_DIGEST_TEXT_SIZE], other[HUB_DIGEST_TEXT_SIZE];
    (void)state;
    assert_string_not_equal(text_of(hub_sha256.digest(hub_bytes("a\0b", 3)), text),
                            text_of(hub_sha256.digest(hub_bytes("a", 1)), other));
}

/* RFC 4231, test cases 1, 2 and 6: a key longer than a block is hashed first. */
static void hmac_of_published_messages(void **state) {
    char text[HUB_DIGEST_TEXT_SIZE];
    uint8_t key[131];
    (void)state;
    memset(key, 0x0b, 20);
    assert_string_equal(
        text_of(hub_hmac_sha256(hub_bytes(key, 20), hub_bytes_of_text("Hi There")), text),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_string_equal(
        text_of(hub_hmac_sha256(hub_bytes_of_text("Jefe"),
                                hub_bytes_of_text("what do ya want for nothing?")), text),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_string_equal(
        text_of(hub_hmac_sha256(hub_bytes(key, sizeof key),
                                hub_bytes_of_text("Test Using Larger Than Block-Size Key - Hash "
                                                  "Key First")), text),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 4648 section 10. */
static void base64_of_published_texts(void **state) {
    static const char *const pairs[][2] = {{"f", "Zg=="},     {"fo", "Zm8="},
                                           {"foo", "Zm9v"},   {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        HUB_SCOPED_BUFFER text = {0}, bytes = {0};
        hub_base64_append(hub_bytes_of_text(pairs[i][0]), &text);
        assert_string_equal(hub_buffer_text(&text), pairs[i][1]);
        assert_true(hub_base64_decode(hub_bytes_of_text(pairs[i][1]), &bytes));
        assert_string_equal(hub_buffer_text(&bytes), pairs[i][0]);
    }
}

static void what_is_no_base64_is_not_read(void **state) {
    static const char *const none[] = {"",     "Z",    "Zg",   "Zg=",      "Zh==", "Zm9=",
                                       "Z===", "====", "Zg==Zg==", "Zm 9", " Zm9v",
                                       "Zm9v\n", "Zm9-", "Zm9_", "=Zm9"};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        HUB_SCOPED_BUFFER bytes = {0};
        if (hub_base64_decode(hub_bytes_of_text(none[i]), &bytes))
            fail_msg("'%s' was read", none[i]);
        assert_int_equal(bytes.size, 0);
    }
}

static void secrets_are_the_same_in_every_byte(void **state) {
    (void)state;
    assert_true(hub_same_secret(hub_bytes_of_text("abc"), hub_bytes_of_text("abc")));
    assert_false(hub_same_secret(hub_bytes_of_text("abc"), hub_bytes_of_text("abd")));
    assert_false(hub_same_secret(hub_bytes_of_text("abc"), hub_bytes_of_text("ab")));
}

/* --- sealing --- */

static const struct hub_digest key = {{1, 2, 3}};

static void seal(const char *plain, const char *beside, struct hub_buffer *sealed) {
    struct hub_error error;
    assert_int_equal(hub_seal(&key, hub_bytes_of_text(beside), hub_bytes_of_text(plain), sealed,
                              &error), HUB_OK);
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test case 14: key, nonce and plaintext are
 * zeros. */
static void what_others_have_sealed_is_read(void **state) {
    static const uint8_t secret[HUB_DIGEST_SIZE];
    struct hub_digest zero;
    static const uint8_t sealed[] = {
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0xce, 0xa7, 0x40,
        0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1,
        0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    HUB_SCOPED_BUFFER plain = {0};
    (void)state;
    memcpy(zero.bytes, secret, sizeof zero.bytes);
    assert_true(hub_unseal(&zero, hub_bytes(NULL, 0), hub_bytes(sealed, sizeof sealed), &plain));
    assert_true(hub_bytes_equal(hub_buffer_bytes(&plain), hub_bytes(secret, 16)));
}

static void what_was_sealed_is_read_and_says_nothing_itself(void **state) {
    HUB_SCOPED_BUFFER sealed = {0}, again = {0}, plain = {0};
    (void)state;
    seal("nineteen characters", "beside", &sealed);
    seal("nineteen characters", "beside", &again);
    assert_int_equal(sealed.size, strlen("nineteen characters") + HUB_SEAL_OVERHEAD);
    assert_null(memmem(sealed.data, sealed.size, "characters", 10));
    assert_false(hub_bytes_equal(hub_buffer_bytes(&sealed), hub_buffer_bytes(&again)));
    assert_true(hub_unseal(&key, hub_bytes_of_text("beside"), hub_buffer_bytes(&sealed), &plain));
    assert_string_equal(hub_buffer_text(&plain), "nineteen characters");
}

static void seal_same(const char *plain, const char *beside, struct hub_buffer *sealed) {
    hub_seal_same(&key, hub_bytes_of_text(beside), hub_bytes_of_text(plain), sealed);
}

static void the_same_can_be_sealed_to_the_same_and_nothing_else_to_that(void **state) {
    static const struct hub_digest other = {{1, 2, 4}};
    HUB_SCOPED_BUFFER sealed = {0}, again = {0}, plain = {0}, moved = {0}, shifted = {0}, under = {0};
    (void)state;
    seal_same("nineteen characters", "beside", &sealed);
    seal_same("nineteen characters", "beside", &again);
    assert_true(hub_bytes_equal(hub_buffer_bytes(&sealed), hub_buffer_bytes(&again)));
    assert_true(hub_unseal(&key, hub_bytes_of_text("beside"), hub_buffer_bytes(&sealed), &plain));
    assert_string_equal(hub_buffer_text(&plain), "nineteen characters");
    seal_same("nineteen characters", "aside", &moved);
    seal_same("enineteen characters", "besid", &shifted); /* what is beside ends elsewhere */
    hub_seal_same(&other, hub_bytes_of_text("beside"), hub_bytes_of_text("nineteen characters"), &under);
    assert_memory_not_equal(sealed.data, moved.data, HUB_SEAL_NONCE_SIZE);
    assert_memory_not_equal(sealed.data, shifted.data, HUB_SEAL_NONCE_SIZE);
    assert_memory_not_equal(sealed.data, under.data, HUB_SEAL_NONCE_SIZE);
}

static void nothing_can_be_sealed_too(void **state) {
    HUB_SCOPED_BUFFER sealed = {0}, plain = {0};
    (void)state;
    seal("", "", &sealed);
    assert_true(hub_unseal(&key, hub_bytes(NULL, 0), hub_buffer_bytes(&sealed), &plain));
    assert_int_equal(plain.size, 0);
}

static void one_bit_that_is_another_is_seen(void **state) {
    HUB_SCOPED_BUFFER sealed = {0}, plain = {0};
    (void)state;
    seal("what a source said", "beside", &sealed);
    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(
            hub_unseal(&key, hub_bytes_of_text("beside"), hub_buffer_bytes(&sealed), &plain));
        sealed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(plain.size, 0);
}

static void another_key_another_text_beside_and_a_shorter_one_are_seen(void **state) {
    HUB_SCOPED_BUFFER sealed = {0}, plain = {0};
    struct hub_digest other = key;
    (void)state;
    other.bytes[HUB_DIGEST_SIZE - 1] ^= 1;
    seal("what a source said", "beside", &sealed);
    struct hub_bytes bytes = hub_buffer_bytes(&sealed);
    assert_false(hub_unseal(&other, hub_bytes_of_text("beside"), bytes, &plain));
    assert_false(hub_unseal(&key, hub_bytes_of_text("besides"), bytes, &plain));
    assert_false(hub_unseal(&key, hub_bytes(NULL, 0), bytes, &plain));
    for (size_t size = 0; size < bytes.size; size++)
        assert_false(hub_unseal(&key, hub_bytes_of_text("beside"), hub_bytes_part(bytes, 0, size),
                                &plain));
    assert_int_equal(plain.size, 0);
}

/* The key of RFC 8410, section 10.3, and one of another kind. */
static void a_private_key_is_read(void **state) {
    static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                              "-----END PRIVATE KEY-----\n";
    static const char public_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                     "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                                     "-----END PUBLIC KEY-----\n";
    static const uint8_t public[] = {0x19, 0xbf, 0x44, 0x09, 0x69, 0x84, 0xcd, 0xfe};
    struct hub_ed25519_key private;
    struct hub_error error;
    (void)state;
    expect_ok(hub_ed25519_read(hub_bytes_of_text(pem), &private, &error), &error);
    struct hub_ed25519_key found = hub_ed25519_public(&private);
    assert_memory_equal(found.bytes, public, sizeof public);
    assert_int_equal(hub_ed25519_read(hub_bytes_of_text(public_pem), &private, &error), HUB_REJECT);
    assert_int_equal(hub_ed25519_read(hub_bytes_of_text("no key"), &private, &error), HUB_REJECT);
    assert_int_equal(hub_ed25519_read(hub_bytes("", 0), &private, &error), HUB_REJECT);
    assert_int_equal(hub_ed25519_read(hub_bytes(NULL, 0), &private, &error), HUB_REJECT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_published_messages),
        cmocka_unit_test(sha256_of_nothing),
        cmocka_unit_test(pieces_are_digested_as_one_message),
        cmocka_unit_test(a_digest_is_read_as_it_is_written),
        cmocka_unit_test(zero_bytes_are_part_of_the_message),
        cmocka_unit_test(hmac_of_published_messages),
        cmocka_unit_test(base64_of_published_texts),
        cmocka_unit_test(what_is_no_base64_is_not_read),
        cmocka_unit_test(secrets_are_the_same_in_every_byte),
        cmocka_unit_test(what_others_have_sealed_is_read),
        cmocka_unit_test(what_was_sealed_is_read_and_says_nothing_itself),
        cmocka_unit_test(the_same_can_be_sealed_to_the_same_and_nothing_else_to_that),
        cmocka_unit_test(nothing_can_be_sealed_too),
        cmocka_unit_test(one_bit_that_is_another_is_seen),
        cmocka_unit_test(another_key_another_text_beside_and_a_shorter_one_are_seen),
        cmocka_unit_test(a_private_key_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
