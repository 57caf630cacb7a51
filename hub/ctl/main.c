/* hubctl: looks at the hub, tries configurations, asks why. */
#include "hub/ctl/ctl.h"
#include "hub/ctl/when.h"

#include "hub/io/crypto.h"
#include "hub/io/json.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct hub_command commands[] = {
    {"status", NULL, "", "Counts what came in and what became of it; 1 where it does not add up.",
     0, 0, hub_ctl_status, false},
    {"lag", NULL, "", "Shows what each task has yet to take.", 0, 0, hub_ctl_lag, false},
    {"complete", NULL, "",
     "Compares what is held with what the sources have; 1 where something is missing.", 0, 0,
     hub_ctl_complete, false},
    {"consume", NULL, "TOPIC", "Prints a topic's committed records, decoded.", 1, 1,
     hub_ctl_consume, true},
    {"entity", "list", "", "Lists entities; merged and withdrawn ones too with --all.", 0, 0,
     hub_ctl_entity_list, true},
    {"entity", "show", "ID [--unseal]", "Prints an entity's unified record.", 1, 1,
     hub_ctl_entity_show, true},
    {"entity", "history", "ID", "Lists what was published of an entity, and when.", 1, 1,
     hub_ctl_entity_history, true},
    {"entity", "diff", "ID [--from REVISION|TIME] [--to REVISION|TIME]",
     "Compares two of its records field by field; the last two.", 1, 1, hub_ctl_entity_diff, true},
    {"entity", "explain", "ID [FIELD | ID] [--edges], or --all",
     "Says why each field says what it says; why statements are one entity, or two are not.", 0, 2,
     hub_ctl_entity_explain, true},
    {"conflict", "list", "", "Lists open conflicts; resolved ones too with --all.", 0, 0,
     hub_ctl_conflict_list, true},
    {"conflict", "show", "ID", "Prints a conflict.", 1, 1, hub_ctl_conflict_show, true},
    {"conflict", "resolve", "ID --statement KEY --reason TEXT",
     "Chooses a statement's value; the conflict is open again when the sources move.", 1, 1,
     hub_ctl_conflict_resolve, false},
    {"conflict", "defer", "ID --reason TEXT", "Puts a conflict off until its values move.", 1, 1,
     hub_ctl_conflict_defer, false},
    {"conflict", "reopen", "ID --reason TEXT", "Takes a decision back.", 1, 1,
     hub_ctl_conflict_reopen, false},
    {"entity", "join", "ID ID --reason TEXT", "Decides that two entities are one.", 2, 2,
     hub_ctl_entity_join, false},
    {"entity", "separate", "ID [ID] [--statement KEY,...] --reason TEXT",
     "Decides that two entities, or statements of one and its others, are not the same.", 1, 2,
     hub_ctl_entity_separate, false},
    {"resolve", NULL, "SCHEME:VALUE", "Says what entity a number is the number of.", 1, 1,
     hub_ctl_resolve, true},
    {"match", "list", "", "Lists pairs of entities that may be one; closed ones too with --all.", 0, 0,
     hub_ctl_match_list, true},
    {"match", "show", "ID", "Compares the two field by field, with the evidence in words.", 1, 1,
     hub_ctl_match_show, true},
    {"trace", NULL, "ID|IDENTIFIER --forward|--backward",
     "Walks from a donation to a dose, or back, and names the gaps.", 1, 1, hub_ctl_trace, true},
    {"dlq", "list", "", "Lists open dead letters; settled ones too with --all.", 0, 0,
     hub_ctl_dlq_list, true},
    {"dlq", "show", "PLACE", "Prints a dead letter with its original bytes and its history.", 1, 1,
     hub_ctl_dlq_show, true},
    {"dlq", "retry", "PLACE... --reason TEXT",
     "Maps what they are about again, by `connector remap --letters`.", 1, -1, hub_ctl_dlq_retry, false},
    {"dlq", "discard", "PLACE... --reason TEXT", "Settles dead letters that nobody needs.", 1, -1,
     hub_ctl_dlq_discard, false},
    {"archive", "verify", "FOLDER [--key FILE|KEY] [--from N] [--to N]",
     "Says whether an archive is what was signed; 1 where it is not. Needs its files only.", 1, 1,
     hub_ctl_archive_verify, false},
    {"archive", "prove", "LOG INDEX|--offset N --to-file PREFIX",
     "Writes a record, and the proof that it is in the log, as files that others check.", 1, 2,
     hub_ctl_archive_prove, false},
    {"archive", "prove-growth", "LOG SIZE SIZE --to-file FILE",
     "Writes the proof that a log only grew between two checkpoints.", 3, 3,
     hub_ctl_archive_prove_growth, false},
    {"archive", "receipt", "ARCHIVE CE-ID --to-file PREFIX",
     "Writes the proof that an event was taken, and what entry of the log was made of it.", 2, 2,
     hub_ctl_archive_receipt, false},
    {"archive", "check", "FILE --key FILE|KEY", "Says whether a proof shows what it should.", 1, 1,
     hub_ctl_archive_check, false},
    {"replay", NULL, "--to-file FILE|--to-topic replay.NAME [--from TIME] [--to TIME] [--topic NAME]",
     "Gives out again what is archived, as it happened, and certifies what that was.", 0, 0,
     hub_ctl_replay, true},
    {"erase", NULL, "SUBJECT --basis TEXT --reason TEXT",
     "Destroys the key of what is sealed for a subject; 1 where that is refused.", 1, 1, hub_ctl_erase,
     false},
    {"hold", NULL, "SUBJECT --reason TEXT", "Lets nobody destroy a subject's key.", 1, 1,
     hub_ctl_hold, false},
    {"release", NULL, "SUBJECT --reason TEXT", "Ends a hold.", 1, 1, hub_ctl_release, false},
    {"retention", "show", "[--domain NAME]", "Shows until when each domain's records are to be kept, and why.",
     0, 0, hub_ctl_retention_show, true},
    {"retention", "keys", "[--domain NAME]", "Shows until when each key of what is sealed is to be kept.", 0,
     0, hub_ctl_retention_keys, false},
    {"retention", "end", "", "Destroys the keys of what may be kept no longer; to be called once a day.", 0,
     0, hub_ctl_retention_end, false},
    {"audit", "report", "-o html|json [--from TIME] [--to TIME]",
     "For an inspector: ALCOA+ row by row with figures, and who did what, when and why.", 0, 0,
     hub_ctl_audit_report, true},
    {"refold", NULL, "DOMAIN", "Folds the log again and compares with what was published.", 1, 1,
     hub_ctl_refold, true},
    {"rules", "show", "[DOMAIN]", "Shows by which rules each shard is folded.", 0, 1,
     hub_ctl_rules_show, true},
    {"rules", "diff", "DOMAIN [--from RULES] [--to RULES] [--report FILE]",
     "Rehearses other rules on the log's history; 1 where they come to something else.", 1, 1,
     hub_ctl_rules_diff, true},
    {"rules", "activate", "DOMAIN [--to RULES] --report FILE --reason TEXT",
     "Puts rules in force that were rehearsed.", 1, 1, hub_ctl_rules_activate, false},
    {"simulate", NULL, "CONFIG.yaml [DOCUMENT...] ...",
     "Maps, admits and folds documents without Kafka; prints unified records and conflicts.", 1,
     -1, hub_ctl_simulate, false},
    {"topic", "create", "", "Creates the topics that are missing.", 0, 0, hub_ctl_topic_create, false},
    {"topic", "list", "", "Lists the topics, with their schemas' subjects.", 0, 0,
     hub_ctl_topic_list, false},
    {"schema", "lint", "", "Checks everything under the schemas folder.", 0, 0,
     hub_ctl_schema_lint, false},
    {"schema", "lock", "", "Registers what was changed, as new versions with new ids.", 0, 0,
     hub_ctl_schema_lock, false},
    {0},
};

