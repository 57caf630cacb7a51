#include "hub/archive/witness.h"

#include "hub/base/text.h"
#include "hub/io/file.h"

#include <string.h>

struct asking {
    const struct hub_witness *witness;
    uint64_t time_s;
    struct hub_witness_reply *reply;
    uint64_t old_size;
    struct hub_proof proof;
    struct hub_bytes note, text, lines;
    struct hub_checkpoint checkpoint;
    const struct hub_note_key *log;
    struct hub_checkpoint last; /* that was cosigned; of size 0: none yet */
    struct hub_buffer path;     /* of the file that remembers it */
};

void hub_witness_append_request(uint64_t old_size, const struct hub_proof *proof,
                                struct hub_bytes checkpoint, struct hub_buffer *request) {
    hub_buffer_append_format(request, "old %llu\n", (unsigned long long)old_size);
    hub_proof_append_hashes(proof, request);
    hub_buffer_append_bytes(request, checkpoint);
}

/* --- reading --- */

static bool refuse(struct asking *asking, unsigned status, const char *why) {
    asking->reply->status = status;
    hub_fail(&asking->reply->error, HUB_REJECT, "%s", why);
    hub_buffer_append_format(&asking->reply->body, "%s\n", why);
    return false;
}

static bool read_old_size(struct hub_bytes *rest, uint64_t *ret_size) {
    struct hub_bytes word, number;
    return hub_bytes_cut(*rest, ' ', &word, rest) && hub_bytes_equal_text(word, "old") &&
           hub_bytes_cut(*rest, '\n', &number, rest) && hub_text_to_number(number, ret_size) &&
           (number.size == 1 || number.data[0] != '0');
}

static bool read_request(struct asking *asking, struct hub_bytes request) {
    struct hub_error error;
    asking->note = request;
    if (request.size > HUB_WITNESS_REQUEST_SIZE_MAX ||
        !read_old_size(&asking->note, &asking->old_size) ||
        !hub_proof_take_hashes(&asking->note, &asking->proof))
        return refuse(asking, 400, "'old N', hashes in base64, an empty line and a checkpoint would pass");
    if (hub_note_open(asking->note, &asking->text, &asking->lines, &error) != HUB_OK ||
        hub_checkpoint_read(asking->text, &asking->checkpoint, &error) != HUB_OK)
        return refuse(asking, 400, error.text);
    return true;
}

static bool find_log(struct asking *asking) {
    const struct hub_witness *witness = asking->witness;
    struct hub_error error;
    for (size_t i = 0; i < witness->log_count && asking->log == NULL; i++)
        if (strcmp(witness->logs[i].name, asking->checkpoint.origin) == 0)
            asking->log = &witness->logs[i];
    if (asking->log == NULL)
        return refuse(asking, 404, "a log that this witness does not know");
    if (hub_note_check(asking->text, asking->lines, asking->log, NULL, &error) != HUB_OK)
        return refuse(asking, 403, error.text);
    if (asking->old_size > asking->checkpoint.size)
        return refuse(asking, 400, "the old size is larger than the checkpoint's");
    return true;
}

/* --- remembering --- */

static bool read_last(struct asking *asking) {
    struct hub_error error;
    struct hub_file_facts facts;
    struct hub_bytes text, lines;
    HUB_SCOPED_BUFFER note = {.size_max = HUB_NOTE_SIZE_MAX};
    hub_buffer_append_format(&asking->path, "%s/%08x", asking->witness->folder, asking->log->id);
    const char *path = hub_buffer_text(&asking->path);
    if (hub_file_make_folder(asking->witness->folder, &error) != HUB_OK)
        return refuse(asking, 500, error.text);
    if (hub_file_facts(path, &facts, &error) != HUB_OK) /* none yet */
        return true;
    if (hub_file_read(path, &note, &error) != HUB_OK ||
        hub_note_open(hub_buffer_bytes(&note), &text, &lines, &error) != HUB_OK ||
        hub_note_check(text, lines, asking->log, NULL, &error) != HUB_OK ||
        hub_checkpoint_read(text, &asking->last, &error) != HUB_OK)
        return refuse(asking, 500, error.text);
    return true;
}

/* Both are signed: nobody else could have made it. */
static void keep_evidence(struct asking *asking) {
    HUB_SCOPED_BUFFER path = {0};
    struct hub_error error;
    asking->reply->forked = true;
    hub_buffer_append_format(&path, "%s.refused", hub_buffer_text(&asking->path));
    if (hub_file_write(hub_buffer_text(&path), asking->note, &error) != HUB_OK)
        hub_fail_at(&asking->reply->error, HUB_REJECT, "%s; the evidence is not kept", error.text);
}

/* --- judging --- */

static bool tell_size(struct asking *asking) {
    refuse(asking, 409, "it was cosigned at another size");
    hub_buffer_clear(&asking->reply->body);
    hub_buffer_append_format(&asking->reply->body, "%llu\n", (unsigned long long)asking->last.size);
    asking->reply->content_type = "text/x.tlog.size";
    return false;
}

static bool judge(struct asking *asking) {
    const struct hub_checkpoint *last = &asking->last, *now = &asking->checkpoint;
    if (asking->old_size != last->size)
        return tell_size(asking);
    bool same = memcmp(&last->root, &now->root, sizeof now->root) == 0;
    if (last->size == now->size && last->size > 0 && !same) {
        tell_size(asking);
        keep_evidence(asking);
        return false;
    }
    if (last->size == 0 ? asking->proof.count == 0
                        : hub_merkle_grew(&hub_sha256, &asking->proof, last->size, &last->root,
                                          now->size, &now->root))
        return true;
    refuse(asking, 422, "the proof does not show that the log begins with what was cosigned");
    keep_evidence(asking);
    return false;
}

static void cosign(struct asking *asking) {
    const struct hub_witness *witness = asking->witness;
    struct hub_error error;
    HUB_SCOPED_BUFFER kept = {0};
    hub_note_cosign(&witness->key, witness->private, asking->time_s, asking->text,
                    &asking->reply->body);
    hub_buffer_append_bytes(&kept, asking->note);
    hub_buffer_append_bytes(&kept, hub_buffer_bytes(&asking->reply->body));
    if (hub_file_write(hub_buffer_text(&asking->path), hub_buffer_bytes(&kept), &error) != HUB_OK) {
        hub_buffer_clear(&asking->reply->body);
        refuse(asking, 500, error.text);
        return;
    }
    asking->reply->status = 200;
}

void hub_witness_answer(const struct hub_witness *witness, struct hub_bytes request,
                        uint64_t time_s, struct hub_witness_reply *reply) {
    struct asking asking = {.witness = witness, .time_s = time_s, .reply = reply};
    *reply = (struct hub_witness_reply){.content_type = "text/plain"};
    if (read_request(&asking, request) && find_log(&asking) && read_last(&asking) &&
        judge(&asking))
        cosign(&asking);
    hub_buffer_free(&asking.path);
}
