/* The allocator that refuses; see starve.h. What may come of a refusal:
 *
 *   stopped    the process ended with its own word for it (hub/base/memory.h)
 *   refused    it said what was wrong, and ended with an exit code of its own
 *   unharmed   it did all that it does when it lacks nothing
 *
 * and what may not: a crash, a hang, a failure without a word, output that is not the beginning of
 * what it should be, and blocks that nobody gave back. */
#define HUB_MEMORY_WORD "event=out_of_memory"
#include "tests/fault/starve.h"

#include "hub/base/memory.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What stands behind malloc in glibc. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

enum { HANGS_MAX = 3, RANGES_MAX = 64, FINDINGS_SHOWN = 10, FRAMES_MAX = 32, SAID_MAX = 4096 };

enum end { STOPPED = 0, REFUSED, UNHARMED, CRASH, HANG, SILENT, HALF, LEAK, ENDS };
static const char *const end_names[ENDS] = {"stopped", "refused", "unharmed", "crash",
                                            "hang",    "silent",  "half",     "leak"};

struct range {
    uintptr_t from, to;
};

static struct {
    pid_t process;
    bool counting, torturing, child;
    size_t from, every, phase;
    unsigned patience_s;
    long live_clean;
    struct range passed_over[RANGES_MAX];
    size_t passed_over_count;
    const char *except;
    int report, expected, out, said;
    size_t ends[ENDS];
    size_t tried;
    atomic_long *child_live; /* shared with the children */
} own;

static atomic_long live; /* blocks */
static __thread size_t count, fail_at;
static __thread bool forever, failing, first_thread, inside;

void starve_at(size_t number, bool for_ever) {
    count = 0;
    fail_at = number;
    forever = for_ever;
    failing = false;
    first_thread = true;
}

size_t starve_count(void) {
    return count;
}

long starve_live(void) {
    return atomic_load(&live);
}

/* --- trying --- */

static size_t read_from(int descriptor, off_t offset, void *bytes, size_t size) {
    size_t done = 0;
    for (ssize_t got = 1; got > 0 && done < size; done += got > 0 ? (size_t)got : 0)
        got = pread(descriptor, (char *)bytes + done, size - done, offset + (off_t)done);
    return done;
}

/* Whether the child wrote the beginning of what was still to come; all of it where `whole`. */
static bool wrote_as_expected(bool whole) {
    char is[4096], should[4096];
    off_t written = lseek(STDOUT_FILENO, 0, SEEK_CUR);
    for (off_t at = 0;; at += (off_t)sizeof is) {
        size_t is_size = read_from(own.out, at, is, sizeof is);
        size_t should_size = read_from(own.expected, written + at, should, sizeof should);
        if (is_size > should_size || memcmp(is, should, is_size) != 0)
            return false;
        if (is_size < sizeof is)
            return !whole || is_size == should_size;
    }
}

static enum end judge(int status, const char *said) {
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? HANG : CRASH;
    int code = WEXITSTATUS(status);
    if (!wrote_as_expected(/* whole= */ code == 0))
        return HALF;
    if (code == HUB_MEMORY_EXIT_CODE)
        return strstr(said, HUB_MEMORY_WORD) != NULL ? STOPPED : SILENT;
    if (atomic_load(own.child_live) > own.live_clean)
        return LEAK;
    if (code == 0)
        return UNHARMED;
    return *said == '\0' ? SILENT : REFUSED;
}

static void on_crash(int number) {
    void *frames[FRAMES_MAX];
    inside = true;
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
    signal(number, SIG_DFL);
    raise(number);
}

static void become_child(bool for_ever) {
    own.child = true;
    own.torturing = false;
    failing = for_ever;
    dup2(own.out, STDOUT_FILENO);
    dup2(own.said, STDERR_FILENO);
    signal(SIGSEGV, on_crash);
    signal(SIGABRT, on_crash);
    signal(SIGFPE, on_crash);
    signal(SIGBUS, on_crash);
    alarm(own.patience_s);
}

static void show(enum end end, bool for_ever, int status, const char *said) {
    if (end <= UNHARMED || own.ends[end] > FINDINGS_SHOWN)
        return;
    dprintf(own.report, "finding: %s: allocation %zu %s, wait status %#x, %ld blocks\n%s\n",
            end_names[end], count, for_ever ? "and all that follow" : "once", (unsigned)status,
            atomic_load(own.child_live), said);
}

