/* HL7 v2 as text with separators (HL7 2.5.1, chapter 2): one message, several one after the other, or
 * a batch file (FHS, BHS, messages, BTS, FTS). Segments end with \r, \n or both.
 *
 * A message is an object of lists of segments by their names. Each segment is an object of its
 * fields, named as everybody names them (SCH-2), and of @n, which counts the segments of its name in
 * the message from 1. What an RGS begins (AIS, AIG, AIL, AIP) is in that RGS, a note (NTE) in the
 * segment before it.
 *
 * A field is an object of its components by their numbers, of which #text is the first; repeated, a
 * list of such. A component with subcomponents is one, too; any other is a text. Empty is not there,
 * and what is cleared ("") is null: paths find neither, for a statement is all that the source says,
 * and not an amendment of what it said before.
 *
 * A message that cannot be read is an error of its own, with its bytes; the next one goes on. */
#include "connectors/formats/charset.h"
#include "connectors/formats/formats.h"
#include "connectors/formats/hl7v2_text.h"
#include "connectors/formats/rows.h"
#include "hub/base/text.h"

#include <string.h>

enum { VALUES_MAX = 1000000, NAME_SIZE = 3 };

struct hl7v2_options {
    const char *charset;
};

static const struct hub_option options[] = {
    {.name = "charset",
     HUB_TEXT_OPTION(struct hl7v2_options, charset),
     .initial = "ascii",
     .choices = hub_hl7v2_charsets,
     .help = "The character set of messages whose MSH-18 names none."},
    {0},
};

/* Whichever a message names. */
static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    (void)options_;
    for (size_t i = 0; hub_hl7v2_charsets[i] != NULL; i++)
        HUB_TRY(hub_charset_check(hub_hl7v2_charsets[i], reterr));
    return HUB_OK;
}

static const char *const grouped[] = {"AIS", "AIG", "AIL", "AIP", NULL};

struct reader {
    const struct hl7v2_options *options;
    struct hub_arena *arena;
    struct hub_error *reterr;
    struct hub_hl7v2_text text;
    size_t values; /* of the document */
    /* Of the message that is being read. */
    json_t *message, *counts;
    json_t *group, *last; /* the open RGS, and the segment that a note is about; or NULL */
    char name[NAME_SIZE + 1];
    size_t field;
};

/* --- fields --- */

/* The next piece before a separator; false where there is none left. */
static bool next_piece(struct hub_bytes *rest, uint8_t separator, struct hub_bytes *ret_piece) {
    if (rest->data == NULL)
        return false;
    *ret_piece = *rest;
    if (!hub_bytes_cut(*rest, separator, ret_piece, rest))
        *rest = hub_bytes(NULL, 0);
    return true;
}

static enum hub_status read_text(struct reader *reader, struct hub_bytes bytes,
                                 json_t **ret_value) {
    const char *why = NULL;
    if (++reader->values > VALUES_MAX)
        return hub_fail(reader->reterr, HUB_REJECT, "more than %d values in the document; a file "
                        "with fewer messages would pass", VALUES_MAX);
    if (hub_bytes_equal_text(bytes, "\"\"")) {
        *ret_value = json_null();
        return HUB_OK;
    }
    *ret_value = hub_hl7v2_text_read(&reader->text, bytes, &why);
    if (*ret_value == NULL)
        return hub_fail(reader->reterr, HUB_REJECT, "%s-%zu: %s", reader->name, reader->field,
                        why);
    return HUB_OK;
}

/* Its first part's text stands for a field or component as a whole. */
static void set_own_text(json_t *object) {
    const json_t *first = json_object_get(object, "1");
    const char *text = json_string_value(
        json_is_object(first) ? json_object_get(first, "#text") : first);
    json_object_set_new(object, "#text", json_string(text == NULL ? "" : text));
}

static void set_numbered(struct reader *reader, json_t *object, size_t number, json_t *value) {
    json_object_set_new(object, hub_arena_format(reader->arena, "%zu", number), value);
}

