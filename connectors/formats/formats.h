/* The formats there are. */
#pragma once

#include "connectors/kit/format.h"

extern const struct hub_format hub_format_json;
extern const struct hub_format hub_format_csv;
extern const struct hub_format hub_format_xml;
extern const struct hub_format hub_format_hl7v2;
extern const struct hub_format hub_format_icalendar;
extern const struct hub_format hub_format_labelled_text;
