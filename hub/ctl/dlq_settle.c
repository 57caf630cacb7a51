/* hubctl dlq retry, dlq discard: what is to become of dead letters.
 *
 * Who retries is the connector: it has the document in its journal, the mapping, and the right to write statements,
 * in one transaction with its position. hubctl finds its configuration and hands over to `connector remap
 * --letters`. To discard takes no document: that is written here, as the institution whose letters they
 * are. */
#include "hub/ctl/dlq.h"

#include "hub/io/clock.h"
#include "hub/io/file.h"
#include "schemas/lib/node.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFIGURATION_SIZE_MAX = 1024 * 1024, ARGUMENTS_MAX = 16 };

struct settling {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    const char *topic, *institution;
    struct hub_ctl_letters letters;
    struct hub_open_letter **chosen; /* as many as places were named */
};

/* --- which letters --- */

static enum hub_exit refuse(const char *place, const char *why) {
    fprintf(stderr, "hubctl: %s: %s\n", place, why);
    return HUB_EXIT_FINDINGS;
}

static enum hub_exit choose(struct settling *settling) {
    const struct hub_ctl *ctl = settling->ctl;
    for (int i = 0; i < ctl->argument_count; i++) {
        const char *place = ctl->arguments[i];
        int64_t offset = 0;
        if (hub_letter_place_read(place, settling->institution, &offset))
            settling->chosen[i] = hub_letters_find(&settling->letters.letters, offset);
        if (settling->chosen[i] != NULL)
            continue;
        fprintf(stderr, "hubctl: there is no dead letter at %s; one of %s, as `hubctl dlq list` shows "
                "them, would pass\n", place, settling->topic);
        return HUB_EXIT_NOT_FOUND;
    }
    return HUB_EXIT_OK;
}

/* All of one institution. */
static enum hub_exit open_settling(struct settling *settling) {
    struct hub_ctl *ctl = settling->ctl;
    const char *place = ctl->arguments[0];
    if (ctl->reason == NULL || *ctl->reason == '\0' || ctl->by == NULL) {
        fprintf(stderr, "hubctl: --reason TEXT and --by NAME are needed: they stay with the letter\n");
        return HUB_EXIT_USAGE;
    }
    settling->topic = hub_ctl_letter_topic(place, &settling->arena);
    if (settling->topic == NULL)
        return refuse(place, "deadletter.INSTITUTION/0@OFFSET, as `hubctl dlq list` shows it, would pass");
    settling->institution = strchr(settling->topic, '.') + 1;
    if (strcmp(settling->institution, "hub") == 0)
        return refuse(place, "the hub refused a record that its institution has published; a later "
                             "record of the same key settles it, no retry and no discard");
    settling->chosen = hub_arena_take_zero(&settling->arena, (size_t)ctl->argument_count,
                                           sizeof *settling->chosen);
    if (!hub_ctl_load(ctl))
        return HUB_EXIT_FINDINGS;
    struct hub_source *source = hub_ctl_source(ctl);
    bool good = source != NULL && hub_ctl_letters_read(ctl, source, settling->topic,
                                                       /* wanted= */ -1, &settling->letters);
    hub_source_free(source);
    return good ? choose(settling) : HUB_EXIT_UNREACHABLE;
}

static void close_settling(struct settling *settling) {
    hub_ctl_letters_free(&settling->letters);
    hub_arena_destroy(&settling->arena);
}

/* --- dlq discard --- */

static enum hub_status write_discarded(struct settling *settling, struct hub_producer *producer,
                                       const struct hub_open_letter *letter,
                                       struct hub_error *reterr) {
    const struct hub_ctl *ctl = settling->ctl;
    struct hub_outgoing outgoing;
    struct hub_settlement settlement = {
        .catalogue = ctl->catalogue,
        .institution = settling->institution,
        .id = hub_arena_format(&settling->arena, "%s/0@%lld/discarded", settling->topic,
                               (long long)letter->offset),
        .letter = letter,
        .about = {.offset = letter->offset,
                  .outcome = HUB_LETTER_DISCARDED,
                  .because = ctl->reason,
                  .by = ctl->by,
                  .time_ms = hub_clock_realtime_ms()}};
    hub_letter_settle(&settlement, &settling->arena, &outgoing);
    struct hub_kafka_write write = {.topic = settling->topic,
                                    .partition = 0,
                                    .has_key = true,
                                    .key = hub_bytes_of_text(outgoing.key),
                                    .value = outgoing.value,
                                    .headers = (const struct hub_kafka_header *)outgoing.headers,
                                    .header_count = outgoing.header_count};
    return hub_producer_write(producer, &write, reterr);
}

/* The letters that are open, or none of them. */
static enum hub_status discard(struct settling *settling, struct hub_error *reterr) {
    const struct hub_ctl *ctl = settling->ctl;
    struct hub_producer *producer = NULL;
    const char *id = hub_arena_format(&settling->arena, "connector.%s.dlq.%s",
                                      settling->institution, ctl->by);
    HUB_TRY(hub_producer_new(ctl->bootstrap, id, &producer, reterr));
    enum hub_status status = hub_producer_begin(producer, reterr);
    for (int i = 0; status == HUB_OK && i < ctl->argument_count; i++)
        if (settling->chosen[i]->open)
            status = write_discarded(settling, producer, settling->chosen[i], reterr);
    if (status == HUB_OK)
        status = hub_producer_commit(producer, reterr);
    hub_producer_free(producer);
    return status;
}

