/* learning.c: the draw of a minibatch's segments, and all that is done for a minibatch before the
 * optimizer's step, in one call.
 *
 * Between its parts there is little to do, but from Python each of them costs more than a small
 * minibatch has work, and the wait for the interpreter's lock besides.
 */
#include <math.h>

#include "gradient.h"
#include "parallel.h"

/* Of the sum of weights, so that a share of it is finite. */
static const double LEAST = 1e-30;

/* The probability of each agent's segment; returns their sum, about 1. */
static double weigh(const puff_drawing* drawing) {
    const int64_t agents = drawing->agents;
    float* probabilities = drawing->probabilities;
    double total = 0;
    for (int64_t i = 0; i < agents; i++) {
        probabilities[i] = powf(drawing->magnitudes[i], drawing->alpha);
        total += (double)probabilities[i];
    }
    /* Also where advantages are not finite, which is reported elsewhere. */
    const int told_apart = total > 0 && isfinite(total);
    const float uniform = 1.0f / (float)agents;
    const float share = (float)((1.0 - (double)drawing->even) / (total > LEAST ? total : LEAST));
    double sum = 0;
    for (int64_t i = 0; i < agents; i++) {
        probabilities[i] =
            told_apart ? share * probabilities[i] + drawing->even * uniform : uniform;
        sum += (double)probabilities[i];
    }
    return sum;
}

PUFF_KERNEL void puff_draw_segments(puff_kernels* kernels, const puff_drawing* drawing) {
    (void)kernels;
    const int64_t last = drawing->agents - 1;
    const double sum = weigh(drawing);
    double reached = (double)drawing->probabilities[0];
    int64_t agent = 0;
    for (int64_t i = 0; i < drawing->segments; i++) {
        const double place = ((double)i + (double)drawing->start) / (double)drawing->segments * sum;
        while (agent < last && reached < place) {
            reached += (double)drawing->probabilities[++agent];
        }
        drawing->indices[i] = agent;
        drawing->weights[i] =
            powf((float)drawing->agents * drawing->probabilities[agent], -drawing->beta);
    }
}

PUFF_KERNEL void puff_learn(puff_kernels* kernels, const puff_learning* minibatch) {
    puff_advantages(minibatch->for_advantages, minibatch->advantages);
    if (minibatch->drawing) puff_draw_segments(kernels, minibatch->drawing);
    puff_ppo_moments(minibatch->for_moments, minibatch->moments);
    puff_find_gradient(kernels, minibatch->gradient);
    puff_keep_newest(minibatch->for_keeping, minibatch->keeping);
}
