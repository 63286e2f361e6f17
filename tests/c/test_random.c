/* Tests of random.h. */
#include "random.h"

#include <assert.h>
#include <math.h>

/* The published first outputs of SplitMix64 from seed 0. */
static void test_known_values(void) {
    puff_random random = {0};
    assert(puff_random_bits(&random) == UINT64_C(0xe220a8397b1dcdaf));
    assert(puff_random_bits(&random) == UINT64_C(0x6e789e6aa1b965f4));
    assert(puff_random_bits(&random) == UINT64_C(0x06c45d188009454f));
}

static void test_below(void) {
    puff_random random = {3};
    int count[7] = {0};
    for (int i = 0; i < 70000; i++) {
        const uint32_t value = puff_random_below(&random, 7);
        assert(value < 7);
        count[value]++;
    }
    for (int i = 0; i < 7; i++) assert(count[i] > 9400 && count[i] < 10600); /* 6.5 deviations */
    for (int i = 0; i < 100; i++) assert(puff_random_below(&random, 1) == 0);
}

static void test_floats(void) {
    puff_random random = {4};
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        const float unit = puff_random_unit(&random);
        assert(unit >= 0 && unit < 1);
        sum += unit;
        const float between = puff_random_between(&random, -3, 5);
        assert(between >= -3 && between < 5);
    }
    assert(fabs(sum / 100000 - 0.5) < 0.006);
}

/* Neighbouring seeds and neighbouring items have nothing to do with each other. */
static void test_streams(void) {
    int differing = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        for (uint64_t item = 0; item < 100; item++) {
            puff_random a = puff_random_stream(seed, item);
            puff_random b = puff_random_stream(seed, item + 1);
            puff_random c = puff_random_stream(seed + 1, item);
            const uint64_t bits = puff_random_bits(&a);
            differing += __builtin_popcountll(bits ^ puff_random_bits(&b));
            differing += __builtin_popcountll(bits ^ puff_random_bits(&c));
        }
    }
    /* 20,000 pairs, 32 of 64 bits differ on average, six deviations of the mean are 0.17. */
    assert(fabs(differing / 20000.0 - 32) < 0.17);
}

int main(void) {
    test_known_values();
    test_below();
    test_floats();
    test_streams();
    return 0;
}
