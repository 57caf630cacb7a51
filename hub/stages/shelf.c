#include "hub/stages/shelf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct shelved {
    int64_t offset, timestamp_ms;
    uint32_t key_size, header_size, value_size;
    bool has_header;
    uint8_t bytes[]; /* key, header, value */
};

/* Their size counts: there are several of each record. */
struct entry {
    uint64_t hook;
    uint32_t record;
} __attribute__((packed, aligned(4)));

/* Entries by hooks and, of the same hook, by records; those after sorted_count as they came. */
struct index {
    struct entry *entries;
    size_t count, capacity, sorted_count;
    uint32_t *starts; /* where those begin whose hook begins with these bits */
    unsigned bits;
};

struct hub_shelf {
    unsigned topic;
    const char *header;
    struct hub_arena arena;   /* of records */
    struct shelved **records; /* as they came */
    size_t record_count, record_capacity;
    struct index own, others; /* of each record one entry, and the rest */
    size_t record_bytes;      /* that records take */
    size_t sorted_bytes;      /* that they took when they were sorted */
};

enum {
    NEW_BYTES_MIN = 256 << 20,
    BITS_AT_ONCE = 11, /* a table of so many places stays near the processor */
    ENTRIES_EACH = 8,  /* of a place in the table, on average */
    SORT_BY_HAND_MAX = 64,
};

struct hub_shelf *hub_shelf_new(unsigned topic, const char *header) {
    struct hub_shelf *shelf = hub_allocate_zero(1, sizeof *shelf);
    shelf->topic = topic;
    shelf->header = header;
    return shelf;
}

static void free_index(struct index *index) {
    hub_release(index->entries);
    hub_release(index->starts);
}

void hub_shelf_free(struct hub_shelf *shelf) {
    if (shelf == NULL)
        return;
    hub_arena_destroy(&shelf->arena);
    hub_release(shelf->records);
    free_index(&shelf->own);
    free_index(&shelf->others);
    hub_release(shelf);
}

static struct hub_bytes key_of(const struct shelved *record) {
    return hub_bytes(record->bytes, record->key_size);
}

static struct hub_bytes value_of(const struct shelved *record) {
    return hub_bytes(record->bytes + record->key_size + record->header_size, record->value_size);
}

/* --- sorting: hooks are hashes, whose bits spread them evenly --- */

/* Orders entries by some bits of their hooks, and those with the same as they are; starts[i]: how
 * many are before those with i, and one more. */
static void spread(const struct entry *from, size_t count, unsigned shift, unsigned bits,
                   struct entry *to, uint32_t *starts) {
    size_t places = (size_t)1 << bits, sum = 0;
    memset(starts, 0, (places + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++)
        starts[from[i].hook >> shift & (places - 1)]++;
    for (size_t i = 0; i < places; i++) {
        size_t here = starts[i];
        starts[i] = (uint32_t)sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].hook >> shift & (places - 1)]++] = from[i];
    memmove(starts + 1, starts, places * sizeof *starts); /* each stands where the next begins */
    starts[0] = 0;
}