static const struct option long_options[] = {
    {"schemas", required_argument, NULL, 's'},   {"bootstrap", required_argument, NULL, 'b'},
    {"keys", required_argument, NULL, 'k'},      {"domain", required_argument, NULL, 'd'},
    {"group", required_argument, NULL, 'g'},     {"context", required_argument, NULL, 'c'},
    {"output", required_argument, NULL, 'o'},    {"all", no_argument, NULL, 'a'},
    {"limit", required_argument, NULL, 'n'},     {"help", no_argument, NULL, 'h'},
    {"reason", required_argument, NULL, 'r'},    {"by", required_argument, NULL, 'w'},
    {"statement", required_argument, NULL, 't'}, {"connectors", required_argument, NULL, 'C'},
    {"edges", no_argument, NULL, 'e'},           {"forward", no_argument, NULL, 'F'},
    {"backward", no_argument, NULL, 'B'},        {"owner", required_argument, NULL, 'O'},
    {"from", required_argument, NULL, 'f'},      {"to", required_argument, NULL, 'T'},
    {"report", required_argument, NULL, 'R'},    {"archive", required_argument, NULL, 'A'},
    {"as-of", required_argument, NULL, 'S'},     {"key", required_argument, NULL, 'K'},
    {"offset", required_argument, NULL, 'p'},    {"to-file", required_argument, NULL, 'W'},
    {"to-topic", required_argument, NULL, 'G'},  {"certificate", required_argument, NULL, 'x'},
    {"topic", required_argument, NULL, 'P'},     {"entity", required_argument, NULL, 'E'},
    {"speed", required_argument, NULL, 'N'},     {"resume", no_argument, NULL, 'u'},
    {"seen", required_argument, NULL, 'V'},      {"basis", required_argument, NULL, 'L'},
    {"unseal", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

static void usage(FILE *out) {
    fprintf(out, "usage: hubctl COMMAND [ARGUMENT...] [OPTION...]\n\n");
    for (size_t i = 0; commands[i].noun != NULL; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s%s", commands[i].noun,
                 commands[i].verb == NULL ? "" : " ",
                 commands[i].verb == NULL ? "" : commands[i].verb);
        fprintf(out, "  %-20s %s\n", name, commands[i].summary);
    }
    fprintf(out,
            "\noptions:\n"
            "  -o table|json      how to print (table); audit report: html or json\n"
            "  --bootstrap HOSTS  Kafka (HUB_BOOTSTRAP, else 127.0.0.1:19092)\n"
            "  --schemas DIR      the schemas folder (HUB_SCHEMAS, else schemas)\n"
            "  --keys DIR         the institution's keys (HUB_KEYS): for pseudonyms in simulate, for\n"
            "                     --unseal, and for erase, hold, release and retention\n"
            "  --unseal           entity show: what is sealed, as far as the keys here can read it\n"
            "  --basis TEXT       erase: the legal basis\n"
            "  --domain NAME      only this domain\n"
            "  --owner NAME       conflict list: only what this institution should act on\n"
            "  --context A.B=C    simulate: a fact about the request or file, such as\n"
            "                     request.sending_hei_id=lu.se\n"
            "  --limit N          at most N records\n"
            "  --all              closed, deferred and merged ones too\n"
            "  --reason TEXT      why; every decision needs one\n"
            "  --by NAME          who decides (USER)\n"
            "  --connectors DIR   the configurations, for places in documents and for dlq retry\n"
            "                     (HUB_CONNECTORS, else connectors)\n"
            "  --edges            why the entity's statements are one entity\n"
            "  --forward          trace: to what was made of it; --backward: to what it is made of\n"
            "  --archive DIR      reads an archive, not Kafka; for what only looks (replay:\n"
            "                     HUB_ARCHIVE, else archive)\n"
            "  --as-of TIME       what there was then (2026-03-03, 2026-03-03T12:00:00Z); likewise\n"
            "  --statement KEY    the statement whose value is chosen; those to separate\n"
            "  --from, --to TIME  audit report: acts of these times\n"
            "  --from, --to       entity diff: of which records, by revision or time\n"
            "  --from, --to RULES rules diff and activate: active (from), file (to; the schemas\n"
            "                     folder in use), or the path of a schemas folder or of an .avsc\n"
            "  --report FILE      rules diff writes what it found there; rules activate takes it,\n"
            "                     or its hash\n"
            "  --key FILE|KEY     archive, replay, audit report: the keys that you believe, one a line, or\n"
            "                     one\n"
            "  --from, --to N     archive verify: looks at these records only, the last not with them\n"
            "  --seen FILE        archive verify: a checkpoint of its roll-up log that a witness remembers\n"
            "  --offset N         archive prove: the record of this offset\n"
            "  --to-file PREFIX   archive prove and prove-growth: the files that they write\n"
            "  --from, --to TIME  replay: from then on, and up to then\n"
            "  --topic NAME       replay: only this topic; --domain: only those of the domain\n"
            "  --entity ID        replay: only what is about the entity\n"
            "  --to-file FILE     replay: writes lines of JSON, as consume -o json prints them\n"
            "  --to-topic NAME    replay: writes to this topic, whose name begins with replay.\n"
            "  --certificate FILE replay: what says what was replayed (FILE.certificate.json)\n"
            "  --speed N          replay: N times as fast as it happened\n"
            "  --resume           replay: goes on with one that was interrupted\n"
            "\nexit codes: 0 ok, 1 findings, 2 usage, 3 not found, 5 unreachable\n");
}

static const char *environment(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

static bool read_option(struct hub_ctl *ctl, int option) {
    switch (option) {
    case 's':
        ctl->schemas = optarg;
        return true;
    case 'b':
        ctl->bootstrap = optarg;
        return true;
    case 'k':
        ctl->keys = optarg;
        return true;
    case 'd':
        ctl->domain = optarg;
        return true;
    case 'O':
        ctl->owner = optarg;
        return true;
    case 'g':
        ctl->group = optarg;
        return true;
    case 'c':
        ctl->context = optarg;
        return true;
    case 'r':
        ctl->reason = optarg;
        return true;
    case 'L':
        ctl->basis = optarg;
        return true;
    case 'U':
        ctl->unseal = true;
        return true;
    case 'w':
        ctl->by = optarg;
        return true;
    case 't':
        ctl->statement = optarg;
        return true;
    case 'C':
        ctl->connectors = optarg;
        return true;
    case 'e':
        ctl->edges = true;
        return true;
    case 'F':
        ctl->forward = true;
        return true;
    case 'B':
        ctl->backward = true;
        return true;
    case 'f':
        ctl->from = optarg;
        return true;
    case 'T':
        ctl->to = optarg;
        return true;
    case 'R':
        ctl->report = optarg;
        return true;
    case 'A':
        ctl->archive = optarg;
        return true;
    case 'S':
        return hub_ctl_when(optarg, &ctl->as_of_ms);
    case 'K':
        ctl->key = optarg;
        return true;
    case 'p':
        ctl->offset = optarg;
        return true;
    case 'V':
        ctl->seen = optarg;
        return true;
    case 'W':
        ctl->to_file = optarg;
        return true;
    case 'G':
        ctl->to_topic = optarg;
        return true;
    case 'x':
        ctl->certificate = optarg;
        return true;
    case 'P':
        ctl->topic = optarg;
        return true;
    case 'E':
        ctl->entity = optarg;
        return true;
    case 'N':
        ctl->speed = strtod(optarg, NULL);
        return ctl->speed > 0;
    case 'u':
        ctl->resume = true;
        return true;
    case 'a':
        ctl->all = true;
        return true;
    case 'n':
        ctl->limit = strtoll(optarg, NULL, 10);
        return ctl->limit > 0;
    case 'o':
        ctl->json = strcmp(optarg, "json") == 0;
        ctl->html = strcmp(optarg, "html") == 0;
        return ctl->json || ctl->html || strcmp(optarg, "table") == 0;
    default:
        return false;
    }
}

bool hub_ctl_load(struct hub_ctl *ctl) {
    struct hub_error error;
    if (ctl->catalogue != NULL)
        return true;
    if (hub_catalogue_load(ctl->schemas, &hub_sha256, &ctl->catalogue, &error) == HUB_OK)
        return true;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return false;
}

static const struct hub_command *find_command(struct hub_ctl *ctl) {
    for (size_t i = 0; commands[i].noun != NULL && ctl->argument_count > 0; i++) {
        const struct hub_command *command = &commands[i];
        int words = command->verb == NULL ? 1 : 2;
        if (ctl->argument_count < words || strcmp(command->noun, ctl->arguments[0]) != 0 ||
            (command->verb != NULL && strcmp(command->verb, ctl->arguments[1]) != 0))
            continue;
        ctl->arguments += words;
        ctl->argument_count -= words;
        return command;
    }
    return NULL;
}

int main(int argc, char **argv) {
    struct hub_ctl ctl = {.schemas = environment("HUB_SCHEMAS", "schemas"),
                          .bootstrap = environment("HUB_BOOTSTRAP", "127.0.0.1:19092"),
                          .keys = environment("HUB_KEYS", NULL),
                          .connectors = environment("HUB_CONNECTORS", "connectors"),
                          .group = "hub",
                          .by = environment("USER", NULL),
                          .limit = INT64_MAX,
                          .as_of_ms = INT64_MAX};
    hub_json_open();
    for (int option; (option = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1;) {
        if (option == 'h') {
            usage(stdout);
            return HUB_EXIT_OK;
        }
        if (!read_option(&ctl, option)) {
            usage(stderr);
            return HUB_EXIT_USAGE;
        }
    }
    ctl.arguments = argv + optind;
    ctl.argument_count = argc - optind;
    const struct hub_command *command = find_command(&ctl);
    if (command == NULL) {
        usage(stderr);
        return HUB_EXIT_USAGE;
    }
    if (ctl.argument_count < command->arguments_min ||
        (command->arguments_max >= 0 && ctl.argument_count > command->arguments_max)) {
        fprintf(stderr, "usage: hubctl %s %s %s\n", command->noun,
                command->verb == NULL ? "" : command->verb, command->arguments);
        return HUB_EXIT_USAGE;
    }
    if (ctl.html && command->run != hub_ctl_audit_report) {
        fprintf(stderr, "hubctl: -o html is of audit report alone; table or json would pass\n");
        return HUB_EXIT_USAGE;
    }
    if (!command->looks && (ctl.archive != NULL || ctl.as_of_ms != INT64_MAX)) {
        fprintf(stderr, "hubctl: %s%s%s is of Kafka as it is now; without --archive and --as-of it would "
                "pass\n", command->noun, command->verb == NULL ? "" : " ",
                command->verb == NULL ? "" : command->verb);
        return HUB_EXIT_USAGE;
    }
    enum hub_exit code = command->run(&ctl);
    hub_catalogue_free(ctl.catalogue);
    return (int)code;
}
