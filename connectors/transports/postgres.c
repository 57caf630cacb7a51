/* postgres: rows that a system writes into an outbox table of its own database, each in the transaction
 * whose change it tells of.
 *
 * The session only reads: rows are removed by the institution, up to the position that is shown. A
 * notification on the channel has the table looked at at once; where there are none, or they are lost
 * with a connection, the interval has. Which rows a look reads, and in which order, postgres_place.h
 * says. Nothing waits: connecting, each question and its answer go on from poll to poll. */
#include "connectors/transports/postgres_place.h"
#include "connectors/transports/postgres_table.h"
#include "connectors/transports/transports.h"

#include "connectors/kit/format.h"
#include "hub/io/clock.h"

#include <stdio.h>
#include <string.h>

enum { VERSION_MIN = 130000 }; /* the first with xid8 and pg_current_snapshot */

struct postgres_options {
    const char *connection;
    const char *password;
    const char *sslmode;
    const char *table;
    const char *channel;
    int64_t poll_interval_ms;
    int64_t batch_rows;
    int64_t batch_bytes;
    int64_t size_max_bytes;
    int64_t timeout_ms;
};

static const char *const sslmodes[] = {"verify-full", "verify-ca", "require", "disable", NULL};

static const char example[] =
    "CREATE TABLE hub_outbox (\n"
    "    id bigserial PRIMARY KEY,\n"
    "    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),\n"
    "    payload jsonb NOT NULL); -- more columns: @header.NAME\n"
    "  CREATE INDEX ON hub_outbox (xid);\n"
    "  CREATE FUNCTION hub_outbox_tell() RETURNS trigger LANGUAGE plpgsql\n"
    "    AS $$ BEGIN NOTIFY hub_outbox; RETURN NULL; END $$;\n"
    "  CREATE TRIGGER hub_outbox_tell AFTER INSERT ON hub_outbox\n"
    "    FOR EACH STATEMENT EXECUTE FUNCTION hub_outbox_tell();\n"
    "  GRANT SELECT ON hub_outbox TO atmp_hub;\n"
    "  -- With a position of {\"xid\": 1234, \"open\": [1230]} this has been read:\n"
    "  DELETE FROM hub_outbox WHERE xid <= '1234' AND xid <> ALL ('{1230}');";

static const struct hub_option options[] = {
    {.name = "connection",
     HUB_TEXT_OPTION(struct postgres_options, connection),
     .required = true,
     .help = "Server, database and user as psql takes them: 'host=HOST dbname=NAME user=NAME "
             "sslrootcert=FILE', 'service=NAME' or postgresql://USER@HOST/NAME; without password."},
    {.name = "password",
     HUB_TEXT_OPTION(struct postgres_options, password),
     .secret = true,
     .help = "The user's password, where it is in no password file: ${env:NAME} or "
             "${file:/path}."},
    {.name = "sslmode",
     HUB_TEXT_OPTION(struct postgres_options, sslmode),
     .initial = "verify-full",
     .choices = sslmodes,
     .help = "What TLS must show of the server; a local socket has none. 'require' and 'disable' "
             "believe whoever answers."},
    {.name = "table",
     HUB_TEXT_OPTION(struct postgres_options, table),
     .initial = "hub_outbox",
     .help = "The outbox, a table or a view, as TABLE or SCHEMA.TABLE in its own case: 'id', "
             "unique, rises from row to row; 'xid' is the transaction; 'payload' the document; "
             "every column but payload is @header.NAME. Rows are added after the change they tell "
             "of, and never changed."},
    {.name = "channel",
     HUB_TEXT_OPTION(struct postgres_options, channel),
     .initial = "hub_outbox",
     .help = "Channel on which NOTIFY tells of new rows; '' listens to none."},
    {.name = "poll_interval_ms",
     HUB_NUMBER_OPTION(struct postgres_options, poll_interval_ms),
     .initial = "5000",
     .minimum = 100,
     .maximum = 86400000,
     .help = "How often the table is looked at without a notification, in milliseconds."},
    {.name = "batch_rows",
     HUB_NUMBER_OPTION(struct postgres_options, batch_rows),
     .initial = "500",
     .minimum = 1,
     .maximum = 5000,
     .help = "How many rows are read at a time at most."},
    {.name = "batch_bytes",
     HUB_NUMBER_OPTION(struct postgres_options, batch_bytes),
     .initial = "8388608",
     .minimum = 1024,
     .maximum = 67108864,
     .help = "With so many bytes no further row is read at the same time."},
    {.name = "size_max_bytes",
     HUB_NUMBER_OPTION(struct postgres_options, size_max_bytes),
     .initial = "16777216",
     .minimum = 1024,
     .maximum = HUB_DOCUMENT_SIZE_MAX,
     .help = "Of one row; a larger one becomes a dead letter."},
    {.name = "timeout_ms",
     HUB_NUMBER_OPTION(struct postgres_options, timeout_ms),
     .initial = "30000",
     .minimum = 100,
     .maximum = 600000,
     .help = "For connecting, and for each answer, in milliseconds."},
    {0},
};

