#include "hub/core/near.h"

#include <ctype.h>
#include <string.h>

static uint64_t part(size_t place, char character) {
    uint64_t mixed = ((uint64_t)place << 8 | (unsigned char)character) + 1;
    mixed *= 0x9e3779b97f4a7c15;
    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93;
    return mixed ^ mixed >> 32;
}

uint64_t hub_near_hash(const char *value) {
    uint64_t hash = 0;
    for (size_t i = 0; value[i] != '\0'; i++)
        hash ^= part(i, value[i]);
    return hash;
}

struct slipping {
    char *value;
    uint64_t hash; /* of the value as it is */
    void (*visit)(void *context, uint64_t hash);
    void *context;
};

static bool varies(char picture) {
    return picture == '#' || picture == '*';
}

static void each_digit(const struct slipping *slipping, size_t place, bool blot_too) {
    static const char digits[] = "?0123456789";
    char own = slipping->value[place];
    uint64_t others = slipping->hash ^ part(place, own);
    for (const char *digit = blot_too ? digits : digits + 1; *digit != '\0'; digit++)
        if (*digit != own) {
            slipping->value[place] = *digit;
            slipping->visit(slipping->context, others ^ part(place, *digit));
        }
    slipping->value[place] = own;
}

static void swapped(const struct slipping *slipping, size_t place) {
    char *pair = slipping->value + place, first = pair[0], second = pair[1];
    uint64_t others = slipping->hash ^ part(place, first) ^ part(place + 1, second);
    pair[0] = second;
    pair[1] = first;
    slipping->visit(slipping->context, others ^ part(place, second) ^ part(place + 1, first));
    pair[0] = first;
    pair[1] = second;
}

void hub_near_each(const char *picture, char *value,
                   void (*visit)(void *context, uint64_t hash), void *context) {
    struct slipping slipping = {value, hub_near_hash(value), visit, context};
    const char *blot = strchr(value, '?');
    if (blot != NULL) {
        each_digit(&slipping, (size_t)(blot - value), /* blot_too= */ false);
        return;
    }
    for (size_t i = 0; picture[i] != '\0'; i++) {
        if (!varies(picture[i]))
            continue;
        if (isdigit((unsigned char)value[i]))
            each_digit(&slipping, i, /* blot_too= */ picture[i] == '#');
        if (varies(picture[i + 1]) && value[i] != value[i + 1])
            swapped(&slipping, i);
    }
}
