/* gradient.c: the gradient of the loss of a minibatch, from observations to weights and back.
 *
 * A thread takes a part of the segments through the whole network and back, some segments at a
 * time, so that what is in between stays in its cache and nobody waits for anybody on the way. Each
 * part has a gradient of its own, and these are added in their order: the sum is the same whatever
 * the number of threads.
 */
#include "gradient_tile.h"

/* Numbers that are a row of work where gradients are added. */
enum { ROW = 1024 };

PUFF_KERNEL int64_t puff_gradient_scratch(const puff_gradient* work) {
    room sized = {0};
    plan_of(work, &sized);
    return (int64_t)sized.used;
}

PUFF_KERNEL int64_t puff_gradient_numbers(const puff_gradient* work) {
    room sized = {0};
    return plan_of(work, &sized).gradient;
}

/* A thread's own bench: there are as many as threads. */
static int64_t claim(const plan* all) {
    for (;;) {
        for (int64_t i = 0; i < all->benches; i++) {
            if (!__atomic_exchange_n(&all->taken[i], 1, __ATOMIC_ACQUIRE)) return i;
        }
    }
}

static void work_on_part(const plan* all, int64_t held) {
    const puff_gradient* work = all->work;
    const int64_t part = all->first + held, segments = work->features->segments;
    const int64_t end = segments * (part + 1) / work->parts;
    const int64_t place = claim(all);
    room memory = {.memory = all->at_work + (size_t)place * all->bench};
    const bench own = bench_at(all, &memory);
    tile some = {
        .all = all,
        .own = &own,
        .features = *work->features,
        .gradient = all->gradients + held * all->gradient,
        .sums = all->sums[held],
    };
    memset(some.gradient, 0, (size_t)all->gradient * sizeof(float));
    memset(some.sums, 0, sizeof *all->sums);
    some.features.outputs = own.features;
    for (some.first = segments * part / work->parts; some.first < end;
         some.first += some.segments) {
        some.segments = end - some.first < all->segments ? end - some.first : all->segments;
        some.rows = some.segments * all->steps;
        some.features.segments = some.segments;
        some.features.indices = work->features->indices + some.first;
        encode(&some);
        remember(&some);
        judge(&some);
        add_encoder(&some, go_back(&some));
    }
    __atomic_store_n(&all->taken[place], 0, __ATOMIC_RELEASE);
}

static void work_on_parts(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    for (int64_t held = first; held < end; held++) work_on_part(job, held);
}

/* Whether this is the last part of the first half, and somebody asks for that. */
static int ends_half(const puff_gradient* work, int64_t part) {
    return work->half && part + 1 == work->parts / 2;
}

/* How many gradients there are now to be added. */
typedef struct {
    const plan* all;
    int64_t count;
} addition;

static void add_rows(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const addition* what = job;
    const plan* all = what->all;
    const int64_t from = first * ROW, last = end * ROW < all->gradient ? end * ROW : all->gradient;
    float* restrict to = all->work->gradients;
    for (int64_t held = 0; held < what->count; held++) {
        const float* restrict part = all->gradients + held * all->gradient;
        const int64_t number = all->first + held;
        if (number == 0)
            memcpy(to + from, part + from, (size_t)(last - from) * sizeof *to);
        else
            for (int64_t i = from; i < last; i++) to[i] += part[i];
        if (ends_half(all->work, number)) {
            memcpy(all->work->half + from, to + from, (size_t)(last - from) * sizeof *to);
        }
    }
}

PUFF_KERNEL void puff_find_gradient(puff_kernels* kernels, const puff_gradient* work) {
    room memory = {.memory = work->scratch};
    plan all = plan_of(work, &memory);
    prepare(&all);
    memset(work->loss->sums, 0, sizeof *all.sums);
    for (; all.first < work->parts; all.first += all.held) {
        const int64_t rest = work->parts - all.first;
        const addition what = {.all = &all, .count = rest < all.held ? rest : all.held};
        puff_over_rows(kernels, work_on_parts, &all, what.count);
        puff_over_rows(kernels, add_rows, &what, (all.gradient + ROW - 1) / ROW);
        for (int64_t held = 0; held < what.count; held++) {
            double* sums = work->loss->sums;
            for (int k = 0; k < PUFF_SUMS; k++) sums[k] += all.sums[held][k];
            if (ends_half(work, all.first + held)) {
                memcpy(work->half_sums, sums, sizeof *all.sums);
            }
        }
    }
}
