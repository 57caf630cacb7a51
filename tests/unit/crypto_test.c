/* crypto: the digests, by the published vectors. */
#include "hub/io/crypto.h"
#include "tests/lib/cmocka.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_published_messages),
        cmocka_unit_test(sha256_of_nothing),
        cmocka_unit_test(zero_bytes_are_part_of_the_message),
        cmocka_unit_test(hmac_of_published_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
