/* tiles.c: see tiles.h. */
#include "tiles.h"

#if PUFF_HAS_TILES
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From Linux's asm/prctl.h, which older systems do not have, and the number of AMX's data. */
enum { ARCH_REQ_XCOMP_PERM = 0x1023, TILE_DATA = 18 };

static pthread_once_t asked = PTHREAD_ONCE_INIT;
static int allowed;

static void ask(void) {
    allowed = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}

int puff_tiles_are_allowed(void) {
    pthread_once(&asked, ask);
    return allowed;
}
#else
int puff_tiles_are_allowed(void) {
    return 0;
}
#endif
