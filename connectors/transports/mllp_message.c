#include "connectors/transports/mllp_message.h"

#include "hub/base/text.h"

enum { NAME_SIZE = 3, SEPARATORS_MAX = 5, MESSAGES_FIRST = 16 };

static bool is_named(struct hub_bytes line, const char *name) {
    return line.size >= NAME_SIZE &&
           hub_bytes_equal_text(hub_bytes_part(line, 0, NAME_SIZE), name);
}

/* --- headers --- */

static bool is_separator(uint8_t c) {
    return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
           !(c >= 'a' && c <= 'z');
}

bool hub_mllp_next_piece(struct hub_bytes *rest, uint8_t separator, struct hub_bytes *ret_piece) {
    if (rest->data == NULL)
        return false;
    *ret_piece = *rest;
    if (!hub_bytes_cut(*rest, separator, ret_piece, rest))
        *rest = hub_bytes(NULL, 0);
    return true;
}

static bool read_separators(struct hub_mllp_header *header) {
    struct hub_bytes given = header->given;
    bool good = is_separator(header->field) && given.size > 0 && given.size <= SEPARATORS_MAX;
    for (size_t i = 0; good && i < given.size; i++)
        good = is_separator(given.data[i]) && memchr(given.data, given.data[i], i) == NULL;
    if (!good)
        return false;
    header->component = given.data[0];
    header->escape = given.size > 2 ? given.data[2] : 0;
    return true;
}

static bool is_repeatable(struct hub_bytes field) {
    bool good = field.size <= HUB_MLLP_FIELD_SIZE_MAX;
    for (size_t i = 0; good && i < field.size; i++)
        good = field.data[i] >= ' ' && field.data[i] != 0x7f;
    return good;
}

static bool is_used(int field) {
    return (field >= 3 && field <= 6) || (field >= 9 && field <= 12) || field == 15 ||
           field == 16 || field == 18;
}

struct hub_mllp_refusal hub_mllp_header_read(struct hub_bytes line,
                                             struct hub_mllp_header *header) {
    static const struct hub_mllp_header usual = {
        .given = {(const uint8_t *)"^~\\&", 4}, .field = '|', .component = '^', .escape = '\\'};
    struct hub_mllp_refusal refusal = {0};
    struct hub_bytes rest = hub_bytes_part(line, NAME_SIZE, line.size), piece;
    *header = (struct hub_mllp_header){.field = rest.size > 0 ? rest.data[0] : 0};
    rest = hub_bytes_part(rest, rest.size > 0, rest.size);
    hub_mllp_next_piece(&rest, header->field, &header->given);
    if (!read_separators(header)) {
        *header = usual;
        return (struct hub_mllp_refusal){
            "the separators cannot be told; MSH|^~\\&| would pass, or others that are no letters, "
            "digits or spaces, each but once", HUB_MLLP_TYPE_ERROR, 2};
    }
    for (int i = 3; i < HUB_MLLP_FIELDS && hub_mllp_next_piece(&rest, header->field, &piece); i++) {
        if (is_used(i) && is_repeatable(piece) && !hub_bytes_equal_text(piece, "\"\""))
            header->fields[i] = piece;
        else if (is_used(i) && !is_repeatable(piece) && refusal.why == NULL)
            refusal = (struct hub_mllp_refusal){
                "a field of MSH has more than 512 bytes, or control characters",
                HUB_MLLP_TYPE_ERROR, i};
    }
    return refusal;
}

static void read_message(struct hub_bytes line, struct hub_mllp_message *message) {
    message->refusal = hub_mllp_header_read(line, &message->header);
    if (message->refusal.why == NULL && message->header.fields[10].size == 0)
        message->refusal = (struct hub_mllp_refusal){
            "the message has no control id (MSH-10), by which its answer would be known",
            HUB_MLLP_MISSING, 10};
}

/* --- frames --- */

struct reader {
    struct hub_arena *arena;
    struct hub_mllp_content *content;
    struct hub_bytes frame;
    size_t position;
    size_t capacity, message_from;
    bool open, file_open, batch_open;
    size_t batch_messages;
};

static bool next_line(struct reader *reader, struct hub_bytes *ret_line, size_t *ret_from) {
    struct hub_bytes frame = reader->frame;
    while (reader->position < frame.size) {
        size_t from = reader->position, to = from;
        while (to < frame.size && frame.data[to] != '\r' && frame.data[to] != '\n')
            to++;
        reader->position = to + (to < frame.size);
        *ret_line = hub_bytes_part(frame, from, to);
        *ret_from = from;
        if (to > from)
            return true;
    }
    return false;
}

