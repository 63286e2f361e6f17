/* tiles.h: products of bfloat16 by the matrix units of newer processors from Intel (AMX), which do
 * 16 rows times 16 outputs of 32 inputs at once.
 *
 * A process has to ask for their registers before it uses them, and each thread sets them up.
 */
#ifndef PUFF_TILES_H
#define PUFF_TILES_H

#include <stdint.h>
#include <string.h>

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__linux__)
#include <immintrin.h>

#define PUFF_HAS_TILES 1
#else
#define PUFF_HAS_TILES 0
#endif

/* Rows and outputs of a register's sums, and inputs of one step; their pairs lie in 4 bytes. */
enum { PUFF_TILES = PUFF_HAS_TILES, PUFF_TILE = 16, PUFF_TILE_INPUTS = 32 };

/* Whether this process may use the registers; asks for them the first time. */
int puff_tiles_are_allowed(void);

#if PUFF_HAS_TILES
/* As the processor reads it. */
typedef struct {
    uint8_t palette, start, nothing[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_setting;

/* Sets up the calling thread's registers: all have 16 rows of 64 bytes. */
static inline void begin_tiles(void) {
    tile_setting setting = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        setting.row_bytes[i] = 64;
        setting.rows[i] = PUFF_TILE;
    }
    /* The compiler's own function does not tell it that all of this is read. */
    __asm__ volatile("ldtilecfg %0" ::"m"(setting));
}

static inline void end_tiles(void) {
    _tile_release();
}

/* Adds what PUFF_TILE_INPUTS inputs give, `bytes` from row to row, to four registers of sums. */
#define ADD_TILES(rows, bytes, panel)                                                              \
    do {                                                                                           \
        _tile_loadd(4, (rows), (bytes));                                                           \
        _tile_loadd(5, (const uint8_t*)(rows) + PUFF_TILE * (bytes), (bytes));                     \
        _tile_loadd(6, (panel), 8 * PUFF_TILE);                                                    \
        _tile_loadd(7, (panel) + PUFF_TILE, 8 * PUFF_TILE);                                        \
        _tile_dpbf16ps(0, 4, 6);                                                                   \
        _tile_dpbf16ps(1, 4, 7);                                                                   \
        _tile_dpbf16ps(2, 5, 6);                                                                   \
        _tile_dpbf16ps(3, 5, 7);                                                                   \
    } while (0)

/* The sums of 32 rows (., count) in one panel of 32 outputs, pairs of inputs filled up with zeros
 * to whole steps. */
static inline void tile_sums(float sums[2 * PUFF_TILE][2 * PUFF_TILE], const uint16_t* inputs,
                             int64_t count, const uint32_t* panel) {
    const int64_t whole = count / PUFF_TILE_INPUTS * PUFF_TILE_INPUTS, rest = count - whole;
    const size_t bytes = (size_t)count * sizeof *inputs;
    uint16_t last[2 * PUFF_TILE][PUFF_TILE_INPUTS];
    if (rest) {
        memset(last, 0, sizeof last);
        for (int row = 0; row < 2 * PUFF_TILE; row++) {
            memcpy(last[row], inputs + row * count + whole, (size_t)rest * sizeof *inputs);
        }
    }
    __asm__ volatile("" ::: "memory"); /* The compiler does not know what the loads read. */
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t i = 0; i < whole; i += PUFF_TILE_INPUTS) {
        ADD_TILES(inputs + i, bytes, panel + i * PUFF_TILE);
    }
    if (rest) ADD_TILES(&last[0][0], sizeof last[0], panel + whole * PUFF_TILE);
    _tile_stored(0, sums[0], 8 * PUFF_TILE);
    _tile_stored(1, sums[0] + PUFF_TILE, 8 * PUFF_TILE);
    _tile_stored(2, sums[PUFF_TILE], 8 * PUFF_TILE);
    _tile_stored(3, sums[PUFF_TILE] + PUFF_TILE, 8 * PUFF_TILE);
}
#else
static inline void begin_tiles(void) {}
static inline void end_tiles(void) {}
#endif

#endif
