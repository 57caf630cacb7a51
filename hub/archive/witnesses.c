#include "hub/archive/witnesses.h"

#include "hub/archive/cosigned.h"
#include "hub/base/text.h"
#include "hub/io/file.h"
#include "hub/io/http_client.h"

#include <string.h>

enum { FILE_SIZE_MAX = 256 * 1024, TIMEOUT_MS = 10000, ANSWER_SIZE_MAX = 16 * 1024 };

/* --- the file --- */

static enum hub_status read_line(struct hub_bytes line, struct hub_arena *arena,
                                 struct hub_asked_witness *witness, struct hub_error *reterr) {
    struct hub_bytes url, key;
    if (!hub_bytes_cut(line, ' ', &url, &key) || url.size == 0)
        return hub_fail(reterr, HUB_FATAL, "a line that is none; 'URL KEY' would pass");
    if (hub_note_key_read(key, &witness->key, reterr) != HUB_OK)
        return HUB_FATAL;
    if (witness->key.kind != HUB_NOTE_COSIGNATURE)
        return hub_fail(reterr, HUB_FATAL, "'%s' is no witness's key", witness->key.name);
    witness->url = hub_arena_text(arena, (const char *)url.data, url.size);
    return HUB_OK;
}

enum hub_status hub_witnesses_read(const char *path, struct hub_arena *arena,
                                   struct hub_witnesses *ret_witnesses,
                                   struct hub_error *reterr) {
    HUB_SCOPED_BUFFER text = {.size_max = FILE_SIZE_MAX};
    struct hub_bytes line, rest;
    HUB_TRY(hub_file_read(path, &text, reterr));
    struct hub_witnesses witnesses = {.items = hub_arena_take_zero(arena, text.size / 2 + 1,
                                                                   sizeof *witnesses.items)};
    hub_buffer_append_byte(&text, '\n');
    rest = hub_buffer_bytes(&text);
    for (size_t number = 1; hub_bytes_cut(rest, '\n', &line, &rest); number++) {
        if (line.size == 0 || line.data[0] == '#')
            continue;
        if (read_line(line, arena, &witnesses.items[witnesses.count++], reterr) != HUB_OK)
            return hub_fail_at(reterr, HUB_FATAL, "%s:%zu", path, number);
    }
    *ret_witnesses = witnesses;
    return HUB_OK;
}

/* --- asking --- */

struct asking {
    const struct hub_asked_witness *witness;
    struct hub_rollup *rollup;
    struct hub_http_client *client;
    struct hub_arena arena;
    struct hub_http_answer answer;
};

static enum hub_status post(struct asking *asking, const struct hub_buffer *request,
                            struct hub_error *reterr) {
    struct hub_http_request http = {
        .url = hub_arena_format(&asking->arena, "%s/add-checkpoint", asking->witness->url),
        .body = hub_arena_text(&asking->arena, (const char *)request->data, request->size),
        .timeout_ms = TIMEOUT_MS,
        .size_max = ANSWER_SIZE_MAX};
    return hub_http_ask(asking->client, &http, &asking->arena, &asking->answer, reterr);
}

/* Its word for the size that it has seen. */
static bool told_size(const struct hub_http_answer *answer, uint64_t *ret_size) {
    struct hub_bytes number, rest;
    return answer->status == 409 && hub_bytes_cut(answer->body, '\n', &number, &rest) &&
           rest.size == 0 && hub_text_to_number(number, ret_size);
}

static enum hub_witnessing refused(struct asking *asking, struct hub_error *reterr) {
    const struct hub_http_answer *answer = &asking->answer;
    hub_fail(reterr, HUB_REJECT, "%s answers %ld: %.*s", asking->witness->key.name, answer->status,
             (int)(answer->body.size > 200 ? 200 : answer->body.size), (const char *)answer->body.data);
    return answer->status >= 500 || answer->status == 429 ? HUB_WITNESS_AWAY : HUB_WITNESS_REFUSES;
}

/* From that size on. `ret_seen` is another where the witness has seen the log at another. */
static enum hub_witnessing ask_from(struct asking *asking, uint64_t seen, uint64_t *ret_seen,
                                    struct hub_error *reterr) {
    HUB_SCOPED_BUFFER note = {.size_max = HUB_NOTE_SIZE_MAX}, request = {0};
    const struct hub_note_key *key = &asking->witness->key;
    *ret_seen = seen;
    if (hub_rollup_ask(asking->rollup, seen, &note, &request, reterr) != HUB_OK ||
        post(asking, &request, reterr) != HUB_OK)
        return HUB_WITNESS_AWAY;
    if (asking->answer.status == 200)
        return hub_cosigned_keep(hub_rollup_folder(asking->rollup), hub_buffer_bytes(&note),
                                 asking->answer.body, key, reterr) == HUB_OK
                   ? HUB_WITNESSED
                   : HUB_WITNESS_REFUSES;
    if (!told_size(&asking->answer, ret_seen))
        return refused(asking, reterr);
    if (*ret_seen > hub_rollup_signed_size(asking->rollup) || *ret_seen == seen)
        hub_fail(reterr, HUB_REJECT, "%s has seen the log with %llu entries, and it has %llu: it was put "
                 "back, or is another", key->name, (unsigned long long)*ret_seen,
                 (unsigned long long)hub_rollup_signed_size(asking->rollup));
    return HUB_WITNESS_REFUSES;
}

static enum hub_witnessing ask(struct asking *asking, struct hub_error *reterr) {
    uint64_t size = hub_rollup_signed_size(asking->rollup), seen = 0, other = 0;
    if (hub_cosigned_size(hub_rollup_folder(asking->rollup), hub_rollup_key(asking->rollup),
                          &asking->witness->key, &seen, reterr) != HUB_OK)
        return HUB_WITNESS_REFUSES;
    if (seen == size)
        return HUB_WITNESSED;
    enum hub_witnessing done = ask_from(asking, seen < size ? seen : 0, &other, reterr);
    if (done == HUB_WITNESS_REFUSES && other != seen && other <= size)
        done = ask_from(asking, other, &other, reterr);
    return done;
}

enum hub_witnessing hub_witnesses_ask(const struct hub_asked_witness *witness,
                                      struct hub_rollup *rollup, struct hub_http_client *client,
                                      struct hub_error *reterr) {
    struct asking asking = {.witness = witness, .rollup = rollup, .client = client};
    enum hub_witnessing done = ask(&asking, reterr);
    hub_arena_destroy(&asking.arena);
    return done;
}
