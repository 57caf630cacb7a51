/* Dates and times: the first line is the text, the second the zone, each further one a format. */
#include "connectors/kit/mapping_plan.h"
#include "schemas/lib/render.h"
#include "tests/fuzz/fuzz.h"

enum { FORMATS_MAX = 8 };
static const int64_t YEAR_1000_MS = -30610224000000, YEAR_10000_MS = 253402300800000,
                     DAY_MS = 86400000;

static const char *next_line(struct fuzz_input *input, struct hub_bytes *rest) {
    struct hub_bytes line = *rest;
    if (!hub_bytes_cut(*rest, '\n', &line, rest))
        *rest = hub_bytes("", 0);
    return fuzz_text(input, line);
}

/* What is written of an instant is read as the same instant. */
static void check_round(const struct map_instant *instant, bool need_instant) {
    static const char *const formats[] = {"rfc3339", "partial", NULL};
    struct map_time plain = {.formats = formats};
    struct map_instant again;
    HUB_SCOPED_BUFFER text = {0};
    map_time_append(instant, need_instant, &text);
    fuzz_must(map_time_read(&plain, hub_buffer_text(&text), /* need_instant= */ false, &again));
    fuzz_must(again.precision == (need_instant && instant->clock ? 0 : instant->precision));
    if (need_instant && instant->clock)
        fuzz_must(again.milliseconds == instant->milliseconds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    struct hub_bytes rest = hub_bytes(data, size);
    const char *formats[FORMATS_MAX + 1] = {0};
    struct map_zones zones = {.arena = &input.arena};
    struct map_time time = {.formats = formats, .zones = &zones};
    const char *text = next_line(&input, &rest), *zone = next_line(&input, &rest);
    time.has_zone = map_time_zone(zone, &time.offset_minutes);
    fuzz_must(!time.has_zone || (time.offset_minutes >= -900 && time.offset_minutes <= 900));
    for (size_t i = 0; i < FORMATS_MAX && rest.size > 0; i++)
        formats[i] = next_line(&input, &rest);
    for (int need = 0; need < 2; need++) {
        struct map_instant instant;
        if (!map_time_read(&time, text, need != 0, &instant))
            continue;
        fuzz_must(instant.milliseconds >= YEAR_1000_MS - DAY_MS &&
                  instant.milliseconds < YEAR_10000_MS + DAY_MS);
        fuzz_must(instant.precision >= 0 && instant.precision <= 2);
        check_round(&instant, need != 0);
    }
    fuzz_input_free(&input);
    return 0;
}
