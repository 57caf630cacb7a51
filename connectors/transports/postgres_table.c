#include "connectors/transports/postgres_table.h"

#include <string.h>

enum { COLUMNS_MAX = 200 };

enum { SHAPE_DATABASE, SHAPE_NEXT, SHAPE_COLUMN, SHAPE_TYPE, SHAPE_NULLABLE };

/* Of a view nobody can say whether its columns may be null. */
const char postgres_table_shape[] =
    "SELECT w.database, w.next, a.attname::text, pg_catalog.format_type(a.atttypid, NULL),"
    " (NOT a.attnotnull AND c.relkind IN ('r', 'p'))::text "
    "FROM (SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text || '/' ||"
    " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())::text"
    " AS database, pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text AS next) w "
    "LEFT JOIN (pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid)"
    " ON a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped "
    "ORDER BY a.attnum";

/* Rows are counted, and their bytes measured, before any of them is sent. Values stay where they are
 * (t.payload may be stored apart) until the innermost part has said which rows it is about; OFFSET 0
 * has each measured once. No column of the table's own can be meant by i, x, p, f1 ... */
static const char rows_question[] =
    "SELECT r.i::text, r.x::text, r.bytes::text, r.found::text,"
    " CASE WHEN r.bytes <= $6::bigint THEN %s END, CASE WHEN r.bytes <= $6::bigint THEN %s END "
    "FROM (SELECT r.*, pg_catalog.count(*) OVER () AS found,"
    " pg_catalog.sum(CASE WHEN r.bytes <= $6::bigint THEN r.bytes ELSE 0 END)"
    " OVER (ORDER BY r.i ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before "
    "FROM (SELECT r.*, (coalesce(pg_catalog.octet_length(%s), 0)"
    " + pg_catalog.octet_length(%s))::bigint AS bytes "
    "FROM (SELECT t.id::bigint AS i, t.xid AS x%s FROM %s t"
    " WHERE (t.xid > $1::xid8 OR t.xid = ANY ($2::xid8[]))"
    " AND pg_catalog.pg_visible_in_snapshot(t.xid, $3::pg_snapshot) AND t.id > $4::bigint"
    " ORDER BY t.id LIMIT $5::bigint) r OFFSET 0) r) r "
    "WHERE coalesce(r.before, 0) < $7::bigint ORDER BY r.i";

/* --- names --- */

static enum hub_status append_part(const char *part, struct hub_buffer *quoted,
                                   struct hub_error *reterr) {
    size_t size = strlen(part);
    if (size == 0 || size > HUB_POSTGRES_NAME_MAX)
        return hub_fail(reterr, HUB_FATAL,
                        "'%s' has %zu bytes; a name of 1 to %d would pass, as TABLE or "
                        "SCHEMA.TABLE", part, size, HUB_POSTGRES_NAME_MAX);
    hub_postgres_append_name(part, quoted);
    return HUB_OK;
}

enum hub_status postgres_table_quote(const char *name, struct hub_arena *arena,
                                     const char **ret_quoted, struct hub_error *reterr) {
    HUB_SCOPED_BUFFER quoted = {0};
    const char *dot = strchr(name, '.');
    if (dot != NULL) {
        HUB_TRY(append_part(hub_arena_text(arena, name, (size_t)(dot - name)), &quoted, reterr));
        hub_buffer_append_byte(&quoted, '.');
    }
    HUB_TRY(append_part(dot == NULL ? name : dot + 1, &quoted, reterr));
    *ret_quoted = hub_arena_text(arena, (const char *)quoted.data, quoted.size);
    return HUB_OK;
}

/* --- the shape --- */

static const char *const id_types[] = {"bigint", "integer", "smallint", NULL};
static const char *const xid_types[] = {"xid8", NULL};
static const char *const payload_types[] = {"jsonb", "json", "text", "character varying",
                                            "xml",   "bytea", NULL};

static const struct wanted {
    const char *name, *const *types, *advice;
    bool not_null;
} wanted[] = {
    {"id", id_types, "bigserial PRIMARY KEY", true},
    {"xid", xid_types, "xid8 NOT NULL DEFAULT pg_current_xact_id()", true},
    {"payload", payload_types, "jsonb, json, text, varchar, xml or bytea", false},
};

