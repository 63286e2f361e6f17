/* muon.c: makes a matrix orthogonal by a Newton-Schulz iteration, its products, where they are
 * large, shared by the threads.
 *
 * With g = x x^T, an iteration multiplies x by p = a + b g + c g^2. All these matrices are small
 * and commute; so where x is long, their product is found first, and x multiplied by it once: two
 * large products for fifteen. What the small ones hold grows over many orders of magnitude, so this
 * is done in floats.
 */
#include "parallel.h"
#include "products/product.h"

/* Multiplications under which other threads would be waited for longer than they help: to wake one
 * takes some 50 microseconds where a machine is shared. */
enum { LITTLE = 4000000, LITTLE_OF_TILES = 32000000 };

static int is_little(int64_t multiplications, int bf16) {
    return multiplications < (PUFF_TILES && bf16 ? LITTLE_OF_TILES : LITTLE);
}

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
    if (!kernels || is_little(product.rows * product.width * product.outputs, product.bf16)) {
        pack_panels(&weights, 0, 0, panels);
        multiply_groups(&product, 0, 0, groups);
        return;
    }
    puff_over_rows(kernels, pack_panels, &weights, panels);
    puff_over_rows(kernels, multiply_groups, &product, groups);
}

/* How often longer than wide a matrix is, at least, for the small products to be the cheaper way,
 * and how many numbers it has. */
enum { LONG = 8, MANY = 65536 };

/* Small matrices that are worked with, and numbers that are copied at once. */
enum { SQUARES = 5, PART = 256 };

/* The sides of a matrix, and the bytes of what is worked with. */
typedef struct {
    int64_t small;
    int64_t large;
    int is_long;
    int bf16;
    size_t wide;   /* (small, large) numbers */
    size_t square; /* (small, small) */
    size_t packed;
    size_t floats; /* (small, large), where the matrix is tall */
} sizes;

static sizes sizes_of(int64_t rows, int64_t columns, int bf16) {
    sizes s = {.small = rows < columns ? rows : columns, .large = rows < columns ? columns : rows};
    s.is_long = s.large >= LONG * s.small && s.large * s.small >= MANY;
    s.bf16 = bf16 = bf16 && !s.is_long;
    const size_t number = bf16 ? sizeof(uint16_t) : sizeof(float);
    const size_t padded = (size_t)((s.small + PUFF_ROWS - 1) / PUFF_ROWS * PUFF_ROWS);
    s.wide = in_lines(padded * (size_t)s.large * number);
    s.square = in_lines(padded * (size_t)s.small * number);
    const size_t one = packed_bytes(s.large, s.small, bf16);
    const size_t other = packed_bytes(s.small, s.large, bf16);
    s.packed = in_lines(one > other ? one : other);
    s.floats = rows > columns ? in_lines((size_t)(rows * columns) * sizeof(float)) : 0;
    return s;
}

PUFF_KERNEL int64_t puff_orthogonal_scratch(int64_t rows, int64_t columns, int32_t bf16) {
    const sizes s = sizes_of(rows, columns, bf16);
    return (int64_t)(2 * s.wide + SQUARES * s.square + s.packed + s.floats);
}

int puff_orthogonal_alone(const puff_orthogonal* work) {
    const sizes s = sizes_of(work->rows, work->columns, work->bf16);
    return is_little(s.small * s.large * s.small, s.bf16);
}

/* What an iteration works with: (small, large), and so many (small, small). */
typedef struct {
    puff_kernels* kernels;
    sizes s;
    uint8_t *x, *next;
    uint8_t* squares[SQUARES];
    uint8_t* packed; /* floats lie behind it */
} workplace;

static workplace lay_out(puff_kernels* kernels, const puff_orthogonal* work) {
    workplace place = {.kernels = kernels, .s = sizes_of(work->rows, work->columns, work->bf16)};
    place.x = work->scratch;
    place.next = place.x + place.s.wide;
    uint8_t* at = place.next + place.s.wide;
    for (int i = 0; i < SQUARES; i++, at += place.s.square) place.squares[i] = at;
    place.packed = at;
    /* Rows behind the last one are read, too. */
    if (place.s.small % PUFF_ROWS) memset(work->scratch, 0, (size_t)(at - place.x));
    return place;
}

/* gram = x * x^T. */
static void square(const workplace* place, uint8_t* gram) {
    const puff_product product = {
        .inputs = place->x,
        .rows = place->s.small,
        .width = place->s.large,
        .outputs = place->s.small,
        .bf16 = place->s.bf16,
        .results = gram,
    };
    run(place->kernels, product, place->x, place->s.large, 1, place->packed);
}

