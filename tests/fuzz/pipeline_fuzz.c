/* Documents as a partner could send them, through the project's own connectors, from parsing to the
 * records: everything that was read is accounted for, what goes out is Avro, and the same documents
 * give the same records again.
 *
 * The first byte picks the connector, the second says whether the documents are snapshots; then
 * there are documents, each published before the next. */
#include "connectors/kit/pipeline.h"
#include "hub/base/text.h"
#include "tests/fuzz/fuzz.h"

enum { DOCUMENTS_MAX = 4, SNAPSHOT = 1 };

static const char *const files[] = {
    "connectors/lu/ewp-outgoing.yaml",     "connectors/lu/guest-requests.yaml",
    "connectors/lu/isrctn.yaml",           "connectors/lumc/cart-register.yaml",
    "connectors/lumc/ctgov-classic.yaml",  "connectors/lumc/ewp-incoming.yaml",
    "connectors/lumc/guest-decisions.yaml", "connectors/lumc/slots.yaml",
    "connectors/sus/ctgov.yaml",           "connectors/sus/euctr.yaml",
    "connectors/sus/slots.yaml",           "connectors/sus/trials.yaml"};
enum { FILES = sizeof files / sizeof *files };

static const struct hub_connector *connector_of(size_t index) {
    static struct hub_connector *connectors[FILES];
    struct hub_error error;
    if (connectors[index] == NULL &&
        hub_connector_load(files[index], fuzz_catalogue(), /* keys_folder= */ NULL,
                           &connectors[index], &error) != HUB_OK)
        fuzz_stop(__FILE__, __LINE__, error.text);
    return connectors[index];
}

static void check_list(const struct hub_outgoing_list *list) {
    const struct hub_connector_counts *counts = &list->counts;
    size_t dead = 0;
    for (size_t i = 0; i < list->count; i++) {
        fuzz_must(fuzz_is_record(list->items[i].value));
        fuzz_must(hub_text_is_utf8(hub_bytes_of_text(list->items[i].key)));
        dead += list->items[i].dead;
    }
    fuzz_must(counts->read == counts->published + counts->withdrawn + counts->unchanged +
                                  counts->skipped + counts->dead);
    fuzz_must((int64_t)dead == counts->dead);
    fuzz_must((int64_t)list->count ==
              counts->published + counts->withdrawn + counts->vanished + counts->dead);
}

static void check_same(const struct hub_outgoing_list *a, const struct hub_outgoing_list *b) {
    fuzz_must(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        fuzz_must(strcmp(a->items[i].key, b->items[i].key) == 0);
        fuzz_must(hub_bytes_equal(a->items[i].value, b->items[i].value));
    }
}

static void publish(struct hub_pipeline *pipeline, const struct hub_raw_document *document,
                    int64_t sequence) {
    struct hub_arena arena = {0};
    struct hub_outgoing_list list, again;
    hub_pipeline_run(pipeline, document, sequence, &arena, &list);
    check_list(&list);
    hub_pipeline_run(pipeline, document, sequence, &arena, &again);
    check_same(&list, &again);
    hub_pipeline_take(pipeline, &list);
    hub_arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    const struct hub_connector *connector = connector_of(fuzz_byte(&input) % FILES);
    bool snapshot = (fuzz_byte(&input) & SNAPSHOT) != 0;
    struct hub_pipeline pipeline;
    hub_pipeline_begin(&pipeline, connector);
    json_t *context = json_pack("{s:{s:s}, s:{s:s}}", "request", "sending_hei_id", "lu.se", "file",
                                "date", "2026-03-01");
    for (int64_t i = 0; i < DOCUMENTS_MAX && !fuzz_input_ended(&input); i++) {
        struct hub_raw_document document = {.name = "document",
                                            .bytes = fuzz_piece(&input),
                                            .context = context,
                                            .snapshot = snapshot,
                                            .withdraw_max_percent = 50};
        publish(&pipeline, &document, i);
    }
    json_decref(context);
    hub_pipeline_end(&pipeline);
    fuzz_input_free(&input);
    return 0;
}
