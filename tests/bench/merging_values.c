#include "tests/bench/merging_values.h"

#include "hub/base/text.h"

#include <avro.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE_MAX_MERGED = 1 << 16, ITEMS_MAX = 512, DAY_S = 24 * 60 * 60 };
enum { DATE_VALUE, DATE_PRECISION, DAY = 0, MONTH, YEAR }; /* atmp.Date */

/* What a voice says: as it is declared, and what it states. */
struct said {
    size_t voice;
    avro_value_t declared, stated;
};

struct item {
    struct said said;
    size_t key; /* where it begins in the keys */
    const struct hub_buffer *keys;
};

struct bench_values {
    const struct hub_domain *domain;
    const struct hub_voice *voices;
    avro_value_iface_t *iface;
    avro_value_t read[BENCH_VOICES], merged;
    avro_reader_t reader;
    avro_writer_t writer;
    char buffer[SIZE_MAX_MERGED];
    const char *role_orgs[HUB_FIELDS_MAX];
    struct item items[ITEMS_MAX];
    struct hub_buffer keys, folded[2];
    struct bench_merged result;
};

static void must(int failed) {
    if (failed == 0)
        return;
    fprintf(stderr, "merging: avro: %s\n", avro_strerror());
    exit(1);
}

static void must_not(bool unknown, const char *what) {
    if (!unknown)
        return;
    fprintf(stderr, "merging: %s is not followed by values\n", what);
    exit(1);
}

/* --- reading values --- */

static avro_value_t part_of(const avro_value_t *record, size_t index) {
    avro_value_t part = {NULL, NULL};
    must(avro_value_get_by_index(record, index, &part, NULL));
    return part;
}

/* False for null and for a list without elements. */
static bool is_stated(avro_value_t *declared, avro_value_t *ret_stated) {
    int branch = 0;
    size_t size = 1;
    *ret_stated = *declared;
    if (avro_value_get_type(declared) == AVRO_UNION) {
        must(avro_value_get_discriminant(declared, &branch));
        if (branch == 0)
            return false;
        must(avro_value_get_current_branch(declared, ret_stated));
    }
    if (avro_value_get_type(ret_stated) == AVRO_ARRAY)
        must(avro_value_get_size(ret_stated, &size));
    return size > 0;
}

static struct hub_bytes text_of(const avro_value_t *value) {
    const char *text = NULL;
    size_t size = 0;
    must(avro_value_get_string(value, &text, &size));
    return hub_bytes(text, size - 1);
}

static int symbol_of(const avro_value_t *value) {
    int symbol = 0;
    must(avro_value_get_enum(value, &symbol));
    return symbol;
}

static int number_of(const avro_value_t *value) {
    int32_t number = 0;
    must(avro_value_get_int(value, &number));
    return number;
}

/* --- whom to believe --- */

static const char *role_of(struct bench_values *values, size_t field);

static bool is_believed(struct bench_values *values, const struct hub_authority *authority,
                        const struct hub_system *system) {
    if (authority->kind == HUB_AUTHORITY_SYSTEM)
        return strcmp(system->name, authority->name) == 0;
    const char *own = hub_parties_owner_org(values->domain->parties, system);
    const char *org = own == NULL ? NULL : role_of(values, (size_t)authority->role_field);
    return org != NULL && strcmp(org, own) == 0;
}

static int rank_of(struct bench_values *values, const struct hub_rule *rule,
                   const struct said *said) {
    size_t rank = 0;
    avro_value_t part = said->stated, symbol = part;
    if (rule->kind == HUB_RULE_PRECEDENCE) {
        if (rule->of != NULL)
            must(avro_value_get_by_name(&said->stated, rule->of, &part, NULL));
        return is_stated(&part, &symbol) ? rule->symbol_ranks[symbol_of(&symbol)] : UINT16_MAX;
    }
    const struct hub_system *system = values->voices[said->voice].system;
    while (rank < rule->authority_count && !is_believed(values, &rule->authorities[rank], system))
        rank++;
    return (int)rank;
}

static int compare_times(const struct hub_voice *a, const struct hub_voice *b) {
    if (a->has_event_time != b->has_event_time)
        return a->has_event_time ? -1 : 1;
    return (a->event_time_ms < b->event_time_ms) - (a->event_time_ms > b->event_time_ms);
}

