/* hubctl status and lag: what came in, what became of it, and whether it adds up. */
#include "hub/ctl/read.h"

#include "hub/engine/counts.h"
#include "hub/engine/topics.h"
#include "schemas/lib/slice.h"

#include <stdio.h>
#include <string.h>

enum task { ADMIT = 0, FOLD, REFER };
static const char *const task_names[] = {"admit", "fold", "refer"};

struct domain_counts {
    /* of the connectors, by their positions */
    int64_t source_read, source_published, source_withdrawn, source_vanished, source_unchanged,
        source_skipped, source_dead;
    struct hub_admit_counts admit;
    struct hub_fold_counts fold;
    struct hub_refer_counts refer;
    int64_t entities, conflicts_open, matches_open;
    int64_t lag; /* records that a task has yet to take */
    char rules[HUB_RULES_HASH_SIZE + 1]; /* in force in a shard, and not the folder's; else empty */
};

struct looking {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    struct hub_source *source;
    struct hub_reader *reader; /* of the source */
    struct domain_counts *counts; /* by domain */
    struct hub_ctl_table lag;
    struct hub_admit_counts decisions;
    int64_t decisions_lag;
    int64_t letters_hub, letters_institutions;
    struct hub_error error;
};

/* --- what the groups have committed --- */

/* What is between the committed offset and the end may be no more than markers of transactions:
 * whether records are left is only known by reading. */
static enum hub_status count_record(void *context, const struct hub_kafka_record *record,
                                    struct hub_error *reterr) {
    (void)record;
    (void)reterr;
    ++*(int64_t *)context;
    return HUB_OK;
}

static enum hub_status read_lag(struct looking *looking, const char *group,
                                const struct hub_kafka_partition *partition, int64_t end,
                                int64_t *ret_lag) {
    int64_t next = partition->offset < 0 ? 0 : partition->offset;
    *ret_lag = 0;
    if (next < end)
        HUB_TRY(hub_reader_read(looking->reader, partition->topic, partition->partition, next, -1,
                                count_record, ret_lag, NULL, &looking->error));
    hub_ctl_table_cell(&looking->lag, "%s", group);
    hub_ctl_table_cell(&looking->lag, "%s", partition->topic);
    hub_ctl_table_cell(&looking->lag, "%d", partition->partition);
    hub_ctl_table_cell(&looking->lag, "%lld", (long long)next);
    hub_ctl_table_cell(&looking->lag, "%lld", (long long)end);
    hub_ctl_table_cell(&looking->lag, "%lld", (long long)*ret_lag);
    return HUB_OK;
}

static void add_admit(struct hub_admit_counts *sum, const struct hub_admit_counts *more) {
    sum->read += more->read;
    sum->created += more->created;
    sum->changed += more->changed;
    sum->unchanged += more->unchanged;
    sum->late += more->late;
    sum->withdrawn += more->withdrawn;
    sum->moved += more->moved;
    sum->dead += more->dead;
    sum->security += more->security;
}

static void add_fold(struct hub_fold_counts *sum, const struct hub_fold_counts *more) {
    sum->read += more->read;
    sum->published += more->published;
    sum->unchanged += more->unchanged;
    sum->superseded += more->superseded;
    sum->withdrawn += more->withdrawn;
    sum->decided += more->decided;
    sum->refused += more->refused;
    sum->ruled += more->ruled;
    sum->overruled += more->overruled;
    sum->facts += more->facts;
}

/* What refer follows beside the log. */
static enum hub_status add_followed(struct looking *looking,
                                    const struct hub_kafka_partition *partition, int64_t *lag) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const char *name = catalogue->domains[i].name;
        int64_t own = 0;
        struct hub_kafka_partition followed = {
            hub_arena_format(&looking->arena, "unified.%s", name), 0, 0, NULL};
        if (!hub_counts_followed(partition->metadata, name, &followed.offset))
            continue;
        struct hub_kafka_partition end = followed;
        HUB_TRY(hub_reader_ends(looking->reader, &end, 1, &looking->error));
        HUB_TRY(read_lag(looking, "refer", &followed, end.offset, &own));
        *lag += own;
    }
    return HUB_OK;
}

