/* kernels.h: the elementwise parts of training that torch does slowly on a CPU, fused.
 *
 * Each function makes one pass over memory where torch makes a dozen. All arrays are time-major and
 * contiguous: (steps, rows, width). "Number" arrays are float32, or bfloat16 where `bf16` is 1.
 * Work is divided by rows, so results do not depend on the number of threads.
 */
#ifndef PUFF_KERNELS_H
#define PUFF_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* cdef begin */

/* The threads that kernels run on. One call at a time; NULL: out of memory or of threads. */
typedef struct puff_kernels puff_kernels;

puff_kernels* puff_kernels_create(uint32_t threads);
void puff_kernels_destroy(puff_kernels* kernels);

/* What the library was built from: the SHA-256 of the headers with declarations for Python, in
 * hexadecimal. */
const char* puff_kernels_built_from(void);

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
void puff_mingru_forward(puff_kernels* kernels, const puff_mingru* layer);

/* Fills `gate_gradients` and `input_gradients`; needs `states` of the forward pass. No gradient
 * flows into `initial`: it is the rollout's, a constant. */
void puff_mingru_backward(puff_kernels* kernels, const puff_mingru* layer);

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
    const uint8_t* alive;
    const float* ratios;
    float* advantages;
    float* magnitudes; /* (rows,) sums of |advantage| over the steps that are alive */
} puff_advantage;

void puff_advantages(puff_kernels* kernels, const puff_advantage* batch);

/* What the policy's first layer reads, made from raw observations: numbers as they are or
 * normalised (normaliser.py), categories one-hot, plain bytes divided by 255. `fields` is the
 * descriptor's table. */
typedef struct {
    int32_t offset;
    int32_t count;
    int32_t dtype; /* puff_dtype */
    int32_t classes;
} puff_feature_field;

typedef struct {
    int64_t steps;
    int64_t agents;
    int64_t segments;
    int64_t bytes; /* of one observation */
    int64_t width; /* features of one observation */
    int32_t field_count;
    int32_t bf16;
    const puff_feature_field* fields;
    const uint8_t* observations; /* (steps, agents, bytes) */
    const int64_t* indices;      /* (segments,) which agents; NULL for all of them */
    const float* shifts;         /* (width,) or NULL: features stay as they are */
    const float* scales;         /* as `shifts` */
    void* outputs;               /* (steps, segments, width) number */
} puff_features;

void puff_make_features(puff_kernels* kernels, const puff_features* batch);

/* The first layer where observations are mostly categories: instead of multiplying features, most
 * of which are zero, it adds up what the table has of them (lookup.py). `sums` begin with what
 * there is where all bytes are 0, so that only others cost something: a row of the table is one
 * feature's weights, but for a category's classes what differs from the weights of class 0. In the
 * place of class 0 there is what takes it back, for bytes that are no class. */
typedef struct {
    int64_t outputs;
    int32_t bf16;
    const puff_features* features; /* whose outputs are not used */
    const float* weights;          /* (outputs, features->width); NULL: they stand in `rows` */
    const float* biases;           /* (outputs,) */
    float* rows;                   /* (features->width, stride); the table, unless that is bf16 */
    void* table;                   /* (features->width, stride) number, as `add_row` reads it */
    float* sums;                   /* (stride,) */
    void* results;                 /* (steps, segments, outputs) number */
    /* Backward only. */
    const void* result_gradients; /* (steps, segments, outputs) number */
    float* table_gradients;       /* (features->width, stride), zeros at first: those of `rows` */
    int32_t* links;               /* (puff_lookup_links,) to work with */
    float* weight_gradients;      /* (outputs, features->width); NULL: those of `rows` do */
    float* bias_gradients;        /* (stride,) */
} puff_lookup;

/* Floats from one row of the table to the next. */
int64_t puff_lookup_stride(int64_t outputs);
int64_t puff_lookup_links(const puff_features* features, int64_t outputs);

/* Fills `rows`, `table` and `sums`; anew when weights, or what normalises features, have changed.
 */
void puff_lookup_prepare(puff_kernels* kernels, const puff_lookup* lookup);

/* Fills `results`. */
void puff_lookup_forward(puff_kernels* kernels, const puff_lookup* lookup);

/* Fills the gradients of weights and biases. */
void puff_lookup_backward(puff_kernels* kernels, const puff_lookup* lookup);

/* The end of that, where the gradients of the table were added up by others: gives class 0 its
 * part.
 */
void puff_lookup_put_together(puff_kernels* kernels, const puff_lookup* lookup);

/* GELU in its tanh form over `count` numbers. */
typedef struct {
    int64_t count;
    int32_t bf16;
    const void* inputs;
    void* outputs;
    const void* output_gradients; /* backward only */
    void* input_gradients;
} puff_gelu;

