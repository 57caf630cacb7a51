#include "tests/lib/outputs.h"

#include "tests/lib/cmocka.h"

void expect_same_outputs(const struct hub_outputs *found, const struct hub_outputs *wanted) {
    assert_int_equal(found->count, wanted->count);
    for (size_t i = 0; i < found->count; i++) {
        const struct hub_output *a = &found->items[i], *b = &wanted->items[i];
        assert_int_equal(a->kind, b->kind);
        assert_int_equal(a->partition, b->partition);
        assert_true(hub_bytes_equal(a->key, b->key));
        assert_true(hub_bytes_equal(a->value, b->value));
        assert_int_equal(a->header_count, b->header_count);
        for (size_t k = 0; k < a->header_count; k++) {
            assert_string_equal(a->headers[k].name, b->headers[k].name);
            assert_true(hub_bytes_equal(a->headers[k].value, b->headers[k].value));
        }
    }
}
