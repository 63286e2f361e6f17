/* advantage.c: the advantage recursion, last step first. */
#include <math.h>

#include "parallel.h"

static void advantage_rows(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_advantage* batch = job;
    const int64_t rows = batch->rows;
    for (int64_t row = first; row < end; row++) batch->magnitudes[row] = 0;
    for (int64_t step = batch->steps - 1; step >= 0; step--) {
        const int64_t at = step * rows;
        const float* after = step + 1 < batch->steps ? batch->advantages + at + rows : NULL;
        for (int64_t row = first; row < end; row++) {
            const int64_t i = at + row;
            const int terminal = batch->terminals[i], truncated = batch->truncations[i];
            const float ratio = batch->ratios[i];
            const float rho = ratio < batch->rho_clip ? ratio : batch->rho_clip;
            const float c = ratio < batch->c_clip ? ratio : batch->c_clip;
            /* Chosen, not multiplied by zero: what follows an episode may not be finite. */
            const float next = terminal    ? 0.0f
                               : truncated ? batch->final_values[i]
                                           : batch->values[i + rows];
            const float later = after && !terminal && !truncated ? after[row] : 0.0f;
            const float delta = rho * (batch->rewards[i] + batch->gamma * next - batch->values[i]);
            const float advantage = delta + batch->gamma * batch->gae_lambda * c * later;
            batch->advantages[i] = advantage;
            batch->magnitudes[row] += batch->alive[i] ? fabsf(advantage) : 0.0f;
        }
    }
}

PUFF_KERNEL void puff_advantages(puff_kernels* kernels, const puff_advantage* batch) {
    puff_over_rows(kernels, advantage_rows, batch, batch->rows);
}
