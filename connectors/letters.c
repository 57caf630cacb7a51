/* connector remap --letters: dead letters are tried again by the configuration as it is now.
 *
 * Each letter is one transaction: what its document says now, what became of the letter, and the position under a
 * sequence of its own. Letters are taken in the order of their documents, and none before an older open one of the
 * same source record. */
#include "connectors/again.h"
#include "connectors/kit/letters.h"
#include "connectors/kit/retry.h"
#include "hub/base/table.h"
#include "hub/io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE_MAX = 300 };

/* A source record that an older letter is about, which stays open. */
struct held_key {
    UT_hash_handle hh;
    const char *key;
    int64_t offset; /* of that letter */
};

/* A letter of this connector's that is open. */
struct task {
    struct hub_open_letter *letter;
    bool wanted, seen;
};

struct retrying {
    struct again again;
    const char *topic; /* of dead letters */
    struct hub_letters letters;
    struct task *tasks; /* by sequence and offset */
    size_t task_count, next;
    struct held_key *held;
    struct hub_arena batch; /* of one document */
    int64_t counts[HUB_LETTER_UNRECOGNISED], waiting, stays;
    bool found_discarded;
};

/* --- which letters --- */

static enum hub_status take_letter(void *context, const struct hub_kafka_record *record,
                                   struct hub_error *reterr) {
    struct retrying *retrying = context;
    return hub_letters_read(&retrying->letters, retrying->again.connector->catalogue, record,
                            reterr);
}

static bool is_own(const struct retrying *retrying, const struct hub_open_letter *letter) {
    return letter->sequence >= 0 && letter->document != NULL &&
           strcmp(letter->connector, retrying->again.connector->name) == 0;
}

static int by_sequence(const void *left, const void *right) {
    const struct hub_open_letter *a = ((const struct task *)left)->letter;
    const struct hub_open_letter *b = ((const struct task *)right)->letter;
    int order = a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
    return order != 0 ? order : a->offset < b->offset ? -1 : a->offset > b->offset;
}

static void list_tasks(struct retrying *retrying, bool wanted) {
    struct hub_letters *letters = &retrying->letters;
    retrying->tasks =
        hub_arena_take(&retrying->again.arena, (letters->count + 1) * sizeof *retrying->tasks);
    for (size_t i = 0; i < letters->count; i++)
        if (letters->items[i].open && is_own(retrying, &letters->items[i]))
            retrying->tasks[retrying->task_count++] =
                (struct task){.letter = &letters->items[i], .wanted = wanted};
    qsort(retrying->tasks, retrying->task_count, sizeof *retrying->tasks, by_sequence);
}

static enum hub_status refuse_place(const struct retrying *retrying, const char *place,
                                    const struct hub_open_letter *letter,
                                    struct hub_error *reterr) {
    const char *name = retrying->again.connector->name;
    if (letter == NULL)
        return hub_fail(reterr, HUB_REJECT, "there is no dead letter at %s; a place such as %s/0@12, "
                        "as `hubctl dlq list` shows them, or 'all' would pass", place,
                        retrying->topic);
    return hub_fail(reterr, HUB_REJECT, "%s is not of a document that '%s' has read; %s%s%s", place,
                    name, letter->sequence < 0 ? "" : "the configuration of '",
                    letter->sequence < 0 ? "`hubctl dlq discard` ends it" : letter->connector,
                    letter->sequence < 0 ? "" : "' would pass");
}

/* What was settled before is told, and nothing is done again. */
static void tell_settled(struct retrying *retrying, const struct hub_open_letter *letter) {
    bool discarded = letter->outcome == HUB_LETTER_DISCARDED;
    printf("%-10s %s/0@%lld  is %s already, by %s: %s%s\n", "nothing", retrying->topic,
           (long long)letter->offset, hub_letter_outcome_name(letter->outcome), letter->by,
           letter->because,
           discarded ? "; --since with the day it was read maps its document again all the same"
                     : "");
    retrying->found_discarded |= discarded;
}

static enum hub_status want_one(struct retrying *retrying, const char *place,
                                struct hub_error *reterr) {
    int64_t offset = 0;
    struct hub_open_letter *letter = NULL;
    if (hub_letter_place_read(place, retrying->again.connector->institution, &offset))
        letter = hub_letters_find(&retrying->letters, offset);
    if (letter == NULL || !is_own(retrying, letter))
        return refuse_place(retrying, place, letter, reterr);
    if (!letter->open)
        tell_settled(retrying, letter);
    for (size_t i = 0; i < retrying->task_count; i++)
        retrying->tasks[i].wanted |= retrying->tasks[i].letter == letter;
    return HUB_OK;
}

