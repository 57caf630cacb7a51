/* Regular expressions, PCRE2's, that take memory where everything does (hub/base/memory.h): left to itself
 * it would say that an expression is wrong, or takes too long, which had no room. */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* As pcre2_compile. NULL where the expression is wrong; pcre2_code_free takes it back. Match data made
 * from it takes memory as it does. */
pcre2_code *hub_expression_compile(const char *text, size_t size, uint32_t options, int *ret_code,
                                   size_t *ret_at);
/* Bounds for matching; pcre2_match_context_free takes them back. */
pcre2_match_context *hub_expression_limits(uint32_t steps_max);
