/* muon.c: makes a matrix orthogonal by a Newton-Schulz iteration, its products shared by the
 * threads.
 */
#include "parallel.h"
#include "product.h"

/* Multiplications under which other threads would be waited for longer than they help. */
enum { LITTLE = 200000 };

typedef struct {
    const void* inputs; /* (rows, width) */
    void* packed;       /* of outputs whose numbers lie so far apart in `weights`: */
    const void* weights;
    int64_t output_stride;
    int64_t input_stride;
    int64_t rows;
    int64_t width;
    int64_t outputs;
    int bf16;
    float alpha; /* results = alpha * product + beta * addend */
    float beta;
    const void* addend;
    void* results; /* (rows, outputs) */
} product_job;

static void pack_panels(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const product_job* p = job;
    const size_t panel = packed_bytes(p->width, 1, p->bf16 && PUFF_PAIRS);
    for (int64_t i = first; i < end; i++) {
        pack((uint8_t*)p->packed + (size_t)i * panel, p->weights, i * PUFF_PANEL, p->outputs,
             p->output_stride, p->width, p->input_stride, p->bf16);
    }
}

/* alpha * sums + beta * addend of one row, from `at` on. */
INLINE void store_row(const product_job* p, float* restrict sums, int64_t at, int64_t count,
                      int bf16) {
    float addend[PUFF_PANEL] = {0};
    if (p->addend) load(addend, p->addend, at, count, bf16);
    for (int64_t i = 0; i < PUFF_PANEL; i++) sums[i] = p->alpha * sums[i] + p->beta * addend[i];
    store(p->results, at, sums, count, bf16);
}

INLINE void multiply(const product_job* p, int64_t first, int64_t end, int bf16) {
    const size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    const size_t panel = packed_bytes(p->width, 1, bf16 && PUFF_PAIRS);
    float sums[PUFF_ROWS][PUFF_PANEL];
    for (int64_t output = 0; output < p->outputs; output += PUFF_PANEL) {
        const uint8_t* weights = (const uint8_t*)p->packed + (size_t)(output / PUFF_PANEL) * panel;
        const int64_t count = p->outputs - output < PUFF_PANEL ? p->outputs - output : PUFF_PANEL;
        for (int64_t row = first * PUFF_ROWS; row < end * PUFF_ROWS; row += PUFF_ROWS) {
            panel_sums(sums, (const uint8_t*)p->inputs + (size_t)(row * p->width) * size, p->width,
                       weights, bf16);
            for (int64_t r = 0; r < PUFF_ROWS && row + r < p->rows; r++) {
                store_row(p, sums[r], (row + r) * p->outputs + output, count, bf16);
            }
        }
    }
}

static void multiply_groups(const void* job, int64_t block, int64_t first, int64_t end) {
    (void)block;
    const product_job* p = job;
    if (p->bf16) {
        multiply(p, first, end, 1);
    } else {
        multiply(p, first, end, 0);
    }
}

static void run(puff_kernels* kernels, const product_job* p) {
    const int64_t panels = (p->outputs + PUFF_PANEL - 1) / PUFF_PANEL;
    const int64_t groups = (p->rows + PUFF_ROWS - 1) / PUFF_ROWS;
    if (p->rows * p->width * p->outputs < LITTLE) {
        pack_panels(p, 0, 0, panels);
        multiply_groups(p, 0, 0, groups);
        return;
    }
    puff_over_rows(kernels, pack_panels, p, panels);
    puff_over_rows(kernels, multiply_groups, p, groups);
}

static size_t in_lines(size_t bytes) {
    return (bytes + 63) / 64 * 64;
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
    const size_t one = packed_bytes(s.large, s.small, bf16 && PUFF_PAIRS);
    const size_t other = packed_bytes(s.small, s.large, bf16 && PUFF_PAIRS);
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
    product_job job = {.packed = packed, .rows = s.small, .bf16 = bf16};
    for (int32_t iteration = 0; iteration < work->iterations; iteration++) {
        product_job squares = job;
        squares.inputs = squares.weights = x;
        squares.output_stride = squares.width = s.large;
        squares.input_stride = 1;
        squares.outputs = s.small;
        squares.alpha = 1;
        squares.results = square;
        run(kernels, &squares);

        product_job mixed = job;
        mixed.inputs = mixed.weights = mixed.addend = square;
        mixed.output_stride = mixed.width = mixed.outputs = s.small;
        mixed.input_stride = 1;
        mixed.alpha = work->c;
        mixed.beta = work->b;
        mixed.results = polynomial;
        run(kernels, &mixed);

        product_job moved = job;
        moved.inputs = polynomial;
        moved.weights = moved.addend = x;
        moved.output_stride = 1;
        moved.input_stride = moved.outputs = s.large;
        moved.width = s.small;
        moved.alpha = 1;
        moved.beta = work->a;
        moved.results = next;
        run(kernels, &moved);
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