static enum hub_status read_component(struct reader *reader, struct hub_bytes bytes,
                                      json_t **ret_value) {
    struct hub_bytes piece, rest = bytes;
    enum hub_status status = HUB_OK;
    if (reader->text.subcomponent == 0 ||
        memchr(bytes.data, reader->text.subcomponent, bytes.size) == NULL)
        return read_text(reader, bytes, ret_value);
    *ret_value = json_object();
    for (size_t i = 1; next_piece(&rest, reader->text.subcomponent, &piece); i++) {
        json_t *value = NULL;
        if (piece.size == 0)
            continue;
        status = read_text(reader, piece, &value);
        if (status != HUB_OK)
            break;
        set_numbered(reader, *ret_value, i, value);
    }
    set_own_text(*ret_value);
    return status;
}

static enum hub_status read_repetition(struct reader *reader, struct hub_bytes bytes,
                                       json_t **ret_value) {
    struct hub_bytes piece, rest = bytes;
    enum hub_status status = HUB_OK;
    if (hub_bytes_equal_text(bytes, "\"\""))
        return read_text(reader, bytes, ret_value);
    *ret_value = json_object();
    for (size_t i = 1; next_piece(&rest, reader->text.component, &piece); i++) {
        json_t *value = NULL;
        if (piece.size == 0)
            continue;
        status = read_component(reader, piece, &value);
        if (value != NULL)
            set_numbered(reader, *ret_value, i, value);
        if (status != HUB_OK)
            break;
    }
    set_own_text(*ret_value);
    return status;
}

static enum hub_status read_field(struct reader *reader, struct hub_bytes bytes,
                                  json_t **ret_value) {
    struct hub_bytes piece, rest = bytes;
    if (reader->text.repetition == 0 ||
        memchr(bytes.data, reader->text.repetition, bytes.size) == NULL)
        return read_repetition(reader, bytes, ret_value);
    *ret_value = json_array();
    while (next_piece(&rest, reader->text.repetition, &piece)) {
        json_t *value = NULL;
        if (piece.size == 0)
            continue;
        enum hub_status status = read_repetition(reader, piece, &value);
        if (value != NULL)
            json_array_append_new(*ret_value, value);
        if (status != HUB_OK)
            return status;
    }
    return HUB_OK;
}

static enum hub_status read_fields(struct reader *reader, struct hub_bytes rest, size_t first,
                                   json_t *segment) {
    struct hub_bytes piece;
    reader->field = first;
    for (; next_piece(&rest, reader->text.field, &piece); reader->field++) {
        json_t *value = NULL;
        if (piece.size == 0)
            continue;
        enum hub_status status = read_field(reader, piece, &value);
        if (value != NULL)
            json_object_set_new(
                segment, hub_arena_format(reader->arena, "%s-%zu", reader->name, reader->field),
                value);
        if (status != HUB_OK)
            return status;
    }
    return HUB_OK;
}

/* --- segments --- */