/* Negative where `a` comes first. */
static int compare_said(struct bench_values *values, const struct hub_field_contract *contract,
                        const struct said *a, const struct said *b) {
    const struct hub_voice *x = &values->voices[a->voice], *y = &values->voices[b->voice];
    for (size_t i = 0; i < contract->rule_count; i++) {
        const struct hub_rule *rule = &contract->rules[i];
        int order = rule->kind == HUB_RULE_LATEST
                        ? compare_times(x, y)
                        : rank_of(values, rule, a) - rank_of(values, rule, b);
        if (order != 0)
            return order;
    }
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return a->voice < b->voice ? -1 : a->voice > b->voice;
}

/* --- what agrees --- */

static bool agree(struct bench_values *values, const struct hub_field_contract *contract,
                  avro_value_t *a, avro_value_t *b);

static bool parts_agree(struct bench_values *values, const struct hub_contract *parts,
                        avro_value_t *a, avro_value_t *b, int except) {
    avro_value_t x, y;
    for (size_t i = 0; i < parts->decisive_count; i++) {
        size_t index = (size_t)parts->decisive[i];
        avro_value_t left = part_of(a, index), right = part_of(b, index);
        if (is_stated(&left, &x) && is_stated(&right, &y))
            return agree(values, &parts->fields[index], &x, &y);
    }
    for (size_t i = 0; i < parts->count; i++) {
        avro_value_t left = part_of(a, i), right = part_of(b, i);
        if ((int)i != except && is_stated(&left, &x) && is_stated(&right, &y) &&
            !agree(values, &parts->fields[i], &x, &y))
            return false;
    }
    return true;
}

static bool same_folded(struct bench_values *values, struct hub_bytes a, struct hub_bytes b) {
    hub_buffer_clear(&values->folded[0]);
    hub_buffer_clear(&values->folded[1]);
    hub_text_fold(a, &values->folded[0]);
    hub_text_fold(b, &values->folded[1]);
    return hub_bytes_equal(hub_buffer_bytes(&values->folded[0]),
                           hub_buffer_bytes(&values->folded[1]));
}

/* Whether each of one list is in the other: the lists are short. */
static bool holds_all(struct bench_values *values, avro_value_t *list, avro_value_t *wanted) {
    size_t count = 0, wanted_count = 0;
    must(avro_value_get_size(list, &count));
    must(avro_value_get_size(wanted, &wanted_count));
    for (size_t i = 0; i < wanted_count; i++) {
        avro_value_t element = part_of(wanted, i);
        bool found = false;
        for (size_t k = 0; k < count && !found; k++) {
            avro_value_t other = part_of(list, k);
            found = avro_value_get_type(&element) == AVRO_ENUM
                        ? symbol_of(&element) == symbol_of(&other)
                        : same_folded(values, text_of(&element), text_of(&other));
        }
        if (!found)
            return false;
    }
    return true;
}

static int precision_of(const avro_value_t *date) {
    avro_value_t precision = part_of(date, DATE_PRECISION);
    return symbol_of(&precision);
}

static bool dates_agree(const avro_value_t *a, const avro_value_t *b) {
    int coarser = precision_of(a) > precision_of(b) ? precision_of(a) : precision_of(b);
    avro_value_t x = part_of(a, DATE_VALUE), y = part_of(b, DATE_VALUE);
    time_t first = (time_t)number_of(&x) * DAY_S, second = (time_t)number_of(&y) * DAY_S;
    struct tm left, right;
    if (coarser == DAY || coarser > YEAR)
        return first == second;
    gmtime_r(&first, &left);
    gmtime_r(&second, &right);
    return left.tm_year == right.tm_year && (coarser > MONTH || left.tm_mon == right.tm_mon);
}

static bool are_apart(const struct hub_field_contract *contract, const avro_value_t *a,
                      const avro_value_t *b, bool even_wild) {
    avro_value_t x = part_of(a, (size_t)contract->apart_field);
    avro_value_t y = part_of(b, (size_t)contract->apart_field);
    int left = symbol_of(&x), right = symbol_of(&y);
    return left != right &&
           (even_wild || (!contract->apart_wild[left] && !contract->apart_wild[right]));
}

