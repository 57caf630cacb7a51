#include "hub/core/near.h"

#include <ctype.h>
#include <string.h>

static bool varies(char picture) {
    return picture == '#' || picture == '*';
}

static void each_digit(char *place, bool blot_too, void (*visit)(void *context), void *context) {
    static const char digits[] = "?0123456789";
    char own = *place;
    for (const char *digit = blot_too ? digits : digits + 1; *digit != '\0'; digit++)
        if (*digit != own) {
            *place = *digit;
            visit(context);
        }
    *place = own;
}

static void swapped(char *pair, void (*visit)(void *context), void *context) {
    char first = pair[0], second = pair[1];
    pair[0] = second;
    pair[1] = first;
    visit(context);
    pair[0] = first;
    pair[1] = second;
}

void hub_near_each(const char *picture, char *value, void (*visit)(void *context),
                   void *context) {
    char *blot = strchr(value, '?');
    if (blot != NULL) {
        each_digit(blot, /* blot_too= */ false, visit, context);
        return;
    }
    for (size_t i = 0; picture[i] != '\0'; i++) {
        if (!varies(picture[i]))
            continue;
        if (isdigit((unsigned char)value[i]))
            each_digit(&value[i], /* blot_too= */ picture[i] == '#', visit, context);
        if (varies(picture[i + 1]) && value[i] != value[i + 1])
            swapped(&value[i], visit, context);
    }
}
