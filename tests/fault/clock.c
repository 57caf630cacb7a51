/* Moves the wall clock of a program that it is loaded into (LD_PRELOAD), while it runs, as whoever
 * sets a machine's clock would: by the milliseconds that stand in the file HUB_CLOCK, 8 bytes in the
 * machine's order. Whoever waits for a time of the wall clock waits for the moved one. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define ORIGINAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

enum { NANOSECONDS = 1000000000, SLICE_MS = 20 };
static const time_t WALL_CLOCK_MIN_S = 1000000000; /* a smaller deadline is of the monotonic clock */

static int64_t offset_ms(void) {
    static const _Atomic int64_t none, *_Atomic shared;
    if (shared == NULL) {
        const char *path = getenv("HUB_CLOCK");
        int descriptor = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        void *map = descriptor < 0 ? MAP_FAILED
                                   : mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, descriptor, 0);
        if (descriptor >= 0)
            close(descriptor);
        shared = map == MAP_FAILED ? &none : map;
    }
    return *shared;
}

static int64_t nanoseconds(const struct timespec *time) {
    return (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static struct timespec add(struct timespec time, int64_t milliseconds) {
    int64_t sum = nanoseconds(&time) + milliseconds * 1000000;
    return (struct timespec){sum / NANOSECONDS, sum % NANOSECONDS};
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int code = ORIGINAL(clock_gettime)(clock, now);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        *now = add(*now, offset_ms());
    return code;
}

int timespec_get(struct timespec *now, int base) {
    return clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec time;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &time);
    *now = (struct timeval){time.tv_sec, time.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret_now) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_now != NULL)
        *ret_now = now.tv_sec;
    return now.tv_sec;
}

/* A piece of the way to a moved deadline, by the clock that the kernel has; false where it is past. */
static bool next_slice(const struct timespec *deadline, struct timespec *ret_slice) {
    struct timespec now;
    ORIGINAL(clock_gettime)(CLOCK_REALTIME, &now);
    int64_t left = nanoseconds(deadline) - nanoseconds(&now) - offset_ms() * 1000000;
    int64_t slice = (int64_t)SLICE_MS * 1000000;
    int64_t sum = nanoseconds(&now) + (left < slice ? left : slice);
    *ret_slice = (struct timespec){sum / NANOSECONDS, sum % NANOSECONDS};
    return left > 0;
}

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict deadline) {
    struct timespec slice;
    int code = ETIMEDOUT;
    if (deadline->tv_sec < WALL_CLOCK_MIN_S)
        return ORIGINAL(pthread_cond_timedwait)(condition, mutex, deadline);
    while (code == ETIMEDOUT && next_slice(deadline, &slice))
        code = ORIGINAL(pthread_cond_timedwait)(condition, mutex, &slice);
    return code;
}

int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict deadline) {
    struct timespec slice;
    int code = thrd_timedout;
    while (code == thrd_timedout && next_slice(deadline, &slice))
        code = ORIGINAL(cnd_timedwait)(condition, mutex, &slice);
    return code;
}
