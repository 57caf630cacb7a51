#include "hub/ctl/when.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* .250, and what comes after it. */
static const char *read_fraction(const char *text, int64_t *ret_ms) {
    int64_t unit = 100;
    *ret_ms = 0;
    if (*text != '.')
        return text;
    for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
        *ret_ms += (*text - '0') * unit;
    return text;
}

/* Z or +01:00, in minutes east; false of all else. */
static bool read_zone(const char *text, int64_t *ret_minutes) {
    int hours = 0, minutes = 0, end = 0;
    *ret_minutes = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || strlen(text) != strlen("+01:00") ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || end != 5 || hours > 23 ||
        minutes > 59)
        return false;
    *ret_minutes = (*text == '-' ? -1 : 1) * (60 * hours + minutes);
    return true;
}

/* Whether the calendar has it: 30 February is another day when it is normal again. */
static bool is_normal(const struct tm *parts) {
    struct tm normal = *parts;
    time_t seconds = timegm(&normal);
    (void)seconds;
    return normal.tm_mday == parts->tm_mday && normal.tm_mon == parts->tm_mon &&
           normal.tm_hour == parts->tm_hour && normal.tm_min == parts->tm_min &&
           normal.tm_sec == parts->tm_sec;
}

bool hub_ctl_when(const char *text, int64_t *ret_ms) {
    struct tm parts = {0};
    int64_t fraction_ms = 0, zone_minutes = 0;
    const char *rest = strptime(text, "%Y-%m-%d", &parts);
    if (rest == NULL || rest - text != 10)
        return false;
    if (*rest != '\0') {
        const char *begins = rest;
        rest = strptime(rest, "T%H:%M:%S", &parts);
        if (rest == NULL || rest - begins != 9)
            return false;
        rest = read_fraction(rest, &fraction_ms);
        if (!read_zone(rest, &zone_minutes))
            return false;
    }
    if (!is_normal(&parts))
        return false;
    *ret_ms = ((int64_t)timegm(&parts) - 60 * zone_minutes) * 1000 + fraction_ms;
    return true;
}