static bool is_segment_name(struct hub_bytes line) {
    for (size_t i = 0; i < NAME_SIZE; i++) {
        uint8_t c = i < line.size ? line.data[i] : 0;
        if (!(c >= 'A' && c <= 'Z') && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static bool is_grouped(const char *name) {
    for (size_t i = 0; grouped[i] != NULL; i++)
        if (strcmp(grouped[i], name) == 0)
            return true;
    return false;
}

static void append_to(json_t *parent, const char *name, json_t *segment) {
    json_t *list = json_object_get(parent, name);
    if (list == NULL)
        json_object_set_new(parent, name, list = json_array());
    json_array_append(list, segment);
}

/* Puts a new segment where it belongs. */
static json_t *add_segment(struct reader *reader) {
    const char *name = reader->name;
    json_t *segment = json_object(), *parent = reader->message;
    json_int_t count = json_integer_value(json_object_get(reader->counts, name)) + 1;
    json_object_set_new(reader->counts, name, json_integer(count));
    json_object_set_new(segment, "@n", json_sprintf("%lld", (long long)count));
    bool note = strcmp(name, "NTE") == 0;
    if (note && reader->last != NULL)
        parent = reader->last;
    else if (is_grouped(name) && reader->group != NULL)
        parent = reader->group;
    append_to(parent, name, segment);
    if (strcmp(name, "RGS") == 0)
        reader->group = segment;
    if (!note)
        reader->last = segment;
    json_decref(segment); /* its parent has it */
    return segment;
}

static bool is_separator(uint8_t c) {
    return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
           !(c >= 'a' && c <= 'z');
}

/* MSH-1 and MSH-2: |^~\& or others; subcomponents and escapes may be without. */
static enum hub_status read_separators(struct reader *reader, struct hub_bytes line) {
    struct hub_hl7v2_text *text = &reader->text;
    uint8_t *const places[] = {&text->component, &text->repetition, &text->escape,
                               &text->subcomponent, NULL};
    struct hub_bytes given = hub_bytes(NULL, 0), rest = hub_bytes(NULL, 0);
    text->field = line.size > NAME_SIZE ? line.data[NAME_SIZE] : 0;
    text->component = text->repetition = text->escape = text->subcomponent = 0;
    bool good = is_separator(text->field);
    if (good && !hub_bytes_cut(hub_bytes_part(line, NAME_SIZE + 1, line.size), text->field, &given,
                               &rest))
        given = hub_bytes_part(line, NAME_SIZE + 1, line.size);
    good &= given.size > 0 && given.size <= 5; /* the fifth is for truncation (HL7 2.7) */
    for (size_t i = 0; good && i < given.size; i++) {
        good = is_separator(given.data[i]) && memchr(given.data, given.data[i], i) == NULL;
        if (i < 4)
            *places[i] = given.data[i];
    }
    if (good)
        return HUB_OK;
    return hub_fail(reader->reterr, HUB_REJECT, "the separators cannot be told; MSH|^~\\&| would "
                    "pass, or others that are no letters, digits or spaces, each but once");
}

/* The first repetition of MSH-18 is the character set of the message. */
static enum hub_status read_charset(struct reader *reader, struct hub_bytes line) {
    struct hub_bytes piece = {0}, code = {0}, rest = line, other;
    for (size_t i = 1; i <= 18 && next_piece(&rest, reader->text.field, &piece); i++)
        if (i == 18)
            code = piece;
    if (!hub_bytes_cut(code, reader->text.repetition, &piece, &other))
        piece = code;
    bool named = piece.size > 0 && !hub_bytes_equal_text(piece, "\"\"");
    const char *charset = named ? hub_hl7v2_charset_of(piece) : reader->options->charset;
    if (charset == NULL)
        return hub_fail(reader->reterr, HUB_REJECT, "MSH-18 names a character set that is not "
                        "known; ASCII, 8859/1, 8859/15 or UNICODE UTF-8 would pass");
    hub_hl7v2_text_use(&reader->text, charset);
    return HUB_OK;
}

static enum hub_status read_header(struct reader *reader, struct hub_bytes line) {
    struct hub_bytes head = {0}, rest = {0};
    HUB_TRY(read_separators(reader, line));
    HUB_TRY(read_charset(reader, line));
    json_t *segment = add_segment(reader);
    char field[] = {(char)reader->text.field, '\0'};
    json_object_set_new(segment, "MSH-1", json_string(field));
    if (!hub_bytes_cut(hub_bytes_part(line, NAME_SIZE + 1, line.size), reader->text.field, &head,
                       &rest))
        head = hub_bytes_part(line, NAME_SIZE + 1, line.size);
    json_object_set_new(segment, "MSH-2", json_stringn((const char *)head.data, head.size));
    return rest.data == NULL ? HUB_OK : read_fields(reader, rest, /* first= */ 3, segment);
}

static enum hub_status read_segment(struct reader *reader, struct hub_bytes line) {
    bool named = is_segment_name(line);
    if (named)
        memcpy(reader->name, line.data, NAME_SIZE);
    if (named && strcmp(reader->name, "MSH") == 0)
        return read_header(reader, line);
    if (!named || (line.size > NAME_SIZE && line.data[NAME_SIZE] != reader->text.field))
        return hub_fail(reader->reterr, HUB_REJECT, "no segment begins so; three capital letters "
                        "or digits and the separator %c would pass", reader->text.field);
    json_t *segment = add_segment(reader);
    if (line.size <= NAME_SIZE + 1)
        return HUB_OK;
    return read_fields(reader, hub_bytes_part(line, NAME_SIZE + 1, line.size), /* first= */ 1,
                       segment);
}

/* --- messages in a document --- */

struct lines {
    struct hub_bytes document;
    size_t position, number; /* of the line that was read last, from 1 */
};

/* The next line that is not empty, without its end; `ret_from` is where it begins. */
static bool next_line(struct lines *lines, struct hub_bytes *ret_line, size_t *ret_from) {
    struct hub_bytes document = lines->document;
    while (lines->position < document.size) {
        size_t from = lines->position, to = from;
        while (to < document.size && document.data[to] != '\r' && document.data[to] != '\n')
            to++;
        lines->position = to + (to < document.size);
        if (to + 1 < document.size && document.data[to] == '\r' && document.data[to + 1] == '\n')
            lines->position++;
        lines->number++;
        *ret_line = hub_bytes_part(document, from, to);
        *ret_from = from;
        if (to > from)
            return true;
    }
    return false;
}

struct file {
    struct reader reader;
    struct hub_parsed *parsed;
    json_t *messages;
    /* The message that is being read. */
    bool open, failed;
    size_t from, line, failed_line;
    const char *why;
    bool in_file, in_batch; /* FHS or BHS was read, and its end not yet */
    size_t batch_messages;
};

static void end_message(struct file *file, struct hub_bytes document, size_t to) {
    if (!file->open)
        return;
    struct hub_bytes raw = hub_bytes_part(document, file->from, to);
    if (file->failed) {
        hub_rows_add_error(file->parsed, file->reader.arena, raw, file->failed_line, file->why);
    } else {
        hub_rows_add(file->parsed, file->reader.arena, raw, file->line);
        json_array_append(file->messages, file->reader.message);
    }
    json_decref(file->reader.message);
    json_decref(file->reader.counts);
    file->open = false;
}

static void begin_message(struct file *file, size_t from, size_t line) {
    struct reader *reader = &file->reader;
    reader->message = json_object();
    reader->counts = json_object();
    reader->group = reader->last = NULL;
    file->open = true;
    file->failed = false;
    file->from = from;
    file->line = line;
    file->batch_messages++;
}

static enum hub_status check_count(const struct file *file, struct hub_bytes line, size_t number) {
    struct hub_bytes name, rest, count, after;
    uint64_t told = 0;
    if (line.size <= NAME_SIZE || !hub_bytes_cut(line, line.data[NAME_SIZE], &name, &rest))
        return HUB_OK;
    if (!hub_bytes_cut(rest, line.data[NAME_SIZE], &count, &after))
        count = rest;
    if (count.size == 0)
        return HUB_OK;
    if (!hub_text_to_number(count, &told) || told != file->batch_messages)
        return hub_fail(file->reader.reterr, HUB_REJECT, "line %zu: the batch has %zu messages, "
                        "and its end (BTS-1) says another number: is the file whole?", number,
                        file->batch_messages);
    return HUB_OK;
}

static bool is_named(struct hub_bytes line, const char *name) {
    return line.size >= NAME_SIZE &&
           hub_bytes_equal_text(hub_bytes_part(line, 0, NAME_SIZE), name);
}

/* The lines around messages: `ret_taken` tells whether this is one. */
static enum hub_status take_batch_line(struct file *file, struct hub_bytes line, size_t number,
                                       bool *ret_taken) {
    bool file_begins = is_named(line, "FHS"), file_ends = is_named(line, "FTS");
    bool batch_begins = is_named(line, "BHS"), batch_ends = is_named(line, "BTS");
    *ret_taken = file_begins || file_ends || batch_begins || batch_ends;
    if (!*ret_taken)
        return HUB_OK;
    bool misplaced = (file_begins && (file->in_file || file->in_batch)) ||
                     (file_ends && (!file->in_file || file->in_batch)) ||
                     (batch_begins && file->in_batch) || (batch_ends && !file->in_batch);
    if (misplaced)
        return hub_fail(file->reader.reterr, HUB_REJECT, "line %zu: %.*s stands where none may; "
                        "FHS, BHS, messages, BTS, FTS would pass", number, NAME_SIZE,
                        (const char *)line.data);
    file->in_file = (file->in_file || file_begins) && !file_ends;
    file->in_batch = (file->in_batch || batch_begins) && !batch_ends;
    if (batch_ends)
        return check_count(file, line, number);
    if (batch_begins)
        file->batch_messages = 0;
    return HUB_OK;
}

static enum hub_status take_line(struct file *file, const struct lines *lines,
                                 struct hub_bytes line, size_t from) {
    struct reader *reader = &file->reader;
    bool header = is_named(line, "MSH"), around = false;
    HUB_TRY(take_batch_line(file, line, lines->number, &around));
    if (header || around)
        end_message(file, lines->document, from);
    if (around)
        return HUB_OK;
    if (header)
        begin_message(file, from, lines->number);
    else if (!file->open)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: a message begins with MSH and its "
                        "separators, as MSH|^~\\&|", lines->number);
    if (file->failed)
        return HUB_OK;
    enum hub_status status = read_segment(reader, line);
    if (status != HUB_REJECT || reader->values > VALUES_MAX)
        return status;
    file->failed = true;
    file->failed_line = lines->number;
    file->why = hub_arena_text(reader->arena, reader->reterr->text, strlen(reader->reterr->text));
    return HUB_OK;
}

static enum hub_status read_lines(struct file *file, struct lines *lines) {
    struct hub_error *reterr = file->reader.reterr;
    struct hub_bytes line;
    size_t from = 0;
    while (next_line(lines, &line, &from)) {
        if (lines->number > HUB_ROWS_MAX)
            return hub_fail(reterr, HUB_REJECT, "more than %d lines", HUB_ROWS_MAX);
        HUB_TRY(take_line(file, lines, line, from));
    }
    end_message(file, lines->document, lines->document.size);
    if (file->in_file || file->in_batch)
        return hub_fail(reterr, HUB_REJECT, "line %zu: the file ends before its %s; a whole file "
                        "would pass", lines->number, file->in_batch ? "BTS" : "FTS");
    if (file->parsed->row_count + file->parsed->error_count == 0 && lines->number == 0)
        return hub_fail(reterr, HUB_REJECT, "the file is empty; a message would pass");
    return HUB_OK;
}

static enum hub_status parse(const void *options_, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    static const char mark[] = "\xef\xbb\xbf";
    struct hub_parsed parsed = {.tree = json_object()};
    bool marked = document.size >= 3 && memcmp(document.data, mark, 3) == 0;
    struct lines lines = {.document = document, .position = marked ? 3 : 0};
    struct file file = {.reader = {.options = options_, .arena = arena, .reterr = reterr},
                        .parsed = &parsed,
                        .messages = json_array()};
    json_object_set_new(parsed.tree, "messages", file.messages);
    enum hub_status status = read_lines(&file, &lines);
    if (file.open) {
        json_decref(file.reader.message);
        json_decref(file.reader.counts);
    }
    hub_hl7v2_text_close(&file.reader.text);
    if (status != HUB_OK)
        json_decref(parsed.tree);
    else
        *ret_parsed = parsed;
    return status;
}

const struct hub_format hub_format_hl7v2 = {
    .name = "hl7v2",
    .summary = "HL7 v2 messages, one or several or a batch file; paths as SCH-2.1 and RGS.AIL-3.",
    .options = options,
    .options_size = sizeof(struct hl7v2_options),
    .check = check_options,
    .each = "messages",
    .each_is_whole = true,
    .parse = parse,
};
