/* The audit report as HTML: a page that stands alone, has no scripts, and can be printed. It is well-formed XML
 * too, so that any parser reads it. */
#include "hub/ctl/audit.h"

#include <stdlib.h>
#include <string.h>

static const char style[] =
    "body{font:14px/1.4 sans-serif;margin:2em;color:#111}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2em}"
    "th,td{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}"
    "th{background:#eee}code,td{overflow-wrap:anywhere}p.short{color:#a00}"
    "@media print{body{margin:0;font-size:10px}tr{break-inside:avoid}thead{display:table-header-group}}";

/* Whatever is written into the page goes through here. */
static void append_escaped(const char *text, struct hub_buffer *html) {
    for (; *text != '\0'; text++) {
        const char *instead = *text == '<'   ? "&lt;"
                              : *text == '>' ? "&gt;"
                              : *text == '&' ? "&amp;"
                              : *text == '"' ? "&quot;"
                              : *text == '\'' ? "&#39;"
                                              : NULL;
        bool control = (unsigned char)*text < ' ' && *text != '\n' && *text != '\t';
        if (instead != NULL)
            hub_buffer_append_text(html, instead);
        else
            hub_buffer_append_byte(html, control ? '?' : (uint8_t)*text);
    }
}

static void append_element(const char *name, const char *text, struct hub_buffer *html) {
    hub_buffer_append_format(html, "<%s>", name);
    append_escaped(text, html);
    hub_buffer_append_format(html, "</%s>", name);
}

static void append_compact(const json_t *value, struct hub_buffer *html) {
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    append_escaped(text == NULL ? "" : text, html);
    free(text);
}

/* A text as it is, an object by its members a line each, what is in them as JSON. */
static void append_value(const json_t *value, struct hub_buffer *html) {
    const char *name;
    const json_t *member;
    if (value == NULL || json_is_null(value))
        return;
    if (json_is_string(value)) {
        append_escaped(json_string_value(value), html);
        return;
    }
    if (!json_is_object(value)) {
        append_compact(value, html);
        return;
    }
    json_object_foreach((json_t *)value, name, member) {
        if (json_is_null(member))
            continue;
        append_element("b", name, html);
        hub_buffer_append_text(html, " ");
        if (json_is_string(member))
            append_escaped(json_string_value(member), html);
        else
            append_compact(member, html);
        hub_buffer_append_text(html, "<br/>");
    }
}

static void append_cell(const json_t *value, struct hub_buffer *html) {
    hub_buffer_append_text(html, "<td>");
    append_value(value, html);
    hub_buffer_append_text(html, "</td>");
}

static void append_head(const char *const *names, struct hub_buffer *html) {
    hub_buffer_append_text(html, "<table><thead><tr>");
    for (; *names != NULL; names++)
        append_element("th", *names, html);
    hub_buffer_append_text(html, "</tr></thead><tbody>\n");
}

static void append_end(struct hub_buffer *html) {
    hub_buffer_append_text(html, "</tbody></table>\n");
}

static void append_lines(const json_t *list, const char *element, struct hub_buffer *html) {
    size_t i;
    const json_t *line;
    json_array_foreach((json_t *)list, i, line) {
        append_element(element, json_string_value(line), html);
        hub_buffer_append_text(html, "<br/>");
    }
}

/* --- ALCOA+ --- */

static void append_figure(const json_t *figure, struct hub_buffer *html) {
    const json_t *of = json_object_get(figure, "of"), *met = json_object_get(figure, "met");
    bool is_short = of != NULL && json_integer_value(met) < json_integer_value(of);
    hub_buffer_append_text(html, is_short ? "<p class=\"short\">" : "<p>");
    append_value(json_object_get(figure, "what"), html);
    hub_buffer_append_text(html, ": ");
    append_value(of != NULL ? met : json_object_get(figure, "value"), html);
    if (of != NULL) {
        hub_buffer_append_text(html, " of ");
        append_value(of, html);
    }
    hub_buffer_append_text(html, "</p>");
}

static void append_alcoa(const json_t *rows, struct hub_buffer *html) {
    static const char *const head[] = {"", "Asks", "Met by", "Figures, of what was read", "See", NULL};
    size_t i, k;
    const json_t *row, *figure;
    append_element("h2", "ALCOA+, row by row", html);
    append_head(head, html);
    json_array_foreach((json_t *)rows, i, row) {
        hub_buffer_append_text(html, "<tr>");
        append_element("th", json_string_value(json_object_get(row, "name")), html);
        append_cell(json_object_get(row, "asks"), html);
        append_cell(json_object_get(row, "met"), html);
        hub_buffer_append_text(html, "<td>");
        json_array_foreach(json_object_get(row, "figures"), k, figure)
            append_figure(figure, html);
        hub_buffer_append_text(html, "</td><td>");
        append_lines(json_object_get(row, "see"), "code", html);
        hub_buffer_append_text(html, "</td></tr>\n");
    }
    append_end(html);
}

/* --- acts --- */

static void append_acts(const json_t *acts, struct hub_buffer *html) {
    static const char *const head[] = {"When", "Act",    "Who",   "Why",  "About",
                                       "Before", "After", "Place", NULL};
    static const char *const names[] = {"time", "act", "who", "why", "about", "before", "after"};
    size_t i;
    const json_t *act;
    append_element("h2", "Administrative acts", html);
    append_head(head, html);
    json_array_foreach((json_t *)acts, i, act) {
        hub_buffer_append_text(html, "<tr>");
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            append_cell(json_object_get(act, names[k]), html);
        hub_buffer_append_text(html, "<td>");
        append_lines(json_object_get(act, "places"), "code", html);
        hub_buffer_append_text(html, "</td></tr>\n");
    }
    append_end(html);
    if (json_array_size(acts) == 0)
        append_element("p", "None of these times.", html);
}

static void append_kinds(const json_t *kinds, struct hub_buffer *html) {
    static const char *const head[] = {"Act", "Command", "Recorded in", NULL};
    static const char *const names[] = {"act", "command", "recorded"};
    size_t i;
    const json_t *kind;
    append_element("h2", "Which acts there are, and where each is recorded", html);
    append_head(head, html);
    json_array_foreach((json_t *)kinds, i, kind) {
        hub_buffer_append_text(html, "<tr>");
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            append_cell(json_object_get(kind, names[k]), html);
        hub_buffer_append_text(html, "</tr>\n");
    }
    append_end(html);
}

void hub_ctl_audit_html(const json_t *report, struct hub_buffer *html) {
    hub_buffer_append_text(html,
                           "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">"
                           "<head><meta charset=\"utf-8\"/><title>Audit report of ATMP Hub</title><style>");
    hub_buffer_append_text(html, style);
    hub_buffer_append_text(html, "</style></head><body>\n");
    append_element("h1", "Audit report of ATMP Hub", html);
    hub_buffer_append_text(html, "<p>");
    append_value(json_object_get(report, "report"), html);
    hub_buffer_append_text(html, "</p>\n<p>");
    append_lines(json_object_get(report, "remarks"), "span", html);
    hub_buffer_append_text(html, "</p>\n");
    append_alcoa(json_object_get(report, "alcoa"), html);
    append_acts(json_object_get(report, "acts"), html);
    append_kinds(json_object_get(report, "kinds"), html);
    hub_buffer_append_text(html, "</body></html>\n");
}