/* result = alpha * one * other + beta * addend, of small matrices. */
static void combine(const workplace* place, const uint8_t* one, const uint8_t* other,
                    const uint8_t* addend, float alpha, float beta, uint8_t* result) {
    const int64_t small = place->s.small;
    const puff_product product = {
        .inputs = one,
        .rows = small,
        .width = small,
        .outputs = small,
        .bf16 = place->s.bf16,
        .addend = addend,
        .alpha = alpha,
        .beta = beta,
        .results = result,
    };
    run(place->kernels, product, other, 1, small, place->packed);
}

/* x becomes factor * x + beta * x. */
static void move(workplace* place, const uint8_t* factor, float beta) {
    const puff_product product = {
        .inputs = factor,
        .rows = place->s.small,
        .width = place->s.small,
        .outputs = place->s.large,
        .bf16 = place->s.bf16,
        .addend = beta != 0 ? place->x : NULL,
        .alpha = 1,
        .beta = beta,
        .results = place->next,
    };
    run(place->kernels, product, place->x, 1, place->s.large, place->packed);
    uint8_t* const last = place->x;
    place->x = place->next;
    place->next = last;
}

static void iterate(workplace* place, const puff_orthogonal* work) {
    uint8_t *gram = place->squares[0], *factor = place->squares[1];
    for (int32_t i = 0; i < work->iterations; i++) {
        square(place, gram);
        combine(place, gram, gram, gram, work->c, work->b, factor);
        move(place, factor, work->a);
    }
}

/* The same by small matrices alone, all of floats. */
static void iterate_small(workplace* place, const puff_orthogonal* work) {
    const int64_t small = place->s.small;
    uint8_t *gram = place->squares[0], *factor = place->squares[1], *all = place->squares[2];
    uint8_t *spare = place->squares[3], *half = place->squares[4];
    square(place, gram);
    for (int32_t i = 0; i < work->iterations; i++) {
        combine(place, gram, gram, gram, work->c, work->b, factor);
        for (int64_t j = 0; j < small; j++) ((float*)(void*)factor)[j * small + j] += work->a;
        if (i == 0) {
            memcpy(all, factor, place->s.square);
        } else {
            combine(place, factor, all, NULL, 1, 0, spare);
            uint8_t* const last = all;
            all = spare;
            spare = last;
        }
        combine(place, gram, factor, NULL, 1, 0, half);
        combine(place, factor, half, NULL, 1, 0, gram);
    }
    move(place, all, 0);
}

/* Swaps rows and columns of a matrix of floats. */
static void turn(const float* restrict from, int64_t rows, int64_t columns, float* restrict to) {
    const int64_t whole_rows = rows / VECTOR * VECTOR, whole_columns = columns / VECTOR * VECTOR;
    for (int64_t i = 0; i < whole_rows; i += VECTOR) {
        for (int64_t j = 0; j < whole_columns; j += VECTOR) {
            transpose(from + i * columns + j, columns * (int64_t)sizeof *from, to + j * rows + i,
                      rows * (int64_t)sizeof *to);
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; j++) {
            to[j * rows + i] = from[i * columns + j];
        }
    }
}

/* Fills x with the matrix, its length 1. */
static void read_matrix(const workplace* place, const puff_orthogonal* work, float* floats) {
    const int64_t count = work->rows * work->columns;
    const float size = length(work->matrix, count);
    const float scale = 1.0f / (size > 1e-7f ? size : 1e-7f);
    const float* from = work->matrix;
    if (work->rows > work->columns) {
        turn(from, work->rows, work->columns, floats);
        from = floats;
    }
    float part[PART];
    for (int64_t i = 0; i < count; i += PART) {
        const int64_t some = count - i < PART ? count - i : PART;
        for (int64_t j = 0; j < some; j++) part[j] = from[i + j] * scale;
        store(place->x, i, part, some, place->s.bf16);
    }
}

/* Fills the result with x. */
static void write_result(const workplace* place, const puff_orthogonal* work, float* floats) {
    const int64_t count = work->rows * work->columns;
    const int tall = work->rows > work->columns;
    load(tall ? floats : work->result, place->x, 0, count, place->s.bf16);
    if (tall) turn(floats, work->columns, work->rows, work->result);
}

PUFF_KERNEL void puff_make_orthogonal(puff_kernels* kernels, const puff_orthogonal* work) {
    workplace place = lay_out(kernels, work);
    float* const floats = (float*)(void*)(place.packed + place.s.packed);
    read_matrix(&place, work, floats);
    if (place.s.is_long) {
        iterate_small(&place, work);
    } else {
        iterate(&place, work);
    }
    write_result(&place, work, floats);
}
