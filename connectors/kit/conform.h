/* A conformance run: whether a configuration does what the hub demands of every source, tried on samples of
 * its own before it goes live. Nothing is published, nothing is asked of a network, and no clock.
 *
 * The documents are those that the configuration's `tests` name, or the files of a folder; each check is a
 * claim that is tried on all of them through the pipeline that the connector runs:
 *
 *   duplicates      a document that is told twice says the same of the same records; of a source that is
 *                   read again nothing goes out the second time
 *   reordering      in whatever order the documents come, what holds of each record in the end is the same
 *   unknown fields  members that nobody knows, in every object of the tree that a document is parsed
 *                   into, change nothing
 *   kill            begun anew before each document, from nothing but what was published before it, the
 *                   connector tells the same records under the same ids, byte by byte
 *   clock           a source whose clock is wrong still speaks of the same records
 *   canary          a person's number, planted in each place of each document and of the facts around it,
 *                   is nowhere in clear: in no key, value, header or dead letter */
#pragma once

#include "connectors/kit/config.h"

#include <stdio.h>

/* Writes a line a check (ok, remark, failed, not tried) and what was found; with `as_json` one object. A NULL
 * folder: the documents of `tests`. Returns how many checks failed; where there is nothing to try it with,
 * 1. The connector reads a source. */
size_t hub_conform(struct hub_connector *connector, const char *samples, bool as_json, FILE *out);
