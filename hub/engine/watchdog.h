/* Ends a process that hangs in a library.
 *
 * rd_kafka_send_offsets_to_transaction() does not keep its timeout (librdkafka issue 5456) and can
 * wait for ever for a coordinator that is gone (5511); nothing but the end of the process helps,
 * and a restart loads what was committed. One deadline at a time, of the whole process; it uses
 * SIGALRM and the real-time interval timer. */
#pragma once

#include <stdint.h>

enum { HUB_WATCHDOG_EXIT_CODE = 70 }; /* EX_SOFTWARE */

/* From now on the process has this long to call hub_watchdog_stop. Starting again moves the
 * deadline. */
void hub_watchdog_start(int64_t timeout_ms);
void hub_watchdog_stop(void);
