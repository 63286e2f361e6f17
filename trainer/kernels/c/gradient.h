/* gradient.h: what a minibatch is learned from in one call. */
#ifndef PUFF_GRADIENT_H
#define PUFF_GRADIENT_H

#include "kernels.h"

/* cdef begin */

/* Ratios and values of a minibatch's segments, on their way to where those of all agents are. */
typedef struct {
    int64_t steps;
    int64_t agents;
    int64_t segments;
    const int64_t* indices; /* (segments,) */
    const float* ratios;    /* (steps, segments) */
    const float* values;
    float* all_ratios; /* (steps, agents) */
    float* all_values;
    uint8_t* trained; /* (agents,) becomes 1 */
} puff_keeping;

void puff_keep_newest(puff_kernels* kernels, const puff_keeping* batch);

/* The gradient of that loss of a minibatch for a network of an encoder with GELU, MinGRU layers, if
 * there are any, and heads; all in one call. */
typedef struct {
    int64_t hidden;
    int32_t layers;
    int32_t outputs; /* at most PUFF_MOST_HEADS; the value is the last */
    int32_t bf16;
    int32_t parts;   /* that the segments are dealt to, as evenly as can be: at most as many */
    int32_t workers; /* threads that work on parts */
    const puff_features* features; /* of the segments; its outputs are not used */
    const puff_lookup* lookup;     /* the encoder, or NULL if features are multiplied */
    const puff_ppo* loss;          /* its heads and their gradients are not used */
    const uint8_t* resets;         /* (steps, agents) */
    const float* state;            /* (layers, agents, hidden) before the first step */
    const int64_t* places; /* addresses of weights (outputs, inputs) and biases, in turns, of the
                              encoder, the layers and the heads; a lookup's weights are not read */
    float* gradients;  /* (puff_gradient_numbers,) in that order, and that of log_std, if there is
                          one. A lookup has those of its table (features, stride) and biases
                          (stride,), not yet put together */
    float* half;       /* (the same,) of the first half of the parts, or NULL if nobody asks */
    double* half_sums; /* (PUFF_SUMS,) theirs, or NULL */
    uint8_t* scratch;  /* puff_gradient_scratch bytes */
} puff_gradient;

/* Draws the segments of a minibatch: those with more to learn from come more often. The formulas
 * are in priority.py. */
typedef struct {
    int64_t agents;
    int64_t segments;
    float alpha;             /* above 0: how much more often */
    float beta;              /* how far weights correct for that */
    float start;             /* a uniform number, at least 0 and below 1 */
    float even;              /* part of the probability that is spread evenly */
    const float* magnitudes; /* (agents,) puff_advantage's */
    float* probabilities;    /* (agents,) to work with */
    int64_t* indices;        /* (segments,) */
    float* weights;          /* (segments,) */
} puff_drawing;

void puff_draw_segments(puff_kernels* kernels, const puff_drawing* drawing);

/* All that a minibatch is learned from, in the order in which it is made: advantages by the newest
 * ratios and values, segments by the advantages, the gradient, and the newest ratios and values. */
typedef struct {
    const puff_advantage* advantages;
    const puff_drawing* drawing; /* NULL: the segments are there */
    const puff_moments* moments;
    const puff_gradient* gradient;
    const puff_keeping* keeping;
    /* Little work is done by one thread, since others would take longer to wake up. */
    puff_kernels* for_advantages;
    puff_kernels* for_moments;
    puff_kernels* for_keeping;
} puff_learning;

void puff_learn(puff_kernels* kernels, const puff_learning* minibatch);

void puff_find_gradient(puff_kernels* kernels, const puff_gradient* work);
int64_t puff_gradient_numbers(const puff_gradient* work);
int64_t puff_gradient_scratch(const puff_gradient* work);

/* cdef end */

#endif
