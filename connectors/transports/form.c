#include "connectors/transports/form.h"

#include "hub/io/http_client.h"

static void decode(struct hub_bytes part, struct hub_buffer *ret_text) {
    HUB_SCOPED_BUFFER spaced = {0};
    for (size_t i = 0; i < part.size; i++)
        hub_buffer_append_byte(&spaced, part.data[i] == '+' ? ' ' : part.data[i]);
    hub_http_append_unescaped(hub_buffer_bytes(&spaced), ret_text);
}

bool hub_form_each(struct hub_bytes form, size_t fields_max,
                   void (*visit)(void *context, struct hub_bytes name, struct hub_bytes value),
                   void *context) {
    size_t fields = 0;
    for (bool more = true; more;) {
        struct hub_bytes field = form, rest = {0}, value = {0};
        HUB_SCOPED_BUFFER name = {0}, text = {0};
        more = hub_bytes_cut(form, '&', &field, &rest);
        form = rest;
        if (field.size == 0)
            continue;
        if (++fields > fields_max)
            return false;
        struct hub_bytes whole = field;
        if (!hub_bytes_cut(whole, '=', &field, &value))
            field = whole;
        decode(field, &name);
        decode(value, &text);
        visit(context, hub_buffer_bytes(&name), hub_buffer_bytes(&text));
    }
    return true;
}
