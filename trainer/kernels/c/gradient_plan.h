/* gradient_plan.h: how large everything is that a gradient is worked out with, and where it lies.
 */
#ifndef PUFF_GRADIENT_PLAN_H
#define PUFF_GRADIENT_PLAN_H

#include "gradient.h"
#include "parallel.h"
#include "products/product.h"

/* Numbers of a layer that are worked on together, about, and what rows are filled up to. */
enum { NUMBERS_TOGETHER = 65536, FEWEST_ROWS = 256, FULL_ROWS = 32 };

/* Numbers of the gradients that are held at a time: so many, unless threads have nothing to do
 * then, and never more than the second, unless that is less than two gradients. */
enum { NUMBERS_HELD = 1 << 24, MOST_NUMBERS = 1 << 29 };

static int64_t filled_up(int64_t rows) {
    return (rows + FULL_ROWS - 1) / FULL_ROWS * FULL_ROWS;
}

static int64_t larger(int64_t one, int64_t other) {
    return one > other ? one : other;
}

static int64_t smaller(int64_t one, int64_t other) {
    return one < other ? one : other;
}

/* Memory that is dealt out; without any, only its size is found. */
typedef struct {
    uint8_t* memory;
    size_t used;
} room;

static void* take(room* from, size_t bytes) {
    void* place = from->memory ? from->memory + from->used : NULL;
    from->used += in_lines(bytes);
    return place;
}

/* What one thread works with; rows are (steps, segments). Where layers have their own, those of the
 * first are meant, and the others follow. */
typedef struct {
    uint8_t* features;       /* (rows, width) number */
    uint8_t* before;         /* (rows, hidden) number, which GELU reads */
    uint8_t* inputs;         /* layers + 1 times (rows, hidden) number; the heads read the last */
    uint8_t* gates;          /* layers times (rows, 3 * hidden) number */
    uint8_t* gate_gradients; /* (rows, 3 * hidden) number */
    uint8_t* incoming;       /* (rows, hidden) number: the gradient on its way back */
    uint8_t* outgoing;       /* the same */
    uint8_t* turned;         /* (outputs of a layer, rows) number */
    uint8_t* packed;
    float* states;  /* layers times (rows, hidden) */
    float* initial; /* layers times (segments, hidden) */
    float* heads;   /* (rows, outputs) */
    float* head_gradients;
    float* ratios; /* (rows,) */
    float* values;
    uint8_t* resets;
    int32_t* links; /* of what is looked up */
} bench;

/* How large everything is, and what all threads read. */
typedef struct {
    const puff_gradient* work;
    int64_t steps;
    int64_t segments; /* that are worked on together, at most */
    int64_t rows;     /* of these, filled up */
    int64_t width;    /* features that are multiplied; 0 where the encoder looks up */
    int64_t stride;   /* of a row of the table that it looks up in */
    size_t layer;     /* bytes of (rows, hidden) number */
    int64_t encoder;  /* numbers of its gradient */
    int64_t heads;    /* where that of the heads begins */
    int64_t gradient; /* of all */
    int64_t held;     /* gradients at a time */
    int64_t benches;  /* threads at a time, at most */
    size_t bench;     /* bytes of one */
    uint8_t* encoder_weights;
    uint8_t* gate_weights;      /* packed, layer by layer */
    uint8_t* gate_weights_back; /* the same for the way back */
    float* biases;              /* (hidden,), then (3 * hidden,) a layer */
    uint8_t* numbers;           /* of one layer's weights */
    float* gradients;           /* `held` of them */
    double (*sums)[PUFF_SUMS];  /* the same */
    uint8_t* at_work;           /* benches */
    int32_t* taken;             /* (benches,) */
    int64_t first;              /* the part that the first gradient is of */
} plan;

static size_t numbers_of(const plan* all, int64_t count) {
    return (size_t)count * (all->work->bf16 ? sizeof(uint16_t) : sizeof(float));
}

static bench bench_at(const plan* all, room* from) {
    const puff_gradient* work = all->work;
    const int64_t rows = all->rows, hidden = work->hidden, layers = work->layers, bf16 = work->bf16;
    const int64_t widest = larger(all->width, hidden), highest = layers ? 3 * hidden : hidden;
    const size_t floats = (size_t)rows * sizeof(float);
    bench own = {
        .features = take(from, numbers_of(all, rows * all->width)),
        .before = take(from, all->layer),
        .inputs = take(from, (size_t)(layers + 1) * all->layer),
        .gates = take(from, (size_t)(3 * layers) * all->layer),
        .gate_gradients = take(from, layers ? 3 * all->layer : 0),
        .incoming = take(from, all->layer),
        .outgoing = take(from, all->layer),
        .turned = take(from, numbers_of(all, filled_up(highest) * rows)),
        .packed = take(from, packed_bytes(rows, widest, (int)bf16)),
        .states = take(from, (size_t)(layers * hidden) * floats),
        .initial = take(from, (size_t)(layers * all->segments * hidden) * sizeof(float)),
        .heads = take(from, (size_t)work->outputs * floats),
        .head_gradients = take(from, (size_t)work->outputs * floats),
        .ratios = take(from, floats),
        .values = take(from, floats),
        .resets = take(from, (size_t)rows),
    };
    if (work->lookup) {
        const int64_t links = puff_lookup_links(work->features, hidden);
        own.links = take(from, (size_t)links * sizeof(int32_t));
    }
    return own;
}

