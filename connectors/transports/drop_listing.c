#include "connectors/transports/drop_listing.h"

#include "hub/base/text.h"

/* Before the name: mode, links, owner, group, size, month, day, and time or year. */
enum { FIELDS = 8, MODE = 0, LINKS = 1, SIZE = 4, MODE_SIZE = 10 };

static bool is_mode(struct hub_bytes field) {
    for (size_t i = 1; i < MODE_SIZE && i < field.size; i++)
        if (memchr("rwxsStT-", field.data[i], 8) == NULL)
            return false;
    /* After the mode + . or @ says that there is more to say of access. */
    return field.size == MODE_SIZE ||
           (field.size == MODE_SIZE + 1 && memchr("+.@", field.data[MODE_SIZE], 3) != NULL);
}

static enum hub_file_kind kind_of(struct hub_bytes mode) {
    return mode.data[0] == '-'   ? HUB_FILE_REGULAR
           : mode.data[0] == 'd' ? HUB_FILE_FOLDER
                                 : HUB_FILE_OTHER;
}

static struct hub_bytes without_target(struct hub_bytes name) {
    const void *arrow = memmem(name.data, name.size, " -> ", 4);
    return arrow == NULL ? name
                         : hub_bytes_part(name, 0, (size_t)((const uint8_t *)arrow - name.data));
}

bool hub_drop_line_read(struct hub_bytes line, struct hub_drop_line *ret_line) {
    struct hub_bytes fields[FIELDS], rest = line;
    uint64_t links = 0;
    for (size_t i = 0; i < FIELDS; i++) {
        while (rest.size > 0 && rest.data[0] == ' ')
            rest = hub_bytes_part(rest, 1, rest.size);
        if (!hub_bytes_cut(rest, ' ', &fields[i], &rest))
            return false;
    }
    if (!is_mode(fields[MODE]) || !hub_text_to_number(fields[LINKS], &links) ||
        !hub_text_to_number(fields[SIZE], &ret_line->size) || rest.size == 0)
        return false;
    ret_line->kind = kind_of(fields[MODE]);
    ret_line->name = fields[MODE].data[0] == 'l' ? without_target(rest) : rest;
    return ret_line->name.size > 0;
}
