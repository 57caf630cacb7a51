/* hubctl simulate: mapping, admit and fold in one process, without Kafka, Java or network. */
#include "hub/ctl/ctl.h"

#include "connectors/kit/check.h"
#include "connectors/kit/pipeline.h"
#include "hub/io/crypto.h"
#include "hub/io/file.h"
#include "hub/stages/admit.h"
#include "hub/stages/fold.h"
#include "hub/stages/refer.h"
#include "schemas/lib/frame.h"
#include "schemas/lib/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 4 };
/* When everything arrives: far enough on that no sample's event is later than its arrival. */
static const int64_t ARRIVAL_MS = 4102444800000; /* 2100-01-01 */

/* Everything of one domain. */
struct domain_run {
    const struct hub_domain *domain;
    struct hub_admit **admits; /* by institution */
    struct hub_fold *folds[SHARDS];
    struct hub_refer *refers[SHARDS];
    int64_t ingest_offset, log_offsets[SHARDS];
};

struct latest {
    char *key;
    struct hub_bytes value; /* owned */
    const struct hub_schema *schema;
};

struct simulation {
    struct hub_ctl *ctl;
    struct domain_run *domains;
    struct latest *latest; /* the last record of each key, by kind and key */
    size_t latest_count, latest_capacity;
    json_t *dead;
    int64_t read, published;
};

static void note_latest(struct simulation *simulation, const struct hub_output *output) {
    struct latest *found = NULL;
    struct hub_bytes body;
    int32_t id = 0;
    struct hub_error error;
    if (hub_frame_open(output->value, &id, &body, &error) != HUB_OK)
        return;
    const struct hub_schema *schema = hub_catalogue_by_id(simulation->ctl->catalogue, id);
    for (size_t i = 0; i < simulation->latest_count; i++)
        if (simulation->latest[i].schema == schema &&
            hub_bytes_equal_text(output->key, simulation->latest[i].key))
            found = &simulation->latest[i];
    if (found == NULL) {
        HUB_GROW(simulation->latest, simulation->latest_count, simulation->latest_capacity);
        found = &simulation->latest[simulation->latest_count++];
        *found = (struct latest){.key = hub_copy_bytes(output->key.data, output->key.size),
                                 .schema = schema};
    }
    hub_release((void *)found->value.data);
    found->value = hub_bytes(hub_copy_bytes(body.data, body.size), body.size);
}

static json_t *to_json(const struct hub_schema *schema, struct hub_bytes body) {
    HUB_SCOPED_BUFFER text = {0};
    json_error_t error;
    hub_render_json(schema->root, body, &text);
    return json_loadb((const char *)text.data, text.size, 0, &error);
}

static void add_dead(struct simulation *simulation, struct hub_bytes value) {
    const struct hub_schema *schema =
        hub_catalogue_latest(simulation->ctl->catalogue, "deadletter");
    json_t *letter =
        to_json(schema, hub_bytes_part(value, HUB_FRAME_HEADER_SIZE, value.size));
    json_object_del(letter, "original");
    json_array_append_new(simulation->dead, letter);
}

static bool fold_one(struct simulation *simulation, struct domain_run *run,
                     const struct hub_output *output) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_error error;
    int32_t shard = output->partition;
    struct hub_input entry = {.has_key = true,
                              .has_value = true,
                              .key = output->key,
                              .value = output->value,
                              .headers = output->headers,
                              .header_count = output->header_count,
                              .partition = shard,
                              .offset = run->log_offsets[shard]++,
                              .timestamp_ms = ARRIVAL_MS};
    bool good = hub_fold_entry(run->folds[shard], &entry, &outputs, &error) == HUB_OK &&
                hub_refer_entry(run->refers[shard], &entry, &error) == HUB_OK;
    if (!good)
        fprintf(stderr, "hubctl: %s\n", error.text);
    for (size_t i = 0; good && i < outputs.count; i++)
        if (outputs.items[i].kind != HUB_OUTPUT_IDENTIFIER) /* follows from the others */
            note_latest(simulation, &outputs.items[i]);
    hub_arena_destroy(&arena);
    return good;
}