static int compare_entries(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    if (x->hook != y->hook)
        return x->hook < y->hook ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

/* They are few, and those of the same hook in order already, unless one hook is shared by many. */
static void sort_few(struct entry *entries, size_t count) {
    if (count > SORT_BY_HAND_MAX) {
        qsort(entries, count, sizeof *entries, compare_entries);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct entry entry = entries[i];
        size_t at = i;
        for (; at > 0 && entries[at - 1].hook > entry.hook; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

/* By the upper bits, then each part by those after them, then what is left. */
static void sort_index(struct index *index) {
    uint32_t parts[(1 << BITS_AT_ONCE) + 1], places[(1 << BITS_AT_ONCE) + 1];
    unsigned upper = 1, lower = 0;
    while (upper + lower < 2 * BITS_AT_ONCE &&
           (size_t)ENTRIES_EACH << (upper + lower) < index->count)
        *(upper < BITS_AT_ONCE ? &upper : &lower) += 1;
    struct entry *spare = hub_allocate(index->count * sizeof *spare);
    spread(index->entries, index->count, 64 - upper, upper, spare, parts);
    index->bits = upper + lower;
    hub_release(index->starts);
    index->starts = hub_allocate((((size_t)1 << index->bits) + 1) * sizeof *index->starts);
    for (size_t part = 0; part < (size_t)1 << upper; part++) {
        struct entry *sorted = index->entries + parts[part];
        spread(spare + parts[part], parts[part + 1] - parts[part], 64 - index->bits, lower, sorted,
               places);
        for (size_t place = 0; place < (size_t)1 << lower; place++) {
            sort_few(sorted + places[place], places[place + 1] - places[place]);
            index->starts[(part << lower) + place] = parts[part] + places[place];
        }
    }
    index->starts[(size_t)1 << index->bits] = (uint32_t)index->count;
    index->sorted_count = index->count;
    hub_release(spare);
}

static size_t size_of(const struct shelved *record) {
    return sizeof *record + record->key_size + record->header_size + record->value_size;
}

/* Of entries with the same hook: records of which a later one is there are no more. Few keys have
 * the same own hook. */
static size_t forget_earlier_of(struct hub_shelf *shelf, const struct entry *entries,
                                size_t count) {
    size_t forgotten = 0;
    for (size_t i = count; i-- > 1;) {
        const struct shelved *record = shelf->records[entries[i].record];
        for (size_t k = i; record != NULL && k-- > 0;) {
            struct shelved **earlier = &shelf->records[entries[k].record];
            if (*earlier == NULL || !hub_bytes_equal(key_of(*earlier), key_of(record)))
                continue;
            shelf->record_bytes -= size_of(*earlier);
            *earlier = NULL;
            forgotten++;
        }
    }
    return forgotten;
}

static size_t forget_earlier(struct hub_shelf *shelf) {
    const struct entry *entries = shelf->own.entries;
    size_t forgotten = 0;
    for (size_t from = 0, to = 0; from < shelf->own.count; from = to) {
        while (to < shelf->own.count && entries[to].hook == entries[from].hook)
            to++;
        forgotten += forget_earlier_of(shelf, entries + from, to - from);
    }
    return forgotten;
}

/* Numbers those that are left anew, and says in `places` where each went. */
static void close_up_records(struct hub_shelf *shelf, uint32_t *places) {
    size_t kept = 0;
    for (size_t i = 0; i < shelf->record_count; i++) {
        places[i] = UINT32_MAX;
        if (shelf->records[i] == NULL)
            continue;
        places[i] = (uint32_t)kept;
        shelf->records[kept++] = shelf->records[i];
    }
    shelf->record_count = kept;
}

static void close_up(struct index *index, const uint32_t *places) {
    size_t kept = 0;
    for (size_t i = 0; i < index->count; i++) {
        uint32_t place = places[index->entries[i].record];
        if (place != UINT32_MAX)
            index->entries[kept++] = (struct entry){index->entries[i].hook, place};
    }
    index->count = kept;
    index->sorted_count = 0;
}

/* Where most of the room is of records that are no more. */
static void move_records(struct hub_shelf *shelf) {
    struct hub_arena before = shelf->arena;
    shelf->arena = (struct hub_arena){0};
    for (size_t i = 0; i < shelf->record_count; i++) {
        size_t size = size_of(shelf->records[i]);
        shelf->records[i] = memcpy(hub_arena_take(&shelf->arena, size), shelf->records[i], size);
    }
    hub_arena_destroy(&before);
}

static void drop_forgotten(struct hub_shelf *shelf) {
    uint32_t *places = hub_allocate(shelf->record_count * sizeof *places);
    close_up_records(shelf, places);
    close_up(&shelf->own, places);
    close_up(&shelf->others, places);
    hub_release(places);
    sort_index(&shelf->own);
}

void hub_shelf_sort(struct hub_shelf *shelf) {
    if (shelf->own.sorted_count < shelf->own.count) {
        sort_index(&shelf->own);
        if (forget_earlier(shelf) > 0)
            drop_forgotten(shelf);
        shelf->sorted_bytes = shelf->record_bytes;
        if (shelf->arena.total_bytes > 2 * shelf->record_bytes + NEW_BYTES_MIN)
            move_records(shelf);
    }
    if (shelf->others.sorted_count < shelf->others.count)
        sort_index(&shelf->others);
}

/* --- putting --- */

static void add_entry(struct index *index, uint64_t hook, size_t record) {
    HUB_GROW(index->entries, index->count, index->capacity);
    index->entries[index->count++] = (struct entry){hook, (uint32_t)record};
}

static uint8_t *put(uint8_t *at, struct hub_bytes part) {
    if (part.size > 0)
        memcpy(at, part.data, part.size);
    return at + part.size;
}

void hub_shelf_put(struct hub_shelf *shelf, const struct hub_input *input,
                   const struct hub_hook *hooks, size_t hook_count) {
    struct hub_bytes header =
        shelf->header == NULL ? hub_bytes(NULL, 0) : hub_input_header(input, shelf->header);
    size_t size = sizeof(struct shelved) + input->key.size + header.size + input->value.size;
    if (shelf->arena.total_bytes > 3 * shelf->sorted_bytes + NEW_BYTES_MIN)
        hub_shelf_sort(shelf);
    assert(shelf->record_count < UINT32_MAX);
    struct shelved *record = hub_arena_take(&shelf->arena, size);
    *record = (struct shelved){.offset = input->offset,
                               .timestamp_ms = input->timestamp_ms,
                               .key_size = (uint32_t)input->key.size,
                               .header_size = (uint32_t)header.size,
                               .value_size = (uint32_t)input->value.size,
                               .has_header = header.data != NULL};
    put(put(put(record->bytes, input->key), header), input->value);
    shelf->record_bytes += size;
    HUB_GROW(shelf->records, shelf->record_count, shelf->record_capacity);
    add_entry(&shelf->own, hooks[0].hash, shelf->record_count);
    for (size_t i = 1; i < hook_count; i++)
        add_entry(&shelf->others, hooks[i].hash, shelf->record_count);
    shelf->records[shelf->record_count++] = record;
}

bool hub_shelf_is_empty(const struct hub_shelf *shelf) {
    return shelf->record_count == 0;
}

size_t hub_shelf_bytes(const struct hub_shelf *shelf) {
    return shelf->arena.total_bytes;
}

/* --- asking --- */

/* The sorted ones of a hook. */
static const struct entry *find_entries(const struct index *index, uint64_t hook,
                                        size_t *ret_count) {
    *ret_count = 0;
    if (index->sorted_count == 0)
        return NULL;
    size_t place = hook >> (64 - index->bits), end = index->starts[place + 1];
    size_t from = index->starts[place], to = end;
    while (from < to) { /* the first that is not before it */
        size_t middle = from + (to - from) / 2;
        if (index->entries[middle].hook < hook)
            from = middle + 1;
        else
            to = middle;
    }
    while (to < end && index->entries[to].hook == hook)
        to++;
    *ret_count = to - from;
    return index->entries + from;
}

static const struct entry *find_own(const struct hub_shelf *shelf, uint64_t own,
                                    struct hub_bytes key) {
    size_t count = 0;
    const struct entry *entries = find_entries(&shelf->own, own, &count);
    for (size_t i = 0; i < count; i++)
        if (hub_bytes_equal(key_of(shelf->records[entries[i].record]), key))
            return &entries[i];
    return NULL;
}

struct hub_bytes hub_shelf_value(const struct hub_shelf *shelf, uint64_t own,
                                 struct hub_bytes key) {
    const struct entry *entry = find_own(shelf, own, key);
    return entry == NULL ? hub_bytes(NULL, 0) : value_of(shelf->records[entry->record]);
}

void hub_shelf_hook(struct hub_shelf *shelf, uint64_t own, struct hub_bytes key,
                    const struct hub_hook *hooks, size_t hook_count) {
    const struct entry *entry = find_own(shelf, own, key);
    for (size_t i = 0; entry != NULL && i < hook_count; i++)
        add_entry(&shelf->others, hooks[i].hash, entry->record);
}

static enum hub_status give(const struct hub_shelf *shelf, const struct shelved *record,
                            hub_store_take take, void *context, struct hub_error *reterr) {
    struct hub_header header = {
        .name = shelf->header,
        .value = hub_bytes(record->bytes + record->key_size, record->header_size)};
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = key_of(record),
                              .value = value_of(record),
                              .headers = &header,
                              .header_count = record->has_header,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
    return take(context, shelf->topic, &input, reterr);
}

static enum hub_status give_found(const struct hub_shelf *shelf, const struct index *index,
                                  uint64_t hook, hub_store_take take, void *context,
                                  struct hub_error *reterr) {
    size_t count = 0;
    const struct entry *entries = find_entries(index, hook, &count);
    for (size_t i = 0; i < count; i++)
        HUB_TRY(give(shelf, shelf->records[entries[i].record], take, context, reterr));
    return HUB_OK;
}

enum hub_status hub_shelf_find(struct hub_shelf *shelf, uint64_t hook, hub_store_take take,
                               void *context, struct hub_error *reterr) {
    if (hub_shelf_is_empty(shelf))
        return HUB_OK;
    hub_shelf_sort(shelf);
    HUB_TRY(give_found(shelf, &shelf->own, hook, take, context, reterr));
    return give_found(shelf, &shelf->others, hook, take, context, reterr);
}

enum hub_status hub_shelf_each(struct hub_shelf *shelf, hub_store_take take, void *context,
                               struct hub_error *reterr) {
    hub_shelf_sort(shelf);
    for (size_t i = 0; i < shelf->record_count; i++)
        HUB_TRY(give(shelf, shelf->records[i], take, context, reterr));
    return HUB_OK;
}