/* Of what is stated. */
static bool agree(struct bench_values *values, const struct hub_field_contract *contract,
                  avro_value_t *a, avro_value_t *b) {
    if (avro_value_equal_fast(a, b))
        return true;
    switch (contract->equality) {
    case HUB_EQUAL_EXACT:
        return avro_value_get_type(a) == AVRO_RECORD &&
               parts_agree(values, contract->parts, a, b, /* except= */ -1);
    case HUB_EQUAL_FOLD:
        return same_folded(values, text_of(a), text_of(b));
    case HUB_EQUAL_SET:
        return holds_all(values, a, b) && holds_all(values, b, a);
    case HUB_EQUAL_DATE:
        return dates_agree(a, b);
    case HUB_EQUAL_APART:
        return are_apart(contract, a, b, /* even_wild= */ false) ||
               parts_agree(values, contract->parts, a, b, contract->apart_field);
    case HUB_EQUAL_TOLERANCE:
    case HUB_EQUAL_REACHABLE:
    case HUB_EQUAL_IGNORE:;
    }
    return true;
}

/* Agrees, and speaks of the same fact. */
static bool alike(struct bench_values *values, const struct hub_field_contract *contract,
                  struct said *a, struct said *b) {
    return !(contract->equality == HUB_EQUAL_APART &&
             are_apart(contract, &a->stated, &b->stated, /* even_wild= */ true)) &&
           agree(values, contract, &a->stated, &b->stated);
}

/* --- choosing --- */

static size_t more_exact(struct bench_values *values, const struct hub_field_contract *contract,
                         struct said *said, size_t count, size_t best) {
    size_t exact = best;
    for (size_t i = 0; i < count; i++)
        if (precision_of(&said[i].stated) < precision_of(&said[best].stated) &&
            dates_agree(&said[i].stated, &said[best].stated) &&
            (exact == best || compare_said(values, contract, &said[i], &said[exact]) < 0))
            exact = i;
    return exact;
}

static size_t choose(struct bench_values *values, const struct hub_field_contract *contract,
                     struct said *said, size_t count) {
    size_t best = 0, before = count;
    for (size_t i = 1; i < count; i++)
        if (compare_said(values, contract, &said[i], &said[best]) < 0)
            best = i;
    while (contract->equality == HUB_EQUAL_DATE && best != before) {
        before = best;
        best = more_exact(values, contract, said, count, best);
    }
    return best;
}

static const char *role_of(struct bench_values *values, size_t field) {
    return values->role_orgs[field];
}

static void bind_role(struct bench_values *values, size_t field, struct said *said, size_t count) {
    avro_value_t org, text;
    values->role_orgs[field] = NULL;
    if (count == 0)
        return;
    size_t best = choose(values, &values->domain->contract.fields[field], said, count);
    must(avro_value_get_by_name(&said[best].stated, "org", &org, NULL));
    if (is_stated(&org, &text))
        values->role_orgs[field] = hub_parties_org(values->domain->parties, text_of(&text));
}

/* --- conflicts --- */

static void add_value(struct bench_conflict *conflict, struct said *said, size_t count,
                      const size_t *groups, size_t group, size_t leader) {
    size_t at = conflict->count++;
    must(avro_value_to_json(&said[leader].stated, /* one_line= */ 1, &conflict->texts[at]));
    conflict->voice_counts[at] = 0;
    for (size_t i = 0; i < count; i++)
        if (groups[i] == group)
            conflict->voices[at][conflict->voice_counts[at]++] = said[i].voice;
}

struct groups {
    size_t of[BENCH_VOICES], leaders[BENCH_VOICES], count;
    bool contested[BENCH_VOICES];
};

static bool fits_group(struct bench_values *values, const struct hub_field_contract *contract,
                       struct said *said, const struct groups *groups, size_t group, size_t own) {
    size_t chosen = groups->leaders[0];
    for (size_t i = 0; i < own || i <= chosen; i++) {
        bool member = i == chosen ? group == 0 : i < own && groups->of[i] == group;
        if (member && !alike(values, contract, &said[i], &said[own]))
            return false;
    }
    return true;
}

