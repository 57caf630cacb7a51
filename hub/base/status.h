/* Results and errors, the same in every layer.
 *
 * A status is the control decision itself: whoever reads it knows who can help. Every function
 * that can fail returns one and fills `reterr` on anything but HUB_OK; results (`ret_x`) are
 * written on success only. An error text is one sentence: what was wrong, where, and what would
 * pass. It never contains a secret or a personal value. */
#pragma once

enum hub_status {
    HUB_OK = 0,  /* done */
    HUB_RETRY,   /* time may mend it: a connection, a broker, a partner */
    HUB_REJECT,  /* this input is refused and goes to the dead letters; the next one goes on */
    HUB_FATAL,   /* a person must act: configuration, schema, damage */
};

enum { HUB_ERROR_TEXT_MAX = 1024 };

struct hub_error {
    char text[HUB_ERROR_TEXT_MAX];
};

#define HUB_MUST_USE __attribute__((warn_unused_result))
/* Of a large local that is written before it is read, and often: the compiler sets all others to zero. */
#define HUB_NOT_ZEROED __attribute__((uninitialized))
#define HUB_PRINTF(format_index, first_index)                                                      \
    __attribute__((format(printf, format_index, first_index)))

/* Formats the reason and returns `status`, so that a failing path is one line. An overlong text is
 * cut, and what is not UTF-8 becomes ?. `reterr` may be NULL. */
enum hub_status hub_fail(struct hub_error *reterr, enum hub_status status, const char *format, ...)
    HUB_PRINTF(3, 4);

/* Puts a place in front of a reason that a deeper layer gave, and returns `status`. */
enum hub_status hub_fail_at(struct hub_error *reterr, enum hub_status status, const char *format,
                            ...) HUB_PRINTF(3, 4);

const char *hub_status_name(enum hub_status status);

/* The one control-flow macro: returns what failed to the caller. */
#define HUB_TRY(call)                                                                              \
    do {                                                                                           \
        enum hub_status hub_try_status = (call);                                                   \
        if (hub_try_status != HUB_OK)                                                              \
            return hub_try_status;                                                                 \
    } while (0)
