/* The port at which a source calls: what webhook and notify-pull share. Who calls waits at its desk
 * (webhook_desk.h) until what it said is safe. What is turned away never gets further than the
 * server's threads: it is counted by kind, in the position as of what is taken next, and the first
 * of each kind is logged.
 *
 * A port outlives a session: what comes while Kafka is away gets its answer there. */
#pragma once

#include "connectors/kit/transport.h"
#include "connectors/transports/webhook_desk.h"
#include "hub/io/http_server.h"

enum { HUB_PORT_RETRY_AFTER_S = 10 };

struct hub_port_options {
    const char *listen;
    int64_t size_max_bytes;
    int64_t connections_max;
    const char *tls_certificate;
    const char *tls_key;
    const char *tls_client_ca;
    int64_t answer_timeout_ms;
    const char *while_away;
    int64_t spool_max_bytes;
};

extern const char *const hub_port_ways[];

/* Rows of an option table, for a structure with a member of struct hub_port_options. Where other
 * options have these names, `prefix` tells them apart ("" where not). `address`: where it listens
 * by default. `size`, `size_most`: of a body, by default and at most. */
#define HUB_PORT_OPTIONS(structure, port, prefix, address, size, size_most)                        \
    {.name = "listen",                                                                             \
     HUB_TEXT_OPTION(structure, port.listen),                                                      \
     .initial = address,                                                                           \
     .help = "HOST:PORT. Without " prefix "tls_certificate only a loopback address passes, such "  \
             "as one behind a proxy that speaks TLS."},                                            \
    {.name = prefix "size_max_bytes",                                                              \
     HUB_NUMBER_OPTION(structure, port.size_max_bytes),                                            \
     .initial = size,                                                                              \
     .minimum = 1024,                                                                              \
     .maximum = size_most,                                                                         \
     .help = "Of the body of one request that comes."},                                            \
    {.name = prefix "connections_max",                                                             \
     HUB_NUMBER_OPTION(structure, port.connections_max),                                           \
     .initial = "64",                                                                              \
     .minimum = 1,                                                                                 \
     .maximum = 1024,                                                                              \
     .help = "At one time; each has a thread, and at most twice " prefix "size_max_bytes."},       \
    {.name = prefix "tls_certificate",                                                             \
     HUB_TEXT_OPTION(structure, port.tls_certificate),                                             \
     .help = "File with the server's certificate and those above it, in PEM: then it speaks "      \
             "HTTPS."},                                                                            \
    {.name = prefix "tls_key",                                                                     \
     HUB_TEXT_OPTION(structure, port.tls_key),                                                     \
     .help = "File with the key of " prefix "tls_certificate, in PEM."},                           \
    {.name = prefix "tls_client_ca",                                                               \
     HUB_TEXT_OPTION(structure, port.tls_client_ca),                                               \
     .help = "File with the certificates, in PEM, that sign those of senders; without it senders " \
             "need none."},                                                                        \
    {.name = "answer_timeout_ms",                                                                  \
     HUB_NUMBER_OPTION(structure, port.answer_timeout_ms),                                         \
     .initial = "10000",                                                                           \
     .minimum = 100,                                                                               \
     .maximum = 600000,                                                                            \
     .help = "So long a request waits until it is safe in Kafka; then it is answered with 503. "   \
             "Less than its sender waits, in milliseconds."},                                      \
    {.name = "while_away",                                                                         \
     HUB_TEXT_OPTION(structure, port.while_away),                                                  \
     .initial = "nack",                                                                            \
     .choices = hub_port_ways,                                                                     \
     .help = "While Kafka is away a request is answered with 503 at once (nack), or waits for it " \
             "until answer_timeout_ms (wait), or is answered with 200 when it is on this "         \
             "machine's disk, encrypted with the journal's key (spool): then the answer comes "    \
             "before Kafka has it, and rests on that disk alone. What was kept so is published "   \
             "first when Kafka is back, in the order it came. What waits when Kafka goes is kept " \
             "after answer_timeout_ms at the latest. A connector that is started while Kafka is "  \
             "away listens when it has reached it, whatever this says."},                          \
    {.name = "spool_max_bytes",                                                                    \
     HUB_NUMBER_OPTION(structure, port.spool_max_bytes),                                           \
     .initial = "268435456",                                                                       \
     .minimum = 1048576,                                                                           \
     .maximum = 1099511627776,                                                                     \
     .help = "Of the disk for what is kept with while_away: spool, each in whole blocks of 4096 "  \
             "bytes; beyond it a request is answered with 503."}

/* Why something was turned away: those that every port has, and further ones of its own. */
struct hub_port_kind {
    const char *name;
    unsigned status;
};
enum { HUB_PORT_PATH, HUB_PORT_METHOD, HUB_PORT_TYPE, HUB_PORT_SIZE, HUB_PORT_SLOW,
       HUB_PORT_CERTIFICATE, HUB_PORT_OWN, HUB_PORT_KINDS_MAX = 16 };

struct hub_port;

struct hub_port_config {
    const struct hub_port_options *options;
    const struct hub_port_kind *own; /* of number HUB_PORT_OWN and on, ended by a NULL name */
    size_t marks_max;                /* of the desk */
    hub_http_handler *handler;       /* on threads of the server, and may wait */
    void *context;                   /* the handler's */
};

/* HUB_FATAL where the options do not go together. `prefix` as in HUB_PORT_OPTIONS. */
HUB_MUST_USE enum hub_status hub_port_check(const struct hub_port_options *options,
                                            const char *prefix, struct hub_error *reterr);
/* Opens the desk and listens. `position` may be NULL, or have "marks" and "turned_away". */
HUB_MUST_USE enum hub_status hub_port_new(const struct hub_port_config *config,
                                          const struct hub_env *env, const json_t *position,
                                          struct hub_port **ret_port, struct hub_error *reterr);
/* A session ends: what comes now gets its answer here. Where the process is told to end whoever waits is told to
 * come again. */
void hub_port_close(struct hub_port *port);
/* Whoever waits is told to come again. NULL is fine. */
void hub_port_free(struct hub_port *port);
struct hub_desk *hub_port_desk(struct hub_port *port);

/* On any thread: answers with the kind's status and a reason. */
void hub_port_turn_away(struct hub_port *port, struct hub_http_reply *reply, size_t kind,
                        const char *why);
/* Hands the item to the desk, waits, and answers with 200 and `taken`, or `kept` of what is in the spool, or with
 * 503. */
void hub_port_take(struct hub_port *port, const struct hub_desk_item *item, const char *taken,
                   const char *kept, struct hub_http_reply *reply);
/* What the options ask for of hub_transport.spools. */
int64_t hub_port_spools(const struct hub_port_options *options);
/* Whether the request's type, without parameters, is one of the list (NULL-ended). */
bool hub_port_is_of_type(const struct hub_http_question *question, const char *const *types);

/* What was turned away as one sentence a kind, the first time only; or NULL. */
const char *hub_port_note(struct hub_port *port, struct hub_arena *arena);
/* How much of each kind was turned away, by its name; the caller's. */
json_t *hub_port_turned_away(struct hub_port *port);
