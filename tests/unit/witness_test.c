/* witness: it cosigns a log that only grew, and nothing else; what it has seen is found missing wherever the log is
 * put back or forked, by one witness alone. */
#include "hub/archive/witness.h"
#include "hub/archive/archive.h"
#include "hub/archive/cosigned.h"
#include "hub/io/file.h"
#include "tests/lib/cmocka.h"
#include "tests/lib/folder.h"
#include "tests/lib/schema.h"
#include "tests/lib/source.h"

#include <stdio.h>
#include <string.h>

enum { NOW_S = 1772539200 };

static const struct hub_ed25519_key log_private = {{1, 2, 3}}, witness_private = {{4, 5, 6}};
static const struct hub_archive_config config_of_archive = {
    .deployment = "audit.example", .private = &log_private};

struct scene {
    struct folder folder; /* of the witness, and of archives */
    struct hub_note_key log;
    struct hub_witness witness;
    struct hub_witness_reply reply; /* the last */
};

static void begin(struct scene *scene) {
    struct hub_error error;
    *scene = (struct scene){0};
    folder_make(&scene->folder);
    expect_ok(hub_note_key_make("audit.example/rollup", HUB_NOTE_SIGNATURE, &log_private, &scene->log,
                                &error), &error);
    scene->witness = (struct hub_witness){.folder = folder_path(&scene->folder, "witness"),
                                          .private = &witness_private,
                                          .logs = &scene->log,
                                          .log_count = 1};
    expect_ok(hub_note_key_make("sus.example/witness", HUB_NOTE_COSIGNATURE, &witness_private,
                                &scene->witness.key, &error), &error);
}

static void end(struct scene *scene) {
    hub_buffer_free(&scene->reply.body);
    folder_remove(&scene->folder);
}

static struct hub_archive *open_archive(struct scene *scene, struct hub_archive_config *config,
                                        const char *name) {
    struct hub_archive *archive = NULL;
    struct hub_error error;
    *config = config_of_archive;
    config->folder = folder_path(&scene->folder, name);
    expect_ok(hub_archive_open(config, &archive, &error), &error);
    return archive;
}

/* A checkpoint of the roll-up for each record. */
static void grow(struct scene *scene, const char *name, int count, const char *said) {
    struct hub_archive_config config;
    struct hub_error error;
    struct hub_archive *archive = open_archive(scene, &config, name);
    for (int i = 0; i < count; i++) {
        int64_t next = -1;
        expect_ok(hub_archive_next_offset(archive, "log.slot", 0, &next, &error), &error);
        struct hub_archived record = {.offset = next < 0 ? 0 : next,
                                      .kind = HUB_ARCHIVED_BYTES,
                                      .value = hub_bytes_of_text(said)};
        expect_ok(hub_archive_append(archive, "log.slot", 0, &record, 0, NULL, &error), &error);
        expect_ok(hub_archive_sign(archive, &error), &error);
    }
    hub_archive_close(archive);
}

/* Asks about the archive's last checkpoint, from that size on; keeps what is cosigned. */
static unsigned ask(struct scene *scene, const char *name, uint64_t from) {
    struct hub_archive_config config;
    struct hub_archive *archive = open_archive(scene, &config, name);
    struct hub_rollup *rollup = hub_archive_rollup(archive);
    HUB_SCOPED_BUFFER note = {0}, request = {0};
    struct hub_error error;
    expect_ok(hub_rollup_ask(rollup, from, &note, &request, &error), &error);
    hub_buffer_free(&scene->reply.body);
    hub_witness_answer(&scene->witness, hub_buffer_bytes(&request), NOW_S, &scene->reply);
    if (scene->reply.status == 200)
        expect_ok(hub_cosigned_keep(hub_rollup_folder(rollup), hub_buffer_bytes(&note),
                                    hub_buffer_bytes(&scene->reply.body), &scene->witness.key, &error),
                  &error);
    hub_archive_close(archive);
    return scene->reply.status;
}

static unsigned ask_with(struct scene *scene, const char *request) {
    hub_buffer_free(&scene->reply.body);
    hub_witness_answer(&scene->witness, hub_bytes_of_text(request), NOW_S, &scene->reply);
    return scene->reply.status;
}

/* The archive's roll-up against what a file says that the witness has seen. */
static enum hub_status verify(struct scene *scene, const char *name, const char *file,
                              struct hub_error *reterr) {
    struct hub_checkpoint checkpoint;
    struct hub_tiles *tiles = NULL;
    uint64_t time_s = 0, size = 0;
    HUB_SCOPED_BUFFER note = {0};
    const char *folder = folder_path(&scene->folder,
                                     hub_arena_format(&scene->folder.arena, "%s/rollup", name));
    expect_ok(hub_file_read(folder_path(&scene->folder, file), &note, reterr), reterr);
    expect_ok(hub_checkpoint_load(folder, "checkpoint", &scene->log, &checkpoint, reterr), reterr);
    expect_ok(hub_tiles_open(folder, checkpoint.size, &hub_sha256, &tiles, reterr), reterr);
    enum hub_status status = hub_cosigned_verify(hub_buffer_bytes(&note), &scene->log,
                                                 &scene->witness.key, tiles, &time_s, &size, reterr);
    hub_tiles_close(tiles);
    if (status == HUB_OK)
        assert_int_equal(time_s, NOW_S);
    return status;
}

static const char *memory_of(struct scene *scene) {
    return hub_arena_format(&scene->folder.arena, "witness/%08x", scene->log.id);
}