static enum hub_status add_partition(struct looking *looking, enum task task,
                                     const struct hub_kafka_partition *partition, int64_t end,
                                     struct domain_counts *counts) {
    struct hub_admit_counts admit = {0};
    struct hub_committed_fold fold = {.core = 0};
    struct hub_refer_counts refer = {0};
    int64_t lag = 0;
    if (task == ADMIT)
        HUB_TRY(hub_counts_parse_admit(partition->metadata, &admit, &looking->error));
    else if (task == FOLD)
        HUB_TRY(hub_counts_parse_fold(partition->metadata, &fold, &looking->error));
    else
        HUB_TRY(hub_counts_parse_refer(partition->metadata, &refer, &looking->error));
    HUB_TRY(read_lag(looking, task_names[task], partition, end, &lag));
    if (task == REFER)
        HUB_TRY(add_followed(looking, partition, &lag));
    add_admit(&counts->admit, &admit);
    add_fold(&counts->fold, &fold.counts);
    counts->refer.read += refer.read;
    counts->refer.facts += refer.facts;
    counts->lag += lag;
    const struct hub_domain *domain =
        &looking->ctl->catalogue->domains[counts - looking->counts];
    if (*fold.rules != '\0' && strcmp(fold.rules, domain->rules) != 0)
        memcpy(counts->rules, fold.rules, sizeof fold.rules);
    return HUB_OK;
}

/* The partitions that a task reads, of all domains: ingest.<institution>.<domain> or log.<domain>. */
static struct hub_kafka_partition *list_partitions(struct looking *looking, enum task task,
                                                   size_t **ret_domains, size_t *ret_count) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    bool admits = task == ADMIT;
    size_t institutions = admits ? catalogue->parties.institution_count : 1, count = 0;
    size_t limit = catalogue->domain_count * institutions * (HUB_INGEST_PARTITIONS + HUB_SHARDS);
    struct hub_kafka_partition *list =
        hub_arena_take_zero(&looking->arena, limit, sizeof *list);
    *ret_domains = hub_arena_take_zero(&looking->arena, limit, sizeof **ret_domains);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        for (size_t k = 0; k < institutions; k++) {
            const struct hub_domain *domain = &catalogue->domains[i];
            if (task == REFER && domain->reference_count == 0)
                continue;
            int32_t partitions = admits ? HUB_INGEST_PARTITIONS : hub_topics_shard_count(domain);
            const char *topic =
                admits ? hub_arena_format(&looking->arena, "ingest.%s.%s",
                                          catalogue->parties.institutions[k].name, domain->name)
                       : hub_arena_format(&looking->arena, "log.%s", domain->name);
            for (int32_t n = 0; n < partitions; n++) {
                (*ret_domains)[count] = i;
                list[count++] = (struct hub_kafka_partition){topic, n, -1, NULL};
            }
        }
    *ret_count = count;
    return list;
}

static enum hub_status look_at_group(struct looking *looking, enum task task) {
    size_t *domains = NULL, count = 0;
    struct hub_kafka_partition *partitions =
        list_partitions(looking, task, &domains, &count);
    const char *group = hub_arena_format(&looking->arena, "%s-%s", looking->ctl->group,
                                         task_names[task]);
    HUB_TRY(hub_reader_committed(looking->ctl->bootstrap, group, partitions, count,
                                 &looking->arena, &looking->error));
    struct hub_kafka_partition *ends = hub_arena_take(&looking->arena, (count + 1) * sizeof *ends);
    memcpy(ends, partitions, count * sizeof *ends);
    HUB_TRY(hub_reader_ends(looking->reader, ends, count, &looking->error));
    for (size_t i = 0; i < count; i++)
        HUB_TRY(add_partition(looking, task, &partitions[i], ends[i].offset,
                              &looking->counts[domains[i]]));
    return HUB_OK;
}

static enum hub_status look_at_decisions(struct looking *looking) {
    struct hub_kafka_partition partition = {HUB_DECISION_TOPIC, 0, -1, NULL};
    const char *group = hub_arena_format(&looking->arena, "%s-admit", looking->ctl->group);
    HUB_TRY(hub_reader_committed(looking->ctl->bootstrap, group, &partition, 1, &looking->arena,
                                 &looking->error));
    HUB_TRY(hub_counts_parse_admit(partition.metadata, &looking->decisions, &looking->error));
    struct hub_kafka_partition end = partition;
    HUB_TRY(hub_reader_ends(looking->reader, &end, 1, &looking->error));
    return read_lag(looking, "admit", &partition, end.offset, &looking->decisions_lag);
}

/* --- what the topics hold --- */

