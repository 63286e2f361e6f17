/* optimizer.c: a step of Adam and Muon in two passes over the numbers and the products between
 * them.
 */
#include "numbers.h"
#include "parallel.h"

/* Numbers that make a row of work, and those of which other threads would be waited for longer than
 * they help. */
enum { ROW = 1024, LITTLE = 400 * ROW };

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

    const float* moves = step->moves;
    for (int64_t i = 0; i < step->parameters; i++) {
        const int64_t high = step->shapes[2 * i], wide = step->shapes[2 * i + 1];
        float* numbers = (float*)(intptr_t)step->places[i];
        float factor = step->rate;
        const float* move = moves;
        if (i >= others) {
            const puff_orthogonal work = {
                .rows = high,
                .columns = wide,
                .bf16 = step->bf16,
                .iterations = step->iterations,
                .a = step->a,
                .b = step->b,
                .c = step->c,
                .matrix = moves,
                .result = step->made,
                .scratch = step->scratch,
            };
            puff_make_orthogonal(kernels, &work);
            move = step->made;
            factor *= -sqrtf(high > wide ? (float)high / (float)wide : 1);
        }
        add(numbers, move, high * wide, factor);
        moves += high * wide;
    }
}
