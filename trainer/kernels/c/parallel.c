/* parallel.c: see parallel.h. */
#include "parallel.h"

#include "../../../envs/pool.h"

struct puff_kernels {
    puff_pool* pool;
    puff_rows function;
    const void* job;
    int64_t rows;
};

static void run_block(void* context, uint32_t group, uint32_t block) {
    (void)group;
    const puff_kernels* kernels = context;
    const int64_t first = kernels->rows * block / PUFF_BLOCKS;
    const int64_t end = kernels->rows * (block + 1) / PUFF_BLOCKS;
    if (first < end) kernels->function(kernels->job, block, first, end);
}

void puff_over_rows(puff_kernels* kernels, puff_rows function, const void* job, int64_t rows) {
    kernels->function = function;
    kernels->job = job;
    kernels->rows = rows;
    puff_pool_start(kernels->pool, 0);
    puff_pool_wait(kernels->pool, 0);
}

PUFF_KERNEL const char* puff_kernels_built_from(void) {
    return PUFF_KERNELS_BUILT_FROM;
}

PUFF_KERNEL void puff_kernels_destroy(puff_kernels* kernels) {
    if (!kernels) return;
    puff_pool_destroy(kernels->pool);
    free(kernels);
}

PUFF_KERNEL puff_kernels* puff_kernels_create(uint32_t threads) {
    puff_kernels* kernels = puff_allocate(sizeof *kernels);
    if (!kernels) return NULL;
    kernels->pool = puff_pool_create(1, PUFF_BLOCKS, threads, run_block, kernels);
    if (!kernels->pool) {
        free(kernels);
        return NULL;
    }
    return kernels;
}