static bool is_one_of(const char *text, const char *const *texts) {
    for (size_t i = 0; texts[i] != NULL; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

/* The row of a column, or that behind the last one. */
static size_t find_column(const struct hub_postgres *postgres, const char *name) {
    size_t row = 0;
    while (row < hub_postgres_row_count(postgres) &&
           strcmp(hub_postgres_text(postgres, row, SHAPE_COLUMN), name) != 0)
        row++;
    return row;
}

static enum hub_status check_column(const struct hub_postgres *postgres,
                                    const struct wanted *column, struct hub_error *reterr) {
    size_t row = find_column(postgres, column->name);
    if (row == hub_postgres_row_count(postgres))
        return hub_fail(reterr, HUB_FATAL, "it has no column '%s'; %s %s would pass", column->name,
                        column->name, column->advice);
    const char *type = hub_postgres_text(postgres, row, SHAPE_TYPE);
    if (!is_one_of(type, column->types))
        return hub_fail(reterr, HUB_FATAL, "column '%s' is %s; %s would pass", column->name, type,
                        column->advice);
    if (column->not_null && strcmp(hub_postgres_text(postgres, row, SHAPE_NULLABLE), "true") == 0)
        return hub_fail(reterr, HUB_FATAL,
                        "column '%s' may be null, and such a row would never be read; NOT NULL "
                        "would pass", column->name);
    return HUB_OK;
}

/* --- questions --- */

/* Every column but the payload is a fact. */
static void append_facts(const struct hub_postgres *postgres, struct hub_buffer *columns,
                         struct hub_buffer *facts) {
    hub_buffer_append_text(facts, "(SELECT pg_catalog.row_to_json(f)::text FROM (SELECT ");
    for (size_t row = 0; row < hub_postgres_row_count(postgres); row++) {
        const char *name = hub_postgres_text(postgres, row, SHAPE_COLUMN);
        if (strcmp(name, "payload") == 0)
            continue;
        hub_buffer_append_text(columns, ", t.");
        hub_postgres_append_name(name, columns);
        hub_buffer_append_format(columns, " AS f%zu", row);
        hub_buffer_append_format(facts, "%sr.f%zu AS ",
                                 facts->data[facts->size - 1] == ' ' ? "" : ", ", row);
        hub_postgres_append_name(name, facts);
    }
    hub_buffer_append_text(facts, ") f)");
}

static const char *ask_for(const char *payload, const char *facts, const char *columns,
                           const char *quoted, struct hub_arena *arena) {
    return hub_arena_format(arena, rows_question, payload, facts, payload, facts, columns, quoted);
}

enum hub_status postgres_table_read(const struct hub_postgres *postgres, const char *quoted,
                                    struct hub_arena *arena, struct postgres_table *ret_table,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER columns = {0}, facts = {0};
    if (hub_postgres_is_null(postgres, 0, SHAPE_COLUMN))
        return hub_fail(reterr, HUB_FATAL, "there is no such table; 'connector explain transport "
                        "postgres' shows one that would pass");
    if (hub_postgres_row_count(postgres) > COLUMNS_MAX)
        return hub_fail(reterr, HUB_FATAL, "it has %zu columns, over the limit of %d; a view of "
                        "fewer would pass", hub_postgres_row_count(postgres), COLUMNS_MAX);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        HUB_TRY(check_column(postgres, &wanted[i], reterr));
    const char *type =
        hub_postgres_text(postgres, find_column(postgres, "payload"), SHAPE_TYPE);
    append_facts(postgres, &columns, &facts);
    hub_buffer_append_text(&columns, ", t.payload AS p");
    const char *database = hub_postgres_text(postgres, 0, SHAPE_DATABASE);
    *ret_table = (struct postgres_table){
        .database = hub_arena_text(arena, database, strlen(database)),
        .next_xid = hub_postgres_number(postgres, 0, SHAPE_NEXT),
        .rows = ask_for(strcmp(type, "bytea") == 0 ? "r.p" : "r.p::text", hub_buffer_text(&facts),
                        hub_buffer_text(&columns), quoted, arena),
        .keys = ask_for("NULL::text", "'{}'::text", "", quoted, arena)};
    return HUB_OK;
}
