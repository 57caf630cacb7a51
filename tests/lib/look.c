#include "tests/lib/look.h"

#include "hub/base/memory.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

#include <stdlib.h>
#include <string.h>

const json_t *look(const json_t *value, const char *path) {
    char name[128];
    while (value != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        if (size >= sizeof name)
            return NULL;
        memcpy(name, path, size);
        name[size] = '\0';
        value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
        path += size;
        path += *path == '.';
    }
    return value;
}

const char *look_text(const json_t *value, const char *path) {
    return json_string_value(look(value, path));
}

int64_t look_number(const json_t *value, const char *path) {
    const json_t *found = look(value, path);
    return json_is_integer(found) ? json_integer_value(found) : -1;
}

size_t look_count(const json_t *value, const char *path) {
    const json_t *found = look(value, path);
    return json_is_array(found) ? json_array_size(found) : json_object_size(found);
}

bool look_has(const json_t *value, const char *path, const char *text) {
    const json_t *list = look(value, path);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *own = json_string_value(json_array_get(list, i));
        if (own != NULL && strcmp(own, text) == 0)
            return true;
    }
    return false;
}

void look_expect(const json_t *value, const char *path, const char *wanted, const char *file,
                 int line) {
    const json_t *found = look(value, path);
    json_t *other = wanted == NULL ? NULL : test_json(wanted);
    bool same = found == NULL || other == NULL ? found == other : json_equal(found, other);
    json_decref(other);
    if (same)
        return;
    char *text = found == NULL ? NULL : json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
    print_error("%s:%d: '%s' is %s\nwanted %s\n", file, line, path,
                text == NULL ? "nothing" : text, wanted == NULL ? "nothing" : wanted);
    free(text);
    _fail(file, line);
}