static enum hub_status choose(struct retrying *retrying, struct hub_error *reterr) {
    const char *text = retrying->again.operation->letters;
    bool all = strcmp(text, "all") == 0;
    list_tasks(retrying, all);
    while (!all && *text != '\0') {
        size_t size = strcspn(text, ",");
        HUB_TRY(want_one(retrying, hub_arena_text(&retrying->again.arena, text, size), reterr));
        text += size + (text[size] == ',');
    }
    return HUB_OK;
}

/* --- the order of a source record --- */

/* What a later document has been published of already does not wait for what was before it. */
static void hold_key(struct retrying *retrying, const struct hub_open_letter *letter,
                     const char *text) {
    struct held_key *held = NULL;
    if (text == NULL || hub_remap_is_said_after(retrying->again.remap, text, letter->sequence))
        return;
    HASH_FIND_STR(retrying->held, text, held);
    if (held != NULL)
        return;
    held = hub_arena_take_zero(&retrying->again.arena, 1, sizeof *held);
    held->key = hub_arena_text(&retrying->again.arena, text, strlen(text));
    held->offset = letter->offset;
    HASH_ADD_KEYPTR(hh, retrying->held, held->key, strlen(held->key), held);
}

static void hold_keys(struct retrying *retrying, const struct hub_open_letter *letter,
                      const char *const *keys, size_t count) {
    hold_key(retrying, letter, letter->key);
    for (size_t i = 0; i < count; i++)
        hold_key(retrying, letter, keys[i]);
}

static const struct held_key *find_held(const struct retrying *retrying,
                                        const struct hub_open_letter *letter,
                                        const struct hub_remap_retry *retry) {
    struct held_key *held = NULL;
    if (letter->key != NULL)
        HASH_FIND_STR(retrying->held, letter->key, held);
    for (size_t i = 0; i < retry->key_count && held == NULL; i++)
        HASH_FIND_STR(retrying->held, retry->keys[i], held);
    return held;
}

/* --- one letter --- */

static void tell(const struct retrying *retrying, const struct hub_open_letter *letter,
                 const char *word, const char *more) {
    printf("%-10s %s/0@%lld  %s\n", word, retrying->topic, (long long)letter->offset, more);
}

/* The sequence of what is written next. */
static int64_t next_of(const struct again *again) {
    return again->position.sequence + 1;
}

static void make_outcome(struct retrying *retrying, const struct hub_open_letter *letter,
                         enum hub_letter_outcome outcome, size_t index,
                         struct hub_outgoing *outgoing) {
    const struct again *again = &retrying->again;
    struct hub_settlement settlement = {
        .catalogue = again->connector->catalogue,
        .institution = again->connector->institution,
        .id = hub_arena_format(&retrying->batch, "%s/%lld/%zu", again->connector->name,
                               (long long)next_of(again), index),
        .letter = letter,
        .about = {.offset = letter->offset,
                  .outcome = outcome,
                  .because = again->operation->reason,
                  .by = again->operation->who,
                  .time_ms = hub_clock_realtime_ms()}};
    hub_letter_settle(&settlement, &retrying->batch, outgoing);
}

static enum hub_status write_all(struct retrying *retrying, const struct hub_outgoing *statements,
                                 size_t count, const struct hub_outgoing *outcome,
                                 const struct hub_connector_counts *counts,
                                 struct hub_error *reterr) {
    struct again *again = &retrying->again;
    for (size_t i = 0; i < count; i++)
        HUB_TRY(again_write(again, again->topic, &statements[i], reterr));
    HUB_TRY(again_write(again, retrying->topic, outcome, reterr));
    return again_write_position(again, next_of(again), counts, reterr);
}

