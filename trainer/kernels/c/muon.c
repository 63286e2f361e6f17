/* muon.c: makes a matrix orthogonal by a Newton-Schulz iteration, its products shared by the
 * threads.
 */
#include "parallel.h"
#include "product.h"

/* Multiplications under which other threads would be waited for longer than they help: to wake one
 * takes some 50 microseconds where a machine is shared. */
enum { LITTLE = 4000000 };

static void multiply_groups(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const puff_product* product = job;
    const int64_t last = end * PUFF_ROWS < product->rows ? end * PUFF_ROWS : product->rows;
    multiply(product, first * PUFF_ROWS, last);
}

/* Packs the weights (outputs, width), whose numbers lie so far apart, and multiplies by them. */
static void run(puff_kernels* kernels, puff_product product, const void* numbers,
                int64_t output_stride, int64_t input_stride, void* packed) {
    product.packed = packed;
    const puff_weights weights = {
        .numbers = numbers,
        .outputs = product.outputs,
        .output_stride = output_stride,
        .inputs = product.width,
        .input_stride = input_stride,
        .bf16 = product.bf16,
        .packed = packed,
    };
    const int64_t panels = panels_of(product.outputs);
    const int64_t groups = (product.rows + PUFF_ROWS - 1) / PUFF_ROWS;
    if (product.rows * product.width * product.outputs < LITTLE) {
        pack_panels(&weights, 0, 0, panels);
        multiply_groups(&product, 0, 0, groups);
        return;
    }
    puff_over_rows(kernels, pack_panels, &weights, panels);
    puff_over_rows(kernels, multiply_groups, &product, groups);
}

/* The sides of a matrix, and the bytes of what is worked with. */
typedef struct {
    int64_t small;
    int64_t large;
    size_t wide;   /* (small, large) numbers */
    size_t square; /* (small, small) */
    size_t packed;
} sizes;

static sizes sizes_of(int64_t rows, int64_t columns, int bf16) {
    sizes s = {.small = rows < columns ? rows : columns, .large = rows < columns ? columns : rows};
    const size_t number = bf16 ? sizeof(uint16_t) : sizeof(float);
    const size_t padded = (size_t)((s.small + PUFF_ROWS - 1) / PUFF_ROWS * PUFF_ROWS);
    s.wide = in_lines(padded * (size_t)s.large * number);
    s.square = in_lines(padded * (size_t)s.small * number);
    const size_t one = packed_bytes(s.large, s.small, bf16);
    const size_t other = packed_bytes(s.small, s.large, bf16);
    s.packed = in_lines(one > other ? one : other);
    return s;
}

PUFF_KERNEL int64_t puff_orthogonal_scratch(int64_t rows, int64_t columns, int32_t bf16) {
    const sizes s = sizes_of(rows, columns, bf16);
    return (int64_t)(2 * s.wide + 2 * s.square + s.packed);
}

static float length(const float* numbers, int64_t count) {
    double total = 0;
    for (int64_t i = 0; i < count; i += 1024) {
        const int64_t end = count - i < 1024 ? count : i + 1024;
        float part = 0;
        for (int64_t j = i; j < end; j++) part += numbers[j] * numbers[j];
        total += (double)part;
    }
    return (float)sqrt(total);
}

PUFF_KERNEL void puff_make_orthogonal(puff_kernels* kernels, const puff_orthogonal* work) {
    const int bf16 = work->bf16, tall = work->rows > work->columns;
    const sizes s = sizes_of(work->rows, work->columns, bf16);
    uint8_t* x = work->scratch;
    uint8_t* next = x + s.wide;
    uint8_t* square = next + s.wide;
    uint8_t* polynomial = square + s.square;
    uint8_t* packed = polynomial + s.square;
    memset(x, 0, (size_t)(packed - x)); /* Rows behind the last one are read, too. */

    const int64_t count = work->rows * work->columns;
    const float size = length(work->matrix, count);
    const float scale = 1.0f / (size > 1e-7f ? size : 1e-7f);
    for (int64_t i = 0; i < s.small; i++) {
        for (int64_t j = 0; j < s.large; j++) {
            const float number = work->matrix[tall ? j * s.small + i : i * s.large + j] * scale;
            store(x, i * s.large + j, &number, 1, bf16);
        }
    }
    for (int32_t iteration = 0; iteration < work->iterations; iteration++) {
        const puff_product squares = {
            .inputs = x,
            .rows = s.small,
            .width = s.large,
            .outputs = s.small,
            .bf16 = bf16,
            .results = square,
        };
        run(kernels, squares, x, s.large, 1, packed);
        const puff_product mixed = {
            .inputs = square,
            .rows = s.small,
            .width = s.small,
            .outputs = s.small,
            .bf16 = bf16,
            .addend = square,
            .alpha = work->c,
            .beta = work->b,
            .results = polynomial,
        };
        run(kernels, mixed, square, s.small, 1, packed);
        const puff_product moved = {
            .inputs = polynomial,
            .rows = s.small,
            .width = s.small,
            .outputs = s.large,
            .bf16 = bf16,
            .addend = x,
            .alpha = 1,
            .beta = work->a,
            .results = next,
        };
        run(kernels, moved, x, 1, s.large, packed);
        uint8_t* const last = x;
        x = next;
        next = last;
    }
    for (int64_t i = 0; i < s.small; i++) {
        for (int64_t j = 0; j < s.large; j++) {
            float number;
            load(&number, x, i * s.large + j, 1, bf16);
            work->result[tall ? j * s.small + i : i * s.large + j] = number;
        }
    }
}
