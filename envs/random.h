/* random.h: a small random generator that lives in an environment's state.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * 8 bytes of state, about a nanosecond a number, and any seed is a good seed. rand() of the C
 * library takes a lock and is shared by all threads; it has no place in an environment.
 */
#ifndef PUFF_RANDOM_H
#define PUFF_RANDOM_H

#include <stdint.h>

typedef struct {
    uint64_t state;
} puff_random;

/* 64 uniformly random bits. */
static inline uint64_t puff_random_bits(puff_random* random) {
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A generator of its own for item `index` of a family that shares one seed. */
static inline puff_random puff_random_stream(uint64_t seed, uint64_t index) {
    puff_random mixer = {seed};
    mixer.state = puff_random_bits(&mixer) ^ (index * UINT64_C(0xd1342543de82ef95));
    puff_random random = {puff_random_bits(&mixer)};
    return random;
}

/* A uniform integer in [0, bound), bound > 0. Multiplies instead of dividing; the bias is below
 * bound / 2^32. */
static inline uint32_t puff_random_below(puff_random* random, uint32_t bound) {
    return (uint32_t)(((puff_random_bits(random) >> 32) * (uint64_t)bound) >> 32);
}

/* A uniform float in [0, 1), with 24 random bits. */
static inline float puff_random_unit(puff_random* random) {
    return (float)(puff_random_bits(random) >> 40) * 0x1p-24f;
}

/* A uniform float in [low, high). */
static inline float puff_random_between(puff_random* random, float low, float high) {
    return low + (high - low) * puff_random_unit(random);
}

#endif