void puff_gelu_forward(puff_kernels* kernels, const puff_gelu* gelu);
void puff_gelu_backward(puff_kernels* kernels, const puff_gelu* gelu);

/* The last layer: results = inputs x weights^T + biases, with few outputs, computed in float32. */
enum { PUFF_MOST_HEADS = 64, PUFF_PARTIAL_SUMS = 32 };

typedef struct {
    int64_t rows;
    int64_t width;
    int64_t outputs; /* at most PUFF_MOST_HEADS */
    int32_t bf16;
    const void* inputs;   /* (rows, width) number */
    const float* weights; /* (outputs, width) */
    const float* biases;  /* (outputs,) */
    float* results;       /* (rows, outputs) */
    /* Backward only. The sums are over parts of the rows, and have to be zero before. */
    const float* result_gradients; /* (rows, outputs) */
    void* input_gradients;         /* (rows, width) number */
    float* weight_gradients;       /* (PUFF_PARTIAL_SUMS, outputs, width) */
    float* bias_gradients;         /* (PUFF_PARTIAL_SUMS, outputs) */
} puff_heads;

void puff_heads_forward(puff_kernels* kernels, const puff_heads* heads);
void puff_heads_backward(puff_kernels* kernels, const puff_heads* heads);

/* Draws actions from logits. A row's logits are those of its components one after the other. */
typedef struct {
    int64_t rows;
    int64_t stride; /* floats from one row of logits to the next */
    int32_t components;
    const int32_t* sizes;     /* (components,) choices */
    const float* logits;      /* (rows, sum of sizes) */
    const float* uniforms;    /* (rows, components) in [0, 1) */
    int32_t* actions;         /* (rows, components) */
    float* log_probabilities; /* (rows,) of the actions, components added up */
} puff_sampling;

void puff_sample(puff_kernels* kernels, const puff_sampling* sampling);

/* Weights as products read them (products), in `puff_packed_size` bytes. */
typedef struct {
    int64_t outputs;
    int64_t inputs;
    int32_t bf16;
    const void* weights; /* (outputs, inputs) number */
    uint8_t* packed;
} puff_packing;

void puff_pack_weights(puff_kernels* kernels, const puff_packing* packing);
int64_t puff_packed_size(int64_t inputs, int64_t outputs, int32_t bf16);

/* 0 if the library was built for processors of any age: torch finds out what this one can do. */
int32_t puff_products_are_fast(void);

/* A whole decision: features, encoder with GELU, MinGRU layers if there are any, heads, and actions
 * if there is a place for them: what only these need may be NULL without. `weights` are those of
 * the encoder, unless it looks up, and of the layers' gates, packed, one behind the other. */
typedef struct {
    int64_t rows;
    int64_t hidden;
    int32_t layers;
    int32_t outputs; /* at most PUFF_MOST_HEADS; the value is the last */
    int32_t components;
    int32_t bf16;
    int32_t moves;                 /* 1: the state goes on to the next step */
    const puff_features* features; /* of all rows; its outputs are not used */
    const puff_lookup* lookup;     /* the encoder, or NULL if features are multiplied */
    const uint8_t* resets;         /* (rows,), or NULL for none */
    float* state;                  /* (layers, rows, hidden) */
    const uint8_t* weights;
    const float* biases;       /* (hidden,), then (3 * hidden,) a layer */
    const float* head_weights; /* (outputs, hidden) */
    const float* head_biases;  /* (outputs,) */
    const int32_t* sizes;      /* (components,) choices of discrete actions */
    const float* log_std;      /* (components,) of continuous ones */
    const float* noise;        /* (rows, components) uniform, or normal if continuous */
    int32_t* actions;          /* (rows, components); NULL if none are wanted, or continuous */
    float* controls;           /* the same for continuous ones */
    float* log_probabilities;  /* (rows,) of the actions */
    float* values;             /* (rows,) */
    uint8_t* scratch;          /* puff_decision_scratch bytes */
} puff_decision;

void puff_decide(puff_kernels* kernels, const puff_decision* decision);
int64_t puff_decision_scratch(int64_t width, int64_t hidden, int64_t outputs, int32_t bf16);

/* Fills `result` with U V^T, about, of `matrix` = U S V^T, by a Newton-Schulz iteration whose
 * products are of numbers: x becomes a x + b (x x^T) x + c (x x^T)^2 x (muon.py). */
typedef struct {
    int64_t rows;
    int64_t columns;
    int32_t bf16;
    int32_t iterations;
    float a;
    float b;
    float c;
    const float* matrix; /* (rows, columns) */
    float* result;       /* the same; may be the matrix */
    uint8_t* scratch;    /* puff_orthogonal_scratch bytes */
} puff_orthogonal;

void puff_make_orthogonal(puff_kernels* kernels, const puff_orthogonal* work);
int64_t puff_orthogonal_scratch(int64_t rows, int64_t columns, int32_t bf16);

