/* clock.h: how late it is. */
#ifndef PUFF_CLOCK_H
#define PUFF_CLOCK_H

#include <time.h>

/* Seconds since some moment, which nobody sets back. */
static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