/* A rehearsal goes on as if it had been written. */
static enum hub_status settle(struct retrying *retrying, struct hub_open_letter *letter,
                              const struct hub_remap_retry *retry, struct hub_error *reterr) {
    struct again *again = &retrying->again;
    struct hub_connector_counts counts = again->position.counts;
    struct hub_outgoing outcome;
    struct hub_outgoing *statements =
        hub_arena_take_zero(&retrying->batch, retry->change_count + 1, sizeof *statements);
    for (size_t i = 0; i < retry->change_count; i++)
        hub_remap_outgoing(again->remap, &retry->changes[i], again->operation->reason,
                           next_of(again), i, &retrying->batch, &statements[i], &counts);
    if (again->producer != NULL) {
        make_outcome(retrying, letter, retry->outcome, retry->change_count, &outcome);
        HUB_TRY(hub_producer_begin(again->producer, reterr));
        enum hub_status status =
            write_all(retrying, statements, retry->change_count, &outcome, &counts, reterr);
        if (status != HUB_OK) {
            hub_producer_abort(again->producer);
            return status;
        }
        HUB_TRY(hub_producer_commit(again->producer, reterr));
    }
    again->position.counts = counts;
    again->position.sequence++;
    for (size_t i = 0; i < retry->change_count; i++) {
        const char *id = hub_arena_format(&retrying->batch, "%s/%lld/%zu", again->connector->name,
                                          (long long)again->position.sequence, i);
        HUB_TRY(hub_remap_published(again->remap, hub_bytes_of_text(statements[i].key),
                                    statements[i].value, hub_bytes_of_text(id), reterr));
    }
    return HUB_OK;
}

