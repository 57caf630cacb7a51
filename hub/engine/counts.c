#include "hub/engine/counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char admit_format[] = "v1 read=%" PRId64 " created=%" PRId64 " changed=%" PRId64
                                   " unchanged=%" PRId64 " late=%" PRId64 " withdrawn=%" PRId64
                                   " moved=%" PRId64 " dead=%" PRId64 " security=%" PRId64;
static const char fold_format[] = "v1 read=%" PRId64 " published=%" PRId64 " unchanged=%" PRId64
                                  " superseded=%" PRId64 " withdrawn=%" PRId64
                                  " decided=%" PRId64 " refused=%" PRId64
                                  " ruled=%" PRId64 " overruled=%" PRId64
                                  " facts=%" PRId64 " statements=%zu entities=%zu conflicts=%zu"
                                  " matches=%zu set_aside=%zu core=%" PRId64 " rules=";
static const char refer_format[] = "v1 read=%" PRId64 " facts=%" PRId64;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void hub_counts_render_admit(const struct hub_admit_counts *counts, struct hub_buffer *buffer) {
    hub_buffer_append_format(buffer, admit_format, counts->read, counts->created, counts->changed,
                             counts->unchanged, counts->late, counts->withdrawn, counts->moved,
                             counts->dead, counts->security);
}

void hub_counts_render_fold(const struct hub_committed_fold *fold, struct hub_buffer *buffer) {
    const struct hub_fold_counts *counts = &fold->counts;
    const struct hub_fold_gauges *gauges = &fold->gauges;
    hub_buffer_append_format(buffer, fold_format, counts->read, counts->published,
                             counts->unchanged, counts->superseded, counts->withdrawn,
                             counts->decided, counts->refused, counts->ruled,
                             counts->overruled, counts->facts, gauges->statements,
                             gauges->entities, gauges->conflicts_open, gauges->matches_open,
                             gauges->identifiers_set_aside, fold->core);
    hub_buffer_append_text(buffer, fold->rules);
}

void hub_counts_render_refer(const struct hub_refer_counts *counts, struct hub_buffer *buffer) {
    hub_buffer_append_format(buffer, refer_format, counts->read, counts->facts);
}

static const char schemas_word[] = "schemas=";

void hub_counts_render_schemas(const char *stamp, struct hub_buffer *buffer) {
    hub_buffer_append_format(buffer, "%s%s ", schemas_word, stamp);
}

/* What follows the schemas, where they are named. */
static const char *skip_schemas(const char *text) {
    if (text == NULL || strncmp(text, schemas_word, sizeof schemas_word - 1) != 0)
        return text;
    text += strcspn(text, " ");
    return text + (*text == ' ');
}

enum hub_status hub_counts_check_schemas(const char *text, const struct hub_catalogue *catalogue,
                                         const struct hub_digester *digester,
                                         struct hub_error *reterr) {
    const char *rest = skip_schemas(text);
    HUB_SCOPED_BUFFER named = {0}, own = {0};
    if (rest == text)
        return HUB_OK;
    const char *stamp = text + sizeof schemas_word - 1;
    hub_buffer_append(&named, stamp, strcspn(stamp, " "));
    if (hub_catalogue_continues(catalogue, digester, hub_buffer_text(&named)))
        return HUB_OK;
    hub_catalogue_stamp(catalogue, digester, &own);
    return hub_fail(reterr, HUB_FATAL,
                    "was worked on with schemas up to %s, and registry.lock.json here, up to %s, "
                    "does not have them all: one that has them would pass",
                    hub_buffer_text(&named), hub_buffer_text(&own));
}

/* Whether the text is what was rendered, to its end. */
static bool is_whole(const char *text, struct hub_buffer *rendered) {
    return strcmp(text, hub_buffer_text(rendered)) == 0;
}

enum hub_status hub_counts_parse_admit(const char *text, struct hub_admit_counts *ret_counts,
                                       struct hub_error *reterr) {
    struct hub_admit_counts counts = {0};
    HUB_SCOPED_BUFFER rendered = {0};
    text = skip_schemas(text);
    if (text != NULL) {
        sscanf(text, admit_format, &counts.read, &counts.created, &counts.changed,
               &counts.unchanged, &counts.late, &counts.withdrawn, &counts.moved, &counts.dead,
               &counts.security);
        hub_counts_render_admit(&counts, &rendered);
    }
    if (text != NULL && !is_whole(text, &rendered))
        return hub_fail(reterr, HUB_FATAL, "committed metadata '%s' is no counts of admit", text);
    *ret_counts = counts;
    return HUB_OK;
}

enum hub_status hub_counts_parse_fold(const char *text, struct hub_committed_fold *ret_fold,
                                      struct hub_error *reterr) {
    struct hub_committed_fold fold = {.core = 0};
    struct hub_fold_counts *counts = &fold.counts;
    struct hub_fold_gauges *gauges = &fold.gauges;
    HUB_SCOPED_BUFFER rendered = {0};
    text = skip_schemas(text);
    if (text != NULL) {
        const char *last = strrchr(text, '=');
        if (last != NULL)
            snprintf(fold.rules, sizeof fold.rules, "%s", last + 1);
        sscanf(text, fold_format, &counts->read, &counts->published, &counts->unchanged,
               &counts->superseded, &counts->withdrawn, &counts->decided, &counts->refused,
               &counts->ruled, &counts->overruled, &counts->facts, &gauges->statements,
               &gauges->entities, &gauges->conflicts_open, &gauges->matches_open,
               &gauges->identifiers_set_aside, &fold.core);
        hub_counts_render_fold(&fold, &rendered);
    }
    if (text != NULL && !is_whole(text, &rendered))
        return hub_fail(reterr, HUB_FATAL, "committed metadata '%s' is no counts of fold", text);
    *ret_fold = fold;
    return HUB_OK;
}

enum hub_status hub_counts_parse_refer(const char *text, struct hub_refer_counts *ret_counts,
                                       struct hub_error *reterr) {
    struct hub_refer_counts counts = {0};
    HUB_SCOPED_BUFFER rendered = {0};
    text = skip_schemas(text);
    if (text != NULL) {
        sscanf(text, refer_format, &counts.read, &counts.facts);
        hub_counts_render_refer(&counts, &rendered);
    }
    bool whole = text == NULL ||
                 (strncmp(text, hub_buffer_text(&rendered), rendered.size) == 0 &&
                  (text[rendered.size] == '\0' || text[rendered.size] == ' '));
    if (!whole)
        return hub_fail(reterr, HUB_FATAL, "committed metadata '%s' is no counts of refer", text);
    *ret_counts = counts;
    return HUB_OK;
}

bool hub_counts_followed(const char *text, const char *domain, int64_t *ret_offset) {
    size_t size = strlen(domain);
    for (const char *word = text == NULL ? "" : text; *word != '\0';) {
        size_t length = strcspn(word, " ");
        if (length > size && strncmp(word, domain, size) == 0 && word[size] == '=') {
            *ret_offset = strtoll(word + size + 1, NULL, 10);
            return true;
        }
        word += length;
        word += *word == ' ';
    }
    return false;
}

#pragma GCC diagnostic pop