static size_t count_where(struct hub_ctl *ctl, const char *prefix, const char *domain,
                          const char *field, const char *wanted, bool *ret_reached) {
    const char *before = ctl->domain;
    size_t count = 0, i;
    json_t *record;
    ctl->domain = domain;
    json_t *latest = hub_ctl_latest(ctl, prefix);
    ctl->domain = before;
    *ret_reached = *ret_reached && latest != NULL;
    json_array_foreach(latest, i, record) {
        const char *text =
            json_string_value(json_object_get(json_object_get(record, "value"), field));
        count += text != NULL && strcmp(text, wanted) == 0;
    }
    json_decref(latest);
    return count;
}

static bool take_position(void *context, const struct hub_ctl_record *record) {
    json_t *positions = context;
    json_t *value = hub_ctl_value(record);
    char *key = hub_copy_bytes(record->key.data, record->key.size);
    if (value != NULL)
        json_object_set_new(positions, key, value);
    hub_release(key);
    return true;
}

static void add_position(struct looking *looking, const json_t *position) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    const char *name = json_string_value(json_object_get(position, "domain"));
    const json_t *counts = json_object_get(position, "counts");
    const struct hub_domain *domain =
        hub_catalogue_domain(catalogue, hub_bytes_of_text(name == NULL ? "" : name));
    if (domain == NULL)
        return;
    struct domain_counts *sum = &looking->counts[domain - catalogue->domains];
#define ADD(field, key) sum->field += json_integer_value(json_object_get(counts, key))
    ADD(source_read, "read");
    ADD(source_published, "published");
    ADD(source_withdrawn, "withdrawn");
    ADD(source_vanished, "vanished");
    ADD(source_unchanged, "unchanged");
    ADD(source_skipped, "skipped");
    ADD(source_dead, "dead");
#undef ADD
}

static bool count_letter(void *context, const struct hub_ctl_record *record) {
    struct looking *looking = context;
    struct hub_bytes part;
    /* Of a letter it may be told afterwards what became of it. */
    bool tells_outcome = record->schema != NULL &&
                         hub_type_field(record->schema->root, "about") >= 0 &&
                         hub_slice_path(record->schema->root, record->body, "about", &part) != NULL;
    if (strcmp(record->topic, "deadletter.hub") == 0)
        looking->letters_hub++;
    else if (!tells_outcome)
        looking->letters_institutions++;
    return true;
}

static bool look_at_topics(struct looking *looking) {
    struct hub_ctl *ctl = looking->ctl;
    const struct hub_parties *parties = &ctl->catalogue->parties;
    json_t *positions = json_object(), *position;
    const char *key;
    bool reached = hub_ctl_read_topic(ctl, looking->source, "position", take_position, positions);
    json_object_foreach(positions, key, position)
        add_position(looking, position);
    json_decref(positions);
    reached = reached && hub_ctl_read_topic(ctl, looking->source, "deadletter.hub", count_letter,
                                            looking);
    for (size_t i = 0; reached && i < parties->institution_count; i++)
        reached = hub_ctl_read_topic(
            ctl, looking->source,
            hub_arena_format(&looking->arena, "deadletter.%s", parties->institutions[i].name),
            count_letter, looking);
    for (size_t i = 0; reached && i < ctl->catalogue->domain_count; i++) {
        const char *name = ctl->catalogue->domains[i].name;
        struct domain_counts *counts = &looking->counts[i];
        counts->entities =
            (int64_t)count_where(ctl, "unified.", name, "kind", "ACTIVE", &reached);
        counts->conflicts_open =
            (int64_t)count_where(ctl, "conflict.", name, "state", "OPEN", &reached);
        counts->matches_open =
            (int64_t)count_where(ctl, "match.", name, "state", "OPEN", &reached);
    }
    return reached;
}

static bool look_at_groups(struct looking *looking) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    looking->counts = hub_allocate_zero(catalogue->domain_count, sizeof *looking->counts);
    looking->source = hub_ctl_source(looking->ctl);
    looking->reader = hub_source_reader(looking->source);
    if (looking->reader == NULL)
        return false;
    if (look_at_group(looking, ADMIT) != HUB_OK || look_at_group(looking, FOLD) != HUB_OK ||
        look_at_group(looking, REFER) != HUB_OK ||
        look_at_decisions(looking) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", looking->error.text);
        return false;
    }
    return true;
}

static void stop_looking(struct looking *looking) {
    hub_source_free(looking->source);
    hub_ctl_table_free(&looking->lag);
    hub_arena_destroy(&looking->arena);
    hub_release(looking->counts);
}

/* --- whether it adds up --- */

struct sum {
    const char *domain, *left, *right;
    int64_t left_count, right_count;
};

