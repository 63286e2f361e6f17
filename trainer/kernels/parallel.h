/* parallel.h: runs a kernel's rows on all threads. */
#ifndef PUFF_PARALLEL_H
#define PUFF_PARALLEL_H

#include "kernels.h"

typedef void (*puff_rows)(const void* job, int64_t first, int64_t end);

/* Calls `function` on disjoint ranges of rows that together cover all of them. */
void puff_over_rows(puff_kernels* kernels, puff_rows function, const void* job, int64_t rows);

#endif