static plan plan_of(const puff_gradient* work, room* from) {
    const int64_t hidden = work->hidden, layers = work->layers, bf16 = work->bf16;
    const int64_t steps = work->features->steps, all_segments = work->features->segments;
    plan all = {.work = work, .steps = steps};
    const int64_t rows = larger(NUMBERS_TOGETHER / hidden, FEWEST_ROWS);
    const int64_t part = (all_segments + work->parts - 1) / work->parts;
    all.segments = larger(rows / steps, 1);
    if (all.segments > part) all.segments = part;
    all.rows = filled_up(steps * all.segments);
    all.width = work->lookup ? 0 : work->features->width;
    all.layer = numbers_of(&all, all.rows * hidden);
    all.stride = work->lookup ? puff_lookup_stride(hidden) : 0;
    all.encoder =
        work->lookup ? (work->features->width + 1) * all.stride : (all.width + 1) * hidden;
    all.gradient = all.encoder + layers * 3 * hidden * (hidden + 1) + work->outputs * (hidden + 1);
    all.heads = all.gradient - work->outputs * (hidden + 1);
    if (work->loss->log_std) all.gradient += work->loss->components;
    all.held = larger(NUMBERS_HELD / all.gradient, work->workers);
    all.held = smaller(all.held, larger(MOST_NUMBERS / all.gradient, 2));
    all.held = smaller(all.held, smaller(work->parts, PUFF_BLOCKS));
    all.benches = smaller(work->workers, all.held);

    const size_t gates = packed_bytes(hidden, 3 * hidden, (int)bf16);
    const int64_t largest = larger(all.width * hidden, layers ? 3 * hidden * hidden : 0);
    all.encoder_weights = take(from, packed_bytes(all.width, hidden, (int)bf16));
    all.gate_weights = take(from, (size_t)layers * gates);
    all.gate_weights_back =
        take(from, (size_t)layers * packed_bytes(3 * hidden, hidden, (int)bf16));
    all.biases = take(from, (size_t)((3 * layers + 1) * hidden) * sizeof(float));
    all.numbers = take(from, numbers_of(&all, largest));
    all.gradients = take(from, (size_t)(all.held * all.gradient) * sizeof(float));
    all.sums = take(from, (size_t)all.held * sizeof *all.sums);
    all.taken = take(from, (size_t)all.benches * sizeof *all.taken);
    room one = {0};
    bench_at(&all, &one);
    all.bench = one.used;
    all.at_work = take(from, (size_t)all.benches * all.bench);
    return all;
}

/* A parameter: the encoder's weights and biases, then each layer's, then the heads'. */
static const float* parameter(const puff_gradient* work, int64_t number) {
    return (const float*)(intptr_t)work->places[number];
}

/* Packs weights (outputs, inputs), forwards and, if there is a place for it, for the way back. */
static void pack(const plan* all, const float* weights, int64_t outputs, int64_t inputs,
                 void* packed, void* back) {
    const int bf16 = all->work->bf16;
    store(all->numbers, 0, weights, outputs * inputs, bf16);
    puff_weights job = {
        .numbers = all->numbers,
        .outputs = outputs,
        .output_stride = inputs,
        .inputs = inputs,
        .input_stride = 1,
        .bf16 = bf16,
        .packed = packed,
    };
    pack_panels(&job, 0, 0, panels_of(outputs));
    if (!back) return;
    job.outputs = inputs;
    job.output_stride = 1;
    job.inputs = outputs;
    job.input_stride = inputs;
    job.packed = back;
    pack_panels(&job, 0, 0, panels_of(inputs));
}

/* Biases are added in the format of the products, as the policy does that decides. */
static void round_biases(const plan* all, const float* biases, int64_t count, float* to) {
    for (int64_t i = 0; i < count; i++) {
        to[i] = all->work->bf16 ? from_bf16(to_bf16(biases[i])) : biases[i];
    }
}

static void prepare(const plan* all) {
    const puff_gradient* work = all->work;
    const int64_t hidden = work->hidden, gates = 3 * hidden;
    if (!work->lookup) {
        pack(all, parameter(work, 0), hidden, all->width, all->encoder_weights, NULL);
    }
    round_biases(all, parameter(work, 1), hidden, all->biases);
    const size_t bytes = packed_bytes(hidden, gates, work->bf16);
    const size_t back = packed_bytes(gates, hidden, work->bf16);
    for (int64_t layer = 0; layer < work->layers; layer++) {
        pack(all, parameter(work, 2 + 2 * layer), gates, hidden,
             all->gate_weights + (size_t)layer * bytes,
             all->gate_weights_back + (size_t)layer * back);
        round_biases(all, parameter(work, 3 + 2 * layer), gates,
                     all->biases + hidden + layer * gates);
    }
    for (int64_t i = 0; i < all->benches; i++) all->taken[i] = 0;
}

#endif
