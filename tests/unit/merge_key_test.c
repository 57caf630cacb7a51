/* merge_key: keys of elements are compared where they stand as their texts are. */
#include "hub/core/merge_key.h"

#include "schemas/lib/encode.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/own_domain.h"
#include "tests/lib/records.h"

#include <string.h>

enum { PAIRS = 20000, SHORT = 4 };

#define LIST(name, record, key)                                                                    \
    "{'name': '" name "', 'type': {'type': 'array', 'items': {'type': 'record', 'name': '" record  \
    "', 'doc': 'd', 'fields': ["                                                                   \
    "  {'name': 'maker', 'type': ['null', 'string'], 'doc': 'd', 'default': null},"                \
    "  {'name': 'kind', 'type': {'type': 'enum', 'name': '" record "Kind', 'doc': 'd',"            \
    "    'symbols': ['A', 'AB', 'B', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}, 'doc': 'd'},"    \
    "  {'name': 'number', 'type': 'string', 'doc': 'd'},"                                          \
    "  {'name': 'title', 'type': ['null', 'string'], 'doc': 'd', 'default': null,"                 \
    "   'hub:equal': 'fold'},"                                                                     \
    "  {'name': 'grade', 'type': ['null', '" record "Kind'], 'doc': 'd', 'default': null},"        \
    "  {'name': 'amount', 'type': ['null', 'int'], 'doc': 'd', 'default': null}]}},"               \
    " 'doc': 'd', 'default': [], 'hub:merge': {'union': " key ", 'by': ['latest']},"               \
    " 'hub:conflict': 'ignore'}"

static const char fields[] =
    "[" LIST("several", "Several", "['maker', 'kind', 'number']") ","
    LIST("symbols", "Symbols", "['kind']") ","
    LIST("one", "One", "['maker']") ","
    LIST("folded", "Folded", "['title']") ","
    LIST("both", "Both", "['title', 'number']") ","
    LIST("graded", "Graded", "['grade', 'number']") ","
    LIST("counted", "Counted", "['amount', 'kind']") "]";

static struct own_domain *own;

static int make_domain(void **state) {
    (void)state;
    own = own_domain_new("{}", fields);
    return 0;
}

static int free_domain(void **state) {
    (void)state;
    own_domain_free(own);
    return 0;
}

/* Mostly alike at the beginning, with what looks like separators and ends. */
static void make_text(struct test_random *random, struct hub_buffer *buffer) {
    static const char *const characters[] = {"a", "A", "b", "/", "\\", "\"", " ", "0", "é", "!", "ß"};
    HUB_SCOPED_BUFFER text = {0};
    for (size_t count = test_random_below(random, SHORT); count > 0; count--) {
        size_t one = test_random_below(random, sizeof characters / sizeof *characters + 1);
        if (one == sizeof characters / sizeof *characters)
            hub_buffer_append_byte(&text, 0);
        else
            hub_buffer_append_text(&text, characters[one]);
    }
    hub_encode_octets(buffer, hub_buffer_bytes(&text));
}

static void make_optional_text(struct test_random *random, struct hub_buffer *buffer) {
    bool stated = test_random_below(random, 4) > 0;
    hub_encode_long(buffer, stated);
    if (stated)
        make_text(random, buffer);
}

static struct hub_bytes make_element(struct test_random *random, struct hub_arena *arena) {
    struct hub_buffer element = {.arena = arena};
    make_optional_text(random, &element);
    hub_encode_long(&element, (int64_t)test_random_below(random, 3));
    make_text(random, &element);
    make_optional_text(random, &element);
    bool graded = test_random_below(random, 3) > 0;
    hub_encode_long(&element, graded);
    if (graded)
        hub_encode_long(&element, (int64_t)test_random_below(random, 3));
    bool stated = test_random_below(random, 4) > 0;
    hub_encode_long(&element, stated);
    if (stated)
        hub_encode_long(&element, (int64_t)test_random_below(random, 20));
    return hub_buffer_bytes(&element);
}

static int sign(int order) {
    return (order > 0) - (order < 0);
}

static const struct hub_field_contract *list_of(const char *name) {
    const struct hub_domain *domain = own_domain(own);
    return &domain->contract.fields[hub_type_field(domain->schema->root, name)];
}

static size_t check(const struct hub_field_contract *list, uint64_t seed) {
    struct test_random random = {seed};
    struct hub_arena arena = {0};
    struct hub_buffer scratch = {.arena = &arena};
    struct hub_merging merging = {
        .scope = {.domain = own_domain(own), .arena = &arena}, .scratch = &scratch};
    struct hub_bytes a = make_element(&random, &arena), b = make_element(&random, &arena);
    struct hub_element_key x, y;
    hub_element_key_read(&merging, list, a, &x);
    hub_element_key_read(&merging, list, b, &y);
    struct hub_bytes first = hub_element_key_text(&merging, list, a);
    struct hub_bytes second = hub_element_key_text(&merging, list, b);
    int wanted = sign(hub_bytes_compare(first, second));
    if (sign(hub_element_keys_compare(list, &x, &y)) != wanted ||
        sign(hub_element_keys_compare(list, &y, &x)) != -wanted)
        fail_msg("seed %llu: not as the keys '%.*s' and '%.*s'", (unsigned long long)seed,
                 (int)first.size, (const char *)first.data, (int)second.size,
                 (const char *)second.data);
    hub_arena_destroy(&arena);
    return wanted == 0;
}

static void check_all(const char *name) {
    uint64_t only = test_seed(0);
    size_t count = only != 0 ? 1 : test_cases(PAIRS), same = 0;
    for (size_t i = 0; i < count; i++)
        same += check(list_of(name), only != 0 ? only : i + 1);
    assert_true(only != 0 || (same > 0 && same < count));
}

static void keys_of_several_parts_stand_in_the_order_of_their_texts(void **state) {
    (void)state;
    assert_true(list_of("several")->plain_keys);
    check_all("several");
}

static void keys_of_one_part_stand_in_the_order_of_their_texts(void **state) {
    (void)state;
    assert_true(list_of("one")->plain_keys && list_of("symbols")->plain_keys);
    check_all("one");
    check_all("symbols");
}

static void a_key_that_is_compared_folded_stands_in_the_order_of_folded_texts(void **state) {
    (void)state;
    assert_true(list_of("folded")->folded_key);
    check_all("folded");
}

static void other_keys_are_texts(void **state) {
    (void)state;
    assert_false(list_of("both")->plain_keys || list_of("counted")->plain_keys);
    check_all("both");
    check_all("counted");
    check_all("graded");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_several_parts_stand_in_the_order_of_their_texts),
        cmocka_unit_test(keys_of_one_part_stand_in_the_order_of_their_texts),
        cmocka_unit_test(a_key_that_is_compared_folded_stands_in_the_order_of_folded_texts),
        cmocka_unit_test(other_keys_are_texts),
    };
    return cmocka_run_group_tests(tests, make_domain, free_domain);
}
