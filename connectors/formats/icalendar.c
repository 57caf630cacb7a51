/* iCalendar (RFC 5545) in UTF-8: every VEVENT of every calendar in the file.
 *
 * An event is an object of its properties by name, in capitals: a text, or where there are parameters
 * an object of these as @NAME and of the text as #text. A property that comes again makes a list, and
 * so do the parts of CATEGORIES and RESOURCES. Components inside an event are lists of such objects,
 * and VCALENDAR is one of the properties of the calendar around. Folded lines are put together and
 * escaped characters are what they stand for. Values are not looked at otherwise: libical, which does,
 * was tried and guesses where it should refuse (SEQUENCE:abc becomes 0, 2026-03-12 another form of
 * date, DURATION:P no time at all).
 *
 * A property that cannot be read costs its event, with its bytes; the next one goes on. Time zones
 * are the names in TZID: definitions of them in the file (VTIMEZONE) are left aside. */
#include "connectors/formats/formats.h"
#include "connectors/formats/rows.h"
#include "hub/base/text.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 8, VALUES_MAX = 1000000, EVENT_DEPTH = 2 };

static const struct hub_option options[] = {{0}};

struct reader {
    struct hub_arena *arena;
    struct hub_error *reterr;
    struct hub_bytes document;
    struct hub_parsed *parsed;
    json_t *events;
    const char *open[DEPTH_MAX]; /* names of the components that are open, the outer one first */
    size_t depth, values;
    json_t *calendar;         /* its properties; NULL outside one */
    json_t *event;            /* NULL outside one */
    json_t *parts[DEPTH_MAX]; /* of the event: itself and what is open in it */
    size_t part_count;
    size_t from, line; /* where the event begins */
    const char *why;   /* the event cannot be read, or NULL */
    size_t why_line;
};

/* --- properties --- */

static bool is_listed(const char *name) {
    return strcmp(name, "CATEGORIES") == 0 || strcmp(name, "RESOURCES") == 0;
}

static void add_member(json_t *object, const char *name, json_t *value) {
    json_t *there = json_object_get(object, name);
    if (there == NULL)
        json_object_set_new(object, name, value);
    else if (json_is_array(there))
        json_array_append_new(there, value);
    else
        json_object_set_new(object, name, json_pack("[O, o]", there, value));
}

/* The name at the front of `rest`, in capitals; NULL where there is none. */
static const char *take_name(struct reader *reader, struct hub_bytes *rest) {
    size_t size = 0;
    while (size < rest->size && (isalnum(rest->data[size]) || rest->data[size] == '-'))
        size++;
    if (size == 0)
        return NULL;
    char *name = hub_arena_text(reader->arena, (const char *)rest->data, size);
    for (size_t i = 0; i < size; i++)
        name[i] = (char)toupper((unsigned char)name[i]);
    *rest = hub_bytes_part(*rest, size, rest->size);
    return name;
}

/* A parameter's value up to a ; or : outside quotes, without the quotes, and with RFC 6868's ^n ^^ ^'
 * as what they stand for. */
static json_t *take_parameter(struct hub_bytes *rest) {
    HUB_SCOPED_BUFFER text = {0};
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->size && (quoted || (rest->data[i] != ';' && rest->data[i] != ':')); i++) {
        uint8_t c = rest->data[i], next = i + 1 < rest->size ? rest->data[i + 1] : 0;
        bool coded = c == '^' && (next == 'n' || next == '^' || next == '\'');
        if (c == '"')
            quoted = !quoted;
        else if (coded)
            hub_buffer_append_byte(&text, next == 'n' ? '\n' : next == '^' ? '^' : '"');
        else
            hub_buffer_append_byte(&text, c);
        i += coded;
    }
    *rest = hub_bytes_part(*rest, i, rest->size);
    return json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size);
}

/* A value's next part, up to a comma that is not escaped where it is a list. */
static json_t *take_text(struct hub_bytes *rest, bool listed) {
    HUB_SCOPED_BUFFER text = {0};
    size_t i = 0;
    for (; i < rest->size && !(listed && rest->data[i] == ','); i++) {
        uint8_t c = rest->data[i], next = i + 1 < rest->size ? rest->data[i + 1] : 0;
        bool escaped = c == '\\' && next != 0 && strchr("\\;,nN", next) != NULL;
        hub_buffer_append_byte(&text, !escaped                       ? c
                                      : next == 'n' || next == 'N' ? '\n'
                                                                   : next);
        i += escaped;
    }
    *rest = hub_bytes_part(*rest, i + (i < rest->size), rest->size);
    return json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size);
}

