#include "connectors/formats/charset.h"

#include "hub/base/memory.h"

enum hub_status hub_charset_check(const char *charset, struct hub_error *reterr) {
    iconv_t converter = iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        return hub_fail(reterr, HUB_FATAL, "this system cannot convert from %s", charset);
    iconv_close(converter);
    return HUB_OK;
}

iconv_t hub_charset_open(const char *charset) {
    iconv_t converter = iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        hub_memory_end();
    return converter;
}
