/* Text in UTF-8 of one `label: value` a line, as registers hand it to people: a label is what stands
 * before the first colon of a line that fits `label`. A line that fits and has no colon is a heading
 * and says nothing; any other line goes on with the value before it.
 *
 * A record begins with the label `begin`, and a file may have several. Each becomes an object of its
 * values by their labels, in which a run of spaces or tabs is one space; a label that comes again
 * makes a list. What is before the first record is left out. */
#include "connectors/formats/formats.h"
#include "connectors/formats/rows.h"
#include "connectors/kit/expression.h"
#include "hub/base/text.h"

#include <stdio.h>
#include <string.h>

enum { MATCH_STEPS_MAX = 10000 };

struct labelled_options {
    const char *label;
    const char *begin;
};

static const struct hub_option options[] = {
    {.name = "label",
     HUB_TEXT_OPTION(struct labelled_options, label),
     .initial = "[^:]+",
     .help = "A regular expression that fits where a line begins with a label or is a heading."},
    {.name = "begin",
     HUB_TEXT_OPTION(struct labelled_options, begin),
     .required = true,
     .help = "The label of a record's first line."},
    {0},
};

static pcre2_code *compile(const char *pattern, int *ret_code, PCRE2_SIZE *ret_at) {
    return hub_expression_compile(pattern, PCRE2_ZERO_TERMINATED, PCRE2_ANCHORED, ret_code, ret_at);
}

static enum hub_status check_options(const void *options_, struct hub_error *reterr) {
    const struct labelled_options *own = options_;
    int code = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR text[256];
    pcre2_code *label = compile(own->label, &code, &at);
    if (label != NULL) {
        pcre2_code_free(label);
        return HUB_OK;
    }
    pcre2_get_error_message(code, text, sizeof text);
    return hub_fail(reterr, HUB_FATAL, "label '%s' at character %zu: %s", own->label,
                    (size_t)at + 1, text);
}

struct reader {
    const struct labelled_options *options;
    struct hub_arena *arena;
    struct hub_bytes document;
    struct hub_parsed *parsed;
    json_t *records;
    pcre2_code *label;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    /* The record that is being read. */
    json_t *record; /* or NULL */
    size_t from, line;
    bool foreign; /* some of it is not in UTF-8 */
    const char *name; /* of the value that may go on, or NULL */
    struct hub_buffer value;
};

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

static struct hub_bytes trim(struct hub_bytes text) {
    size_t from = 0, to = text.size;
    while (from < to && is_blank(text.data[from]))
        from++;
    while (to > from && is_blank(text.data[to - 1]))
        to--;
    return hub_bytes_part(text, from, to);
}

/* A label as it is named in paths. */
static const char *name_of(struct reader *reader, struct hub_bytes label) {
    char *name = hub_arena_take_zero(reader->arena, label.size + 1, 1);
    size_t size = 0;
    label = trim(label);
    for (size_t i = 0; i < label.size; i++)
        if (!is_blank(label.data[i]))
            name[size++] = (char)label.data[i];
        else if (!is_blank(label.data[i + 1]))
            name[size++] = ' ';
    return name;
}

static void add_value(json_t *record, const char *name, json_t *value) {
    json_t *there = json_object_get(record, name);
    if (there == NULL) {
        json_object_set_new(record, name, value);
    } else if (json_is_array(there)) {
        json_array_append_new(there, value);
    } else {
        json_object_set_new(record, name, json_pack("[O, o]", there, value));
    }
}

static void end_value(struct reader *reader) {
    struct hub_bytes value = hub_buffer_bytes(&reader->value);
    while (value.size > 0 && (value.data[value.size - 1] == '\n' ||
                              is_blank(value.data[value.size - 1])))
        value.size--;
    if (reader->record != NULL && reader->name != NULL && !reader->foreign)
        add_value(reader->record, reader->name,
                  json_stringn(value.size == 0 ? "" : (const char *)value.data, value.size));
    reader->name = NULL;
    hub_buffer_clear(&reader->value);
}

static void end_record(struct reader *reader, size_t to) {
    struct hub_bytes raw = hub_bytes_part(reader->document, reader->from, to);
    end_value(reader);
    if (reader->record == NULL)
        return;
    if (reader->foreign) {
        hub_rows_add_error(reader->parsed, reader->arena, raw, reader->line,
                           "a byte that is not UTF-8, or a zero byte");
    } else {
        hub_rows_add(reader->parsed, reader->arena, raw, reader->line);
        json_array_append(reader->records, reader->record);
    }
    json_decref(reader->record);
    reader->record = NULL;
}