/* One step of the optimizer, whose formulas are in optimizer.py, adam.py and muon.py: the gradient
 * is clipped as a whole, Adam moves some parameters, and Muon moves matrices. Numbers lie in the
 * order of the parameters, Adam's first. A gradient that is not finite moves as one of zero. */
typedef struct {
    int64_t parameters;
    int64_t matrices;        /* how many of them, the last, are Muon's */
    const int64_t* places;   /* (parameters,) addresses of contiguous float32 */
    const int64_t* shapes;   /* (parameters, 2) rows and columns; one row for Adam's */
    const float* gradients;  /* (numbers,) */
    float* means;            /* (numbers,) moving means: Adam's first moments, Muon's momenta */
    float* squares;          /* (numbers,) Adam's second moments; the rest is not touched */
    float* moves;            /* (numbers,) to work with */
    float rate;              /* the learning rate */
    float most;              /* norm of the gradient */
    float share;             /* Adam's of the rate */
    float first;             /* decay of Adam's first moments */
    float second;            /* of its second ones */
    float first_correction;  /* 1 - first^count */
    float second_correction; /* sqrt(1 - second^count) */
    float epsilon;
    float momentum; /* Muon's */
    int32_t bf16;   /* what Muon's products are of, as in puff_orthogonal */
    int32_t iterations;
    float a;
    float b;
    float c;
    uint8_t* scratch; /* puff_orthogonal_scratch bytes of each matrix, one behind the other */
    float* norm;      /* (1,) of the gradient before it was clipped */
} puff_step;

void puff_take_step(puff_kernels* kernels, const puff_step* step);

/* What `sums` of puff_ppo holds: sums over the agents that are alive. From the second to the last
 * before the targets they make the figures of the same names, in the order of loss.py. */
typedef enum {
    PUFF_SUM_ALIVE,
    PUFF_SUM_POLICY_LOSS,
    PUFF_SUM_VALUE_LOSS,
    PUFF_SUM_ENTROPY,
    PUFF_SUM_OLD_APPROX_KL,
    PUFF_SUM_APPROX_KL,
    PUFF_SUM_CLIPFRAC,
    PUFF_SUM_IMPORTANCE,
    PUFF_SUM_TARGET,
    PUFF_SUM_TARGET_SQUARED,
    PUFF_SUM_ERROR, /* target - old value */
    PUFF_SUM_ERROR_SQUARED,
    PUFF_SUMS
} puff_ppo_sum;

/* Moments of the advantages of the segments of those agents whom `indices` names; an agent may come
 * twice. Arrays over (steps, agents) are the whole rollout's. */
typedef struct {
    int64_t steps;
    int64_t agents;
    int64_t segments;
    const int64_t* indices; /* (segments,) */
    const float* advantages;
    const uint8_t* alive;
    double* moments; /* (3,) count, sum and sum of squares of the living's advantages */
} puff_moments;

void puff_ppo_moments(puff_kernels* kernels, const puff_moments* batch);

/* The PPO loss of a minibatch of segments and its gradient; the formula is in loss.py; segments as
 * for puff_moments. Actions are discrete, or continuous ones around means, whose deviation is e to
 * the power of log_std; those only where one thread takes all segments (gradient.h). */
typedef struct {
    int64_t steps;
    int64_t agents;
    int64_t segments;
    int32_t components;
    int32_t width;          /* of a row of heads: all choices or means, then the value */
    const int32_t* sizes;   /* (components,) choices */
    const int64_t* indices; /* (segments,) */
    const float* weights;   /* (segments,) on the policy term */
    const float* heads;     /* (steps, segments, width) */
    const int32_t* actions; /* (steps, agents, components), or NULL */
    const float* controls;  /* the same if they are continuous, or NULL */
    const float* log_std;   /* (components,), or NULL if they are discrete */
    const float* old_log_probabilities;
    const float* old_values;
    const float* advantages;
    const uint8_t* alive;
    float clip;
    float value_clip;
    float value_coefficient;
    float entropy_coefficient;
    float* ratios;            /* (steps, segments) */
    float* values;            /* (steps, segments) */
    float* head_gradients;    /* (steps, segments, width) */
    float* log_std_gradients; /* (components,), which are added to, or NULL */
    double* sums;             /* (PUFF_SUMS,) */
    const double* moments;    /* (3,) as of puff_moments */
} puff_ppo;

/* Loss and gradient, with advantages normalised by `moments`, whose count the loss is divided by:
 * those of a whole minibatch make the parts that it is cut into add up. */
void puff_ppo_loss(puff_kernels* kernels, const puff_ppo* batch);

/* cdef end */

#if defined(_WIN32)
#define PUFF_KERNEL __declspec(dllexport)
#else
#define PUFF_KERNEL __attribute__((visibility("default")))
#endif

#endif