static json_t *with_parameters(json_t *parameters, json_t *text) {
    if (json_object_size(parameters) == 0)
        return text;
    json_t *value = json_copy(parameters);
    json_object_set_new(value, "#text", text);
    return value;
}

/* NAME;PARAMETER=value:value, added to the object. What is wrong with it, or NULL. */
static const char *add_property(struct reader *reader, struct hub_bytes line, json_t *object) {
    static const char form[] = "no property; NAME:value or NAME;PARAMETER=value:value would pass";
    if (!hub_text_is_utf8(line) || memchr(line.data, '\0', line.size) != NULL)
        return "a byte that is not UTF-8, or a zero byte";
    const char *name = take_name(reader, &line), *wrong = name == NULL ? form : NULL;
    json_t *parameters = json_object();
    while (wrong == NULL && line.size > 0 && line.data[0] == ';') {
        line = hub_bytes_part(line, 1, line.size);
        const char *parameter = take_name(reader, &line);
        if (parameter == NULL || line.size == 0 || line.data[0] != '=') {
            wrong = form;
            break;
        }
        line = hub_bytes_part(line, 1, line.size);
        json_object_set_new(parameters, hub_arena_format(reader->arena, "@%s", parameter),
                            take_parameter(&line));
    }
    if (wrong == NULL && (line.size == 0 || line.data[0] != ':'))
        wrong = form;
    if (wrong == NULL)
        line = hub_bytes_part(line, 1, line.size);
    bool listed = wrong == NULL && is_listed(name);
    while (wrong == NULL && line.size > 0) {
        add_member(object, name, with_parameters(parameters, take_text(&line, listed)));
        reader->values++;
    }
    json_decref(parameters);
    return wrong;
}

/* --- components --- */

static bool is_event(const struct reader *reader) {
    return reader->depth == EVENT_DEPTH && strcmp(reader->open[1], "VEVENT") == 0;
}

static enum hub_status begin_component(struct reader *reader, const char *name, size_t from,
                                       size_t line) {
    if (reader->depth == 0 && strcmp(name, "VCALENDAR") != 0)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: a calendar begins with "
                        "BEGIN:VCALENDAR", line);
    if (reader->depth == DEPTH_MAX)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: components nested deeper than %d "
                        "levels", line, DEPTH_MAX);
    reader->open[reader->depth++] = name;
    if (reader->depth == 1) {
        reader->calendar = json_object();
    } else if (is_event(reader)) {
        reader->event = reader->parts[0] = json_object();
        reader->part_count = 1;
        reader->from = from;
        reader->line = line;
        reader->why = NULL;
        json_object_set(reader->event, "VCALENDAR", reader->calendar);
    } else if (reader->event != NULL) {
        json_t *part = json_object(), *around = reader->parts[reader->part_count - 1];
        json_t *list = json_object_get(around, name);
        if (!json_is_array(list))
            json_object_set_new(around, name, list = json_array());
        json_array_append_new(list, part);
        reader->parts[reader->part_count++] = part;
    }
    return HUB_OK;
}

static enum hub_status end_component(struct reader *reader, const char *name, size_t to,
                                     size_t line) {
    struct hub_parsed *parsed = reader->parsed;
    if (reader->depth == 0 || strcmp(reader->open[reader->depth - 1], name) != 0)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: END of what is not open", line);
    if (is_event(reader)) {
        struct hub_bytes raw = hub_bytes_part(reader->document, reader->from, to);
        if (reader->why != NULL) {
            hub_rows_add_error(parsed, reader->arena, raw, reader->why_line, reader->why);
        } else {
            hub_rows_add(parsed, reader->arena, raw, reader->line);
            json_array_append(reader->events, reader->event);
        }
        json_decref(reader->event);
        reader->event = NULL;
    } else if (reader->event != NULL) {
        reader->part_count--;
    } else if (reader->depth == 1) {
        json_decref(reader->calendar);
        reader->calendar = NULL;
    }
    reader->depth--;
    if (parsed->row_count + parsed->error_count > HUB_ROWS_MAX)
        return hub_fail(reader->reterr, HUB_REJECT, "more than %d events", HUB_ROWS_MAX);
    return HUB_OK;
}

