/* How much of a folder of documents a configuration uses. */
#pragma once

#include "connectors/kit/config.h"

#include <stdio.h>

/* Maps every file of the folder and writes how many records filled each field, and in how many documents
 * there is something that no path of the mapping read. Returns how many documents or records were
 * refused. Nothing is published. Of true and false a document has but one each: where one was read they all
 * count as read. */
size_t hub_coverage(struct hub_connector *connector, const char *folder, FILE *out);
