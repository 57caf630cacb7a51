/* JSON values are jansson's; this is what it must be told first. */
#pragma once

/* From now on jansson takes memory where everything does (hub/base/memory.h), and the process ends where
 * there is none: left to itself it leaves out a member that found no room, and an object without it
 * looks whole. Memory that it had before stays its own. */
void hub_json_open(void);
