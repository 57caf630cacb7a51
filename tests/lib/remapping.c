#include "tests/lib/remapping.h"

#include "hub/io/crypto.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/slice.h"
#include "schemas/lib/statement.h"
#include "tests/lib/cmocka.h"

#include <string.h>

void remapping_open(struct remapping *remapping, const char *configuration) {
    *remapping = (struct remapping){0};
    source_open(&remapping->source, configuration);
}

void remapping_close(struct remapping *remapping) {
    hub_remap_free(remapping->remap);
    hub_journal_list_free(&remapping->journal);
    hub_arena_destroy(&remapping->arena);
    source_close(&remapping->source);
}

void remapping_publish(struct remapping *remapping, const struct hub_outgoing *outgoing) {
    struct remapping_published *published = &remapping->published[remapping->published_count++];
    assert_in_range(remapping->published_count, 1, REMAPPING_RECORDS_MAX);
    published->key = hub_arena_text(&remapping->arena, outgoing->key, strlen(outgoing->key));
    published->message = hub_bytes(hub_arena_text(&remapping->arena,
                                                  (const char *)outgoing->value.data,
                                                  outgoing->value.size), outgoing->value.size);
    published->id = NULL;
    for (size_t i = 0; i < outgoing->header_count; i++)
        if (strcmp(outgoing->headers[i].name, "ce_id") == 0)
            published->id = hub_arena_text(&remapping->arena,
                                           (const char *)outgoing->headers[i].value.data,
                                           outgoing->headers[i].value.size);
    assert_non_null(published->id);
}

void remapping_feed(struct remapping *remapping, const char *lines) {
    const char *text = hub_arena_format(&remapping->arena, "id,status,name\n%s", lines);
    source_feed(&remapping->source, "list.csv", text);
    for (size_t i = 0; i < remapping->source.list.count; i++)
        if (!remapping->source.list.items[i].dead)
            remapping_publish(remapping, &remapping->source.list.items[i]);
    int64_t sequence = remapping->source.sequence;
    remapping->texts[sequence] = text;
    hub_journal_list_take(&remapping->journal,
                          &(struct hub_journal_item){
                              .sequence = sequence,
                              .received_ms = sequence,
                              .raw_hash = hub_sha256.digest(hub_bytes_of_text(text))});
}

void remapping_vanish(struct remapping *remapping, const char *key) {
    const struct hub_domain *domain = remapping->source.connector->domain;
    struct hub_outgoing outgoing;
    HUB_SCOPED_BUFFER body = {0};
    uint32_t starts[HUB_FIELDS_MAX + 1];
    for (size_t i = remapping->published_count; i > 0; i--) {
        const struct remapping_published *published = &remapping->published[i - 1];
        if (strcmp(published->key, key) != 0)
            continue;
        struct hub_bytes last = hub_bytes_part(published->message, HUB_FRAME_HEADER_SIZE,
                                               published->message.size);
        hub_slice_fields(domain->schema->root, last, starts);
        hub_statement_append_withdrawn(domain, last, starts, hub_bytes(NULL, 0),
                                       HUB_VANISHED_REASON "list.csv", &body);
        hub_pipeline_statement(remapping->source.connector, key, hub_buffer_bytes(&body),
                               ++remapping->source.sequence, 0, &remapping->arena, &outgoing);
        remapping_publish(remapping, &outgoing);
        return;
    }
    fail_msg("%s was never published", key);
}

void remapping_tell(struct remapping *remapping) {
    struct hub_error error;
    for (size_t i = 0; i < remapping->published_count; i++) {
        const struct remapping_published *published = &remapping->published[i];
        assert_int_equal(hub_remap_published(remapping->remap, hub_bytes_of_text(published->key),
                                             published->message,
                                             hub_bytes_of_text(published->id), &error), HUB_OK);
    }
}
