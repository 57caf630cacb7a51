/* connector: connects one institution's system, as one YAML file says. */
#include "connectors/kit/check.h"
#include "connectors/kit/conform.h"
#include "connectors/kit/coverage.h"
#include "connectors/kit/deliver.h"
#include "connectors/kit/draft.h"
#include "connectors/kit/explain.h"
#include "connectors/kit/keys.h"
#include "connectors/kit/runtime.h"
#include "connectors/operate.h"
#include "connectors/witness.h"
#include "hub/io/crypto.h"
#include "hub/io/json.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_OK = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 5 };

struct arguments {
    const char *schemas, *keys, *input, *context, *sample, *domain, *system, *who, *reason, *to,
        *since, *letters, *samples;
    struct hub_runtime_settings runtime;
    struct witnessing witnessing;
    bool json, dry_run;
    char **files;
    int file_count;
};

struct command {
    const char *name, *usage, *summary;
    int files_min, files_max; /* -1: any number */
    int (*run)(const struct arguments *arguments);
};

static struct hub_catalogue *load_catalogue(const char *folder) {
    struct hub_catalogue *catalogue = NULL;
    struct hub_error error;
    if (hub_catalogue_load(folder, &hub_sha256, &catalogue, &error) != HUB_OK)
        fprintf(stderr, "connector: %s\n", error.text);
    return catalogue;
}

static struct hub_connector *load_connector(const struct arguments *arguments, const char *file,
                                            const struct hub_catalogue *catalogue) {
    struct hub_connector *connector = NULL;
    struct hub_error error;
    if (hub_connector_load(file, catalogue, arguments->keys, &connector, &error) != HUB_OK)
        fprintf(stderr, "%s\n", error.text);
    return connector;
}

/* The same of one that reads a source, where `what` is for those only; NULL: for all. */
static struct hub_connector *load_reading(const struct arguments *arguments, const char *file,
                                          const struct hub_catalogue *catalogue,
                                          const char *what) {
    struct hub_connector *connector = load_connector(arguments, file, catalogue);
    struct hub_error error;
    if (connector == NULL || what == NULL ||
        hub_connector_need_source(connector, what, &error) == HUB_OK)
        return connector;
    fprintf(stderr, "%s\n", error.text);
    hub_connector_free(connector);
    return NULL;
}

static int run_list(const struct arguments *arguments) {
    HUB_SCOPED_BUFFER text = {0};
    (void)arguments;
    hub_buffer_append_text(&text, "transports\n");
    for (size_t i = 0; hub_transports[i] != NULL; i++) {
        hub_buffer_append_format(&text, "\n%s: %s\n", hub_transports[i]->name,
                                 hub_transports[i]->summary);
        hub_options_describe(hub_transports[i]->options, &text);
    }
    hub_buffer_append_text(&text, "\noutbound\n");
    for (size_t i = 0; hub_outbounds[i] != NULL; i++) {
        hub_buffer_append_format(&text, "\n%s: %s\n", hub_outbounds[i]->name,
                                 hub_outbounds[i]->summary);
        hub_options_describe(hub_outbounds[i]->options, &text);
    }
    hub_buffer_append_text(&text, "\nformats\n");
    for (size_t i = 0; hub_formats[i] != NULL; i++) {
        hub_buffer_append_format(&text, "\n%s: %s\n", hub_formats[i]->name,
                                 hub_formats[i]->summary);
        hub_options_describe(hub_formats[i]->options, &text);
    }
    fputs(hub_buffer_text(&text), stdout);
    return EXIT_OK;
}

static int run_explain(const struct arguments *arguments) {
    const char *kind = arguments->files[0];
    const char *name = arguments->file_count > 1 ? arguments->files[1] : NULL;
    HUB_SCOPED_BUFFER text = {0};
    if (hub_explain(kind, name, &text)) {
        fputs(hub_buffer_text(&text), stdout);
        return EXIT_OK;
    }
    if (name == NULL || !hub_explain(kind, NULL, &text))
        fprintf(stderr, "connector: '%s': transport, format or transform would pass\n", kind);
    else
        fprintf(stderr, "connector: there is no %s '%s'; there are:\n%s", kind, name,
                hub_buffer_text(&text));
    return EXIT_USAGE;
}

