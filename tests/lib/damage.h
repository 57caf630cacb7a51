/* What a disk may do to a file, for tests of who reads it. */
#pragma once

#include "hub/base/bytes.h"
#include "tests/lib/records.h"

void damage_flip_bits(struct test_random *random, struct hub_buffer *file);
/* Pages of 4096 bytes: one is zeros; one has wrong bytes. */
void damage_lose_page(struct test_random *random, struct hub_buffer *file);
void damage_spoil_page(struct test_random *random, struct hub_buffer *file);
/* A write that went to the wrong place, or never came: another page, or an older one. */
void damage_misplace_page(struct test_random *random, struct hub_buffer *file);
void damage_cut(struct test_random *random, struct hub_buffer *file);

/* Writes the file; nothing is synced. */
void damage_write(const char *path, struct hub_bytes bytes);

/* What `look` gives as its exit code, in a process of its own, which may die of what it reads; a wait
 * status. One that hangs ends by SIGALRM. */
int damage_in_a_child(int (*look)(void *context), void *context);