/* What follows BEGIN: or END:, in capitals; NULL of any other line. */
static const char *component_of(struct reader *reader, struct hub_bytes line, const char *word) {
    size_t size = strlen(word);
    if (line.size <= size || strncasecmp((const char *)line.data, word, size) != 0)
        return NULL;
    struct hub_bytes rest = hub_bytes_part(line, size, line.size);
    const char *name = take_name(reader, &rest);
    while (rest.size > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
        rest = hub_bytes_part(rest, 1, rest.size);
    return rest.size == 0 ? name : NULL;
}

static enum hub_status take_line(struct reader *reader, struct hub_bytes line, size_t from,
                                 size_t to, size_t number) {
    const char *begins = component_of(reader, line, "BEGIN:");
    const char *ends = component_of(reader, line, "END:");
    if (begins != NULL)
        return begin_component(reader, begins, from, number);
    if (ends != NULL)
        return end_component(reader, ends, to, number);
    if (reader->depth == 0)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: a calendar begins with "
                        "BEGIN:VCALENDAR", number);
    if (reader->event == NULL && reader->depth > 1)
        return HUB_OK; /* tasks, notes and time zones */
    const char *wrong =
        add_property(reader, line,
                     reader->event == NULL ? reader->calendar
                                           : reader->parts[reader->part_count - 1]);
    if (reader->values > VALUES_MAX)
        return hub_fail(reader->reterr, HUB_REJECT, "more than %d values in the document",
                        VALUES_MAX);
    if (wrong != NULL && reader->event == NULL)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: %s", number, wrong);
    if (wrong != NULL && reader->why == NULL) {
        reader->why = wrong;
        reader->why_line = number;
    }
    return HUB_OK;
}

/* --- lines --- */

/* Appends the line that begins at `from` without its end; where the next one begins. */
static size_t append_line(struct hub_bytes document, size_t from, struct hub_buffer *line) {
    size_t to = from;
    while (to < document.size && document.data[to] != '\n')
        to++;
    size_t end = to > from && document.data[to - 1] == '\r' ? to - 1 : to;
    hub_buffer_append_bytes(line, hub_bytes_part(document, from, end));
    return to + (to < document.size);
}

static enum hub_status read_lines(struct reader *reader) {
    struct hub_bytes document = reader->document;
    bool marked = document.size >= 3 && memcmp(document.data, "\xef\xbb\xbf", 3) == 0;
    HUB_SCOPED_BUFFER line = {0};
    size_t number = 0, next = 0;
    for (size_t from = marked ? 3 : 0; from < document.size; from = next) {
        size_t first = ++number;
        line.size = 0;
        next = append_line(document, from, &line);
        while (next < document.size &&
               (document.data[next] == ' ' || document.data[next] == '\t')) {
            next = append_line(document, next + 1, &line);
            number++;
        }
        if (line.size > 0)
            HUB_TRY(take_line(reader, hub_buffer_bytes(&line), from, next, first));
    }
    if (reader->depth > 0)
        return hub_fail(reader->reterr, HUB_REJECT, "line %zu: the file ends before END:%s; a whole "
                        "file would pass", number, reader->open[reader->depth - 1]);
    if (number == 0)
        return hub_fail(reader->reterr, HUB_REJECT, "the file is empty; a calendar would pass");
    return HUB_OK;
}

static enum hub_status parse(const void *unused, struct hub_bytes document,
                             struct hub_arena *arena, struct hub_parsed *ret_parsed,
                             struct hub_error *reterr) {
    (void)unused;
    struct hub_parsed parsed = {.tree = json_object()};
    struct reader reader = {.arena = arena,
                            .reterr = reterr,
                            .document = document,
                            .parsed = &parsed,
                            .events = json_array()};
    json_object_set_new(parsed.tree, "events", reader.events);
    enum hub_status status = read_lines(&reader);
    json_decref(reader.event);
    json_decref(reader.calendar);
    if (status != HUB_OK)
        json_decref(parsed.tree);
    else
        *ret_parsed = parsed;
    return status;
}

const struct hub_format hub_format_icalendar = {
    .name = "icalendar",
    .summary = "The events of a calendar; paths as DTSTART and DTSTART.@TZID.",
    .options = options,
    .options_size = 1,
    .each = "events",
    .parse = parse,
};
