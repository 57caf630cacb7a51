/* hubctl erase, hold, release: what becomes of the key of a subject's sealed fields.
 *
 * An erasure is told before and after. BEGUN first: what cannot be told is not done. Then a note beside the keys, the
 * key, and ERASED: that is never told of a key that is there. What was interrupted the note remembers, and the next
 * erasure ends it. */
#include "hub/ctl/erase.h"

#include "hub/io/clock.h"
#include "hub/stages/erasure_entry.h"
#include "schemas/lib/sealed.h"

#include <stdio.h>
#include <string.h>

struct erasing {
    struct hub_ctl *ctl;
    struct hub_arena arena;
    struct hub_keys keys;
    struct hub_subject *subjects;
    size_t count;
    struct hub_error error;
};

bool hub_ctl_keys(struct hub_ctl *ctl, struct hub_arena *arena, struct hub_keys *ret_keys) {
    struct hub_error error;
    if (ctl->keys == NULL) {
        fprintf(stderr, "hubctl: --keys DIR (HUB_KEYS) names the folder of the institution's keys\n");
        return false;
    }
    if (hub_keys_load(ctl->keys, arena, ret_keys, &error) == HUB_OK)
        return true;
    fprintf(stderr, "hubctl: %s\n", error.text);
    return false;
}

static enum hub_exit fail(const struct erasing *erasing, enum hub_exit code) {
    fprintf(stderr, "hubctl: %s\n", erasing->error.text);
    return code;
}

/* --- entries --- */

bool hub_ctl_seals(const struct hub_domain *domain) {
    for (size_t i = 0; i < domain->contract.count; i++)
        if (hub_sealed_is(domain->contract.fields[i].field->type))
            return true;
    return false;
}

static enum hub_status write_entry(struct erasing *erasing, struct hub_producer *producer,
                                   const struct hub_erasure_entry *entry) {
    HUB_SCOPED_BUFFER key = {0}, value = {0};
    hub_erasure_entry_append_key(entry, &key);
    hub_erasure_entry_encode(entry, erasing->ctl->catalogue, &value);
    struct hub_kafka_write write = {.topic = "decision",
                                    .partition = 0,
                                    .has_key = true,
                                    .key = hub_buffer_bytes(&key),
                                    .value = hub_buffer_bytes(&value)};
    return hub_producer_write(producer, &write, &erasing->error);
}

/* To every domain that has sealed fields: nobody but the institution knows which of them the key has sealed. */
static enum hub_status tell(struct erasing *erasing, const char *key_id,
                            enum hub_erasure_step step, const struct hub_key_note *note) {
    const struct hub_ctl *ctl = erasing->ctl;
    struct hub_producer *producer = NULL;
    struct hub_erasure_entry entry = {.key_id = key_id,
                                      .step = step,
                                      .basis = note->basis,
                                      .reason = note->reason,
                                      .decided_by = note->by,
                                      .decided_time_ms = note->time_ms};
    const char *id = hub_arena_format(&erasing->arena, "%s.ctl.%s", ctl->group, ctl->by);
    HUB_TRY(hub_producer_new(ctl->bootstrap, id, &producer, &erasing->error));
    enum hub_status status = hub_producer_begin(producer, &erasing->error);
    for (size_t i = 0; status == HUB_OK && i < ctl->catalogue->domain_count; i++) {
        entry.domain = ctl->catalogue->domains[i].name;
        if (hub_ctl_seals(&ctl->catalogue->domains[i]))
            status = write_entry(erasing, producer, &entry);
    }
    if (status == HUB_OK)
        status = hub_producer_commit(producer, &erasing->error);
    hub_producer_free(producer);
    return status;
}

/* --- erasing --- */

