/* The steps of a thing's way, as Regulation (EC) 1394/2007 Article 15 asks for them: where material
 * is from, what was made of it, through whose hands it went, and whom it was given to. */
#include "hub/ctl/trace.h"

#include "hub/base/text.h"

#include <string.h>

enum { MINUTES_SIZE = 16 }; /* 2026-03-24T12:10 */

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static void add_step(json_t *steps, const char *kind, const struct hub_buffer *text,
                     const char *gap) {
    json_array_append_new(steps, json_pack("{s:s, s:s%, s:s?}", "kind", kind, "text", text->data,
                                           text->size, "gap", gap));
}

/* A Time to the minute. */
static void append_time(const char *before, const json_t *time, struct hub_buffer *text) {
    const char *instant = text_of(time, "time");
    if (*instant != '\0')
        hub_buffer_append_format(text, "%s%.*sZ", before, MINUTES_SIZE, instant);
}

static void append_org(const char *before, const json_t *organisation, struct hub_buffer *text) {
    if (json_is_object(organisation))
        hub_buffer_append_format(text, "%s%s", before, text_of(organisation, "text"));
}

static void add_consent(const json_t *value, json_t *steps) {
    const json_t *consent = json_object_get(value, "consent");
    HUB_SCOPED_BUFFER text = {0};
    if (!json_is_object(consent))
        return;
    hub_buffer_append_format(&text, "consent %s", text_of(consent, "state"));
    if (*text_of(consent, "scope") != '\0')
        hub_buffer_append_format(&text, ", for %s", text_of(consent, "scope"));
    add_step(steps, "consent", &text, NULL);
}

static void add_interval(const json_t *value, json_t *steps) {
    const json_t *interval = json_object_get(value, "interval");
    HUB_SCOPED_BUFFER text = {0};
    if (!json_is_object(interval))
        return;
    append_time("from ", json_object_get(interval, "start"), &text);
    append_time(" to ", json_object_get(interval, "end"), &text);
    add_step(steps, "interval", &text, NULL);
}

static void add_shipments(const json_t *value, json_t *steps) {
    size_t i;
    const json_t *shipment;
    json_array_foreach(json_object_get(value, "custody"), i, shipment) {
        const json_t *dispatched = json_object_get(shipment, "dispatched");
        const json_t *received = json_object_get(shipment, "received");
        HUB_SCOPED_BUFFER text = {0};
        hub_buffer_append_format(&text, "shipment %s", text_of(shipment, "shipment"));
        append_org(" from ", json_object_get(shipment, "from"), &text);
        append_time(", dispatched ", dispatched, &text);
        append_org(" to ", json_object_get(shipment, "to"), &text);
        append_time(", received ", received, &text);
        add_step(steps, "shipment", &text,
                 !json_is_object(received)     ? "nobody tells that it arrived"
                 : !json_is_object(dispatched) ? "nobody tells that it was dispatched"
                                               : NULL);
    }
}

static void add_release(const json_t *value, json_t *steps) {
    const json_t *decision = json_object_get(value, "qp");
    HUB_SCOPED_BUFFER text = {0};
    if (!json_is_object(decision))
        return;
    hub_buffer_append_format(&text, "decided by the %s", text_of(decision, "role"));
    append_time(", ", json_object_get(decision, "at"), &text);
    add_step(steps, "decision", &text, NULL);
}

static void add_doses(const json_t *value, json_t *steps) {
    size_t i;
    const json_t *dose;
    json_array_foreach(json_object_get(value, "doses"), i, dose) {
        const char *subject = text_of(dose, "subject_ref");
        HUB_SCOPED_BUFFER text = {0};
        hub_buffer_append_format(&text, "dose %s", text_of(dose, "dose"));
        append_time(", given ", json_object_get(dose, "given"), &text);
        if (*subject != '\0')
            hub_buffer_append_format(&text, " to %s", subject);
        add_step(steps, "dose", &text,
                 *subject == '\0' ? "nobody tells whom it was given to" : NULL);
    }
}

/* --- what must have been told --- */

static bool links_to(const json_t *value, const char *domain) {
    size_t i;
    const json_t *link;
    json_array_foreach(json_object_get(value, "links"), i, link) {
        if (strcmp(text_of(link, "domain"), domain) == 0)
            return true;
    }
    return false;
}

static bool is_one_of(const char *text, const char *const *texts) {
    for (; *texts != NULL; texts++)
        if (strcmp(text, *texts) == 0)
            return true;
    return false;
}

static const char *const made[] = {"IN_PROCESS", "QC",       "RELEASED", "SHIPPED",
                                   "RECEIVED",   "INFUSED", "RECALLED", NULL};
static const char *const left[] = {"SHIPPED", "RECEIVED", "INFUSED", NULL};
static const char *const given[] = {"INFUSED", NULL};
static const char *const used[] = {"USED", NULL};

/* A thing in one of these states has one of these: a link to a domain, a field, a successor. */
static const struct {
    const char *domain;
    const char *const *states;
    const char *link, *field;
    bool successor;
    const char *gap;
} needs[] = {
    {"batch", made, "material", NULL, false, "nobody tells what material it was made of"},
    {"batch", made, "gmp-slot", NULL, false, "nobody tells in which slot it was made"},
    {"batch", left, NULL, "qp", false, "nobody tells that a qualified person released it"},
    {"batch", left, NULL, "custody", false, "nobody tells of a shipment"},
    {"batch", given, NULL, "doses", false, "nobody tells of a dose"},
    {"material", used, NULL, NULL, true, "nobody tells what it was used for"},
};

static bool has_field(const json_t *value, const char *name) {
    const json_t *field = json_object_get(value, name);
    return json_is_object(field) || json_array_size(field) > 0;
}

static void add_missing(const char *domain, const json_t *value, bool has_successor,
                        json_t *steps) {
    HUB_SCOPED_BUFFER text = {0};
    const char *status = text_of(value, "status");
    hub_buffer_append_format(&text, "status %s", status);
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (strcmp(needs[i].domain, domain) != 0 || !is_one_of(status, needs[i].states))
            continue;
        bool told = needs[i].link != NULL    ? links_to(value, needs[i].link)
                    : needs[i].field != NULL ? has_field(value, needs[i].field)
                                             : has_successor;
        if (!told)
            add_step(steps, "missing", &text, needs[i].gap);
    }
}

json_t *hub_ctl_trace_steps(const char *domain, const json_t *value, bool has_successor) {
    json_t *steps = json_array();
    add_consent(value, steps);
    add_interval(value, steps);
    add_release(value, steps);
    add_shipments(value, steps);
    add_doses(value, steps);
    add_missing(domain, value, has_successor, steps);
    return steps;
}
