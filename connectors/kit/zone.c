#include "connectors/kit/zone.h"

#include "hub/io/file.h"

#include <stdbool.h>
#include <string.h>

enum {
    ZONE_FILE_SIZE_MAX = 256 * 1024,
    ZONE_NAME_SIZE_MAX = 64,
    HEADER_SIZE = 44,
    KIND_SIZE = 6, /* of a local time type: offset, daylight saving, name */
};

/* One offset, from an instant on until the next one's. */
struct span {
    int64_t start_s;
    int32_t offset_s;
};

struct hub_zone {
    struct span *spans; /* the first has begun always */
    size_t count;
    bool ends; /* after the last span nothing is known */
};

struct counts {
    size_t utc, standard, leaps, times, kinds, letters;
};

static uint64_t read_number(struct hub_bytes file, size_t at, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | file.data[at + i];
    return number;
}

/* A header, and the size of what follows it with times of `time_size` bytes. False where the file
 * is too short for it or another kind of file. */
static bool read_header(struct hub_bytes file, size_t at, size_t time_size,
                        struct counts *ret_counts, size_t *ret_body_size) {
    if (at + HEADER_SIZE > file.size || memcmp(file.data + at, "TZif", 4) != 0)
        return false;
    size_t numbers[6];
    for (size_t i = 0; i < 6; i++)
        numbers[i] = (size_t)read_number(file, at + 20 + 4 * i, 4);
    for (size_t i = 0; i < 6; i++)
        if (numbers[i] > ZONE_FILE_SIZE_MAX)
            return false;
    struct counts counts = {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    *ret_counts = counts;
    *ret_body_size = counts.times * (time_size + 1) + counts.kinds * KIND_SIZE + counts.letters +
                     counts.leaps * (time_size + 4) + counts.standard + counts.utc;
    return counts.kinds > 0 && at + HEADER_SIZE + *ret_body_size <= file.size;
}

/* What comes after the last change is a rule with a comma where there are more to come. */
static bool has_rule(struct hub_bytes file, size_t from) {
    return memchr(file.data + from, ',', file.size - from) != NULL;
}

static bool read_spans(struct hub_bytes file, size_t body, const struct counts *counts,
                       struct hub_arena *arena, struct hub_zone *zone) {
    size_t kinds_of = body + counts->times * 8, kinds = kinds_of + counts->times;
    zone->count = counts->times + 1;
    zone->spans = hub_arena_take_zero(arena, zone->count, sizeof *zone->spans);
    zone->spans[0] = (struct span){INT64_MIN, (int32_t)read_number(file, kinds, 4)};
    for (size_t i = 0; i < counts->times; i++) {
        size_t kind = file.data[kinds_of + i];
        if (kind >= counts->kinds)
            return false;
        zone->spans[i + 1] =
            (struct span){(int64_t)read_number(file, body + 8 * i, 8),
                          (int32_t)read_number(file, kinds + KIND_SIZE * kind, 4)};
        if (i > 0 && zone->spans[i + 1].start_s <= zone->spans[i].start_s)
            return false;
    }
    return true;
}

enum hub_status hub_zone_read(const char *name, struct hub_bytes file, struct hub_arena *arena,
                              const struct hub_zone **ret_zone, struct hub_error *reterr) {
    struct hub_zone *zone = hub_arena_take_zero(arena, 1, sizeof *zone);
    struct counts counts;
    size_t size = 0, second = 0;
    /* The first part has short times, for old readers; the second has all. */
    bool sound = read_header(file, 0, 4, &counts, &size);
    second = HEADER_SIZE + size;
    sound = sound && file.data[4] >= '2' && read_header(file, second, 8, &counts, &size) &&
            read_spans(file, second + HEADER_SIZE, &counts, arena, zone);
    if (!sound)
        return hub_fail(reterr, HUB_REJECT,
                        "%s: not a zone file of version 2 or later (RFC 8536)", name);
    zone->ends = has_rule(file, second + HEADER_SIZE + size);
    *ret_zone = zone;
    return HUB_OK;
}

/* Continent/City: nothing that leads out of the folder, and none of the short names (CET), by which
 * people mean an offset and the files a city. */
static bool is_zone_name(const char *name) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t size = strlen(name);
    return size <= ZONE_NAME_SIZE_MAX && strspn(name, letters) == size &&
           strchr(name, '/') != NULL && name[0] != '/' && name[size - 1] != '/';
}

enum hub_status hub_zone_load(const char *name, struct hub_arena *arena,
                              const struct hub_zone **ret_zone, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER bytes = {.size_max = ZONE_FILE_SIZE_MAX};
    struct hub_error ignored;
    const char *path = hub_arena_format(arena, "/usr/share/zoneinfo/%s", name);
    if (!is_zone_name(name) || hub_file_read(path, &bytes, &ignored) != HUB_OK)
        return hub_fail(reterr, HUB_REJECT, "no time zone of that name is installed");
    return hub_zone_read(name, hub_buffer_bytes(&bytes), arena, ret_zone, reterr);
}

size_t hub_zone_offsets(const struct hub_zone *zone, int64_t local_s, int32_t *ret_offsets_s) {
    size_t found = 0;
    for (size_t i = 0; i < zone->count && found < 2; i++) {
        bool last = i + 1 == zone->count;
        int64_t instant_s = local_s - zone->spans[i].offset_s;
        bool known = !last || !zone->ends;
        if (known && instant_s >= zone->spans[i].start_s &&
            (last || instant_s < zone->spans[i + 1].start_s))
            ret_offsets_s[found++] = zone->spans[i].offset_s;
    }
    return found;
}
