#include "connectors/kit/expression.h"

#include "hub/base/memory.h"

static void *allocate(size_t size, void *context) {
    (void)context;
    return hub_allocate(size);
}

static void give_back(void *memory, void *context) {
    (void)context;
    hub_release(memory);
}

pcre2_code *hub_expression_compile(const char *text, size_t size, uint32_t options, int *ret_code,
                                   size_t *ret_at) {
    pcre2_general_context *general = pcre2_general_context_create(allocate, give_back, NULL);
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text, size, options, ret_code, ret_at, context);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(general);
    return code;
}

pcre2_match_context *hub_expression_limits(uint32_t steps_max) {
    pcre2_general_context *general = pcre2_general_context_create(allocate, give_back, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(general);
    pcre2_set_match_limit(limits, steps_max);
    pcre2_general_context_free(general);
    return limits;
}