static bool admit_one(struct simulation *simulation, struct domain_run *run,
                      struct hub_admit *admit, const struct hub_outgoing *outgoing) {
    struct hub_arena arena = {0};
    struct hub_outputs outputs = {.arena = &arena};
    struct hub_input input = {.has_key = true,
                              .has_value = true,
                              .key = hub_bytes_of_text(outgoing->key),
                              .value = outgoing->value,
                              .headers = outgoing->headers,
                              .header_count = outgoing->header_count,
                              .offset = run->ingest_offset++,
                              .timestamp_ms = ARRIVAL_MS};
    struct hub_error error;
    bool good = hub_admit_record(admit, &input, &outputs, &error) == HUB_OK;
    if (!good)
        fprintf(stderr, "hubctl: %s\n", error.text);
    for (size_t i = 0; i < outputs.count && good; i++) {
        if (outputs.items[i].kind == HUB_OUTPUT_LOG)
            good = fold_one(simulation, run, &outputs.items[i]);
        else if (outputs.items[i].kind == HUB_OUTPUT_DEADLETTER)
            add_dead(simulation, outputs.items[i].value);
    }
    hub_arena_destroy(&arena);
    return good;
}

static struct domain_run *run_of(struct simulation *simulation, const struct hub_domain *domain) {
    const struct hub_catalogue *catalogue = simulation->ctl->catalogue;
    struct domain_run *run = &simulation->domains[domain - catalogue->domains];
    if (run->domain != NULL)
        return run;
    run->domain = domain;
    run->admits =
        hub_allocate_zero(catalogue->parties.institution_count, sizeof *run->admits);
    for (int32_t i = 0; i < SHARDS; i++) {
        run->folds[i] = hub_fold_new(catalogue, domain, &hub_sha256, i);
        run->refers[i] = hub_refer_new(catalogue, domain, i);
    }
    return run;
}

static struct hub_admit *admit_of(struct simulation *simulation, struct domain_run *run,
                                  const char *institution) {
    const struct hub_catalogue *catalogue = simulation->ctl->catalogue;
    const struct hub_institution *found =
        hub_parties_institution(&catalogue->parties, hub_bytes_of_text(institution));
    struct hub_admit **admit = &run->admits[found - catalogue->parties.institutions];
    if (*admit != NULL)
        return *admit;
    struct hub_arena arena = {0};
    struct hub_admit_config config = {
        .catalogue = catalogue,
        .domain = run->domain,
        .institution = institution,
        .digester = &hub_sha256,
        .shard_count = run->domain->shard_field < 0 ? 1 : SHARDS,
        .topic = hub_arena_format(&arena, "ingest.%s.%s", institution, run->domain->name)};
    *admit = hub_admit_new(&config);
    hub_arena_destroy(&arena);
    return *admit;
}

/* --- documents --- */

struct source {
    struct simulation *simulation;
    struct hub_connector *connector;
    struct hub_pipeline pipeline;
    int64_t sequence;
};

static bool take_document(struct source *source, const char *path, const json_t *context) {
    struct simulation *simulation = source->simulation;
    struct domain_run *run = run_of(simulation, source->connector->domain);
    struct hub_admit *admit = admit_of(simulation, run, source->connector->institution);
    struct hub_arena arena = {0};
    struct hub_raw_document document = {0};
    struct hub_outgoing_list list = {0};
    struct hub_error error;
    bool good = hub_check_read(source->connector, path, &arena, &document, &error) == HUB_OK;
    if (!good) {
        fprintf(stderr, "hubctl: %s\n", error.text);
    } else {
        json_object_update(document.context, (json_t *)context);
        hub_pipeline_run(&source->pipeline, &document, ++source->sequence, &arena, &list);
        hub_pipeline_take(&source->pipeline, &list);
        simulation->read += list.counts.read;
        simulation->published +=
            list.counts.published + list.counts.withdrawn + list.counts.vanished;
        if (list.note != NULL)
            fprintf(stderr, "hubctl: %s\n", list.note);
    }
    for (size_t i = 0; good && i < list.count; i++) {
        if (list.items[i].dead)
            add_dead(simulation, list.items[i].value);
        else
            good = admit_one(simulation, run, admit, &list.items[i]);
    }
    json_decref(document.context);
    hub_arena_destroy(&arena);
    return good;
}