static void what_only_grew_is_cosigned(void **state) {
    struct scene scene;
    struct hub_error error;
    (void)state;
    begin(&scene);
    grow(&scene, "a", 1, "x");
    assert_int_equal(ask(&scene, "a", 0), 200);
    assert_int_equal(ask(&scene, "a", 1), 200); /* again */
    for (int i = 0; i < 20; i++) {
        struct hub_archive_config config;
        struct hub_archive *archive = open_archive(&scene, &config, "a");
        uint64_t before = hub_rollup_signed_size(hub_archive_rollup(archive));
        hub_archive_close(archive);
        grow(&scene, "a", 1 + i % 5, "x");
        assert_int_equal(ask(&scene, "a", before), 200);
    }
    expect_ok(verify(&scene, "a", memory_of(&scene), &error), &error);
    expect_ok(verify(&scene, "a", hub_arena_format(&scene.folder.arena, "a/rollup/witnesses/%08x",
                                                   scene.witness.key.id), &error), &error);
    end(&scene);
}

static void another_size_than_was_seen_is_told(void **state) {
    struct scene scene;
    (void)state;
    begin(&scene);
    grow(&scene, "a", 3, "x");
    assert_int_equal(ask(&scene, "a", 0), 200);
    grow(&scene, "a", 1, "x");
    assert_int_equal(ask(&scene, "a", 2), 409);
    assert_string_equal(hub_buffer_text(&scene.reply.body), "3\n");
    assert_string_equal(scene.reply.content_type, "text/x.tlog.size");
    assert_false(scene.reply.forked);
    end(&scene);
}

static void expect_evidence(struct scene *scene) {
    struct hub_file_facts facts;
    struct hub_error error;
    assert_true(scene->reply.forked);
    expect_ok(hub_file_facts(folder_path(&scene->folder,
                                         hub_arena_format(&scene->folder.arena, "%s.refused",
                                                          memory_of(scene))), &facts, &error), &error);
}

static void another_history_of_the_same_size_is_refused(void **state) {
    struct scene scene;
    (void)state;
    begin(&scene);
    grow(&scene, "a", 3, "x");
    grow(&scene, "b", 3, "y");
    assert_int_equal(ask(&scene, "a", 0), 200);
    assert_int_equal(ask(&scene, "b", 3), 409);
    expect_evidence(&scene);
    end(&scene);
}

static void a_longer_history_that_begins_otherwise_is_refused(void **state) {
    struct scene scene;
    struct hub_error error;
    (void)state;
    begin(&scene);
    grow(&scene, "a", 3, "x");
    grow(&scene, "b", 7, "y");
    assert_int_equal(ask(&scene, "a", 0), 200);
    assert_int_equal(ask(&scene, "b", 3), 422);
    expect_evidence(&scene);
    assert_int_equal(verify(&scene, "b", memory_of(&scene), &error), HUB_REJECT);
    assert_says(error.text, "does not begin with the 3 entries that sus.example/witness has seen");
    end(&scene);
}

/* With all its files: nothing in it tells of what is gone. */
static void a_log_that_was_put_back_wholly_is_known_to_the_witness(void **state) {
    struct scene scene;
    struct hub_error error;
    (void)state;
    begin(&scene);
    grow(&scene, "a", 5, "x");
    grow(&scene, "back", 3, "x"); /* as it was then: the same */
    assert_int_equal(ask(&scene, "back", 0), 200);
    assert_int_equal(ask(&scene, "a", 3), 200);
    assert_int_equal(ask(&scene, "back", 3), 409);
    assert_string_equal(hub_buffer_text(&scene.reply.body), "5\n");
    assert_int_equal(verify(&scene, "back", memory_of(&scene), &error), HUB_REJECT);
    assert_says(error.text, "has seen 5 entries, and there are 3: the log was put back");
    end(&scene);
}

static void who_is_not_known_is_refused(void **state) {
    struct scene scene;
    struct hub_error error;
    struct hub_ed25519_key other = log_private;
    (void)state;
    begin(&scene);
    grow(&scene, "a", 1, "x");
    scene.witness.log_count = 0;
    assert_int_equal(ask(&scene, "a", 0), 404);
    scene.witness.log_count = 1;
    other.bytes[0] ^= 1;
    expect_ok(hub_note_key_make("audit.example/rollup", HUB_NOTE_SIGNATURE, &other, &scene.log, &error),
              &error);
    assert_int_equal(ask(&scene, "a", 0), 403);
    end(&scene);
}

static void what_is_no_request_is_refused(void **state) {
    static const char *const wrong[] = {"", "old", "old 1", "old x\n\n", "old 01\n\n", "new 0\n\n",
                                        "old 0\nAAAA\n\n", "old 0\n\n", "old 0\n\naudit.example/rollup\n"};
    struct scene scene;
    (void)state;
    begin(&scene);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (ask_with(&scene, wrong[i]) != 400)
            fail_msg("'%s' is answered with %u", wrong[i], scene.reply.status);
    grow(&scene, "a", 1, "x");
    HUB_SCOPED_BUFFER note = {0}, request = {0};
    struct hub_error error;
    expect_ok(hub_file_read(folder_path(&scene.folder, "a/rollup/checkpoint"), &note, &error), &error);
    hub_buffer_append_format(&request, "old 2\n\n%s", hub_buffer_text(&note));
    assert_int_equal(ask_with(&scene, hub_buffer_text(&request)), 400); /* larger than the log is */
    end(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_grew_is_cosigned),
        cmocka_unit_test(another_size_than_was_seen_is_told),
        cmocka_unit_test(another_history_of_the_same_size_is_refused),
        cmocka_unit_test(a_longer_history_that_begins_otherwise_is_refused),
        cmocka_unit_test(a_log_that_was_put_back_wholly_is_known_to_the_witness),
        cmocka_unit_test(who_is_not_known_is_refused),
        cmocka_unit_test(what_is_no_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
