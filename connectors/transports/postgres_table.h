/* The table, or view, of an outbox: its name, what it must be like, and the question for its rows. */
#pragma once

#include "hub/base/memory.h"
#include "hub/io/postgres.h"

/* What is asked of a server once it is connected: the shape of the table that $1 names. */
extern const char postgres_table_shape[];

/* Columns of the answer to a question for rows; the document and its facts are null where the row has
 * more bytes than it may. */
enum { POSTGRES_ROW_ID, POSTGRES_ROW_XID, POSTGRES_ROW_SIZE, POSTGRES_ROW_FOUND,
       POSTGRES_ROW_PAYLOAD, POSTGRES_ROW_FACTS };

struct postgres_table {
    const char *database;    /* the cluster's identifier and the database's number in it */
    int64_t next_xid;        /* no transaction has it or a higher one yet */
    /* The first rows, by id, that one look shows: $1 transactions above this one, $2 or one of these,
     * $3 that this snapshot shows, $4 rows above this id, $5 so many, $6 of a row so many bytes, $7 no
     * more rows once there are so many bytes. `keys` asks for nothing that might not be told. */
    const char *rows, *keys;
};

/* "schema.table" or "table" as identifiers in quotes. HUB_FATAL where it is neither. */
HUB_MUST_USE enum hub_status postgres_table_quote(const char *name, struct hub_arena *arena,
                                                  const char **ret_quoted,
                                                  struct hub_error *reterr);

/* Makes the questions from the shape that was answered, in the arena. HUB_FATAL where it is not one of an
 * outbox. */
HUB_MUST_USE enum hub_status postgres_table_read(const struct hub_postgres *postgres,
                                                 const char *quoted, struct hub_arena *arena,
                                                 struct postgres_table *ret_table,
                                                 struct hub_error *reterr);
