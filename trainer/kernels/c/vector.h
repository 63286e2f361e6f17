/* vector.h: as many floats, or words of 4 bytes, as this processor works on at once. */
#ifndef PUFF_VECTOR_H
#define PUFF_VECTOR_H

#include <stdint.h>

#if defined(__AVX512F__)
enum { VECTOR = 16 };
#elif defined(__AVX2__)
enum { VECTOR = 8 };
#else
enum { VECTOR = 4 };
#endif

typedef uint32_t words __attribute__((vector_size(VECTOR * sizeof(uint32_t)), aligned(4)));
typedef float vector __attribute__((vector_size(VECTOR * sizeof(float)), aligned(4)));

#endif
