/* A journal's file: any bytes; entries with any bytes between them; and, sealed as they should be, entries that say
 * anything. What was written is read, wherever it stands. */
#include "connectors/kit/journal_entry.h"
#include "hub/io/crypto.h"
#include "tests/fuzz/fuzz.h"

static const struct hub_digest key = {{7}};

enum { ANY_BYTES, BETWEEN, SEALED, KINDS };

/* The head is that of a real entry, but for its size. */
static void append_sealed(struct hub_bytes plain, struct hub_buffer *file) {
    HUB_SCOPED_BUFFER model = {0};
    struct hub_journal_entry entry = {.sequence = 1};
    struct hub_error error;
    size_t size = plain.size + HUB_SEAL_OVERHEAD;
    fuzz_must(hub_journal_entry_append(&entry, &key, "k", &model, &error) == HUB_OK);
    for (int i = 0; i < 4; i++)
        model.data[72 + i] = (uint8_t)(size >> (24 - 8 * i));
    struct hub_digest check = hub_sha256.digest(hub_bytes(model.data, 76));
    memcpy(model.data + 76, check.bytes, 4);
    struct hub_bytes head = hub_bytes(model.data, HUB_JOURNAL_HEAD_SIZE);
    hub_buffer_append_bytes(file, head);
    fuzz_must(hub_seal(&key, head, plain, file, &error) == HUB_OK);
}

static void append_entry(struct hub_bytes document, struct hub_buffer *file) {
    struct hub_journal_entry entry = {.sequence = 42,
                                      .document = {.name = "a document", .bytes = document}};
    struct hub_error error;
    fuzz_must(hub_journal_entry_append(&entry, &key, "k", file, &error) == HUB_OK);
}

static void read_file(struct fuzz_input *input, struct hub_bytes file, struct hub_bytes wanted,
                      size_t *ret_found) {
    struct hub_journal_place place;
    for (size_t from = 0; hub_journal_entry_find(file, from, &place);) {
        HUB_SCOPED_BUFFER plain = {0};
        struct hub_journal_entry entry = {0};
        fuzz_must(place.from >= from && place.to <= file.size);
        fuzz_must(place.to - place.from >= HUB_JOURNAL_HEAD_SIZE);
        bool read = hub_journal_entry_read(file, &place, &key, &input->arena, &plain, &entry);
        *ret_found += read && entry.sequence == 42 &&
                      hub_bytes_equal(entry.document.bytes, wanted);
        json_decref(entry.document.context);
        from = read ? place.to : place.from + HUB_JOURNAL_HEAD_SIZE;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    HUB_SCOPED_BUFFER file = {0};
    uint8_t kind = fuzz_byte(&input) % KINDS;
    struct hub_bytes wanted = fuzz_piece(&input);
    size_t count = 0, found = 0;
    while (!fuzz_input_ended(&input)) {
        struct hub_bytes piece = fuzz_piece(&input);
        if (kind == SEALED)
            append_sealed(piece, &file);
        else
            hub_buffer_append_bytes(&file, piece);
        if (kind == BETWEEN)
            append_entry(wanted, &file);
        count += kind == BETWEEN;
    }
    read_file(&input, fuzz_exact(&input, hub_buffer_bytes(&file)), wanted, &found);
    /* What stands before may only be half an entry, which takes no whole one with it. */
    fuzz_must(found >= count);
    fuzz_input_free(&input);
    return 0;
}