static bool same(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* It stays, for the new reason; where that is the old one, and nothing else of it is to be published, there
 * is nothing to be written. */
static enum hub_status refuse_again(struct retrying *retrying, struct hub_open_letter *letter,
                                    const struct hub_remap_retry *retry,
                                    struct hub_error *reterr) {
    const struct hub_outgoing *refusal = retry->refusal;
    bool news = !same(letter->stage, refusal->stage) || !same(letter->code, refusal->code) ||
                !same(letter->reason, refusal->reason) || !same(letter->path, refusal->path);
    letter->stage = refusal->stage;
    letter->code = refusal->code;
    letter->reason = refusal->reason;
    letter->path = refusal->path;
    hold_keys(retrying, letter, retry->refused, retry->refused_count);
    if (news || retry->change_count > 0)
        HUB_TRY(settle(retrying, letter, retry, reterr));
    tell(retrying, letter, news ? "refused" : "as before", refusal->reason);
    return HUB_OK;
}

static const char *explain(struct retrying *retrying, const struct hub_remap_retry *retry) {
    switch (retry->outcome) {
    case HUB_LETTER_PUBLISHED:
        return retry->change_count == 1
                   ? retry->changes[0].key
                   : hub_arena_format(&retrying->batch, "%s and %zu more", retry->changes[0].key,
                                      retry->change_count - 1);
    case HUB_LETTER_UNCHANGED:
        return "what it says has been published already";
    case HUB_LETTER_SUPERSEDED:
        return "something later has been said since";
    case HUB_LETTER_SKIPPED:
        return "the configuration skips it";
    case HUB_LETTER_REFUSED:
    case HUB_LETTER_DISCARDED:
    case HUB_LETTER_UNRECOGNISED:
        break;
    }
    return "";
}

static enum hub_status retry_one(struct retrying *retrying, const struct task *task,
                                 const struct hub_remap_reading *reading,
                                 struct hub_error *reterr) {
    struct hub_open_letter *letter = task->letter;
    struct hub_remap_retry retry;
    char text[TEXT_SIZE_MAX];
    hub_remap_retry(retrying->again.remap, reading, letter->document, &retrying->batch, &retry);
    const struct held_key *held = find_held(retrying, letter, &retry);
    bool stays = !retry.found || retry.outcome == HUB_LETTER_REFUSED ||
                 retry.outcome == HUB_LETTER_PUBLISHED;
    if (stays && (!task->wanted || held != NULL || !retry.found))
        hold_keys(retrying, letter, retry.keys, retry.key_count);
    if (!task->wanted)
        return HUB_OK;
    if (held != NULL) {
        snprintf(text, sizeof text, "%s/0@%lld is older, of the same record and open: it comes first, "
                 "or is discarded", retrying->topic, (long long)held->offset);
        tell(retrying, letter, "waits", text);
        retrying->waiting++;
        return HUB_OK;
    }
    if (!retry.found) {
        tell(retrying, letter, "stays", "the configuration finds nothing at its place any more; --since "
             "with the day it was read maps the whole document again");
        retrying->stays++;
        return HUB_OK;
    }
    retrying->counts[retry.outcome]++;
    if (retry.outcome == HUB_LETTER_REFUSED)
        return refuse_again(retrying, letter, &retry, reterr);
    HUB_TRY(settle(retrying, letter, &retry, reterr));
    static const char *const words[] = {"published", "unchanged", "superseded", "skipped"};
    tell(retrying, letter, words[retry.outcome], explain(retrying, &retry));
    return HUB_OK;
}

/* --- all of them --- */

static enum hub_status retry_document(void *context, const struct hub_journal_entry *entry,
                                      struct hub_error *reterr) {
    struct retrying *retrying = context;
    const struct hub_remap_reading *reading = NULL;
    enum hub_status status = HUB_OK;
    if (!again_has(&retrying->again, entry))
        return HUB_OK;
    for (; retrying->next < retrying->task_count &&
           retrying->tasks[retrying->next].letter->sequence < entry->sequence;
         retrying->next++)
        hold_keys(retrying, retrying->tasks[retrying->next].letter, NULL, 0);
    for (; status == HUB_OK && retrying->next < retrying->task_count &&
           retrying->tasks[retrying->next].letter->sequence == entry->sequence;
         retrying->next++) {
        struct task *task = &retrying->tasks[retrying->next];
        if (reading == NULL)
            reading = hub_remap_read(retrying->again.remap, &entry->document, entry->sequence,
                                     next_of(&retrying->again), &retrying->batch);
        task->seen = true;
        status = retry_one(retrying, task, reading, reterr);
    }
    hub_arena_reset(&retrying->batch);
    return status;
}

static void tell_unseen(struct retrying *retrying) {
    const char *why = hub_arena_format(
        &retrying->again.arena, "%s/journal/%s does not have its document; its source would have to "
        "say it again, or `hubctl dlq discard` ends it", retrying->again.operation->state_folder,
        retrying->again.connector->name);
    for (size_t i = 0; i < retrying->task_count; i++) {
        if (!retrying->tasks[i].wanted || retrying->tasks[i].seen)
            continue;
        tell(retrying, retrying->tasks[i].letter, "stays", why);
        retrying->stays++;
    }
}

static enum hub_status sum_up(const struct retrying *retrying, struct hub_error *reterr) {
    const int64_t *counts = retrying->counts;
    int64_t open = counts[HUB_LETTER_REFUSED] + retrying->waiting + retrying->stays;
    printf("published %lld, unchanged %lld, superseded %lld, skipped %lld, refused %lld, waiting %lld, "
           "other %lld%s\n",
           (long long)counts[HUB_LETTER_PUBLISHED], (long long)counts[HUB_LETTER_UNCHANGED],
           (long long)counts[HUB_LETTER_SUPERSEDED], (long long)counts[HUB_LETTER_SKIPPED],
           (long long)counts[HUB_LETTER_REFUSED], (long long)retrying->waiting,
           (long long)retrying->stays,
           retrying->again.operation->dry_run ? "; nothing was written" : "");
    if (open > 0)
        return hub_fail(reterr, HUB_REJECT, "%lld of the letters stay open", (long long)open);
    if (retrying->found_discarded)
        return hub_fail(reterr, HUB_REJECT, "what was discarded is not tried again");
    return HUB_OK;
}

static enum hub_status retry_letters(struct retrying *retrying, struct hub_error *reterr) {
    struct again *again = &retrying->again;
    size_t ignored = 0;
    HUB_TRY(again_check(again, reterr));
    HUB_TRY(again_open(again, reterr));
    HUB_TRY(hub_read_settled(again->reader, retrying->topic, 0, take_letter, retrying, reterr));
    HUB_TRY(choose(retrying, reterr));
    HUB_TRY(hub_journal_read(&again->journal, retry_document, retrying, &ignored, reterr));
    tell_unseen(retrying);
    return sum_up(retrying, reterr);
}

int operate_letters(const struct operation *operation, const struct hub_connector *connector) {
    struct retrying retrying = {.again = {.operation = operation, .connector = connector}};
    struct hub_error error;
    setvbuf(stdout, NULL, _IOLBF, 0); /* what is told is done, whatever comes next */
    retrying.topic = hub_arena_format(&retrying.again.arena, "deadletter.%s",
                                      connector->institution);
    enum hub_status status = retry_letters(&retrying, &error);
    HASH_CLEAR(hh, retrying.held);
    hub_letters_free(&retrying.letters);
    hub_arena_destroy(&retrying.batch);
    return again_close(&retrying.again, status, &error);
}