static enum hub_status fits_label(struct reader *reader, struct hub_bytes line, size_t number,
                                  bool *ret_fits, struct hub_error *reterr) {
    int groups = pcre2_match(reader->label, line.data, line.size, 0, 0, reader->match,
                             reader->limits);
    *ret_fits = groups >= 0;
    if (groups >= 0 || groups == PCRE2_ERROR_NOMATCH)
        return HUB_OK;
    return hub_fail(reterr, HUB_REJECT, "line %zu: 'label' takes more than %d steps; a simpler one "
                    "would pass", number, MATCH_STEPS_MAX);
}

static enum hub_status take_line(struct reader *reader, struct hub_bytes line, size_t from,
                                 size_t number, struct hub_error *reterr) {
    struct hub_bytes label, value;
    bool fits = false, valued = hub_bytes_cut(line, ':', &label, &value);
    HUB_TRY(fits_label(reader, line, number, &fits, reterr));
    if (fits)
        end_value(reader);
    const char *name = fits && valued ? name_of(reader, label) : NULL;
    if (name != NULL && strcmp(name, reader->options->begin) == 0) {
        end_record(reader, from);
        reader->record = json_object();
        reader->from = from;
        reader->line = number;
        reader->foreign = false;
    }
    reader->foreign |= !hub_text_is_utf8(line) || memchr(line.data, '\0', line.size) != NULL;
    if (name != NULL) {
        reader->name = name;
        hub_buffer_append_bytes(&reader->value, trim(value));
    } else if (!fits && reader->name != NULL) {
        hub_buffer_append_byte(&reader->value, '\n');
        hub_buffer_append_bytes(&reader->value, trim(line));
    }
    return HUB_OK;
}

static enum hub_status read_lines(struct reader *reader, struct hub_error *reterr) {
    struct hub_bytes document = reader->document;
    bool marked = document.size >= 3 && memcmp(document.data, "\xef\xbb\xbf", 3) == 0;
    size_t number = 0;
    for (size_t from = marked ? 3 : 0, to; from < document.size; from = to + 1) {
        for (to = from; to < document.size && document.data[to] != '\n';)
            to++;
        size_t end = to > from && document.data[to - 1] == '\r' ? to - 1 : to;
        HUB_TRY(take_line(reader, hub_bytes_part(document, from, end), from, ++number, reterr));
        if (reader->parsed->row_count + reader->parsed->error_count > HUB_ROWS_MAX)
            return hub_fail(reterr, HUB_REJECT, "more than %d records", HUB_ROWS_MAX);
    }
    end_record(reader, document.size);
    if (reader->parsed->row_count + reader->parsed->error_count == 0)
        return hub_fail(reterr, HUB_REJECT, "no line begins with the label '%s', with which a "
                        "record begins", reader->options->begin);
    return HUB_OK;
}

static enum hub_status parse(const void *options_, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    const struct labelled_options *own = options_;
    struct hub_parsed parsed = {.tree = json_object()};
    int code = 0;
    PCRE2_SIZE at = 0;
    struct reader reader = {.options = own,
                            .arena = arena,
                            .document = document,
                            .parsed = &parsed,
                            .records = json_array(),
                            .label = compile(own->label, &code, &at),
                            .limits = hub_expression_limits(MATCH_STEPS_MAX)};
    reader.match = pcre2_match_data_create_from_pattern(reader.label, NULL);
    json_object_set_new(parsed.tree, "records", reader.records);
    enum hub_status status = read_lines(&reader, reterr);
    json_decref(reader.record);
    hub_buffer_free(&reader.value);
    pcre2_match_context_free(reader.limits);
    pcre2_match_data_free(reader.match);
    pcre2_code_free(reader.label);
    if (status != HUB_OK)
        json_decref(parsed.tree);
    else
        *ret_parsed = parsed;
    return status;
}

const struct hub_format hub_format_labelled_text = {
    .name = "labelled-text",
    .summary = "Records of `label: value` lines; paths as \"A.2 EudraCT number\".",
    .options = options,
    .options_size = sizeof(struct labelled_options),
    .check = check_options,
    .each = "records",
    .parse = parse,
};
