/* Ends a process in which nothing goes on.
 *
 * rd_kafka_send_offsets_to_transaction() does not keep its timeout (librdkafka issue 5456) and can
 * wait for ever for a coordinator that is gone (5511); other calls wait by the wall clock, and as
 * much longer as that is set back. Nothing but the end of the process helps, and a restart loads what
 * was committed. One of the whole process, in a thread of its own. */
#pragma once

#include <stdint.h>

enum {
    HUB_WATCHDOG_EXIT_CODE = 70, /* EX_SOFTWARE */
    /* More than all timeouts together that a transaction can meet: of init_transactions,
     * send_offsets, commit and abort. */
    HUB_WATCHDOG_PATIENCE_MS = 150000
};

/* From now on the process ends where hub_watchdog_beat is not called for so long. While the process is
 * stopped, that time does not pass. */
void hub_watchdog_start(int64_t patience_ms);
/* Something goes on. Of any thread; it costs next to nothing. */
void hub_watchdog_beat(void);