static int run_schema(const struct arguments *arguments) {
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    if (catalogue == NULL)
        return EXIT_FINDINGS;
    json_t *schema = hub_explain_schema(catalogue);
    json_dumpf(schema, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(schema);
    hub_catalogue_free(catalogue);
    return EXIT_OK;
}

/* What a connector would refuse is told last. */
static int run_keys(const struct arguments *arguments) {
    HUB_SCOPED_BUFFER text = {0};
    struct hub_arena arena = {0};
    struct hub_keys keys;
    struct hub_error error;
    size_t unfit = 0;
    if (arguments->keys == NULL) {
        fprintf(stderr, "connector: keys needs --keys DIR, or HUB_KEYS\n");
        return EXIT_USAGE;
    }
    enum hub_status status = hub_keys_describe(arguments->keys, &text, &unfit, &error);
    fputs(hub_buffer_text(&text), stdout);
    if (status == HUB_OK)
        status = hub_keys_load(arguments->keys, &arena, &keys, &error);
    hub_arena_destroy(&arena);
    if (status != HUB_OK)
        fprintf(stderr, "connector: %s\n", error.text);
    return status == HUB_OK && unfit == 0 ? EXIT_OK : EXIT_FINDINGS;
}

static int run_check(const struct arguments *arguments) {
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    size_t findings = 0;
    if (catalogue == NULL)
        return EXIT_FINDINGS;
    for (int i = 0; i < arguments->file_count; i++) {
        struct hub_connector *connector =
            load_connector(arguments, arguments->files[i], catalogue);
        bool subscribes = connector != NULL && connector->subscription != NULL;
        size_t own = connector == NULL ? 1 : subscribes ? 0 : hub_check_tests(connector, stdout);
        if (own == 0)
            printf("%s: ok\n", arguments->files[i]);
        findings += own;
        hub_connector_free(connector);
    }
    hub_catalogue_free(catalogue);
    return findings == 0 ? EXIT_OK : EXIT_FINDINGS;
}

static int run_dry(const struct arguments *arguments) {
    struct hub_catalogue *catalogue = NULL;
    struct hub_connector *connector = NULL;
    json_t *context = NULL;
    struct hub_error error;
    if (arguments->input == NULL) {
        fprintf(stderr, "connector: dry-run needs --input SAMPLE\n");
        return EXIT_USAGE;
    }
    if (hub_check_context(arguments->context, &context, &error) != HUB_OK) {
        fprintf(stderr, "connector: %s\n", error.text);
        return EXIT_USAGE;
    }
    catalogue = load_catalogue(arguments->schemas);
    if (catalogue != NULL)
        connector = load_reading(arguments, arguments->files[0], catalogue, "dry-run");
    size_t refused = connector == NULL ? 1
                                       : hub_dry_run(connector, arguments->input, context,
                                                     arguments->json, stdout);
    json_decref(context);
    hub_connector_free(connector);
    hub_catalogue_free(catalogue);
    return refused == 0 ? EXIT_OK : EXIT_FINDINGS;
}

static int run_coverage(const struct arguments *arguments) {
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    struct hub_connector *connector = NULL;
    if (catalogue != NULL)
        connector = load_reading(arguments, arguments->files[0], catalogue, "coverage");
    size_t refused =
        connector == NULL ? 1 : hub_coverage(connector, arguments->files[1], stdout);
    hub_connector_free(connector);
    hub_catalogue_free(catalogue);
    return refused == 0 ? EXIT_OK : EXIT_FINDINGS;
}

static int run_conform(const struct arguments *arguments) {
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    struct hub_connector *connector = NULL;
    if (catalogue != NULL)
        connector = load_reading(arguments, arguments->files[0], catalogue, "conform");
    size_t failed = connector == NULL ? 1
                                      : hub_conform(connector, arguments->samples,
                                                    arguments->json, stdout);
    hub_connector_free(connector);
    hub_catalogue_free(catalogue);
    return failed == 0 ? EXIT_OK : EXIT_FINDINGS;
}

static int run_new(const struct arguments *arguments) {
    struct hub_error error;
    HUB_SCOPED_BUFFER text = {0};
    if (arguments->sample == NULL || arguments->domain == NULL || arguments->system == NULL) {
        fprintf(stderr, "connector: new needs --from SAMPLE, --domain NAME and --system NAME\n");
        return EXIT_USAGE;
    }
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    if (catalogue == NULL)
        return EXIT_FINDINGS;
    struct hub_draft draft = {
        .catalogue = catalogue,
        .sample = arguments->sample,
        .domain = hub_catalogue_domain(catalogue, hub_bytes_of_text(arguments->domain)),
        .system = hub_parties_system(&catalogue->parties, hub_bytes_of_text(arguments->system))};
    enum hub_status status = HUB_OK;
    if (draft.domain == NULL)
        status = hub_fail(&error, HUB_REJECT, "there is no domain '%s'", arguments->domain);
    else if (draft.system == NULL)
        status = hub_fail(&error, HUB_REJECT, "'%s' is not in systems.json, where every source is "
                          "declared once", arguments->system);
    else
        status = hub_draft_write(&draft, &text, &error);
    if (status == HUB_OK)
        fputs(hub_buffer_text(&text), stdout);
    else
        fprintf(stderr, "connector: %s\n", error.text);
    hub_catalogue_free(catalogue);
    return status == HUB_OK ? EXIT_OK : EXIT_FINDINGS;
}

static int run_run(const struct arguments *arguments) {
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    struct hub_connector *connector = NULL;
    struct hub_error error;
    if (catalogue != NULL)
        connector = load_connector(arguments, arguments->files[0], catalogue);
    int code = EXIT_FINDINGS;
    if (connector != NULL) {
        enum hub_status status = connector->subscription != NULL
                                     ? hub_deliver_run(connector, &arguments->runtime, &error)
                                     : hub_runtime_run(connector, &arguments->runtime, &error);
        if (status != HUB_OK)
            fprintf(stderr, "connector %s: %s\n", connector->name, error.text);
        code = status == HUB_OK ? EXIT_OK : status == HUB_RETRY ? EXIT_UNREACHABLE : EXIT_FINDINGS;
    }
    hub_connector_free(connector);
    hub_catalogue_free(catalogue);
    return code;
}

static struct operation operation_of(const struct arguments *arguments) {
    return (struct operation){.state_folder = arguments->runtime.state_folder,
                              .bootstrap = arguments->runtime.bootstrap,
                              .who = arguments->who,
                              .reason = arguments->reason,
                              .to = arguments->to,
                              .since = arguments->since,
                              .letters = arguments->letters,
                              .dry_run = arguments->dry_run,
                              .json = arguments->json};
}

static int run_status(const struct arguments *arguments) {
    struct operation operation = operation_of(arguments);
    return operate_status(&operation, arguments->files, arguments->file_count);
}

static int run_pause(const struct arguments *arguments) {
    struct operation operation = operation_of(arguments);
    return operate_pause(&operation, arguments->files[0]);
}

static int run_resume(const struct arguments *arguments) {
    struct operation operation = operation_of(arguments);
    return operate_resume(&operation, arguments->files[0]);
}

static int run_retry(const struct arguments *arguments) {
    struct operation operation = operation_of(arguments);
    return operate_retry(&operation, arguments->files[0]);
}

static int run_stop(const struct arguments *arguments) {
    struct operation operation = operation_of(arguments);
    return operate_stop(&operation, arguments->files[0]);
}

/* `reads`: what is for connectors that read a source only; NULL: for all. */
static int with_connector(const struct arguments *arguments, const char *reads,
                          int (*operate)(const struct operation *operation,
                                         const struct hub_connector *connector)) {
    struct operation operation = operation_of(arguments);
    struct hub_catalogue *catalogue = load_catalogue(arguments->schemas);
    struct hub_connector *connector = NULL;
    if (catalogue != NULL)
        connector = load_reading(arguments, arguments->files[0], catalogue, reads);
    if (connector != NULL)
        connector->keys.subjects = HUB_SUBJECTS_KNOWN;
    int code = connector == NULL ? EXIT_FINDINGS : operate(&operation, connector);
    hub_connector_free(connector);
    hub_catalogue_free(catalogue);
    return code;
}

static int run_position(const struct arguments *arguments) {
    return with_connector(arguments, /* reads= */ NULL, operate_position);
}

static int run_remap(const struct arguments *arguments) {
    return with_connector(arguments, "remap",
                          arguments->letters != NULL ? operate_letters : operate_remap);
}

static int run_witness(const struct arguments *arguments) {
    struct witnessing witnessing = arguments->witnessing;
    witnessing.name = arguments->files[0];
    witnessing.state_folder = arguments->runtime.state_folder;
    return witness_run(&witnessing);
}

static const struct command commands[] = {
    {"list", "", "Names the transports and formats, with their options.", 0, 0, run_list},
    {"explain", "KIND [NAME]", "Tells of a transport, a format or a transform.", 1, 2, run_explain},
    {"keys", "", "Shows which keys there are and what each is for, and never a key.", 0, 0, run_keys},
    {"schema", "", "Prints a JSON Schema of configurations, for editors.", 0, 0, run_schema},
    {"new", "--from SAMPLE --domain NAME --system NAME",
     "Writes a first configuration, guessed from a sample.", 0, 0, run_new},
    {"check", "FILE...", "Checks configurations against the schema, and runs their tests.", 1, -1,
     run_check},
    {"dry-run", "FILE --input SAMPLE", "Maps one document and shows each field; publishes nothing.",
     1, 1, run_dry},
    {"coverage", "FILE FOLDER", "Maps a folder of documents and tells what is not used.", 2, 2,
     run_coverage},
    {"conform", "FILE [--samples FOLDER]",
     "Tries on samples whether it does what the hub demands of every source.", 1, 1, run_conform},
    {"run", "FILE", "Connects.", 1, 1, run_run},
    {"status", "[NAME...]", "Shows what the connectors of this machine do.", 0, -1, run_status},
    {"pause", "NAME --reason TEXT", "Lets it rest; its session stays open.", 1, 1, run_pause},
    {"resume", "NAME --reason TEXT", "Lets it go on.", 1, 1, run_resume},
    {"retry", "NAME", "Ends a back-off: it tries again at once.", 1, 1, run_retry},
    {"stop", "NAME", "Ends it, once what it has begun is committed.", 1, 1, run_stop},
    {"position", "FILE [--to JSON --reason TEXT]",
     "Shows how far it has read, or sets it; only while it is stopped.", 1, 1, run_position},
    {"remap", "FILE --since TIME | --letters PLACE,... --reason TEXT [--dry-run]",
     "Maps again what it has read since then, or dead letters, and publishes what differs.", 1, 1,
     run_remap},
    {"witness", "NAME --key FILE [--logs FILE --listen HOST:PORT]",
     "Prints its key, and cosigns what an archive has signed where it only grew.", 1, 1, run_witness},
    {0},
};

static const struct option long_options[] = {
    {"schemas", required_argument, NULL, 's'}, {"bootstrap", required_argument, NULL, 'b'},
    {"keys", required_argument, NULL, 'k'},    {"input", required_argument, NULL, 'i'},
    {"context", required_argument, NULL, 'c'}, {"output", required_argument, NULL, 'o'},
    {"state", required_argument, NULL, 't'},   {"once", no_argument, NULL, '1'},
    {"from", required_argument, NULL, 'f'},    {"domain", required_argument, NULL, 'd'},
    {"system", required_argument, NULL, 'y'},  {"reason", required_argument, NULL, 'r'},
    {"by", required_argument, NULL, 'w'},      {"to", required_argument, NULL, 'T'},
    {"since", required_argument, NULL, 'S'},   {"dry-run", no_argument, NULL, 'n'},
    {"letters", required_argument, NULL, 'l'}, {"samples", required_argument, NULL, 'm'},
    {"key", required_argument, NULL, 'K'},     {"logs", required_argument, NULL, 'L'},
    {"listen", required_argument, NULL, 'P'},
    {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
};

static void usage(FILE *out) {
    fprintf(out, "usage: connector COMMAND [ARGUMENT...] [OPTION...]\n\n");
    for (size_t i = 0; commands[i].name != NULL; i++)
        fprintf(out, "  %-8s %-20s %s\n", commands[i].name, commands[i].usage,
                commands[i].summary);
    fprintf(out,
            "\noptions:\n"
            "  --schemas DIR      the schemas folder (HUB_SCHEMAS, else schemas)\n"
            "  --keys DIR         keys for pseudonyms (HUB_KEYS)\n"
            "  --bootstrap HOSTS  Kafka (HUB_BOOTSTRAP, else 127.0.0.1:19092)\n"
            "  --state DIR        where held-back records and what it tells of itself stay (HUB_STATE,\n"
            "                     else state)\n"
            "  --by NAME          pause, resume, position, remap: who asks (USER)\n"
            "  --since TIME       remap: 2026-11-26 or 2026-11-26T14:00:00Z, in UTC\n"
            "  --letters PLACES   remap: dead letters as `hubctl dlq list` shows them, comma-separated;\n"
            "                     all: those of the connector that are open\n"
            "  --dry-run          remap: only show what would change\n"
            "  --once             run: end when the source has nothing more\n"
            "  --context A.B=C    dry-run: a fact about the request or file\n"
            "  --samples FOLDER   conform: documents instead of those that 'tests' name\n"
            "  --key FILE         witness: its private key, as `openssl genpkey -algorithm ed25519` writes it\n"
            "  --logs FILE        witness: the keys of the logs that it cosigns, one a line\n"
            "  --listen HOST:PORT witness: where it is asked (127.0.0.1:8083)\n"
            "  -o table|json      dry-run, conform: how to print (table)\n"
            "\nexit codes: 0 ok, 1 findings, 2 usage, 5 unreachable\n");
}

static const char *environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

static bool read_option(struct arguments *arguments, int option) {
    switch (option) {
    case 's':
        arguments->schemas = optarg;
        return true;
    case 'b':
        arguments->runtime.bootstrap = optarg;
        return true;
    case 'k':
        arguments->keys = optarg;
        return true;
    case 'i':
        arguments->input = optarg;
        return true;
    case 'c':
        arguments->context = optarg;
        return true;
    case 't':
        arguments->runtime.state_folder = optarg;
        return true;
    case 'f':
        arguments->sample = optarg;
        return true;
    case 'd':
        arguments->domain = optarg;
        return true;
    case 'y':
        arguments->system = optarg;
        return true;
    case 'r':
        arguments->reason = optarg;
        return true;
    case 'w':
        arguments->who = optarg;
        return true;
    case 'T':
        arguments->to = optarg;
        return true;
    case 'S':
        arguments->since = optarg;
        return true;
    case 'l':
        arguments->letters = optarg;
        return true;
    case 'm':
        arguments->samples = optarg;
        return true;
    case 'K':
        arguments->witnessing.key = optarg;
        return true;
    case 'L':
        arguments->witnessing.logs = optarg;
        return true;
    case 'P':
        arguments->witnessing.listen = optarg;
        return true;
    case 'n':
        arguments->dry_run = true;
        return true;
    case '1':
        arguments->runtime.once = true;
        return true;
    case 'o':
        arguments->json = strcmp(optarg, "json") == 0;
        return arguments->json || strcmp(optarg, "table") == 0;
    default:
        return false;
    }
}

int main(int argc, char **argv) {
    struct arguments arguments = {
        .schemas = environment("HUB_SCHEMAS", "schemas"),
        .keys = environment("HUB_KEYS", NULL),
        .who = environment("USER", "somebody"),
        .witnessing = {.listen = "127.0.0.1:8083"},
        .runtime = {.bootstrap = environment("HUB_BOOTSTRAP", "127.0.0.1:19092"),
                    .state_folder = environment("HUB_STATE", "state")}};
    hub_json_open();
    for (int option; (option = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return EXIT_OK;
        }
        if (!read_option(&arguments, option)) {
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    for (size_t i = 0; optind < argc && commands[i].name != NULL; i++) {
        if (strcmp(commands[i].name, argv[optind]) != 0)
            continue;
        arguments.files = argv + optind + 1;
        arguments.file_count = argc - optind - 1;
        if (arguments.file_count < commands[i].files_min ||
            (commands[i].files_max >= 0 && arguments.file_count > commands[i].files_max)) {
            fprintf(stderr, "usage: connector %s %s\n", commands[i].name, commands[i].usage);
            return EXIT_USAGE;
        }
        return commands[i].run(&arguments);
    }
    usage(stderr);
    return EXIT_USAGE;
}