static void end_message(struct reader *reader, size_t to) {
    struct hub_mllp_content *content = reader->content;
    if (reader->open)
        content->messages[content->count - 1].bytes =
            hub_bytes_part(reader->frame, reader->message_from, to);
    reader->open = false;
}

static void begin_message(struct reader *reader, struct hub_bytes line, size_t from) {
    struct hub_mllp_content *content = reader->content;
    if (content->count == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? MESSAGES_FIRST : 2 * reader->capacity;
        struct hub_mllp_message *wider =
            hub_arena_take_zero(reader->arena, capacity, sizeof *wider);
        if (content->count > 0)
            memcpy(wider, content->messages, content->count * sizeof *wider);
        content->messages = wider;
        reader->capacity = capacity;
    }
    read_message(line, &content->messages[content->count++]);
    reader->message_from = from;
    reader->open = true;
    reader->batch_messages++;
}

/* BTS-1, where it says something, counts. */
static const char *check_count(const struct reader *reader, struct hub_bytes line) {
    struct hub_bytes rest = hub_bytes_part(line, NAME_SIZE, line.size), count = {0};
    uint64_t told = 0;
    if (rest.size > 0) {
        uint8_t separator = rest.data[0];
        rest = hub_bytes_part(rest, 1, rest.size);
        hub_mllp_next_piece(&rest, separator, &count);
    }
    bool right = count.size == 0 ||
                 (hub_text_to_number(count, &told) && told == reader->batch_messages);
    return right ? NULL : "the batch has another number of messages than its end (BTS-1) says: is it "
                          "whole?";
}

/* The lines around messages; NULL, or why they cannot stand there. */
static const char *take_around(struct reader *reader, struct hub_bytes line) {
    static const char misplaced[] =
        "FHS, BHS, BTS or FTS stands where none may; FHS, BHS, messages, BTS, FTS would pass";
    struct hub_mllp_content *content = reader->content;
    struct hub_mllp_header header;
    if (is_named(line, "FHS") && !reader->file_open && !reader->batch_open) {
        hub_mllp_header_read(line, &header);
        content->file = content->in_file ? content->file : header;
        content->in_file = reader->file_open = true;
        return NULL;
    }
    if (is_named(line, "BHS") && !reader->batch_open) {
        hub_mllp_header_read(line, &header);
        content->batch = content->in_batch ? content->batch : header;
        content->in_batch = reader->batch_open = true;
        reader->batch_messages = 0;
        return NULL;
    }
    if (is_named(line, "BTS") && reader->batch_open) {
        reader->batch_open = false;
        return check_count(reader, line);
    }
    if (is_named(line, "FTS") && reader->file_open && !reader->batch_open) {
        reader->file_open = false;
        return NULL;
    }
    return misplaced;
}

static bool is_around(struct hub_bytes line) {
    return is_named(line, "FHS") || is_named(line, "BHS") || is_named(line, "BTS") ||
           is_named(line, "FTS");
}

/* NULL, or why the line, and so the frame, is refused. */
static const char *take_line(struct reader *reader, struct hub_bytes line, size_t from) {
    bool begins = is_named(line, "MSH"), around = is_around(line);
    if (begins || around)
        end_message(reader, from);
    if (around)
        return take_around(reader, line);
    if (!begins)
        return reader->open ? NULL : "a message begins with MSH and its separators, as MSH|^~\\&|";
    if (reader->content->count == HUB_MLLP_MESSAGES_MAX)
        return "more than 10000 messages in one frame";
    begin_message(reader, line, from);
    return NULL;
}

void hub_mllp_content_read(struct hub_bytes frame, struct hub_arena *arena,
                           struct hub_mllp_content *ret_content) {
    static const char mark[] = "\xef\xbb\xbf";
    bool marked = frame.size >= 3 && memcmp(frame.data, mark, 3) == 0;
    struct reader reader = {
        .arena = arena, .content = ret_content, .frame = frame, .position = marked ? 3 : 0};
    struct hub_bytes line;
    size_t from = 0;
    const char *why = NULL;
    *ret_content = (struct hub_mllp_content){0};
    while (why == NULL && next_line(&reader, &line, &from))
        why = take_line(&reader, line, from);
    end_message(&reader, frame.size);
    if (why == NULL && (reader.file_open || reader.batch_open))
        why = "it ends before its BTS or FTS; a whole batch would pass";
    if (why == NULL && ret_content->count == 0)
        why = "there is no message in it; one that begins with MSH would pass";
    if (why != NULL)
        ret_content->refusal = (struct hub_mllp_refusal){why, HUB_MLLP_SEQUENCE_ERROR, 0};
}