static size_t list_sums(const struct looking *looking, struct sum *sums) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    size_t count = 0;
    int64_t dead_hub = looking->decisions.dead, dead_institutions = 0, decided = 0;
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct domain_counts *own = &looking->counts[i];
        const struct hub_admit_counts *admit = &own->admit;
        const struct hub_fold_counts *fold = &own->fold;
        const char *name = catalogue->domains[i].name;
        sums[count++] = (struct sum){
            name, "source records read", "published + withdrawn + unchanged + skipped + dead",
            own->source_read,
            own->source_published + own->source_withdrawn + own->source_unchanged +
                own->source_skipped + own->source_dead};
        sums[count++] = (struct sum){
            name, "published by connectors", "read by admit",
            own->source_published + own->source_withdrawn + own->source_vanished, admit->read};
        sums[count++] = (struct sum){
            name, "read by admit", "new + changed + unchanged + late + withdrawn + moved + dead",
            admit->read,
            admit->created + admit->changed + admit->unchanged + admit->late + admit->withdrawn +
                admit->moved + admit->dead};
        sums[count++] = (struct sum){
            name, "entries that admit wrote", "read by fold",
            admit->created + admit->changed + admit->late + admit->withdrawn + 2 * admit->moved,
            fold->read - fold->decided - fold->refused - fold->ruled - fold->overruled -
                fold->facts};
        sums[count++] = (struct sum){
            name, "read by fold",
            "published + unchanged + superseded + withdrawn + decisions + rules + facts",
            fold->read,
            fold->published + fold->unchanged + fold->superseded + fold->withdrawn +
                fold->decided + fold->refused + fold->ruled + fold->overruled + fold->facts};
        sums[count++] = (struct sum){name, "facts that refer wrote", "facts that fold took",
                                     own->refer.facts, fold->facts};
        if (catalogue->domains[i].reference_count > 0)
            sums[count++] = (struct sum){name, "read by refer", "read by fold", own->refer.read,
                                         fold->read};
        sums[count++] = (struct sum){name, "still to be taken", "nothing", own->lag, 0};
        dead_hub += admit->dead;
        decided += fold->decided + fold->refused;
        dead_institutions += own->source_dead;
    }
    sums[count++] = (struct sum){"", "decisions that admit wrote", "decided + refused by fold",
                                 looking->decisions.created, decided};
    sums[count++] =
        (struct sum){"", "decisions to be taken", "nothing", looking->decisions_lag, 0};
    sums[count++] =
        (struct sum){"", "refused by admit", "dead letters of the hub", dead_hub,
                     looking->letters_hub};
    sums[count++] = (struct sum){"", "refused by connectors", "dead letters of institutions",
                                 dead_institutions, looking->letters_institutions};
    return count;
}

/* What people are shown of a domain. The first is the sum of the next five: what vanished from a
 * snapshot or a group counts as told of. */
struct shown {
    int64_t source_records, statements_in, unchanged, superseded, skipped, dead_lettered;
};

static struct shown show(const struct domain_counts *own) {
    const struct hub_admit_counts *admit = &own->admit;
    return (struct shown){
        .source_records = own->source_read + own->source_vanished,
        .statements_in = admit->created + admit->changed + admit->withdrawn + admit->moved,
        .unchanged = own->source_unchanged + admit->unchanged,
        .superseded = admit->late,
        .skipped = own->source_skipped,
        .dead_lettered = own->source_dead + admit->dead};
}

static json_t *domain_to_json(const char *name, const struct domain_counts *own) {
    struct shown shown = show(own);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "domain",
                     name, "source_records", (json_int_t)shown.source_records, "vanished",
                     (json_int_t)own->source_vanished, "statements_in",
                     (json_int_t)shown.statements_in, "unchanged", (json_int_t)shown.unchanged,
                     "superseded", (json_int_t)shown.superseded, "skipped",
                     (json_int_t)shown.skipped, "dead_lettered", (json_int_t)shown.dead_lettered,
                     "withdrawn", (json_int_t)own->admit.withdrawn, "entities",
                     (json_int_t)own->entities, "open_conflicts",
                     (json_int_t)own->conflicts_open, "open_matches",
                     (json_int_t)own->matches_open, "lag", (json_int_t)own->lag);
}

static void print_json(const struct looking *looking, const struct sum *sums, size_t count) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    json_t *domains = json_array(), *wrong = json_array();
    for (size_t i = 0; i < catalogue->domain_count; i++)
        json_array_append_new(domains, domain_to_json(catalogue->domains[i].name,
                                                      &looking->counts[i]));
    for (size_t i = 0; i < count; i++)
        if (sums[i].left_count != sums[i].right_count)
            json_array_append_new(wrong, json_pack("{s:s, s:s, s:I, s:s, s:I}", "domain",
                                                   sums[i].domain, "left", sums[i].left,
                                                   "left_count", (json_int_t)sums[i].left_count,
                                                   "right", sums[i].right, "right_count",
                                                   (json_int_t)sums[i].right_count));
    json_t *all = json_pack("{s:o, s:o}", "domains", domains, "wrong", wrong);
    json_dumpf(all, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(all);
}

