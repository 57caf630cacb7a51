#include "connectors/transports/link.h"

#include "hub/base/memory.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Whether one of the words between spaces is that word, in whatever case. */
static bool has_word(const char *text, size_t size, const char *word) {
    for (size_t from = 0; from < size;) {
        size_t length = strcspn(text + from, " \t\"");
        length = length > size - from ? size - from : length;
        if (length == strlen(word) && strncasecmp(text + from, word, length) == 0)
            return true;
        from += length + 1;
    }
    return false;
}

/* Reads the parameters of one link; `at` ends at the comma behind them, or at the end. */
static bool read_parameters(const char **at_) {
    const char *at = *at_;
    bool next = false;
    for (;;) {
        at += strspn(at, "; \t");
        if (*at == '\0' || *at == ',')
            break;
        size_t name = strcspn(at, "=;, \t");
        bool rel = name == 3 && strncasecmp(at, "rel", 3) == 0;
        at += name;
        at += strspn(at, " \t");
        if (*at != '=')
            continue;
        at++;
        at += strspn(at, " \t");
        bool quoted = *at == '"';
        at += quoted;
        size_t size = quoted ? strcspn(at, "\"") : strcspn(at, ";, \t");
        next |= rel && has_word(at, size, "next");
        at += size;
        at += quoted && *at == '"';
    }
    *at_ = at;
    return next;
}

char *hub_link_next(const char *header) {
    for (const char *at = header; at != NULL && (at = strchr(at, '<')) != NULL;) {
        const char *target = at + 1, *end = strchr(target, '>');
        if (end == NULL)
            return NULL;
        at = end + 1;
        if (read_parameters(&at))
            return hub_copy_bytes(target, (size_t)(end - target));
    }
    return NULL;
}
