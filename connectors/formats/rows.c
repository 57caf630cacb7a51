#include "connectors/formats/rows.h"

#include <string.h>

enum { COUNT_FIRST = 64 };

/* The items with room for one more: there is some unless their count is where they were doubled. */
static void *with_room(struct hub_arena *arena, void *items, size_t count, size_t size) {
    bool full = count == 0 || (count >= COUNT_FIRST && (count & (count - 1)) == 0);
    if (!full)
        return items;
    void *wider = hub_arena_take(arena, (count == 0 ? COUNT_FIRST : 2 * count) * size);
    if (count > 0)
        memcpy(wider, items, count * size);
    return wider;
}

void hub_rows_add(struct hub_parsed *parsed, struct hub_arena *arena, struct hub_bytes raw,
                  size_t line) {
    size_t count = parsed->row_count++;
    parsed->rows = with_room(arena, parsed->rows, count, sizeof *parsed->rows);
    parsed->row_lines = with_room(arena, parsed->row_lines, count, sizeof *parsed->row_lines);
    parsed->rows[count] = raw;
    parsed->row_lines[count] = line;
}

void hub_rows_add_error(struct hub_parsed *parsed, struct hub_arena *arena, struct hub_bytes raw,
                        size_t line, const char *text) {
    size_t count = parsed->error_count++;
    parsed->errors = with_room(arena, parsed->errors, count, sizeof *parsed->errors);
    parsed->errors[count] = (struct hub_row_error){line, raw, text};
}
