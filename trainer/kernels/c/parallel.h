/* parallel.h: runs a kernel's rows on all threads. */
#ifndef PUFF_PARALLEL_H
#define PUFF_PARALLEL_H

#include <stddef.h>

#include "kernels.h"

/* Rows are dealt in this many blocks whatever the number of threads, so that sums over blocks come
 * out the same. More than threads, so that one that was kept waiting does not hold up the others.
 */
enum { PUFF_BLOCKS = PUFF_PARTIAL_SUMS };

/* The part of a kernel that works on rows `first` to `end` - 1, which are block `block`. */
typedef void (*puff_rows)(const void* job, int64_t block, int64_t first, int64_t end);

/* Bytes of whole cache lines: what threads write should not share one. */
static inline size_t in_lines(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

/* Calls `function` on ranges of rows that together cover all of them. */
void puff_over_rows(puff_kernels* kernels, puff_rows function, const void* job, int64_t rows);

/* What kernels do with rows `first` to `end` - 1, for one that puts several of them together. */
void puff_feature_rows(const puff_features* batch, int64_t first, int64_t end);
void puff_lookup_rows(const puff_lookup* lookup, int64_t first, int64_t end);
void puff_gelu_numbers(const puff_gelu* gelu, int64_t first, int64_t end);
void puff_mingru_rows(const puff_mingru* layer, int64_t first, int64_t end);
void puff_head_rows(const puff_heads* heads, int64_t first, int64_t end);
void puff_sample_rows(const puff_sampling* sampling, int64_t first, int64_t end);

/* Decides for these rows on the calling thread; of those that do so at the same time, each needs a
 * block of its own, below PUFF_BLOCKS. */
void puff_decide_rows(const puff_decision* decision, int64_t block, int64_t first, int64_t end);

/* Whether no product of this one is worth a second thread: puff_make_orthogonal then needs none,
 * and takes NULL for them. */
int puff_orthogonal_alone(const puff_orthogonal* work);

/* The same on the way back. Gradients of weights and biases are added to those that are there. */
void puff_gelu_back_numbers(const puff_gelu* gelu, int64_t first, int64_t end);
void puff_mingru_back_rows(const puff_mingru* layer, int64_t first, int64_t end);
void puff_head_back_rows(const puff_heads* heads, int64_t first, int64_t end);
/* Of all rows; class 0 has no part of it yet (puff_lookup_put_together). */
void puff_lookup_back(const puff_lookup* lookup);

/* Loss and gradient of all segments on one thread, their sums added to `sums`. */
void puff_loss_rows(const puff_ppo* batch, double* sums);

#endif
