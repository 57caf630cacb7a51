/* Forms (application/x-www-form-urlencoded, WHATWG URL section 5.1). */
#pragma once

#include "hub/base/bytes.h"

/* Visits each field, decoded, in its order; the texts live as long as the visit, and may hold any
 * byte. False where there are more than fields_max, of which none beyond is visited. */
bool hub_form_each(struct hub_bytes form, size_t fields_max,
                   void (*visit)(void *context, struct hub_bytes name, struct hub_bytes value),
                   void *context);
