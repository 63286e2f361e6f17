/* sampling.c: draws discrete actions from logits. */
#include "numbers.h"
#include "parallel.h"

/* Draws one component of a row: the inverse of the cumulative distribution at `uniform`. Returns
 * the choice; `log_probability` grows by that of the choice. */
static int32_t draw(const float* logits, int32_t size, float uniform, float* log_probability) {
    float highest = logits[0], total = 0;
    for (int32_t i = 1; i < size; i++) highest = logits[i] > highest ? logits[i] : highest;
    for (int32_t i = 0; i < size; i++) total += exponential(logits[i] - highest);
    const float wanted = uniform * total;
    float reached = 0;
    int32_t choice = 0;
    for (; choice + 1 < size; choice++) {
        reached += exponential(logits[choice] - highest);
        if (reached > wanted) break;
    }
    *log_probability += logits[choice] - highest - logf(total);
    return choice;
}

void puff_sample_rows(const puff_sampling* sampling, int64_t first, int64_t end) {
    const int32_t components = sampling->components;
    for (int64_t row = first; row < end; row++) {
        const float* logits = sampling->logits + row * sampling->stride;
        float log_probability = 0;
        for (int32_t component = 0; component < components; component++) {
            const int64_t at = row * components + component;
            const int32_t size = sampling->sizes[component];
            sampling->actions[at] = draw(logits, size, sampling->uniforms[at], &log_probability);
            logits += size;
        }
        sampling->log_probabilities[row] = log_probability;
    }
}

static void sample_rows(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    puff_sample_rows(job, first, end);
}

PUFF_KERNEL void puff_sample(puff_kernels* kernels, const puff_sampling* sampling) {
    puff_over_rows(kernels, sample_rows, sampling, sampling->rows);
}
