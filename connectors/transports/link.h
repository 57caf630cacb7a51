/* The Link header (RFC 8288). */
#pragma once

/* The reference in <...> of the first link whose rel is or has "next", or NULL. The caller frees it
 * (hub_release). NULL is fine. */
char *hub_link_next(const char *header);