/* What the server was asked for last. */
enum stage { CONNECTION, SETTINGS, SHAPE, SNAPSHOT, ROWS, NOTHING };

struct postgres {
    const struct postgres_options *options;
    struct hub_env env;
    struct hub_arena arena, session; /* the latter for as long as a connection */
    struct hub_postgres_access access;
    struct hub_postgres *server; /* NULL: there is no connection */
    const char *quoted;
    enum stage stage;
    struct postgres_table table;
    struct postgres_place place, pending;
    bool due;       /* the table is looked at now */
    bool continued; /* a look of several batches: another follows it at once */
    int64_t due_at_ms; /* by the monotonic clock */
    int64_t alone; /* so many rows are read one by one: among them is one that cannot be told */
    bool keys_only; /* of that one */
    struct hub_error why;
};

/* --- opening --- */

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct postgres_options *own = options_;
    struct hub_arena arena = {0};
    const char *quoted = NULL;
    enum hub_status status = hub_postgres_check(own->connection, reterr);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "connection");
    status = postgres_table_quote(own->table, &arena, &quoted, reterr);
    hub_arena_destroy(&arena);
    if (status != HUB_OK)
        return hub_fail_at(reterr, status, "table");
    if (strlen(own->channel) > HUB_POSTGRES_NAME_MAX)
        return hub_fail(reterr, HUB_FATAL, "channel: %zu bytes; up to %d would pass",
                        strlen(own->channel), HUB_POSTGRES_NAME_MAX);
    return HUB_OK;
}

static enum hub_status open_outbox(void *state_, const void *options_, const struct hub_env *env,
                                   struct hub_error *reterr) {
    struct postgres *state = state_;
    const struct postgres_options *own = options_;
    state->options = own;
    state->env = *env;
    state->access = (struct hub_postgres_access){own->connection, own->password, own->sslmode,
                                                 own->timeout_ms};
    HUB_TRY(postgres_table_quote(own->table, &state->arena, &state->quoted, reterr));
    return postgres_place_load(&state->place, env->position, own->table, reterr);
}

static void disconnect(struct postgres *state) {
    hub_postgres_free(state->server);
    state->server = NULL;
    hub_arena_reset(&state->session);
}

static void close_outbox(void *state_) {
    struct postgres *state = state_;
    disconnect(state);
    postgres_place_free(&state->place);
    postgres_place_free(&state->pending);
    hub_arena_destroy(&state->session);
    hub_arena_destroy(&state->arena);
}

/* --- questions --- */

static enum hub_status ask(struct postgres *state, enum stage stage, const char *sql,
                           const char *const *values, struct hub_error *reterr) {
    state->stage = stage;
    return hub_postgres_ask(state->server, sql, values, reterr);
}

static enum hub_status ask_settings(struct postgres *state, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER sql = {0};
    if (hub_postgres_version(state->server) < VERSION_MIN)
        return hub_fail(reterr, HUB_FATAL, "the server is of version %d; 13 or later would pass",
                        hub_postgres_version(state->server) / 10000);
    hub_buffer_append_format(&sql, "SET default_transaction_read_only = on; "
                             "SET statement_timeout = %lld; SET timezone = 'UTC'",
                             (long long)state->options->timeout_ms);
    if (*state->options->channel != '\0') {
        hub_buffer_append_text(&sql, "; LISTEN ");
        hub_postgres_append_name(state->options->channel, &sql);
    }
    return ask(state, SETTINGS, hub_buffer_text(&sql), NULL, reterr);
}

static enum hub_status ask_rows(struct postgres *state, struct hub_error *reterr) {
    const struct postgres_options *own = state->options;
    const struct postgres_place *place = &state->place;
    const int64_t numbers[] = {place->xid, place->id, state->alone > 0 ? 1 : own->batch_rows,
                               own->size_max_bytes, own->batch_bytes};
    char texts[sizeof numbers / sizeof *numbers][32];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        snprintf(texts[i], sizeof texts[i], "%lld", (long long)numbers[i]);
    const char *const values[] = {texts[0], place->open, place->until, texts[1],
                                  texts[2], texts[3],    texts[4],     NULL};
    return ask(state, ROWS, state->keys_only ? state->table.keys : state->table.rows, values,
               reterr);
}

