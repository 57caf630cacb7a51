/* MLLP frames that come in pieces, and the answers to what is in them: which are whole messages again,
 * in whole frames. */
#include "tests/fuzz/fuzz.h"

#include "connectors/transports/mllp_answer.h"
#include "connectors/transports/mllp_frame.h"

static bool lies_in(struct hub_bytes part, struct hub_bytes whole) {
    return part.size == 0 ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void check_content(const struct hub_mllp_content *content, struct hub_bytes frame) {
    const uint8_t *from = frame.data;
    fuzz_must(content->refusal.why != NULL || content->count > 0);
    fuzz_must(content->count <= HUB_MLLP_MESSAGES_MAX);
    for (size_t i = 0; i < content->count; i++) {
        const struct hub_mllp_message *message = &content->messages[i];
        fuzz_must(message->bytes.size >= 3 && lies_in(message->bytes, frame));
        fuzz_must(message->bytes.data >= from);
        from = message->bytes.data + message->bytes.size;
        for (size_t k = 0; k < HUB_MLLP_FIELDS; k++)
            fuzz_must(lies_in(message->header.fields[k], frame) &&
                      message->header.fields[k].size <= HUB_MLLP_FIELD_SIZE_MAX);
    }
}

/* What is answered in one frame. */
static size_t check_answer(struct hub_bytes answer, bool refused) {
    struct hub_arena arena = {0};
    struct hub_mllp_content content;
    hub_mllp_content_read(answer, &arena, &content);
    fuzz_must(content.refusal.why == NULL);
    for (size_t i = 0; i < content.count; i++) {
        fuzz_must(content.messages[i].refusal.why == NULL);
        fuzz_must(!refused || memmem(content.messages[i].bytes.data, content.messages[i].bytes.size,
                                     "\rERR", 4) != NULL);
    }
    size_t count = content.count;
    hub_arena_destroy(&arena);
    return count;
}

static void check_answers(const struct hub_mllp_content *content, enum hub_mllp_outcome outcome) {
    struct hub_mllp_moment moment = {.time_ms = 1772323200000};
    struct hub_mllp_reader reader = {.size_max = SIZE_MAX};
    struct hub_bytes answer;
    HUB_SCOPED_BUFFER answers = {0};
    size_t frames = 0, count = 0;
    hub_mllp_answer(content, outcome, &moment, &answers);
    bool refused = outcome == HUB_MLLP_AWAY || content->refusal.why != NULL;
    for (struct hub_cursor bytes = hub_cursor(hub_buffer_bytes(&answers));
         hub_cursor_left(&bytes) > 0; frames++) {
        fuzz_must(hub_mllp_read(&reader, &bytes, &answer) == HUB_MLLP_FRAME);
        count += check_answer(answer, refused);
    }
    fuzz_must(frames <= 2 && count <= 2 * (content->count > 0 ? content->count : 1));
    fuzz_must(content->count > 0 || count == 1);
    hub_mllp_reader_free(&reader);
}

static void check_frame(struct hub_bytes frame) {
    struct hub_arena arena = {0};
    struct hub_mllp_content content;
    hub_mllp_content_read(frame, &arena, &content);
    check_content(&content, frame);
    check_answers(&content, HUB_MLLP_SAFE);
    check_answers(&content, HUB_MLLP_AWAY);
    hub_arena_destroy(&arena);
}

/* What has happened, as bytes that can be compared. */
static void note(struct hub_buffer *events, enum hub_mllp_event event, struct hub_bytes content) {
    hub_buffer_append_format(events, "%d %zu ", (int)event, content.size);
    hub_buffer_append_bytes(events, content);
}

static void read_all(struct hub_bytes bytes, size_t piece, size_t size_max,
                     struct hub_buffer *events) {
    struct hub_mllp_reader reader = {.size_max = size_max};
    for (size_t at = 0; at < bytes.size; at += piece) {
        size_t to = bytes.size - at < piece ? bytes.size : at + piece;
        struct hub_cursor cursor = hub_cursor(hub_bytes_part(bytes, at, to));
        enum hub_mllp_event event;
        struct hub_bytes content = {0};
        while ((event = hub_mllp_read(&reader, &cursor, &content)) != HUB_MLLP_MORE) {
            fuzz_must(event == HUB_MLLP_NOISE || content.size <= size_max);
            fuzz_must(event != HUB_MLLP_NOISE || content.size == HUB_MLLP_NOISE_MAX + 1);
            fuzz_must(event != HUB_MLLP_LONG || content.size == size_max);
            note(events, event, content);
        }
        fuzz_must(hub_cursor_left(&cursor) == 0);
    }
    note(events, HUB_MLLP_MORE, hub_mllp_begun(&reader));
    hub_mllp_reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    HUB_SCOPED_BUFFER whole = {0};
    HUB_SCOPED_BUFFER pieces = {0};
    size_t size_max = 16 * ((size_t)fuzz_byte(&input) + 1), piece = (size_t)fuzz_byte(&input) + 1;
    struct hub_bytes bytes = fuzz_rest(&input);
    read_all(bytes, bytes.size + 1, size_max, &whole);
    read_all(bytes, piece, size_max, &pieces);
    fuzz_must(hub_bytes_equal(hub_buffer_bytes(&whole), hub_buffer_bytes(&pieces)));
    struct hub_mllp_reader reader = {.size_max = size_max};
    struct hub_cursor cursor = hub_cursor(bytes);
    struct hub_bytes content;
    while (hub_mllp_read(&reader, &cursor, &content) != HUB_MLLP_MORE)
        check_frame(fuzz_exact(&input, content));
    hub_mllp_reader_free(&reader);
    fuzz_input_free(&input);
    return 0;
}
