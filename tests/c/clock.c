/* clock.c: preloaded, turns the clock of one program by as many seconds as a file says.
 *
 * PUFF_CLOCK names the file, a number in digits, which may change at any time. Only the time of day
 * is turned; what measures durations is left alone, as it is on a machine whose clock is set. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

typedef int (*clock_function)(clockid_t, struct timespec*);

static long turned(void) {
    static int file = -1;
    char text[32];
    if (file < 0) file = open(getenv("PUFF_CLOCK"), O_RDONLY | O_CLOEXEC);
    const ssize_t length = pread(file, text, sizeof text - 1, 0);
    if (length <= 0) return 0;
    text[length] = 0;
    return atol(text);
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec* now) {
    static clock_function original;
    if (!original) original = (clock_function)(void*)dlsym(RTLD_NEXT, "clock_gettime");
    const int failed = original(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += turned();
    }
    return failed;
}

PUBLIC time_t time(time_t* now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}

PUBLIC int gettimeofday(struct timeval* restrict now, void* restrict zone) {
    (void)zone;
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    *now = (struct timeval){at.tv_sec, at.tv_nsec / 1000};
    return 0;
}
