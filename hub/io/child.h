/* A program that is asked lines and answers each with one.
 *
 * It runs with no more memory than it is given (RLIMIT_AS), without network (a seccomp filter lets it make
 * no socket, nor an io_uring, which could), with no file of ours open and no environment but PATH, LANG
 * and HOME, and ends with us. What it says on its error output is thrown away: it may be of persons. */
#pragma once

#include "hub/base/bytes.h"
#include "hub/base/status.h"

#include <stdint.h>

struct hub_child_config {
    const char *const *words; /* the program and its arguments, NULL-ended; found by PATH without a / */
    const char *folder;       /* that it runs in */
    size_t memory_bytes;
    size_t answer_size_max;
};

struct hub_child;

/* HUB_FATAL where there is no such program, or it cannot be kept from the network. The configuration must
 * live as long as the child. Nothing is started yet. */
HUB_MUST_USE enum hub_status hub_child_new(const struct hub_child_config *config,
                                           struct hub_child **ret_child,
                                           struct hub_error *reterr);
void hub_child_free(struct hub_child *child); /* NULL is fine; ends it */

/* The next question starts it anew. */
void hub_child_stop(struct hub_child *child);

/* Its answer to a line (without the line's end), in the buffer in place of what was there. It is started
 * where it does not run. HUB_REJECT where it ends, does not answer in time, or says more than it may: it is
 * ended then, and the next question starts it anew. HUB_RETRY where the machine has no process to give. */
HUB_MUST_USE enum hub_status hub_child_ask(struct hub_child *child, struct hub_bytes line,
                                           int64_t timeout_ms, struct hub_buffer *answer,
                                           struct hub_error *reterr);