/* From the note on: the key, and that it is destroyed. */
static enum hub_exit end_erasure(struct erasing *erasing, const char *key_id,
                                 struct hub_key_note *note) {
    struct hub_subject *found = NULL;
    size_t count = 0;
    enum hub_status status = hub_subjects_find(&erasing->keys, key_id, &erasing->arena, &found, &count,
                                               &erasing->error);
    for (size_t i = 0; status == HUB_OK && i < count; i++)
        status = hub_subject_destroy(&erasing->keys, &found[i], &erasing->error);
    if (status != HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    if (tell(erasing, key_id, HUB_ERASURE_ERASED, note) != HUB_OK) {
        fprintf(stderr, "hubctl: key %s is destroyed, and the hub could not be told; the next `hubctl erase` "
                        "tells it\n", key_id);
        return fail(erasing, HUB_EXIT_UNREACHABLE);
    }
    note->told = true;
    if (hub_key_note_write(&erasing->keys, HUB_KEYS_ERASED, key_id, note, &erasing->error) != HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    printf("erased   key %s: what it had sealed can be read by nobody\n", key_id);
    return HUB_EXIT_OK;
}

static enum hub_exit check_hold(struct erasing *erasing, const char *key_id) {
    struct hub_key_note note;
    bool held = false;
    if (hub_key_note_read(&erasing->keys, HUB_KEYS_HELD, key_id, &erasing->arena, &note, &held,
                          &erasing->error) != HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    if (!held)
        return HUB_EXIT_OK;
    fprintf(stderr, "hubctl: refused: key %s is held by %s: %s; `hubctl release` ends that\n", key_id,
            note.by, note.reason);
    return HUB_EXIT_FINDINGS;
}

static enum hub_exit erase(struct erasing *erasing, const char *key_id) {
    const struct hub_ctl *ctl = erasing->ctl;
    struct hub_key_note note = {.basis = ctl->basis,
                                .reason = ctl->reason,
                                .by = ctl->by,
                                .time_ms = hub_clock_realtime_ms()};
    if (tell(erasing, key_id, HUB_ERASURE_BEGUN, &note) != HUB_OK)
        return fail(erasing, HUB_EXIT_UNREACHABLE);
    if (hub_key_note_write(&erasing->keys, HUB_KEYS_ERASED, key_id, &note, &erasing->error) != HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    return end_erasure(erasing, key_id, &note);
}

/* What an earlier one has begun. */
static enum hub_exit end_interrupted(struct erasing *erasing, size_t *ret_ended) {
    char **ids = NULL;
    size_t count = 0;
    enum hub_exit code = HUB_EXIT_OK;
    if (hub_key_notes_list(&erasing->keys, HUB_KEYS_ERASED, &erasing->arena, &ids, &count,
                           &erasing->error) != HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    for (size_t i = 0; i < count && code == HUB_EXIT_OK; i++) {
        struct hub_key_note note;
        bool found = false;
        if (hub_key_note_read(&erasing->keys, HUB_KEYS_ERASED, ids[i], &erasing->arena, &note, &found,
                              &erasing->error) != HUB_OK)
            return fail(erasing, HUB_EXIT_FINDINGS);
        if (!found || note.told || check_hold(erasing, ids[i]) != HUB_EXIT_OK)
            continue;
        code = end_erasure(erasing, ids[i], &note);
        *ret_ended += code == HUB_EXIT_OK;
    }
    return code;
}

/* --- commands --- */

static bool has_text(const char *text) {
    return text != NULL && text[strspn(text, " \t\r\n")] != '\0';
}

static enum hub_exit open_erasing(struct hub_ctl *ctl, bool needs_basis, struct erasing *erasing) {
    *erasing = (struct erasing){.ctl = ctl};
    if (!has_text(ctl->reason) || !has_text(ctl->by) || (needs_basis && !has_text(ctl->basis))) {
        fprintf(stderr, "hubctl: %s--reason TEXT and --by NAME are needed: they stay in the log\n",
                needs_basis ? "--basis TEXT, the legal one, " : "");
        return HUB_EXIT_USAGE;
    }
    if (!hub_ctl_keys(ctl, &erasing->arena, &erasing->keys))
        return HUB_EXIT_USAGE;
    return hub_ctl_load(ctl) ? HUB_EXIT_OK : HUB_EXIT_FINDINGS;
}

static enum hub_exit find_subjects(struct erasing *erasing) {
    if (hub_subjects_find(&erasing->keys, erasing->ctl->arguments[0], &erasing->arena,
                          &erasing->subjects, &erasing->count, &erasing->error) == HUB_OK)
        return HUB_EXIT_OK;
    return fail(erasing, HUB_EXIT_FINDINGS);
}

static enum hub_exit tell_none(void) {
    fprintf(stderr, "hubctl: nothing is sealed for such a subject with the keys here; a key's id, or what "
                    "the institution knows the subject by, would pass\n");
    return HUB_EXIT_NOT_FOUND;
}

static enum hub_exit erase_all(struct erasing *erasing, const struct hub_ctl_kept *kept, size_t ended) {
    enum hub_exit code = HUB_EXIT_OK;
    if (erasing->count == 0 && kept->count > 0) {
        fprintf(stderr, "hubctl: refused: %zu records of %s: %s\n", kept->count, kept->domains,
                hub_ctl_kept_because);
        return HUB_EXIT_FINDINGS;
    }
    if (erasing->count == 0)
        return ended > 0 ? HUB_EXIT_OK : tell_none();
    for (size_t i = 0; i < erasing->count && code == HUB_EXIT_OK; i++)
        code = check_hold(erasing, erasing->subjects[i].key_id);
    for (size_t i = 0; i < erasing->count && code == HUB_EXIT_OK; i++)
        code = erase(erasing, erasing->subjects[i].key_id);
    if (code == HUB_EXIT_OK && kept->count > 0)
        printf("kept     %zu records of %s: %s\n", kept->count, kept->domains, hub_ctl_kept_because);
    return code;
}

/* Honestly. */
static void tell_what_is_left(struct erasing *erasing) {
    hub_ctl_tell_journals(erasing->ctl, hub_clock_realtime_ms());
    printf("backup   of the keys' folder: one has the key still, until it is destroyed, too\n"
           "source   what it says of the subject from now on is sealed with another key: it has to forget, "
           "too\n");
}

enum hub_exit hub_ctl_erase(struct hub_ctl *ctl) {
    struct erasing erasing;
    struct hub_ctl_kept kept = {.domains = ""};
    size_t ended = 0;
    enum hub_exit code = open_erasing(ctl, /* needs_basis= */ true, &erasing);
    if (code == HUB_EXIT_OK)
        code = end_interrupted(&erasing, &ended);
    if (code == HUB_EXIT_OK)
        code = find_subjects(&erasing);
    if (code == HUB_EXIT_OK && !hub_key_id_is(ctl->arguments[0]) &&
        !hub_ctl_kept_find(ctl, &erasing.keys, ctl->arguments[0], &kept))
        code = HUB_EXIT_UNREACHABLE;
    if (code == HUB_EXIT_OK)
        code = erase_all(&erasing, &kept, ended);
    if (code == HUB_EXIT_OK)
        tell_what_is_left(&erasing);
    hub_ctl_kept_free(&kept);
    hub_arena_destroy(&erasing.arena);
    return code;
}

enum hub_exit hub_ctl_erase_ended(struct hub_ctl *ctl, const struct hub_ctl_ended *ended, size_t count) {
    struct erasing erasing = {.ctl = ctl};
    size_t interrupted = 0;
    enum hub_exit code = HUB_EXIT_OK;
    if (!hub_ctl_keys(ctl, &erasing.arena, &erasing.keys))
        code = HUB_EXIT_USAGE;
    if (code == HUB_EXIT_OK)
        code = end_interrupted(&erasing, &interrupted);
    for (size_t i = 0; i < count && code == HUB_EXIT_OK; i++) {
        ctl->basis = ended[i].basis;
        ctl->reason = ended[i].reason;
        code = check_hold(&erasing, ended[i].key_id);
        if (code == HUB_EXIT_OK)
            code = erase(&erasing, ended[i].key_id);
    }
    hub_arena_destroy(&erasing.arena);
    return code;
}

/* A hold is there before it is told, and until its end is told. */
static enum hub_exit set_hold(struct erasing *erasing, const char *key_id, bool holds) {
    const struct hub_ctl *ctl = erasing->ctl;
    struct hub_key_note note = {
        .reason = ctl->reason, .by = ctl->by, .time_ms = hub_clock_realtime_ms()};
    if (holds && hub_key_note_write(&erasing->keys, HUB_KEYS_HELD, key_id, &note, &erasing->error) !=
                     HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    if (tell(erasing, key_id, holds ? HUB_ERASURE_HELD : HUB_ERASURE_RELEASED, &note) != HUB_OK)
        return fail(erasing, HUB_EXIT_UNREACHABLE);
    if (!holds &&
        hub_key_note_remove(&erasing->keys, HUB_KEYS_HELD, key_id, &erasing->error) != HUB_OK)
        return fail(erasing, HUB_EXIT_FINDINGS);
    printf("%s  key %s\n", holds ? "held    " : "released", key_id);
    return HUB_EXIT_OK;
}

static enum hub_exit hold(struct hub_ctl *ctl, bool holds) {
    struct erasing erasing;
    enum hub_exit code = open_erasing(ctl, /* needs_basis= */ false, &erasing);
    if (code == HUB_EXIT_OK)
        code = find_subjects(&erasing);
    if (code == HUB_EXIT_OK && erasing.count == 0)
        code = tell_none();
    for (size_t i = 0; i < erasing.count && code == HUB_EXIT_OK; i++)
        code = set_hold(&erasing, erasing.subjects[i].key_id, holds);
    hub_arena_destroy(&erasing.arena);
    return code;
}

enum hub_exit hub_ctl_hold(struct hub_ctl *ctl) {
    return hold(ctl, true);
}

enum hub_exit hub_ctl_release(struct hub_ctl *ctl) {
    return hold(ctl, false);
}