/* Of those that are alike each with each; two that contradict each other are contested. */
static bool form_groups(struct bench_values *values, const struct hub_field_contract *contract,
                        struct said *said, size_t count, struct groups *groups) {
    bool any = false;
    groups->count = 1;
    for (size_t i = 0; i < count; i++) {
        size_t group = 0;
        while (i != groups->leaders[0] && group < groups->count &&
               !fits_group(values, contract, said, groups, group, i))
            group++;
        if (group == groups->count)
            groups->leaders[groups->count++] = i;
        groups->of[i] = group;
    }
    for (size_t i = 0; groups->count > 1 && i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (groups->of[i] != groups->of[k] &&
                !agree(values, contract, &said[k].stated, &said[i].stated))
                any = groups->contested[groups->of[i]] = groups->contested[groups->of[k]] = true;
    return any;
}

/* Where it stands: titles, or titles[en].text. */
struct place {
    const char *field, *key; /* of an element, or NULL */
};

static void tell_conflict(struct bench_values *values, const struct hub_field_contract *contract,
                          const struct place *place, struct said *said, size_t count,
                          size_t chosen) {
    struct groups groups = {.leaders = {chosen}};
    if (!form_groups(values, contract, said, count, &groups))
        return;
    must_not(values->result.conflict_count == BENCH_CONFLICTS_MAX, "so many conflicts");
    struct bench_conflict *conflict = &values->result.conflicts[values->result.conflict_count++];
    if (place->key == NULL)
        snprintf(conflict->path, sizeof conflict->path, "%s", place->field);
    else
        snprintf(conflict->path, sizeof conflict->path, "%s[%s].%s", place->field, place->key,
                 contract->field->name);
    conflict->count = 0;
    for (size_t group = 0; group < groups.count; group++)
        if (group == 0 || groups.contested[group])
            add_value(conflict, said, count, groups.of, group, groups.leaders[group]);
}

/* --- merging one value of several --- */

/* Sets what nobody states: of the trial's fields that is null, or a list without elements. */
static void leave_unstated(avro_value_t *into) {
    avro_value_t branch;
    if (avro_value_get_type(into) == AVRO_UNION)
        must(avro_value_set_branch(into, 0, &branch));
}

static bool all_equal(struct said *said, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (!avro_value_equal_fast(&said[0].stated, &said[i].stated))
            return false;
    return true;
}

static int merge_one(struct bench_values *values, const struct hub_field_contract *contract,
                     const struct place *place, struct said *said, size_t count,
                     avro_value_t *into) {
    if (count == 0) {
        leave_unstated(into);
        return HUB_SOURCE_NONE;
    }
    size_t chosen = count == 1 ? 0 : choose(values, contract, said, count);
    if (contract->reports_conflict && !all_equal(said, count))
        tell_conflict(values, contract, place, said, count, chosen);
    must(avro_value_copy_fast(into, &said[chosen].declared));
    return (int)said[chosen].voice;
}

/* --- lists --- */

/* As elements are recognised: texts, folded where they are compared so; a record by its decisive part or by all. */
static void append_key(const struct hub_field_contract *contract, avro_value_t *declared,
                       struct hub_buffer *keys, bool is_part) {
    size_t from = keys->size;
    avro_value_t stated, part, inner;
    bool known = is_stated(declared, &stated), decided = false;
    avro_type_t type = avro_value_get_type(&stated);
    const struct hub_contract *parts = contract->parts;
    if (known && type == AVRO_STRING && contract->equality == HUB_EQUAL_FOLD) {
        hub_text_fold(text_of(&stated), keys);
    } else if (known && type == AVRO_STRING) {
        hub_buffer_append_bytes(keys, text_of(&stated));
    } else if (known && type == AVRO_ENUM) {
        const struct hub_type *symbols = hub_type_stated(contract->field->type);
        hub_buffer_append_format(keys, "\"%s\"", symbols->symbols[symbol_of(&stated)]);
    } else if (known) {
        must_not(type != AVRO_RECORD, "a key of this type");
        for (size_t i = 0; i < parts->decisive_count && !decided; i++) {
            part = part_of(&stated, (size_t)parts->decisive[i]);
            decided = is_stated(&part, &inner);
            if (decided)
                append_key(&parts->fields[parts->decisive[i]], &part, keys, /* is_part= */ false);
        }
        for (size_t i = 0; i < parts->count && !decided; i++) {
            if (parts->fields[i].equality == HUB_EQUAL_IGNORE)
                continue;
            part = part_of(&stated, i);
            append_key(&parts->fields[i], &part, keys, /* is_part= */ true);
        }
    }
    if (!is_part)
        return;
    for (size_t i = from; i < keys->size; i++) /* a separator is none where it is escaped */
        if (keys->data[i] == '/' || keys->data[i] == '\\') {
            hub_buffer_append_byte(keys, 0);
            memmove(keys->data + i + 1, keys->data + i, keys->size - i - 1);
            keys->data[i++] = '\\';
        }
    hub_buffer_append_byte(keys, '/');
}

static const char *key_of(const struct item *item) {
    return (const char *)item->keys->data + item->key;
}

static int compare_items(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    int order = strcmp(key_of(x), key_of(y));
    return order != 0 ? order : x->said.voice < y->said.voice ? -1 : x->said.voice > y->said.voice;
}

static size_t list_items(struct bench_values *values, const struct hub_field_contract *contract,
                         struct said *lists, size_t list_count) {
    size_t count = 0, size = 0;
    hub_buffer_clear(&values->keys);
    for (size_t i = 0; i < list_count; i++) {
        must(avro_value_get_size(&lists[i].stated, &size));
        must_not(count + size > ITEMS_MAX, "so long a list");
        for (size_t k = 0; k < size; k++) {
            struct item *item = &values->items[count++];
            item->said = (struct said){.voice = lists[i].voice,
                                       .declared = part_of(&lists[i].stated, k)};
            item->said.stated = item->said.declared;
            item->key = values->keys.size;
            item->keys = &values->keys;
            for (size_t n = 0; n < contract->key_count; n++) {
                size_t index = (size_t)contract->key_fields[n];
                avro_value_t part = part_of(&item->said.stated, index);
                append_key(&contract->parts->fields[index], &part, &values->keys,
                           /* is_part= */ contract->key_count > 1);
            }
            if (contract->key_count > 1)
                values->keys.size--; /* the separator after the last part */
            hub_buffer_append_byte(&values->keys, 0);
        }
    }
    qsort(values->items, count, sizeof *values->items, compare_items);
    return count;
}

/* The elements of one key, part by part. */
static void merge_items(struct bench_values *values, const struct hub_field_contract *contract,
                        const struct item *items, size_t count, avro_value_t *into) {
    struct place place = {contract->field->name, key_of(items)};
    for (size_t i = 0; i < contract->parts->count; i++) {
        struct said said[BENCH_VOICES];
        size_t stated = 0;
        for (size_t k = 0; k < count; k++) {
            struct said own = {.voice = items[k].said.voice,
                               .declared = part_of(&items[k].said.stated, i)};
            if (is_stated(&own.declared, &own.stated))
                said[stated++] = own;
        }
        avro_value_t part = part_of(into, i);
        merge_one(values, &contract->merged_parts[i], &place, said, stated, &part);
    }
}

static int unite(struct bench_values *values, const struct hub_field_contract *contract,
                 struct said *lists, size_t list_count, avro_value_t *into) {
    size_t count = list_items(values, contract, lists, list_count);
    for (size_t from = 0, to = 0; from < count; from = to) {
        const struct item *items = &values->items[from];
        for (to = from; to < count && strcmp(key_of(items), key_of(&values->items[to])) == 0;)
            to++;
        must_not(to - from > BENCH_VOICES, "a key that one voice lists twice");
        avro_value_t element;
        must(avro_value_append(into, &element, NULL));
        merge_items(values, contract, items, to - from, &element);
    }
    return list_count == 0   ? HUB_SOURCE_NONE
           : list_count == 1 ? (int)lists[0].voice
                             : HUB_SOURCE_SEVERAL;
}

/* --- the record --- */

static int merge_stamp(struct bench_values *values, avro_value_t *into) {
    const struct hub_stamp_fields *stamp = &values->domain->stamp;
    size_t count = 0, latest = BENCH_VOICES;
    for (size_t i = 0; i < BENCH_VOICES; i++)
        if (values->voices[i].has_event_time &&
            (latest == BENCH_VOICES ||
             values->voices[i].event_time_ms > values->voices[latest].event_time_ms))
            latest = i;
    must(avro_value_get_size(into, &count));
    for (size_t i = 0; i < count; i++) {
        avro_value_t part = part_of(into, i);
        if ((int)i == stamp->version) {
            must(avro_value_set_string_len(&part, "", 1));
        } else if ((int)i == stamp->state) {
            must(avro_value_set_enum(&part, stamp->current_symbol));
        } else if ((int)i == stamp->event_time && latest < BENCH_VOICES) {
            avro_value_t own = part_of(&values->read[latest], HUB_FIELD_STATEMENT);
            avro_value_t time = part_of(&own, i);
            must(avro_value_copy_fast(&part, &time));
        } else {
            leave_unstated(&part);
        }
    }
    return latest == BENCH_VOICES ? HUB_SOURCE_NONE : (int)latest;
}

static size_t list_said(struct bench_values *values, size_t field, struct said *said) {
    size_t count = 0;
    for (size_t i = 0; i < BENCH_VOICES; i++) {
        struct said own = {.voice = i, .declared = part_of(&values->read[i], field)};
        if (is_stated(&own.declared, &own.stated))
            said[count++] = own;
    }
    return count;
}

static void clear_conflicts(struct bench_merged *result) {
    for (size_t i = 0; i < result->conflict_count; i++)
        for (size_t k = 0; k < result->conflicts[i].count; k++)
            free(result->conflicts[i].texts[k]);
    result->conflict_count = 0;
}

const struct bench_merged *bench_values_merge(struct bench_values *values,
                                              const struct hub_voice voices[BENCH_VOICES]) {
    const struct hub_contract *contract = &values->domain->contract;
    struct said said[BENCH_VOICES];
    values->voices = voices;
    clear_conflicts(&values->result);
    for (size_t i = 0; i < BENCH_VOICES; i++) {
        avro_reader_memory_set_source(values->reader, (const char *)voices[i].body.data,
                                      (int64_t)voices[i].body.size);
        must(avro_value_read(values->reader, &values->read[i]));
    }
    for (size_t i = 0; i < contract->count; i++)
        if (contract->fields[i].is_role)
            bind_role(values, i, said, list_said(values, i, said));
    must(avro_value_reset(&values->merged));
    for (size_t i = 0; i < contract->count; i++) {
        const struct hub_field_contract *field = &contract->fields[i];
        avro_value_t into = part_of(&values->merged, i);
        struct place place = {.field = field->field->name};
        size_t count = list_said(values, i, said);
        values->result.sources[i] =
            i == HUB_FIELD_STATEMENT ? merge_stamp(values, &into)
            : field->is_union        ? unite(values, field, said, count, &into)
                                     : merge_one(values, field, &place, said, count, &into);
    }
    avro_writer_reset(values->writer);
    must(avro_value_write(values->writer, &values->merged));
    values->result.value =
        hub_bytes(values->buffer, (size_t)avro_writer_tell(values->writer));
    return &values->result;
}

/* --- open and close --- */

static void check_domain(const struct hub_domain *domain) {
    must_not(domain->contract.has_needs, "hub:requires");
    for (size_t i = 0; i < domain->contract.count; i++) {
        const struct hub_field_contract *field = &domain->contract.fields[i];
        must_not(field->shuts_out, "a rule that shuts out");
        must_not(field->is_union && (field->key_count == 0 || field->merged_parts == NULL),
                 "such a list");
        must_not(field->equality == HUB_EQUAL_TOLERANCE || field->equality == HUB_EQUAL_REACHABLE,
                 "such an equality");
        for (size_t k = 0; k < field->rule_count; k++) {
            const struct hub_rule *rule = &field->rules[k];
            must_not(rule->kind != HUB_RULE_AUTHORITY && rule->kind != HUB_RULE_LATEST &&
                         rule->kind != HUB_RULE_PRECEDENCE,
                     "such a rule");
            for (size_t m = 0; m < rule->authority_count; m++)
                must_not(rule->authorities[m].kind != HUB_AUTHORITY_SYSTEM &&
                             rule->authorities[m].kind != HUB_AUTHORITY_ROLE,
                         "such an authority");
        }
    }
}

struct bench_values *bench_values_open(const struct hub_domain *domain) {
    struct bench_values *values = hub_allocate_zero(1, sizeof *values);
    avro_schema_t parsed = NULL;
    check_domain(domain);
    values->domain = domain;
    must(avro_schema_from_json_length(domain->schema->text, domain->schema->text_size, &parsed));
    values->iface = avro_generic_class_from_schema(parsed);
    must(values->iface == NULL);
    for (size_t i = 0; i < BENCH_VOICES; i++)
        must(avro_generic_value_new(values->iface, &values->read[i]));
    must(avro_generic_value_new(values->iface, &values->merged));
    values->reader = avro_reader_memory("", 0);
    values->writer = avro_writer_memory(values->buffer, sizeof values->buffer);
    avro_schema_decref(parsed);
    return values;
}

void bench_values_close(struct bench_values *values) {
    clear_conflicts(&values->result);
    for (size_t i = 0; i < BENCH_VOICES; i++)
        avro_value_decref(&values->read[i]);
    avro_value_decref(&values->merged);
    avro_value_iface_decref(values->iface);
    avro_reader_free(values->reader);
    avro_writer_free(values->writer);
    hub_release(values->keys.data);
    hub_release(values->folded[0].data);
    hub_release(values->folded[1].data);
    hub_release(values);
}
