/* A record as one line of JSON, of `hubctl consume -o json` and of a file that was replayed to:
 *
 *   {"topic":"unified.trial","partition":0,"offset":12,"timestamp":1772323200000,"key":"...",
 *    "headers":{"ce_type":"..."},"value":{...}}                                        (in one line)
 *
 * A key or header of null is null; text that is no UTF-8 is in hexadecimal; of headers of one name the last
 * stands. A value that is none of ours is null, and stands in `bytes`, in hexadecimal. */
#pragma once

#include "hub/ctl/read.h"

/* The limit of a buffer that a line is written to: texts of control characters grow to six times their size. */
enum { HUB_CTL_LINE_SIZE_MAX = 256 * 1024 * 1024 };

/* Appends it without its last brace, for what else is to be in it. */
void hub_ctl_line_append(const struct hub_ctl_record *record, struct hub_buffer *line);
/* Appends a text, and a number in decimal: a line has several, and printf would be a tenth of its cost. */
void hub_ctl_line_number(const char *before, int64_t number, struct hub_buffer *line);