/* A look that is under way goes on; else one begins. */
static enum hub_status look(struct postgres *state, struct hub_error *reterr) {
    static const char *const none[] = {NULL};
    state->due = false;
    state->continued = state->place.until != NULL;
    if (state->place.until != NULL)
        return ask_rows(state, reterr);
    return ask(state, SNAPSHOT, "SELECT pg_catalog.pg_current_snapshot()::text", none, reterr);
}

/* --- rows --- */

struct row {
    int64_t id, xid, size;
    struct hub_bytes payload, facts;
    bool is_null;
};

static struct row read_row(const struct postgres *state, size_t number) {
    const struct hub_postgres *server = state->server;
    struct row row = {.id = hub_postgres_number(server, number, POSTGRES_ROW_ID),
                      .xid = hub_postgres_number(server, number, POSTGRES_ROW_XID),
                      .size = hub_postgres_number(server, number, POSTGRES_ROW_SIZE),
                      .payload = hub_postgres_bytes(server, number, POSTGRES_ROW_PAYLOAD),
                      .facts = hub_postgres_bytes(server, number, POSTGRES_ROW_FACTS),
                      .is_null = hub_postgres_is_null(server, number, POSTGRES_ROW_PAYLOAD)};
    /* It was measured as the server stores it. */
    row.size = (int64_t)row.payload.size > row.size ? (int64_t)row.payload.size : row.size;
    return row;
}

/* Why a row becomes a dead letter, or NULL; what it is then called. */
static const char *refuse_row(const struct postgres *state, const struct row *row,
                              const json_t *facts, struct hub_arena *arena, const char **ret_code) {
    *ret_code = "SIZE";
    if (row->size > state->options->size_max_bytes)
        return hub_arena_format(arena, "row %lld: %lld bytes, over the limit of %lld "
                                "(size_max_bytes)", (long long)row->id, (long long)row->size,
                                (long long)state->options->size_max_bytes);
    *ret_code = "ROW";
    if (state->keys_only)
        return hub_arena_format(arena, "row %lld: %s", (long long)row->id, state->why.text);
    if (row->is_null)
        return hub_arena_format(arena, "row %lld: its payload is null; a document would pass",
                                (long long)row->id);
    if (facts == NULL)
        return hub_arena_format(arena, "row %lld: a column has a number of more than 64 bits, or "
                                "a text that is none; a view without it would pass",
                                (long long)row->id);
    return NULL;
}

static void add_row(const struct postgres *state, const struct row *row, struct hub_batch *batch) {
    json_error_t error;
    const char *code = NULL;
    json_t *facts = row->facts.size == 0
                        ? NULL
                        : json_loadb((const char *)row->facts.data, row->facts.size, 0, &error);
    const char *refused = refuse_row(state, row, facts, &batch->arena, &code);
    if (!json_is_object(facts))
        facts = json_object();
    json_object_set_new(facts, "id", json_integer(row->id));
    const char *copy =
        hub_arena_text(&batch->arena, (const char *)row->payload.data, row->payload.size);
    batch->documents[batch->count++] = (struct hub_raw_document){
        .name = hub_arena_format(&batch->arena, "%s row %lld", state->options->table,
                                 (long long)row->id),
        .bytes = hub_bytes(copy, refused == NULL ? row->payload.size : 0),
        .context = json_pack("{s:o}", "header", facts),
        .refused = refused,
        .refused_code = refused == NULL ? NULL : code};
}

static void end_look(struct postgres *state) {
    state->stage = NOTHING;
    state->due_at_ms = state->env.monotonic_ms() + state->options->poll_interval_ms;
}

static void take_rows(struct postgres *state, struct hub_batch *batch) {
    size_t count = hub_postgres_row_count(state->server);
    int64_t asked = state->alone > 0 ? 1 : state->options->batch_rows;
    int64_t found =
        count == 0 ? 0 : hub_postgres_number(state->server, 0, POSTGRES_ROW_FOUND);
    postgres_place_free(&state->pending);
    state->pending = postgres_place_copy(&state->place);
    batch->documents = hub_arena_take_zero(&batch->arena, count + 1, sizeof *batch->documents);
    for (size_t i = 0; i < count; i++) {
        struct row row = read_row(state, i);
        add_row(state, &row, batch);
        postgres_place_pass(&state->pending, row.xid, row.id);
    }
    if ((int64_t)count == found && found < asked)
        postgres_place_end(&state->pending);
    batch->position = postgres_place_render(&state->pending, &batch->arena);
    state->alone -= state->alone > 0;
    state->keys_only = false;
    end_look(state);
}