/* Whether this is the child, in which the allocation fails. */
static bool try_failing(bool for_ever) {
    char said[SAID_MAX];
    int status = 0;
    if (ftruncate(own.out, 0) != 0 || ftruncate(own.said, 0) != 0)
        _exit(2);
    lseek(own.out, 0, SEEK_SET);
    lseek(own.said, 0, SEEK_SET);
    atomic_store(own.child_live, 0);
    pid_t child = fork();
    if (child == 0) {
        become_child(for_ever);
        return true;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    said[read_from(own.said, 0, said, sizeof said - 1)] = '\0';
    enum end end = judge(status, said);
    own.ends[end]++;
    own.tried++;
    own.torturing = own.ends[HANG] < HANGS_MAX; /* each takes all the patience there is */
    show(end, for_ever, status, said);
    return false;
}

/* --- deciding --- */

static bool is_passed_over(uintptr_t caller) {
    for (size_t i = 0; i < own.passed_over_count; i++)
        if (caller >= own.passed_over[i].from && caller < own.passed_over[i].to)
            return true;
    return false;
}

static bool decide(void) {
    count++;
    if (failing || (fail_at != 0 && count == fail_at)) {
        failing = forever || failing;
        return true;
    }
    if (!own.torturing || count < own.from || count % own.every != own.phase)
        return false;
    return try_failing(/* for_ever= */ false) || (own.torturing && try_failing(/* for_ever= */ true));
}

/* Whether an allocation is refused. */
static bool is_refused(const void *caller) {
    if (inside || !first_thread || is_passed_over((uintptr_t)caller))
        return false;
    int kept = errno;
    inside = true;
    bool refused = decide();
    inside = false;
    errno = refused ? ENOMEM : kept;
    return refused;
}

static void *given(void *memory) {
    if (memory != NULL)
        atomic_fetch_add(&live, 1);
    return memory;
}

/* --- the allocator --- */

#define EXPORTED __attribute__((visibility("default"), noinline))

EXPORTED void *malloc(size_t size) {
    return is_refused(__builtin_return_address(0)) ? NULL : given(__libc_malloc(size));
}

EXPORTED void *calloc(size_t number, size_t size) {
    return is_refused(__builtin_return_address(0)) ? NULL : given(__libc_calloc(number, size));
}

EXPORTED void *realloc(void *memory, size_t size) {
    if (is_refused(__builtin_return_address(0)))
        return NULL;
    void *moved = __libc_realloc(memory, size);
    if (memory == NULL)
        return given(moved);
    if (moved == NULL)
        atomic_fetch_sub(&live, 1); /* of size 0: it is freed */
    return moved;
}

EXPORTED void *reallocarray(void *memory, size_t number, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(number, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(memory, bytes);
}

EXPORTED void *memalign(size_t alignment, size_t size) {
    return is_refused(__builtin_return_address(0)) ? NULL : given(__libc_memalign(alignment, size));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size) {
    return is_refused(__builtin_return_address(0)) ? NULL : given(__libc_memalign(alignment, size));
}

EXPORTED int posix_memalign(void **ret_memory, size_t alignment, size_t size) {
    if (is_refused(__builtin_return_address(0)))
        return ENOMEM;
    *ret_memory = given(__libc_memalign(alignment, size));
    return *ret_memory == NULL ? ENOMEM : 0;
}

EXPORTED void free(void *memory) {
    if (memory != NULL)
        atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

/* libc's own would ask in its own name. */
EXPORTED char *strndup(const char *text, size_t size_max) {
    size_t size = strnlen(text, size_max);
    char *copy = is_refused(__builtin_return_address(0)) ? NULL : given(__libc_malloc(size + 1));
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

EXPORTED char *strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = is_refused(__builtin_return_address(0)) ? NULL : given(__libc_malloc(size));
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* --- beginning and end --- */

static size_t number_of(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

/* Whether one of the names, between colons, is part of the path. */
static bool is_excepted(const char *path) {
    for (const char *from = own.except; *from != '\0'; from += *from == ':') {
        char name[64];
        size_t size = strcspn(from, ":");
        snprintf(name, sizeof name, "%.*s", (int)size, from);
        if (size > 0 && strstr(path, name) != NULL)
            return true;
        from += size;
    }
    return false;
}

static int find_passed_over(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    (void)context;
    if (!is_excepted(info->dlpi_name))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum && own.passed_over_count < RANGES_MAX; i++) {
        uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            own.passed_over[own.passed_over_count++] =
                (struct range){from, from + info->dlpi_phdr[i].p_memsz};
    }
    return 0;
}

static int open_or_end(const char *path, int flags) {
    int descriptor = open(path, flags | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        perror(path);
        _exit(2);
    }
    return descriptor;
}

static void prepare_torture(const char *expected) {
    void *frame[1];
    own.expected = open_or_end(expected, O_RDONLY);
    own.live_clean = (long)number_of("STARVE_LIVE", 0);
    own.from = number_of("STARVE_FROM", 0);
    own.every = number_of("STARVE_EVERY", 1);
    own.phase = number_of("STARVE_PHASE", 0);
    own.patience_s = (unsigned)number_of("STARVE_PATIENCE_S", 10);
    own.out = memfd_create("out", MFD_CLOEXEC);
    own.said = memfd_create("said", MFD_CLOEXEC);
    own.child_live = mmap(NULL, sizeof *own.child_live, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)backtrace(frame, 1); /* loads what it needs, which on_crash could not */
    own.torturing = true;
}

__attribute__((constructor)) static void begin(void) {
    const char *report = getenv("STARVE_REPORT"), *expected = getenv("STARVE_EXPECTED");
    own.process = getpid();
    own.except = getenv("STARVE_EXCEPT");
    if (own.except != NULL)
        dl_iterate_phdr(find_passed_over, NULL);
    if (report != NULL)
        own.report = open_or_end(report, O_WRONLY | O_CREAT | O_TRUNC);
    own.counting = report != NULL;
    if (expected != NULL)
        prepare_torture(expected);
    fail_at = number_of("STARVE_AT", 0);
    forever = getenv("STARVE_FOREVER") != NULL;
    first_thread = own.counting || fail_at != 0;
    atomic_store(&live, 0);
}

__attribute__((destructor)) static void end(void) {
    first_thread = false;
    if (own.child)
        atomic_store(own.child_live, atomic_load(&live));
    if (own.child || !own.counting || getpid() != own.process)
        return;
    dprintf(own.report, "allocations %zu\nlive %ld\ntried %zu\n", count, atomic_load(&live),
            own.tried);
    for (size_t i = 0; i < ENDS; i++)
        dprintf(own.report, "%s %zu\n", end_names[i], own.ends[i]);
}