/* A document, or a folder of them: all its files, by name. */
static bool take_path(struct source *source, const char *path, const json_t *context) {
    struct hub_arena arena = {0};
    struct hub_error error;
    char **names = NULL;
    size_t count = 0;
    if (!hub_file_is_folder(path))
        return take_document(source, path, context);
    bool good = hub_file_list(path, "", &arena, &names, &count, &error) == HUB_OK;
    if (!good)
        fprintf(stderr, "hubctl: %s\n", error.text);
    for (size_t i = 0; good && i < count; i++)
        good = take_document(source, hub_arena_format(&arena, "%s/%s", path, names[i]), context);
    hub_arena_destroy(&arena);
    return good;
}

/* The configuration's own samples, in the order of its tests. */
static bool take_own_samples(struct source *source) {
    const struct hub_node *tests = source->connector->tests;
    for (size_t i = 0; tests != NULL && i < tests->count; i++) {
        const struct hub_node *input = hub_node_get(tests->items[i], "input");
        const struct hub_node *context = hub_node_get(tests->items[i], "context");
        struct hub_arena arena = {0};
        if (input == NULL || input->text == NULL)
            continue;
        json_t *facts = context == NULL ? json_object() : hub_check_node_to_json(context);
        const char *path =
            hub_file_resolve(source->connector->folder, input->text, &arena);
        bool good = take_document(source, path, facts);
        json_decref(facts);
        hub_arena_destroy(&arena);
        if (!good)
            return false;
    }
    return true;
}

static bool is_config(const char *path) {
    size_t size = strlen(path);
    return size > 5 && strcmp(path + size - 5, ".yaml") == 0;
}

