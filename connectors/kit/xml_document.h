/* XML 1.0 with namespaces, by libxml2: no DTD, no entities but the five of XML itself, no network,
 * libxml2's own bounds on depth and size kept. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

enum { HUB_XML_DEPTH_MAX = 64 };

/* libxml2's document, with a root element; the caller frees it (xmlFreeDoc). HUB_REJECT with the
 * line. */
struct _xmlDoc;
HUB_MUST_USE enum hub_status hub_xml_read(struct hub_bytes bytes, struct _xmlDoc **ret_document,
                                          struct hub_error *reterr);
