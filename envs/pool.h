/* pool.h: threads that run numbered blocks of work; the engine under vec.h.
 *
 * The work comes in groups of equally many blocks. `puff_pool_start` makes a group's blocks ready
 * and returns at once; `puff_pool_wait` helps and returns when all of them have been run. The
 * blocks of a group are dealt to the threads in even runs, each with an atomic counter: a thread
 * first claims from its own run, since what it touched the last time is still in its core's cache,
 * and then helps with the others'. Idle threads spin for some microseconds, since the next start is
 * usually near, and then sleep on a condition variable.
 */
#ifndef PUFF_POOL_H
#define PUFF_POOL_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PUFF_SPINS = 2000 };

/* A thread's run of a group's blocks. `ticket` holds how often the group was started in its upper
 * half and the next unclaimed block in its lower half, so that a thread that comes late to an old
 * start claims nothing of the new one. */
typedef struct {
    _Alignas(64) _Atomic uint64_t ticket;
    uint32_t end;
} puff_lane;

typedef struct {
    _Alignas(64) _Atomic uint32_t blocks;
} puff_finished;

typedef struct puff_pool puff_pool;

typedef struct {
    pthread_t handle;
    puff_pool* pool;
    uint32_t lane;
} puff_thread;

struct puff_pool {
    void (*run)(void* context, uint32_t group, uint32_t block);
    void* context;
    uint32_t groups;
    uint32_t blocks;  /* in one group */
    uint32_t threads; /* the caller's, whose lane is the last, and `worker_count` others */
    uint32_t worker_count;
    puff_lane* lanes;        /* (groups, threads) */
    puff_finished* finished; /* (groups,) */
    puff_thread* workers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    _Atomic uint32_t sleepers; /* workers inside the mutex, asleep or about to be */
    _Atomic int stopping;
    _Alignas(64) _Atomic uint32_t version; /* counts starts: a change means that there is work */
};

/* Zeroed memory that begins at a cache line. */
static void* puff_allocate(size_t size) {
    const size_t rounded = size ? (size + 63) / 64 * 64 : 64;
    void* memory = aligned_alloc(64, rounded);
    if (memory) memset(memory, 0, rounded);
    return memory;
}

static inline void puff_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Claims and runs blocks of a group until none is left. They are counted when all are done: a
 * counter that every thread writes after every block costs more than a small block. */
static void puff_pool_work(puff_pool* pool, uint32_t group, uint32_t own) {
    uint32_t done = 0;
    for (uint32_t i = 0; i < pool->threads; i++) {
        puff_lane* lane = &pool->lanes[group * pool->threads + (own + i) % pool->threads];
        uint64_t ticket = atomic_load_explicit(&lane->ticket, memory_order_acquire);
        while ((uint32_t)ticket < lane->end) {
            if (atomic_compare_exchange_weak_explicit(&lane->ticket, &ticket, ticket + 1,
                                                      memory_order_acquire, memory_order_acquire)) {
                pool->run(pool->context, group, (uint32_t)ticket);
                done++;
                ticket = atomic_load_explicit(&lane->ticket, memory_order_acquire);
            }
        }
    }
    if (done) {
        atomic_fetch_add_explicit(&pool->finished[group].blocks, done, memory_order_release);
    }
}

/* Sleeps until the version is no longer `seen`. A worker counts itself before it looks at the
 * version and a starter changes the version before it looks at the count, so one of the two always
 * notices the other. */
static void puff_pool_sleep(puff_pool* pool, uint32_t seen) {
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->version) == seen) pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void puff_pool_wake(puff_pool* pool) {
    atomic_fetch_add(&pool->version, 1);
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void* puff_pool_worker(void* argument) {
    const puff_thread* self = argument;
    puff_pool* pool = self->pool;
    for (;;) {
        const uint32_t seen = atomic_load(&pool->version);
        if (atomic_load(&pool->stopping)) return NULL;
        for (uint32_t g = 0; g < pool->groups; g++) puff_pool_work(pool, g, self->lane);
        int spin = 0;
        while (spin < PUFF_SPINS && atomic_load(&pool->version) == seen) {
            puff_pause();
            spin++;
        }
        if (spin == PUFF_SPINS) puff_pool_sleep(pool, seen);
    }
}

static void puff_pool_start(puff_pool* pool, uint32_t group) {
    puff_lane* lanes = &pool->lanes[group * pool->threads];
    const uint64_t start = (atomic_load_explicit(&lanes->ticket, memory_order_relaxed) >> 32) + 1;
    atomic_store_explicit(&pool->finished[group].blocks, 0, memory_order_relaxed);
    for (uint32_t l = 0; l < pool->threads; l++) {
        const uint64_t first = l ? lanes[l - 1].end : 0;
        atomic_store_explicit(&lanes[l].ticket, start << 32 | first, memory_order_release);
    }
    if (pool->worker_count) puff_pool_wake(pool);
}

static void puff_pool_wait(puff_pool* pool, uint32_t group) {
    puff_pool_work(pool, group, pool->threads - 1);
    _Atomic uint32_t* finished = &pool->finished[group].blocks;
    for (uint32_t spin = 0; atomic_load_explicit(finished, memory_order_acquire) < pool->blocks;
         spin++) {
        if (spin < PUFF_SPINS) {
            puff_pause();
        } else {
            sched_yield();
        }
    }
}

/* Ends the threads; no group may be under way. */
static void puff_pool_destroy(puff_pool* pool) {
    if (!pool) return;
    if (pool->worker_count) {
        atomic_store(&pool->stopping, 1);
        puff_pool_wake(pool);
        for (uint32_t w = 0; w < pool->worker_count; w++) {
            pthread_join(pool->workers[w].handle, NULL);
        }
    }
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool->lanes);
    free(pool->finished);
    free(pool);
}

/* NULL: out of memory or of threads. */
static puff_pool* puff_pool_create(uint32_t groups, uint32_t blocks, uint32_t threads,
                                   void (*run)(void* context, uint32_t group, uint32_t block),
                                   void* context) {
    puff_pool* pool = puff_allocate(sizeof *pool);
    if (!pool) return NULL;
    pool->run = run;
    pool->context = context;
    pool->groups = groups;
    pool->blocks = blocks;
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pool->lanes = puff_allocate((size_t)groups * threads * sizeof(puff_lane));
    pool->finished = puff_allocate(groups * sizeof(puff_finished));
    pool->workers = puff_allocate(threads * sizeof(puff_thread));
    int failed = !pool->lanes || !pool->finished || !pool->workers;
    for (uint32_t l = 0; !failed && l < groups * threads; l++) {
        pool->lanes[l].end = (uint32_t)((uint64_t)blocks * (l % threads + 1) / threads);
        atomic_store(&pool->lanes[l].ticket, pool->lanes[l].end); /* nothing to claim yet */
    }
    while (!failed && pool->worker_count + 1 < threads) {
        puff_thread* worker = &pool->workers[pool->worker_count];
        *worker = (puff_thread){.pool = pool, .lane = pool->worker_count};
        failed = pthread_create(&worker->handle, NULL, puff_pool_worker, worker);
        pool->worker_count += !failed;
    }
    if (failed) {
        puff_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

#endif
