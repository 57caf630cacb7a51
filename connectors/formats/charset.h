/* Character sets other than UTF-8, by iconv. */
#pragma once

#include "hub/base/status.h"

#include <iconv.h>

/* HUB_FATAL where this system cannot convert from it to UTF-8: asked when the configuration is loaded,
 * so that no document is refused for it. */
HUB_MUST_USE enum hub_status hub_charset_check(const char *charset, struct hub_error *reterr);

/* A converter from a character set that was checked, to UTF-8; iconv_close takes it back. What was there
 * can only be missing for want of memory, whatever iconv_open says of it: the process ends
 * (hub/base/memory.h). */
iconv_t hub_charset_open(const char *charset);
