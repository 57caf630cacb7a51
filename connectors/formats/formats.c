#include "connectors/formats/formats.h"

#include <string.h>

const struct hub_format *const hub_formats[] = {&hub_format_csv, &hub_format_hl7v2, &hub_format_icalendar,
                                                &hub_format_json, &hub_format_labelled_text,
                                                &hub_format_xml, NULL};

const struct hub_format *hub_format_find(const char *name) {
    for (size_t i = 0; hub_formats[i] != NULL; i++)
        if (strcmp(hub_formats[i]->name, name) == 0)
            return hub_formats[i];
    return NULL;
}