/* The server cannot give one of the rows: it is looked for, and told without what it holds. */
static enum hub_status look_closer(struct postgres *state, struct hub_error *reterr) {
    if (state->keys_only)
        return HUB_FATAL;
    if (state->alone > 0) {
        state->keys_only = true;
        state->why = *reterr;
    } else {
        state->alone = state->options->batch_rows;
    }
    return ask_rows(state, reterr);
}

/* --- the transport --- */

static enum hub_status commit_outbox(void *state_, struct hub_error *reterr) {
    struct postgres *state = state_;
    (void)reterr;
    postgres_place_free(&state->place);
    state->place = state->pending;
    state->pending = (struct postgres_place){0};
    state->due = state->continued || state->place.until != NULL;
    return HUB_OK;
}

static enum hub_status take_shape(struct postgres *state, struct hub_error *reterr) {
    HUB_TRY(postgres_table_read(state->server, state->quoted, &state->session, &state->table,
                                reterr));
    HUB_TRY(postgres_place_check(&state->place, state->table.database, state->table.next_xid,
                                 reterr));
    state->stage = NOTHING;
    state->due = true;
    return HUB_OK;
}

static enum hub_status take_answer(struct postgres *state, struct hub_batch *batch,
                                   struct hub_error *reterr) {
    const char *const named[] = {state->quoted, NULL};
    switch (state->stage) {
    case CONNECTION:
        return ask_settings(state, reterr);
    case SETTINGS:
        return ask(state, SHAPE, postgres_table_shape, named, reterr);
    case SHAPE:
        return take_shape(state, reterr);
    case SNAPSHOT:
        HUB_TRY(postgres_place_begin(&state->place, hub_postgres_text(state->server, 0, 0),
                                     reterr));
        return ask_rows(state, reterr);
    case ROWS:
        take_rows(state, batch);
        return batch->count > 0 ? HUB_OK : commit_outbox(state, reterr); /* nothing is to be safe */
    case NOTHING:
        break;
    }
    return HUB_OK;
}

/* Listens until the table is to be looked at, or the time is over. */
static enum hub_status rest(struct postgres *state, int64_t timeout_ms, struct hub_error *reterr) {
    int64_t left_ms = state->due ? 0 : state->due_at_ms - state->env.monotonic_ms();
    bool told = false;
    left_ms = left_ms < 0 ? 0 : left_ms;
    HUB_TRY(hub_postgres_listen(state->server, left_ms < timeout_ms ? left_ms : timeout_ms, &told,
                                reterr));
    state->due |= told || state->env.monotonic_ms() >= state->due_at_ms;
    return state->due ? look(state, reterr) : HUB_OK;
}

static int64_t left_until(int64_t end_ms) {
    int64_t left_ms = end_ms - hub_clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

static enum hub_status go_on(struct postgres *state, int64_t timeout_ms, struct hub_batch *batch,
                             struct hub_error *reterr) {
    int64_t end_ms = hub_clock_monotonic_ms() + timeout_ms;
    bool done = true;
    if (state->server == NULL) {
        state->server = hub_postgres_new(&state->access);
        state->stage = CONNECTION;
    }
    if (state->stage == NOTHING)
        HUB_TRY(rest(state, timeout_ms, reterr));
    while (state->stage != NOTHING && done) {
        enum hub_status status =
            hub_postgres_wait(state->server, left_until(end_ms), &done, reterr);
        if (status == HUB_REJECT && state->stage == ROWS)
            status = look_closer(state, reterr);
        else if (status == HUB_OK && done)
            status = take_answer(state, batch, reterr);
        if (status != HUB_OK)
            return status == HUB_REJECT ? HUB_FATAL : status;
    }
    batch->exhausted = state->stage == NOTHING && !state->due && batch->count == 0;
    return HUB_OK;
}

static enum hub_status poll_outbox(void *state_, int64_t timeout_ms, struct hub_batch *ret_batch,
                                   struct hub_error *reterr) {
    struct postgres *state = state_;
    struct hub_batch batch = {0};
    enum hub_status status = go_on(state, timeout_ms, &batch, reterr);
    if (status != HUB_OK) {
        hub_batch_free(&batch);
        disconnect(state);
        return hub_fail_at(reterr, status, "%s", state->options->table);
    }
    *ret_batch = batch;
    return HUB_OK;
}

static bool rereads(const void *options_) {
    (void)options_;
    return false;
}

const struct hub_transport hub_transport_postgres = {
    .name = "postgres",
    .summary = "Rows of an outbox table in a PostgreSQL database (13 or later), told of by NOTIFY.",
    .example = example,
    .options = options,
    .options_size = sizeof(struct postgres_options),
    .check = check_options,
    .state_size = sizeof(struct postgres),
    .open = open_outbox,
    .poll = poll_outbox,
    .commit = commit_outbox,
    .close = close_outbox,
    .rereads = rereads,
};
