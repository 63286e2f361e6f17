/* optimizer.c: a step of Adam and Muon in two passes over the numbers and the products between
 * them.
 */
#include "numbers.h"
#include "parallel.h"

/* Numbers that make a row of work, and those of which other threads would be waited for longer than
 * they help. */
enum { ROW = 1024, LITTLE = 400 * ROW };

/* Multiplications of one iteration, of the matrices beside the largest one, from which on another
 * thread is worth waking. */
enum { WORTH = 1000000 };

typedef struct {
    const puff_step* step;
    int64_t adams; /* numbers that Adam moves */
    int64_t count; /* all of them */
    float scale;   /* of the gradient; 0 where it is not finite */
} pass;

static int64_t numbers_of(const puff_step* step, int64_t parameter) {
    return step->shapes[2 * parameter] * step->shapes[2 * parameter + 1];
}

static void adam(const pass* all, int64_t from, int64_t end) {
    const puff_step* step = all->step;
    const float* restrict gradients = step->gradients;
    float* restrict means = step->means;
    float* restrict squares = step->squares;
    float* restrict moves = step->moves;
    const float scale = all->scale, rate = -step->share / step->first_correction;
    for (int64_t i = from; i < end; i++) {
        const float gradient = scale > 0 ? gradients[i] * scale : 0;
        means[i] += (gradient - means[i]) * (1 - step->first);
        squares[i] = squares[i] * step->second + gradient * gradient * (1 - step->second);
        const float size = sqrtf(squares[i]) / step->second_correction + step->epsilon;
        moves[i] = means[i] / size * rate;
    }
}

/* Leaves what is to be made orthogonal: the gradient, ahead of itself by Nesterov's momentum. */
static void muon(const pass* all, int64_t from, int64_t end) {
    const puff_step* step = all->step;
    const float* restrict gradients = step->gradients;
    float* restrict means = step->means;
    float* restrict moves = step->moves;
    const float scale = all->scale, momentum = step->momentum;
    for (int64_t i = from; i < end; i++) {
        const float gradient = scale > 0 ? gradients[i] * scale : 0;
        means[i] += (gradient - means[i]) * (1 - momentum);
        moves[i] = gradient + (means[i] - gradient) * momentum;
    }
}

static void move_rows(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const pass* all = job;
    const int64_t from = first * ROW, to = end * ROW < all->count ? end * ROW : all->count;
    const int64_t border = all->adams < from ? from : all->adams > to ? to : all->adams;
    adam(all, from, border);
    muon(all, border, to);
}

/* The step of one of Muon's matrices, which is made orthogonal where it is. */
static puff_orthogonal matrix_of(const puff_step* step, int64_t parameter) {
    float* moves = step->moves;
    uint8_t* scratch = step->scratch;
    for (int64_t i = 0; i < parameter; i++) {
        moves += numbers_of(step, i);
        if (i < step->parameters - step->matrices) continue;
        const int64_t* shape = step->shapes + 2 * i;
        scratch += puff_orthogonal_scratch(shape[0], shape[1], step->bf16);
    }
    return (puff_orthogonal){
        .rows = step->shapes[2 * parameter],
        .columns = step->shapes[2 * parameter + 1],
        .bf16 = step->bf16,
        .iterations = step->iterations,
        .a = step->a,
        .b = step->b,
        .c = step->c,
        .matrix = moves,
        .result = moves,
        .scratch = scratch,
    };
}

/* Those of the matrices, counted from the first one, that need no second thread. */
static void make_orthogonal_alone(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_step* step = job;
    for (int64_t i = first; i < end; i++) {
        const puff_orthogonal work = matrix_of(step, step->parameters - step->matrices + i);
        if (puff_orthogonal_alone(&work)) puff_make_orthogonal(NULL, &work);
    }
}

/* Large matrices one after the other, by all threads; the others side by side. */
static void make_orthogonal(puff_kernels* kernels, const puff_step* step) {
    int64_t all = 0, most = 0;
    for (int64_t i = step->parameters - step->matrices; i < step->parameters; i++) {
        const puff_orthogonal work = matrix_of(step, i);
        if (!puff_orthogonal_alone(&work)) {
            puff_make_orthogonal(kernels, &work);
            continue;
        }
        const int64_t small = work.rows < work.columns ? work.rows : work.columns;
        const int64_t multiplications = small * work.rows * work.columns;
        all += multiplications;
        if (multiplications > most) most = multiplications;
    }
    if (all - most < WORTH)
        make_orthogonal_alone(step, 0, 0, step->matrices);
    else
        puff_over_rows(kernels, make_orthogonal_alone, step, step->matrices);
}

/* Adds `factor` times the moves. */
static void add(float* restrict numbers, const float* restrict moves, int64_t count, float factor) {
    for (int64_t i = 0; i < count; i++) numbers[i] += moves[i] * factor;
}

PUFF_KERNEL void puff_take_step(puff_kernels* kernels, const puff_step* step) {
    const int64_t others = step->parameters - step->matrices;
    pass all = {.step = step};
    for (int64_t i = 0; i < step->parameters; i++) {
        if (i == others) all.adams = all.count;
        all.count += numbers_of(step, i);
    }
    if (others == step->parameters) all.adams = all.count;

    const float norm = length(step->gradients, all.count);
    step->norm[0] = norm;
    const float scale = step->most / (norm + 1e-6f);
    all.scale = isfinite(norm) ? scale < 1 ? scale : 1 : 0;
    const int64_t rows = (all.count + ROW - 1) / ROW;
    if (all.count < LITTLE)
        move_rows(&all, 0, 0, rows);
    else
        puff_over_rows(kernels, move_rows, &all, rows);
    make_orthogonal(kernels, step);

    const float* moves = step->moves;
    for (int64_t i = 0; i < step->parameters; i++) {
        const int64_t high = step->shapes[2 * i], wide = step->shapes[2 * i + 1];
        float factor = step->rate;
        if (i >= others) factor *= -sqrtf(high > wide ? (float)high / (float)wide : 1);
        add((float*)(intptr_t)step->places[i], moves, high * wide, factor);
        moves += high * wide;
    }
}