static bool run_config(struct simulation *simulation, char **arguments, int count,
                       const json_t *context) {
    struct source source = {.simulation = simulation};
    struct hub_error error;
    if (hub_connector_load(arguments[0], simulation->ctl->catalogue, simulation->ctl->keys,
                           &source.connector, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        return false;
    }
    hub_pipeline_begin(&source.pipeline, source.connector);
    bool good = count > 1 || take_own_samples(&source);
    for (int i = 1; good && i < count; i++)
        good = take_path(&source, arguments[i], context);
    hub_pipeline_end(&source.pipeline);
    hub_connector_free(source.connector);
    return good;
}

/* --- references --- */

static void ignore_change(void *context, const char *identifier) {
    (void)context;
    (void)identifier;
}

/* What is known in the end, of a domain whose records were given. */
static struct hub_facts *facts_of(struct simulation *simulation, const struct hub_domain *domain) {
    struct hub_facts *facts = hub_facts_new(simulation->ctl->catalogue, domain);
    struct hub_error error;
    for (size_t i = 0; i < simulation->latest_count; i++) {
        const struct latest *latest = &simulation->latest[i];
        HUB_SCOPED_BUFFER message = {0};
        if (latest->schema != domain->unified)
            continue;
        hub_frame_append(&message, latest->schema->id);
        hub_buffer_append_bytes(&message, latest->value);
        if (hub_facts_take(facts, hub_buffer_bytes(&message), ignore_change, NULL, &error) !=
            HUB_OK)
            fprintf(stderr, "hubctl: %s\n", error.text);
    }
    return facts;
}

static bool flush_facts(struct simulation *simulation, struct domain_run *run,
                        struct hub_facts *const *facts) {
    struct hub_arena arena = {0};
    bool good = true;
    for (size_t i = 0; i < SHARDS; i++) {
        struct hub_outputs outputs = {.arena = &arena};
        hub_refer_flush(run->refers[i], facts, &outputs);
        for (size_t k = 0; good && k < outputs.count; k++)
            good = fold_one(simulation, run, &outputs.items[k]);
    }
    hub_arena_destroy(&arena);
    return good;
}

/* Of a domain that no record was given of nothing is said to be unknown. */
static bool refer(struct simulation *simulation) {
    const struct hub_catalogue *catalogue = simulation->ctl->catalogue;
    struct hub_facts **facts = hub_allocate_zero(catalogue->domain_count, sizeof *facts);
    bool good = true;
    for (size_t i = 0; i < catalogue->domain_count; i++)
        if (simulation->domains[i].domain != NULL)
            facts[i] = facts_of(simulation, &catalogue->domains[i]);
    for (size_t i = 0; good && i < catalogue->domain_count; i++)
        if (simulation->domains[i].domain != NULL)
            good = flush_facts(simulation, &simulation->domains[i], facts);
    for (size_t i = 0; i < catalogue->domain_count; i++)
        hub_facts_free(facts[i]);
    hub_release(facts);
    return good;
}

static void print_result(struct simulation *simulation) {
    json_t *unified = json_array(), *conflicts = json_array(), *matches = json_array();
    for (size_t i = 0; i < simulation->latest_count; i++) {
        const struct latest *latest = &simulation->latest[i];
        json_t *list = strncmp(latest->schema->subject, "unified.", 8) == 0 ? unified
                       : strcmp(latest->schema->subject, "conflict") == 0   ? conflicts
                                                                            : matches;
        json_array_append_new(list, to_json(latest->schema, latest->value));
    }
    json_t *result = json_pack("{s:I, s:I, s:o, s:o, s:o, s:O}", "read",
                               (json_int_t)simulation->read, "published",
                               (json_int_t)simulation->published, "unified", unified, "conflicts",
                               conflicts, "matches", matches, "dead_letters", simulation->dead);
    json_dumpf(result, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(result);
}

static void free_simulation(struct simulation *simulation) {
    const struct hub_catalogue *catalogue = simulation->ctl->catalogue;
    for (size_t i = 0; i < catalogue->domain_count; i++) {
        struct domain_run *run = &simulation->domains[i];
        for (size_t k = 0; run->admits != NULL && k < catalogue->parties.institution_count; k++)
            hub_admit_free(run->admits[k]);
        hub_release(run->admits);
        for (size_t k = 0; k < SHARDS; k++) {
            hub_fold_free(run->folds[k]);
            hub_refer_free(run->refers[k]);
        }
    }
    for (size_t i = 0; i < simulation->latest_count; i++) {
        hub_release(simulation->latest[i].key);
        hub_release((void *)simulation->latest[i].value.data);
    }
    hub_release(simulation->latest);
    hub_release(simulation->domains);
    json_decref(simulation->dead);
}

enum hub_exit hub_ctl_simulate(struct hub_ctl *ctl) {
    struct simulation simulation = {.ctl = ctl};
    struct hub_error error;
    json_t *context = NULL;
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    if (!is_config(ctl->arguments[0])) {
        fprintf(stderr, "hubctl: %s: a connector's .yaml comes before its documents\n",
                ctl->arguments[0]);
        return HUB_EXIT_USAGE;
    }
    if (hub_check_context(ctl->context, &context, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        return HUB_EXIT_USAGE;
    }
    simulation.domains =
        hub_allocate_zero(ctl->catalogue->domain_count, sizeof *simulation.domains);
    simulation.dead = json_array();
    bool good = true;
    for (int from = 0, to; good && from < ctl->argument_count; from = to) {
        for (to = from + 1; to < ctl->argument_count && !is_config(ctl->arguments[to]);)
            to++;
        good = run_config(&simulation, ctl->arguments + from, to - from, context);
    }
    good = good && refer(&simulation);
    if (good)
        print_result(&simulation);
    free_simulation(&simulation);
    json_decref(context);
    return good ? HUB_EXIT_OK : HUB_EXIT_FINDINGS;
}