static void print_tables(const struct looking *looking, const struct sum *sums, size_t count) {
    static const char *const head[] = {"DOMAIN",        "SOURCE RECORDS", "STATEMENTS IN",
                                       "UNCHANGED",     "SUPERSEDED",     "SKIPPED",
                                       "DEAD-LETTERED", "ENTITIES",       "OPEN CONFLICTS",
                                       "OPEN MATCHES"};
    struct hub_ctl_table table = {.head = head, .columns = sizeof head / sizeof *head};
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        const struct domain_counts *own = &looking->counts[i];
        struct shown shown = show(own);
        const int64_t cells[] = {shown.source_records, shown.statements_in, shown.unchanged,
                                 shown.superseded,     shown.skipped,       shown.dead_lettered,
                                 own->entities,        own->conflicts_open, own->matches_open};
        hub_ctl_table_cell(&table, "%s", catalogue->domains[i].name);
        for (size_t k = 0; k < sizeof cells / sizeof *cells; k++)
            hub_ctl_table_cell(&table, "%lld", (long long)cells[k]);
    }
    hub_ctl_table_print(&table);
    hub_ctl_table_free(&table);
    for (size_t i = 0; i < count; i++)
        if (sums[i].left_count != sums[i].right_count)
            printf("%s%s%s (%lld) is not %s (%lld)\n", sums[i].domain,
                   *sums[i].domain == '\0' ? "" : ": ", sums[i].left,
                   (long long)sums[i].left_count, sums[i].right, (long long)sums[i].right_count);
}

/* Domains that are folded by other rules than the folder's: the files there are not in force. */
static void print_rules(const struct looking *looking) {
    const struct hub_catalogue *catalogue = looking->ctl->catalogue;
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (*looking->counts[i].rules != '\0')
            printf("%s: folded by the rules %s, as its log says; the folder's %s are not in force\n",
                   catalogue->domains[i].name, looking->counts[i].rules,
                   catalogue->domains[i].rules);
}

enum hub_exit hub_ctl_status(struct hub_ctl *ctl) {
    struct looking looking = {.ctl = ctl};
    bool adds_up = true;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    if (!look_at_groups(&looking) || !look_at_topics(&looking)) {
        stop_looking(&looking);
        return HUB_EXIT_UNREACHABLE;
    }
    struct sum *sums = hub_allocate_zero(ctl->catalogue->domain_count * 8 + 4, sizeof *sums);
    size_t count = list_sums(&looking, sums);
    for (size_t i = 0; i < count; i++)
        adds_up = adds_up && sums[i].left_count == sums[i].right_count;
    if (ctl->json)
        print_json(&looking, sums, count);
    else
        print_tables(&looking, sums, count);
    if (!ctl->json)
        print_rules(&looking);
    if (!ctl->json && adds_up)
        printf("every input is accounted for\n");
    hub_release(sums);
    stop_looking(&looking);
    return adds_up ? HUB_EXIT_OK : HUB_EXIT_FINDINGS;
}

static enum hub_exit look_at_lag(struct hub_ctl *ctl, bool shows) {
    static const char *const head[] = {"TASK", "TOPIC", "PARTITION", "COMMITTED", "END", "LAG"};
    struct looking looking = {.ctl = ctl, .lag = {.head = head, .columns = 6}};
    int64_t lag = 0;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    bool reached = look_at_groups(&looking); /* topics only grow, and it is asked often */
    for (size_t i = 0; reached && i < ctl->catalogue->domain_count; i++)
        lag += looking.counts[i].lag;
    lag += looking.decisions_lag;
    if (reached && shows)
        hub_ctl_table_show(ctl, &looking.lag);
    stop_looking(&looking);
    return !reached ? HUB_EXIT_UNREACHABLE : lag > 0 ? HUB_EXIT_FINDINGS : HUB_EXIT_OK;
}

enum hub_exit hub_ctl_lag(struct hub_ctl *ctl) {
    return look_at_lag(ctl, /* shows= */ true);
}

enum hub_exit hub_ctl_is_settled(struct hub_ctl *ctl) {
    return look_at_lag(ctl, /* shows= */ false);
}
