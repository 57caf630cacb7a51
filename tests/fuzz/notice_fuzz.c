/* A notice as anybody could post it: it is refused with a reason, or what it names can stand in an
 * address as one name, and in the position. */
#include "connectors/transports/notice.h"
#include "connectors/transports/template.h"
#include "hub/io/http_client.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char *const fields[] = {"sending_hei_id", NULL};
static const char *const no_texts[] = {NULL};

/* What is written into an address is one part of it, and says the same when it is read. */
static void check_name(const char *text) {
    HUB_SCOPED_BUFFER address = {0}, again = {0};
    struct hub_error error;
    json_t *values = json_pack("{s:s}", "id", text);
    fuzz_must(values != NULL);
    fuzz_must(strlen(text) > 0 && strlen(text) <= 256);
    fuzz_must(strcmp(text, ".") != 0 && strcmp(text, "..") != 0);
    fuzz_must(hub_template_fill(HUB_TEMPLATE_ESCAPED, "{id}", values, &address, &error) == HUB_OK);
    fuzz_must(strpbrk(hub_buffer_text(&address), "/?#&=+ \r\n") == NULL);
    hub_http_append_unescaped(hub_buffer_bytes(&address), &again);
    fuzz_must(hub_bytes_equal_text(hub_buffer_bytes(&again), text));
    json_decref(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hub_notice_options options = {
        .id_field = "id_field", .fields = fields, .ids_max = 4, .senders = no_texts};
    struct fuzz_input input = fuzz_input(data, size);
    struct hub_error error = {0};
    json_t *requests = NULL, *request;
    size_t index;
    if (size > 0 && fuzz_byte(&input) % 2 == 0)
        options.fields = no_texts;
    enum hub_status status = hub_notice_read(&options, fuzz_rest(&input), &requests, &error);
    fuzz_must(status == HUB_OK || (status == HUB_REJECT && requests == NULL));
    fuzz_must(status == HUB_OK || error.text[0] != '\0');
    fuzz_must(status != HUB_OK ||
              (json_array_size(requests) > 0 && json_array_size(requests) <= 4));
    json_array_foreach(requests, index, request) {
        const char *name;
        json_t *text;
        fuzz_must(json_object_size(request) == (options.fields == fields ? 2 : 1));
        json_object_foreach(request, name, text)
            check_name(json_string_value(text));
    }
    json_decref(requests);
    fuzz_input_free(&input);
    return 0;
}
