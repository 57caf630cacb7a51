/* What a file's name tells: as text, by the pattern, whether the file is refused for it, and whether it may
 * be told at all. */
#include "connectors/transports/file_drop.h"

#include "connectors/kit/guard.h"
#include "hub/base/text.h"

#include <string.h>

static const char held_back[] = "(held back)";

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool has_control(const char *name) {
    for (; *name != '\0'; name++)
        if (is_control(*name))
            return true;
    return false;
}

const char *file_drop_printable(struct hub_arena *arena, const char *name) {
    HUB_SCOPED_BUFFER text = {0};
    bool is_text = hub_text_is_utf8(hub_bytes_of_text(name));
    if (is_text && !has_control(name))
        return name;
    for (const char *c = name; *c != '\0'; c++) {
        bool is_plain = !is_control(*c) && (is_text || (unsigned char)*c < 0x80);
        hub_buffer_append_format(&text, is_plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

json_t *file_drop_match(const pcre2_code *pattern, const char *name) {
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern, NULL);
    json_t *groups = NULL;
    uint32_t count = 0, entry_size = 0;
    PCRE2_SPTR table = NULL;
    if (pcre2_match(pattern, (PCRE2_SPTR)name, strlen(name), 0, 0, data, NULL) > 0) {
        PCRE2_SIZE *ends = pcre2_get_ovector_pointer(data);
        groups = json_object();
        pcre2_pattern_info(pattern, PCRE2_INFO_NAMECOUNT, &count);
        pcre2_pattern_info(pattern, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
        pcre2_pattern_info(pattern, PCRE2_INFO_NAMETABLE, &table);
        for (uint32_t i = 0; i < count; i++) {
            PCRE2_SPTR entry = table + i * entry_size;
            size_t group = (size_t)entry[0] << 8 | entry[1];
            if (ends[2 * group] != PCRE2_UNSET)
                json_object_set_new(groups, (const char *)entry + 2,
                                    json_stringn(name + ends[2 * group],
                                                 ends[2 * group + 1] - ends[2 * group]));
        }
    }
    pcre2_match_data_free(data);
    return groups;
}

/* A date with a time may look like one, too: the file is read all the same. In the position the place of
 * its name is taken by the mark, and another one where two have the same. */
static void hold_name(struct file_drop_looking *looking, struct file_drop_candidate *file) {
    struct hub_arena *arena = &looking->batch->arena;
    file->name = held_back;
    file->path = hub_arena_format(arena, "%s/%s %s", file->place->address, held_back,
                                  file->file->mark);
    while (json_object_get(looking->there, file->path) != NULL)
        file->path = hub_arena_format(arena, "%s+", file->path);
}

void file_drop_judge_name(struct file_drop_looking *looking, struct file_drop_candidate *file) {
    struct hub_arena *arena = &looking->batch->arena;
    const char *kind = NULL, *why = NULL;
    if (hub_guard_finds(hub_bytes_of_text(file->name), &kind))
        hold_name(looking, file);
    if (file->file->is_unread)
        why = "a line of the folder's listing that is not as ls -l writes it";
    else if (strchr(file->file->name, '/') != NULL || has_control(file->file->name))
        why = "a name with a / or a control character in it; one without would pass";
    else if (file->file->kind != HUB_FILE_REGULAR)
        why = "a symbolic link, a pipe or a device; a regular file would pass";
    if (why == NULL)
        return;
    file->refused = hub_arena_format(arena, "%s: %s", file->name, why);
    file->refused_code = "FILE";
}
