#include "connectors/transports/mllp_answer.h"

#include <stdio.h>
#include <time.h>

enum { EVENT_SIZE_MAX = 20 }; /* of MSH-9.2; they have three letters */

static const struct {
    const char *code, *text;
} codes[] = {{HUB_MLLP_SEQUENCE_ERROR, "Segment sequence error"},
             {HUB_MLLP_MISSING, "Required field missing"},
             {HUB_MLLP_TYPE_ERROR, "Data type error"},
             {HUB_MLLP_INTERNAL_ERROR, "Application internal error"}};

enum level { ACCEPT, APPLICATION }; /* the original mode has but the first */

struct answering {
    const struct hub_mllp_content *content;
    enum hub_mllp_outcome outcome;
    struct hub_mllp_moment *moment;
    struct hub_buffer *to;
};

static const struct hub_mllp_refusal away = {
    "it is not known to be safe here; it should be sent again", HUB_MLLP_INTERNAL_ERROR, 0};

/* Our own words, in the separators of theirs. */
static void append_text(struct hub_buffer *to, const struct hub_mllp_header *header,
                        const char *text) {
    static const char letters[] = {'S', 'R', 'E', 'T'};
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        const uint8_t *found = memchr(header->given.data, c, header->given.size);
        size_t at = found == NULL ? sizeof letters : (size_t)(found - header->given.data);
        char letter = c == header->field ? 'F' : at < sizeof letters ? letters[at] : '\0';
        if (letter == '\0')
            hub_buffer_append_byte(to, c);
        else if (header->escape == 0)
            hub_buffer_append_byte(to, ' ');
        else
            hub_buffer_append_format(to, "%c%c%c", header->escape, letter, header->escape);
    }
}

static void append_separators(struct hub_buffer *to, const struct hub_mllp_header *header,
                              int count) {
    for (int i = 0; i < count; i++)
        hub_buffer_append_byte(to, header->field);
}

static void append_time(struct hub_buffer *to, const struct hub_mllp_header *header,
                        int64_t time_ms) {
    char text[32];
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y%m%d%H%M%S+0000", &parts);
    append_text(to, header, text);
}

static void append_number(struct answering *answering, const struct hub_mllp_header *header) {
    char text[64];
    snprintf(text, sizeof text, "%lld-%lld", (long long)answering->moment->time_ms,
             (long long)++answering->moment->number);
    append_text(answering->to, header, text);
}

/* Up to the seventh field, with sender and receiver swapped. */
static void append_beginning(struct answering *answering, const char *name,
                             const struct hub_mllp_header *header) {
    static const int swapped[] = {5, 6, 3, 4};
    struct hub_buffer *to = answering->to;
    hub_buffer_append_text(to, name);
    hub_buffer_append_byte(to, header->field);
    hub_buffer_append_bytes(to, header->given);
    for (size_t i = 0; i < sizeof swapped / sizeof *swapped; i++) {
        hub_buffer_append_byte(to, header->field);
        hub_buffer_append_bytes(to, header->fields[swapped[i]]);
    }
    hub_buffer_append_byte(to, header->field);
    append_time(to, header, answering->moment->time_ms);
}

static void append_or(struct hub_buffer *to, struct hub_bytes bytes, const char *otherwise) {
    hub_buffer_append_bytes(to, bytes.size > 0 ? bytes : hub_bytes_of_text(otherwise));
}

/* MSH-9.1 or MSH-9.2. */
static struct hub_bytes component_of_type(const struct hub_mllp_header *header, int number) {
    struct hub_bytes rest = header->fields[9], piece = {0};
    for (int i = 0; i < number; i++)
        if (!hub_mllp_next_piece(&rest, header->component, &piece))
            return hub_bytes(NULL, 0);
    return piece;
}

static void append_header(struct answering *answering, const struct hub_mllp_header *header,
                          enum level level) {
    struct hub_buffer *to = answering->to;
    struct hub_bytes event = component_of_type(header, 2);
    append_beginning(answering, "MSH", header);
    append_separators(to, header, 2);
    hub_buffer_append_text(to, "ACK");
    if (event.size > 0 && event.size <= EVENT_SIZE_MAX) {
        hub_buffer_append_byte(to, header->component);
        hub_buffer_append_bytes(to, event);
        hub_buffer_append_byte(to, header->component);
        hub_buffer_append_text(to, "ACK");
    }
    append_separators(to, header, 1);
    append_number(answering, header);
    append_separators(to, header, 1);
    append_or(to, header->fields[11], "P");
    append_separators(to, header, 1);
    append_or(to, header->fields[12], "2");
    append_separators(to, header, 3);
    hub_buffer_append_text(to, level == APPLICATION ? "NE" : "");
    append_separators(to, header, 1);
    hub_buffer_append_text(to, level == APPLICATION ? "NE" : "");
    append_separators(to, header, 2);
    hub_buffer_append_bytes(to, header->fields[18]);
    hub_buffer_append_byte(to, '\r');
}