static void tell(const struct settling *settling, const struct hub_open_letter *letter) {
    if (letter->open)
        printf("discarded  %s/0@%lld\n", settling->topic, (long long)letter->offset);
    else
        printf("nothing    %s/0@%lld  is %s already, by %s: %s\n", settling->topic,
               (long long)letter->offset, hub_letter_state(letter), letter->by, letter->because);
}

enum hub_exit hub_ctl_dlq_discard(struct hub_ctl *ctl) {
    struct settling settling = {.ctl = ctl};
    struct hub_error error;
    bool any = false;
    enum hub_exit code = open_settling(&settling);
    for (int i = 0; code == HUB_EXIT_OK && i < ctl->argument_count; i++)
        any |= settling.chosen[i]->open;
    if (any && discard(&settling, &error) != HUB_OK) {
        fprintf(stderr, "hubctl: %s\n", error.text);
        code = HUB_EXIT_UNREACHABLE;
    }
    for (int i = 0; code == HUB_EXIT_OK && i < ctl->argument_count; i++)
        tell(&settling, settling.chosen[i]);
    close_settling(&settling);
    return code;
}

/* --- dlq retry --- */

static bool is_of(const char *file, const char *connector, struct hub_arena *arena) {
    HUB_SCOPED_BUFFER text = {.size_max = CONFIGURATION_SIZE_MAX};
    struct hub_error ignored;
    struct hub_node *node = NULL;
    return hub_file_read(file, &text, &ignored) == HUB_OK &&
           hub_node_parse(hub_buffer_bytes(&text), file, arena, &node, &ignored) == HUB_OK &&
           hub_node_is_text(hub_node_get(node, "connector"), connector);
}

/* <folder>/<name>.yaml and <folder>/<institution>/<name>.yaml; NULL: it is not here. */
static const char *find_configuration(struct settling *settling, const char *folder,
                                      const char *connector, bool look_deeper) {
    struct hub_arena *arena = &settling->arena;
    struct hub_error ignored;
    char **names = NULL;
    size_t count = 0;
    const char *found = NULL;
    if (hub_file_list(folder, "", arena, &names, &count, &ignored) != HUB_OK)
        return NULL;
    for (size_t i = 0; i < count && found == NULL; i++) {
        const char *path = hub_arena_format(arena, "%s/%s", folder, names[i]);
        const char *end = strrchr(names[i], '.');
        if (look_deeper && hub_file_is_folder(path))
            found = find_configuration(settling, path, connector, /* look_deeper= */ false);
        else if (end != NULL && strcmp(end, ".yaml") == 0 && is_of(path, connector, arena))
            found = path;
    }
    return found;
}

/* Beside this program. */
static const char *find_program(struct hub_arena *arena) {
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(path, '/');
    return slash == NULL ? "connector"
                         : hub_arena_format(arena, "%.*s/connector", (int)(slash - path), path);
}

/* Does not return where it succeeds. */
static enum hub_exit hand_over(struct settling *settling, const char *file, const char *places) {
    const struct hub_ctl *ctl = settling->ctl;
    const char *program = find_program(&settling->arena);
    const char *arguments[ARGUMENTS_MAX] = {program,    "remap",     file,          "--letters",
                                            places,     "--reason",  ctl->reason,   "--by",
                                            ctl->by,    "--schemas", ctl->schemas,  "--bootstrap",
                                            ctl->bootstrap};
    if (ctl->keys != NULL) {
        arguments[ARGUMENTS_MAX - 3] = "--keys";
        arguments[ARGUMENTS_MAX - 2] = ctl->keys;
    }
    execv(program, (char **)arguments);
    fprintf(stderr, "hubctl: %s: %s\n", program, strerror(errno));
    return HUB_EXIT_FINDINGS;
}

/* All of one connector. */
static enum hub_exit find_connector(const struct settling *settling, const char **ret_connector) {
    const struct hub_ctl *ctl = settling->ctl;
    *ret_connector = settling->chosen[0]->connector;
    for (int i = 0; i < ctl->argument_count; i++) {
        const struct hub_open_letter *letter = settling->chosen[i];
        if (letter->sequence < 0)
            return refuse(ctl->arguments[i], "it is of no document that a connector has read; "
                                             "`hubctl dlq discard` ends it");
        if (strcmp(letter->connector, *ret_connector) != 0)
            return refuse(ctl->arguments[i], "it is of another connector than the first; those of "
                                             "one connector at a time would pass");
    }
    return HUB_EXIT_OK;
}

enum hub_exit hub_ctl_dlq_retry(struct hub_ctl *ctl) {
    struct settling settling = {.ctl = ctl};
    HUB_SCOPED_BUFFER places = {0};
    const char *connector = NULL;
    enum hub_exit code = open_settling(&settling);
    if (code == HUB_EXIT_OK)
        code = find_connector(&settling, &connector);
    for (int i = 0; code == HUB_EXIT_OK && i < ctl->argument_count; i++)
        hub_buffer_append_format(&places, "%s%s", i == 0 ? "" : ",", ctl->arguments[i]);
    if (code == HUB_EXIT_OK) {
        const char *file = find_configuration(&settling, ctl->connectors, connector,
                                              /* look_deeper= */ true);
        if (file != NULL) {
            code = hand_over(&settling, file, hub_buffer_text(&places));
        } else {
            fprintf(stderr, "hubctl: '%s' refused it, and its configuration is not under %s "
                    "(--connectors); where it runs, this would pass:\n"
                    "  connector remap FILE --letters %s --reason TEXT\n",
                    connector, ctl->connectors, hub_buffer_text(&places));
            code = HUB_EXIT_FINDINGS;
        }
    }
    close_settling(&settling);
    return code;
}
