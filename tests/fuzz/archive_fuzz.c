/* What the archive reads of files that others may have written: keys, notes, checkpoints, descriptors,
 * segments and proofs. What is read and has one way to be written is written so again. */
#include "hub/archive/checkpoint.h"
#include "hub/archive/leaf.h"
#include "hub/archive/proof.h"
#include "hub/archive/segment.h"
#include "tests/fuzz/fuzz.h"

enum { KEY, NOTE, CHECKPOINT, LEAF, SEGMENT, INCLUSION, GROWTH, KINDS };

static void read_key(struct hub_bytes bytes) {
    struct hub_note_key key;
    struct hub_error error;
    HUB_SCOPED_BUFFER again = {0};
    if (hub_note_key_read(bytes, &key, &error) != HUB_OK)
        return;
    hub_note_key_append(&key, &again);
    fuzz_must(hub_bytes_equal(hub_buffer_bytes(&again), bytes));
}

/* Nobody signs with this key. */
static void read_note(struct hub_bytes bytes) {
    static const struct hub_ed25519_key private = {{1}};
    static const enum hub_note_kind kinds[] = {HUB_NOTE_SIGNATURE, HUB_NOTE_COSIGNATURE};
    struct hub_bytes text, lines;
    struct hub_error error;
    HUB_SCOPED_BUFFER again = {0};
    if (hub_note_open(bytes, &text, &lines, &error) != HUB_OK)
        return;
    hub_buffer_append_bytes(&again, text);
    hub_buffer_append_byte(&again, '\n');
    hub_buffer_append_bytes(&again, lines);
    fuzz_must(hub_bytes_equal(hub_buffer_bytes(&again), bytes));
    for (size_t i = 0; i < 2; i++) {
        struct hub_note_key key;
        fuzz_must(hub_note_key_make("PeterNeumann", kinds[i], &private, &key, &error) == HUB_OK);
        fuzz_must(hub_note_check(text, lines, &key, NULL, &error) == HUB_REJECT);
    }
}

static void read_checkpoint(struct hub_bytes bytes) {
    struct hub_checkpoint checkpoint;
    struct hub_error error;
    HUB_SCOPED_BUFFER again = {0};
    if (hub_checkpoint_read(bytes, &checkpoint, &error) != HUB_OK)
        return;
    hub_checkpoint_append(&checkpoint, &again);
    fuzz_must(hub_bytes_equal(hub_buffer_bytes(&again), bytes));
}

static void read_leaf(struct hub_bytes bytes) {
    struct hub_leaf leaf;
    struct hub_error error;
    HUB_SCOPED_BUFFER again = {0};
    if (hub_leaf_read(bytes, &leaf, &error) != HUB_OK)
        return;
    hub_leaf_append(&leaf, &again);
    fuzz_must(hub_bytes_equal(hub_buffer_bytes(&again), bytes));
}

/* What is written of what was read is read as the same. */
static void write_again(const struct hub_segment *segment, const struct hub_archived *record,
                        struct hub_arena *arena) {
    HUB_SCOPED_BUFFER block = {0};
    struct hub_archived again;
    struct hub_bytes encoded;
    struct hub_error error;
    size_t at = 0, size = 0;
    hub_segment_append(segment, record, &block, &at, &size);
    struct hub_cursor cursor = hub_cursor(hub_buffer_bytes(&block));
    fuzz_must(hub_segment_next(&cursor, segment, arena, &again, &encoded, &error) == HUB_OK);
    fuzz_must(hub_cursor_left(&cursor) == 0 && encoded.size == size);
    fuzz_must(again.index == record->index && again.offset == record->offset);
    fuzz_must(again.has_key == record->has_key && hub_bytes_equal(again.key, record->key));
    fuzz_must(again.kind == record->kind && hub_bytes_equal(again.value, record->value));
    fuzz_must(again.header_count == record->header_count);
}

static void read_segment(struct hub_bytes bytes, struct hub_arena *arena) {
    struct hub_segment segment;
    struct hub_error error;
    struct hub_cursor cursor = hub_cursor(bytes);
    enum hub_status status = hub_segment_read(&cursor, arena, &segment, &error);
    while (status == HUB_OK && hub_cursor_left(&cursor) > 0) {
        struct hub_archived record;
        struct hub_bytes encoded;
        size_t before = cursor.position;
        status = hub_segment_next(&cursor, &segment, arena, &record, &encoded, &error);
        fuzz_must(status == HUB_OK || status == HUB_REJECT);
        fuzz_must(status != HUB_OK || cursor.position > before + encoded.size);
        if (status == HUB_OK)
            write_again(&segment, &record, arena);
    }
}

/* Nobody signs with this key. */
static struct hub_note_key nobodys_key(void) {
    static const struct hub_ed25519_key private = {{1}};
    struct hub_note_key key;
    struct hub_error error;
    fuzz_must(hub_note_key_make("audit.example/log.slot-0", HUB_NOTE_SIGNATURE, &private, &key,
                                &error) == HUB_OK);
    return key;
}

static void read_inclusion(struct hub_bytes bytes) {
    static const char begins[] = "c2sp.org/tlog-proof@v1\nextra ";
    struct hub_note_key key = nobodys_key();
    struct hub_inclusion inclusion;
    struct hub_checkpoint checkpoint;
    struct hub_error error;
    HUB_SCOPED_BUFFER again = {0};
    bool extra = bytes.size >= sizeof begins - 1 &&
                 memcmp(bytes.data, begins, sizeof begins - 1) == 0;
    if (hub_inclusion_read(bytes, &inclusion, &error) != HUB_OK)
        return;
    fuzz_must(inclusion.proof.count <= HUB_PROOF_HASHES_MAX);
    hub_inclusion_append(&inclusion, &again);
    fuzz_must(extra || hub_bytes_equal(hub_buffer_bytes(&again), bytes));
    fuzz_must(hub_inclusion_check(bytes, bytes, &key, &inclusion, &checkpoint, &error) == HUB_REJECT);
}

static void read_growth(struct hub_bytes bytes) {
    struct hub_note_key key = nobodys_key();
    struct hub_checkpoint from, to;
    struct hub_error error;
    fuzz_must(hub_growth_check(bytes, &key, &from, &to, &error) == HUB_REJECT);
}

static void read_record(struct hub_bytes bytes) {
    const struct hub_leaf leaf = {.offset = 1};
    struct hub_error error;
    fuzz_must(hub_proof_check_record(bytes, 1, &leaf, &error) == HUB_REJECT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_input input = fuzz_input(data, size);
    uint8_t kind = fuzz_byte(&input) % KINDS;
    struct hub_bytes bytes = fuzz_rest(&input);
    switch (kind) {
    case KEY:
        read_key(bytes);
        break;
    case NOTE:
        read_note(bytes);
        break;
    case CHECKPOINT:
        read_checkpoint(bytes);
        break;
    case LEAF:
        read_leaf(bytes);
        break;
    case INCLUSION:
        read_inclusion(bytes);
        break;
    case GROWTH:
        read_growth(bytes);
        break;
    default:
        read_segment(bytes, &input.arena);
        read_record(bytes);
    }
    fuzz_input_free(&input);
    return 0;
}