/* ERR as of HL7 2.5; MSA-3 says it to systems of before. */
static void append_error(struct hub_buffer *to, const struct hub_mllp_header *header,
                         const struct hub_mllp_refusal *refusal) {
    hub_buffer_append_text(to, "ERR");
    append_separators(to, header, 2);
    if (refusal->field > 0)
        hub_buffer_append_format(to, "MSH%c1%c%d", header->component, header->component,
                                 refusal->field);
    append_separators(to, header, 1);
    hub_buffer_append_text(to, refusal->code);
    hub_buffer_append_byte(to, header->component);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, refusal->code) == 0)
            append_text(to, header, codes[i].text);
    hub_buffer_append_format(to, "%cHL70357", header->component);
    append_separators(to, header, 1);
    hub_buffer_append_text(to, "E");
    append_separators(to, header, 4);
    append_text(to, header, refusal->why);
    hub_buffer_append_byte(to, '\r');
}

static const struct hub_mllp_refusal *refusal_of(const struct answering *answering,
                                                 const struct hub_mllp_message *message) {
    if (answering->outcome == HUB_MLLP_AWAY)
        return &away;
    if (answering->content->refusal.why != NULL)
        return &answering->content->refusal;
    return message->refusal.why != NULL ? &message->refusal : NULL;
}

static bool is_asked(struct hub_bytes condition, bool refused) {
    if (hub_bytes_equal_text(condition, "NE") || condition.size == 0)
        return false;
    if (hub_bytes_equal_text(condition, "ER"))
        return refused;
    return !hub_bytes_equal_text(condition, "SU") || !refused;
}

static bool is_enhanced(const struct hub_mllp_header *header) {
    return header->fields[15].size > 0 || header->fields[16].size > 0;
}

/* What was not accepted never reaches the application, which says so only where nobody else does. */
static bool is_answered(const struct hub_mllp_header *header, enum level level, bool refused) {
    bool accept = is_asked(header->fields[15], refused);
    if (hub_bytes_equal_text(component_of_type(header, 1), "ACK"))
        return false;
    if (!is_enhanced(header))
        return level == ACCEPT;
    return level == ACCEPT ? accept : is_asked(header->fields[16], refused) && !(refused && accept);
}

static bool append_answer(struct answering *answering, const struct hub_mllp_message *message,
                          enum level level) {
    const struct hub_mllp_header *header = &message->header;
    const struct hub_mllp_refusal *refusal = refusal_of(answering, message);
    struct hub_buffer *to = answering->to;
    if (!is_answered(header, level, refusal != NULL))
        return false;
    bool commit = level == ACCEPT && is_enhanced(header);
    bool again = answering->outcome == HUB_MLLP_AWAY;
    append_header(answering, header, level);
    hub_buffer_append_text(to, "MSA");
    append_separators(to, header, 1);
    hub_buffer_append_byte(to, commit ? 'C' : 'A');
    hub_buffer_append_byte(to, refusal == NULL ? 'A' : again ? 'E' : 'R');
    append_separators(to, header, 1);
    hub_buffer_append_bytes(to, header->fields[10]);
    if (refusal != NULL) {
        append_separators(to, header, 1);
        append_text(to, header, refusal->why);
    }
    hub_buffer_append_byte(to, '\r');
    if (refusal != NULL)
        append_error(to, header, refusal);
    return true;
}

/* FHS-12 and BHS-12 say which one is answered. */
static void append_around(struct answering *answering, const char *name,
                          const struct hub_mllp_header *header) {
    append_beginning(answering, name, header);
    append_separators(answering->to, header, 4);
    append_number(answering, header);
    append_separators(answering->to, header, 1);
    hub_buffer_append_bytes(answering->to, header->fields[11]);
    hub_buffer_append_byte(answering->to, '\r');
}

static void append_level(struct answering *answering, const struct hub_mllp_message *messages,
                         size_t count, enum level level) {
    const struct hub_mllp_content *content = answering->content;
    struct hub_buffer *to = answering->to;
    size_t begin = to->size, answered = 0;
    hub_buffer_append_byte(to, 0x0b);
    if (content->in_file)
        append_around(answering, "FHS", &content->file);
    if (content->in_batch)
        append_around(answering, "BHS", &content->batch);
    for (size_t i = 0; i < count; i++)
        answered += append_answer(answering, &messages[i], level);
    if (content->in_batch)
        hub_buffer_append_format(to, "BTS%c%zu\r", content->batch.field, answered);
    if (content->in_file)
        hub_buffer_append_format(to, "FTS%c1\r", content->file.field);
    hub_buffer_append_text(to, "\x1c\r");
    if (answered == 0)
        to->size = begin;
}

void hub_mllp_answer(const struct hub_mllp_content *content, enum hub_mllp_outcome outcome,
                     struct hub_mllp_moment *moment, struct hub_buffer *answers) {
    struct answering answering = {content, outcome, moment, answers};
    struct hub_mllp_message nobody = {0};
    if (content->count > 0) {
        append_level(&answering, content->messages, content->count, ACCEPT);
        append_level(&answering, content->messages, content->count, APPLICATION);
        return;
    }
    hub_mllp_header_read(hub_bytes_of_text("MSH|^~\\&"), &nobody.header);
    append_level(&answering, &nobody, 1, ACCEPT);
}
