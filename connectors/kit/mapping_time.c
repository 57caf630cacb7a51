/* Dates and times as sources write them. Formats are tried in order; the whole text must fit. */
#include "connectors/kit/mapping_plan.h"

#include "schemas/lib/render.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* strptime's %Y takes fewer digits than four: 21 is not the year 21. */
enum { YEAR_MIN = 1000, YEAR_MAX = 9999, ZONES_MAX = 64 };

static bool digits(const char **text, size_t count, int *ret_number) {
    int number = 0;
    for (size_t i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (**text - '0');
    }
    *ret_number = number;
    return true;
}

static bool literal(const char **text, char c) {
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

/* Days since 1970-01-01 by way of timegm; false for a day that no calendar has. */
static bool day_number(int year, int month, int day, int64_t *ret_days) {
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    time_t seconds = timegm(&parts);
    if (parts.tm_mday != day || parts.tm_mon != month - 1)
        return false;
    *ret_days = (int64_t)(seconds - (seconds % 86400 + 86400) % 86400) / 86400;
    return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD. */
static bool read_partial(const char *text, bool whole_day, struct map_instant *ret_instant) {
    int year = 0, month = 1, day = 1, precision = 2;
    int64_t days = 0;
    if (!digits(&text, 4, &year))
        return false;
    if (literal(&text, '-')) {
        if (!digits(&text, 2, &month))
            return false;
        precision = 1;
        if (literal(&text, '-')) {
            if (!digits(&text, 2, &day))
                return false;
            precision = 0;
        }
    }
    if (*text != '\0' || (whole_day && precision != 0) || !day_number(year, month, day, &days))
        return false;
    *ret_instant = (struct map_instant){.milliseconds = days * 86400000, .precision = precision};
    return true;
}

bool map_time_zone(const char *text, int *ret_offset_minutes) {
    int hours = 0, minutes = 0;
    if (strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0) {
        *ret_offset_minutes = 0;
        return true;
    }
    char sign = *text;
    if ((sign != '+' && sign != '-') || (text++, !digits(&text, 2, &hours)) ||
        !literal(&text, ':') || !digits(&text, 2, &minutes) || *text != '\0' || hours > 14 ||
        minutes > 59)
        return false;
    *ret_offset_minutes = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* The offset of a local time that states none. */
static bool zone_offset(const struct map_time *time, int64_t local_s, int *ret_offset_minutes) {
    int32_t offsets_s[2];
    if (time->zone == NULL) {
        *ret_offset_minutes = time->offset_minutes;
        return true;
    }
    size_t count = hub_zone_offsets(time->zone, local_s, offsets_s);
    if (count == 0 || (count == 2 && time->ambiguous == MAP_AMBIGUOUS_REJECT))
        return false;
    *ret_offset_minutes = offsets_s[count == 2 && time->ambiguous == MAP_AMBIGUOUS_LATER] / 60;
    return true;
}

/* A day without a clock begins at midnight where the source is. */
static bool begin_day(const struct map_time *time, bool need_instant, struct map_instant *instant) {
    int offset = 0;
    if (!need_instant)
        return true;
    if (!zone_offset(time, instant->milliseconds / 1000, &offset))
        return false;
    instant->milliseconds -= (int64_t)offset * 60000;
    instant->offset_minutes = offset;
    return true;
}

/* RFC 3339 section 5.6; the offset may be missing where the configuration gives one. */
static bool read_rfc3339(const struct map_time *time, const char *text, bool need_instant,
                         struct map_instant *ret_instant) {
    (void)need_instant;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    int64_t days = 0, fraction_ms = 0, scale = 100;
    bool whole = digits(&text, 4, &year) && literal(&text, '-') && digits(&text, 2, &month) &&
                 literal(&text, '-') && digits(&text, 2, &day) &&
                 (literal(&text, 'T') || literal(&text, 't') || literal(&text, ' ')) &&
                 digits(&text, 2, &hour) && literal(&text, ':') && digits(&text, 2, &minute);
    if (!whole)
        return false;
    bool has_seconds = literal(&text, ':');
    if (has_seconds && !digits(&text, 2, &second))
        return false;
    if (has_seconds && literal(&text, '.')) {
        const char *from = text;
        for (; *text >= '0' && *text <= '9'; text++, scale /= 10)
            fraction_ms += (*text - '0') * scale;
        if (text == from)
            return false;
    }
    int offset = 0;
    if (hour > 23 || minute > 59 || second > 60 || !day_number(year, month, day, &days))
        return false;
    int64_t local_s = days * 86400 + hour * 3600 + minute * 60 + second;
    if (*text == '\0' ? !time->has_zone || !zone_offset(time, local_s, &offset)
                      : !map_time_zone(strcmp(text, "z") == 0 ? "Z" : text, &offset))
        return false;
    int64_t seconds = local_s - offset * 60;
    *ret_instant = (struct map_instant){.milliseconds = seconds * 1000 + fraction_ms,
                                        .offset_minutes = offset,
                                        .clock = true};
    return true;
}

/* Up to two digits of each part that is there; `ret_count` tells how many parts were. */
static bool read_pairs(const char **text, size_t count, int *const *parts, size_t *ret_count) {
    for (*ret_count = 0; *ret_count < count && **text >= '0' && **text <= '9'; (*ret_count)++)
        if (!digits(text, 2, parts[*ret_count]))
            return false;
    return true;
}

/* HL7 v2's TS and DTM: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]. */
static bool read_hl7(const struct map_time *time, const char *text, bool need_instant,
                     struct map_instant *ret_instant) {
    enum { MONTH = 1, DAY, HOUR, MINUTE, SECOND };
    int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, offset = 0;
    int *const parts[] = {&month, &day, &hour, &minute, &second};
    int64_t days = 0, fraction_ms = 0, scale = 100;
    size_t count = 0;
    if (!digits(&text, 4, &year) || !read_pairs(&text, 5, parts, &count) || count == HOUR)
        return false;
    if (count == SECOND && literal(&text, '.')) {
        const char *from = text;
        for (; *text >= '0' && *text <= '9'; text++, scale /= 10)
            fraction_ms += (*text - '0') * scale;
        if (text == from || text - from > 4)
            return false;
    }
    if (hour > 23 || minute > 59 || second > 60 || !day_number(year, month, day, &days))
        return false;
    int64_t local_s = days * 86400 + hour * 3600 + minute * 60 + second;
    if (*text != '\0') {
        char colon[] = "+hh:mm";
        if (strlen(text) != 5)
            return false;
        memcpy(colon, text, 3);
        memcpy(colon + 4, text + 3, 2);
        if (!map_time_zone(colon, &offset))
            return false;
    } else if (need_instant || count >= MINUTE) {
        if (!time->has_zone || !zone_offset(time, local_s, &offset))
            return false;
    }
    *ret_instant = (struct map_instant){
        .milliseconds = (local_s - offset * 60) * 1000 + fraction_ms,
        .offset_minutes = offset,
        .precision = count >= DAY ? 0 : count == MONTH ? 1 : 2,
        .clock = count >= MINUTE};
    return true;
}

/* A zone that texts name. */
struct map_zone_named {
    const char *name;
    const struct hub_zone *zone; /* NULL: there is none of that name */
    struct map_zone_named *next;
};

static const struct hub_zone *find_zone(struct map_zones *zones, const char *name) {
    struct hub_error ignored;
    struct map_zone_named *named = zones->first;
    while (named != NULL && strcmp(named->name, name) != 0)
        named = named->next;
    if (named == NULL && zones->count < ZONES_MAX) {
        named = hub_arena_take_zero(zones->arena, 1, sizeof *named);
        named->name = hub_arena_text(zones->arena, name, strlen(name));
        if (hub_zone_load(name, zones->arena, &named->zone, &ignored) != HUB_OK)
            named->zone = NULL;
        named->next = zones->first;
        zones->first = named;
        zones->count++;
    }
    return named == NULL ? NULL : named->zone;
}

/* iCalendar's DATE or DATE-TIME (RFC 5545 3.3.4, 3.3.5), and after a space the name of its zone. */
static bool read_ical(const struct map_time *time, const char *text, bool need_instant,
                      struct map_instant *ret_instant) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
    struct map_time own = *time;
    int64_t days = 0;
    if (!digits(&text, 4, &year) || !digits(&text, 2, &month) || !digits(&text, 2, &day) ||
        !day_number(year, month, day, &days))
        return false;
    bool clock = literal(&text, 'T');
    if (clock && (!digits(&text, 2, &hour) || !digits(&text, 2, &minute) ||
                  !digits(&text, 2, &second) || hour > 23 || minute > 59 || second > 60))
        return false;
    bool utc = clock && literal(&text, 'Z');
    bool named = literal(&text, ' ');
    if (named && !utc) /* what is in UTC has no other zone */
        own.zone = find_zone(time->zones, text);
    if (named ? !utc && own.zone == NULL : *text != '\0')
        return false;
    own.has_zone |= named;
    int64_t local_s = days * 86400 + hour * 3600 + minute * 60 + second;
    bool needs_zone = !utc && (clock || need_instant);
    if (needs_zone && (!own.has_zone || !zone_offset(&own, local_s, &offset)))
        return false;
    *ret_instant = (struct map_instant){.milliseconds = (local_s - offset * 60) * 1000,
                                        .offset_minutes = offset,
                                        .clock = clock};
    return true;
}

/* Whether a pattern has one of strptime's conversions; E and O only modify the one that follows. */
static bool converts(const char *pattern, const char *conversions) {
    for (const char *at = strchr(pattern, '%'); at != NULL && at[1] != '\0';
         at = strchr(at + 2, '%')) {
        at += at[1] == 'E' || at[1] == 'O';
        if (at[1] == '\0')
            return false;
        if (strchr(conversions, at[1]) != NULL)
            return true;
    }
    return false;
}

/* strptime's conversions in the C locale: month names are English. */
static bool read_pattern(const struct map_time *time, const char *pattern, const char *text,
                         struct map_instant *ret_instant) {
    struct tm parts = {.tm_mday = 1, .tm_year = -1900};
    bool has_day = converts(pattern, "deFDxcjs"), has_month = has_day || converts(pattern, "mBbh");
    int64_t days = 0;
    const char *end = strptime(text, pattern, &parts);
    if (end == NULL || *end != '\0' ||
        !day_number(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, &days))
        return false;
    int64_t local_s = days * 86400 + parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec;
    int offset = (int)(parts.tm_gmtoff / 60);
    if (!converts(pattern, "z") && !zone_offset(time, local_s, &offset))
        return false;
    int64_t seconds = local_s - offset * 60;
    *ret_instant = (struct map_instant){.milliseconds = seconds * 1000,
                                        .offset_minutes = offset,
                                        .precision = has_day ? 0 : has_month ? 1 : 2,
                                        .clock = converts(pattern, "HIklRTrXcs")};
    return true;
}

static bool read_date(const struct map_time *time, const char *text, bool need_instant,
                      struct map_instant *ret_instant) {
    return read_partial(text, /* whole_day= */ true, ret_instant) &&
           begin_day(time, need_instant, ret_instant);
}

static bool read_any_date(const struct map_time *time, const char *text, bool need_instant,
                          struct map_instant *ret_instant) {
    return read_partial(text, /* whole_day= */ false, ret_instant) &&
           begin_day(time, need_instant, ret_instant);
}

/* Formats that go by a name; any other is a pattern. */
static const struct {
    const char *name;
    bool (*read)(const struct map_time *time, const char *text, bool need_instant,
                 struct map_instant *ret_instant);
} named[] = {{"rfc3339", read_rfc3339}, {"hl7", read_hl7},         {"ical", read_ical},
             {"date", read_date},       {"partial", read_any_date}};

static size_t find_named(const char *format) {
    size_t i = 0;
    while (i < sizeof named / sizeof *named && strcmp(named[i].name, format) != 0)
        i++;
    return i;
}

bool map_time_is_format(const char *format) {
    return find_named(format) < sizeof named / sizeof *named || strchr(format, '%') != NULL;
}

bool map_time_may_tell_offset(const char *format) {
    return strcmp(format, "rfc3339") == 0 || strcmp(format, "hl7") == 0;
}

bool map_time_read(const struct map_time *time, const char *text, bool need_instant,
                   struct map_instant *ret_instant) {
    for (size_t i = 0; time->formats[i] != NULL; i++) {
        const char *format = time->formats[i];
        size_t at = find_named(format);
        if (at < sizeof named / sizeof *named ? named[at].read(time, text, need_instant, ret_instant)
                                              : read_pattern(time, format, text, ret_instant))
            return true;
    }
    return false;
}

const char *map_time_refusal(const struct map_time *time, struct hub_arena *arena) {
    bool names_zone = false;
    for (size_t i = 0; time->formats[i] != NULL; i++)
        names_zone |= strcmp(time->formats[i], "ical") == 0;
    return hub_arena_format(
        arena, "not in the format %s%s%s%s", time->formats[0],
        time->formats[1] == NULL ? "" : " (or another that is listed)",
        time->zone == NULL && !names_zone ? "" : ", or an hour that its zone skips or repeats",
        names_zone ? ", or in a zone that is not known" : "");
}

void map_time_append(const struct map_instant *instant, bool whole_instant,
                     struct hub_buffer *buffer) {
    static const size_t sizes[] = {10, 7, 4};
    size_t from = buffer->size;
    if (whole_instant && instant->clock) {
        hub_render_time(instant->milliseconds, buffer);
        return;
    }
    int64_t local = instant->milliseconds + (int64_t)instant->offset_minutes * 60000;
    hub_render_date(local / 86400000 - (local % 86400000 < 0), buffer);
    buffer->size = from + sizes[instant->precision];
}
