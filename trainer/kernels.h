/* kernels.h: the elementwise parts of training that torch does slowly on a CPU, fused.
 *
 * Each function makes one pass over memory where torch makes a dozen. All arrays are time-major and
 * contiguous: (steps, rows, width). "Number" arrays are float32, or bfloat16 where `bf16` is 1.
 * Work is divided over `threads` by rows, so results do not depend on their number.
 */
#ifndef PUFF_KERNELS_H
#define PUFF_KERNELS_H

#include <stdint.h>

/* cdef begin */

/* One MinGRU layer with highway over a sequence. Per step and channel:
 *
 *   z = sigmoid(gate)    f(x) = x + 1/2 for x >= 0, else sigmoid(x)
 *   h = (1 - z) * h_before + z * f(candidate)
 *   output = sigmoid(highway) * h + (1 - sigmoid(highway)) * input
 *
 * (Feng et al., "Were RNNs all we needed?", arXiv 2410.01201, with a highway around it.) Where
 * `resets` is 1, h_before is taken as zero: the step is the first of an episode. */
typedef struct {
    int64_t steps;
    int64_t rows;
    int64_t width;
    int32_t bf16;
    int32_t threads;
    const void* gates;     /* (steps, rows, 3 * width) number: candidate, gate, highway */
    const void* inputs;    /* (steps, rows, width) number */
    const uint8_t* resets; /* (steps, rows), or NULL for none */
    const float* initial;  /* (rows, width) h before the first step */
    float* states;         /* (steps, rows, width) h after each step */
    void* outputs;         /* (steps, rows, width) number */
    /* Backward only: the gradient that comes in, and those that go out. */
    const void* output_gradients; /* (steps, rows, width) number */
    void* gate_gradients;         /* (steps, rows, 3 * width) number */
    void* input_gradients;        /* (steps, rows, width) number */
} puff_mingru;

/* Fills `states` and `outputs`. */
void puff_mingru_forward(const puff_mingru* layer);

/* Fills `gate_gradients` and `input_gradients`; needs `states` of the forward pass. No gradient
 * flows into `initial`: it is the rollout's, a constant. */
void puff_mingru_backward(const puff_mingru* layer);

/* Advantages with V-trace clips; the formula is in advantage.py. All (steps, rows) float32 or
 * uint8 flags; `values` has one row more, for the observation after the last step. */
typedef struct {
    int64_t steps;
    int64_t rows;
    float gamma;
    float gae_lambda;
    float rho_clip;
    float c_clip;
    const float* rewards;
    const float* values;       /* (steps + 1, rows) */
    const float* final_values; /* read where truncations is 1 */
    const uint8_t* terminals;
    const uint8_t* truncations;
    const float* ratios;
    float* advantages;
} puff_advantage;

void puff_advantages(const puff_advantage* batch);

/* cdef end */

#endif
