/* A convolution over [time][channels] is a product of matrices whose rows overlap, so nothing is copied to make it one.
   A tile of sums stays in registers while it runs over taps and inputs; a panel of weights stays in the cache while the
   tiles of a strip run over it. A fast convolution is a map in, such products at each point, a map out.

   Every sum runs over its terms in one order, however the work is cut. */

#include "convolution.h"

#include "team.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)

#include "simd.h"

enum { READS_MAX = 11, POINTS_MAX = 11, STRIP_TILES = 48, STRIP_ROWS = 192, SHARED_TILES = 48, SPACE = 16 };

typedef struct {
    int points, made, block_taps, blocks;
} shape;

static const shape SHAPES[METHODS] = {{1, 1, 1, 0}, {8, 6, 3, 1}, {10, 4, 7, 1}, {11, 6, 6, 2}};

int convolution_is_supported(void) { return simd_is_supported(); }

INLINE __m256 leaky(__m256 x, __m256 slope) { return _mm256_max_ps(x, _mm256_mul_ps(x, slope)); }

/* -- products ------------------------------------------------------------------------------------------------- */

typedef struct {
    const float *a;     /* first row */
    int64_t a_row;      /* floats from row to row */
    int64_t a_tap;      /* and from tap to tap */
    int taps, inputs;
    const float *b;     /* [taps][inputs][panel] */
    float *y;
    int64_t y_row;
    const float *bias;  /* NULL: the sums as they are */
    const float *residual;
    float slope;
    const float *ahead; /* what to fetch meanwhile: */
    int64_t ahead_step; /* that many floats for every 4 inputs */
} product;

INLINE void tile(const int rows, const int vectors, const product *p, int64_t row) {
    __m256 sums[6][3];
    const float *b = p->b;
    const float *ahead = p->ahead;
    const int64_t a_row = p->a_row, ahead_step = p->ahead_step;
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < vectors; v++)
            sums[r][v] = _mm256_setzero_ps();
    for (int tap = 0; tap < p->taps; tap++) {
        const float *a = p->a + row * a_row + tap * p->a_tap;
        const float *end = a + p->inputs;
        do {
            _mm_prefetch((const char *)ahead, _MM_HINT_T1);
            ahead += ahead_step;
            UNROLL for (int k = 0; k < 4; k++) {
                __m256 weights[3];
                UNROLL for (int v = 0; v < vectors; v++)
                    weights[v] = _mm256_loadu_ps(b + 8 * v);
                b += 8 * vectors;
                UNROLL for (int r = 0; r < rows; r++) {
                    __m256 input = _mm256_broadcast_ss(a + r * a_row + k);
                    UNROLL for (int v = 0; v < vectors; v++)
                        sums[r][v] = _mm256_fmadd_ps(input, weights[v], sums[r][v]);
                }
            }
            a += 4;
        } while (a < end);
    }
    __m256 slope = _mm256_set1_ps(p->slope);
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int v = 0; v < vectors; v++) {
            __m256 sum = sums[r][v];
            int64_t at = (row + r) * p->y_row + 8 * v;
            if (p->bias) {
                sum = _mm256_add_ps(sum, _mm256_loadu_ps(p->bias + 8 * v));
                if (p->slope != 1.0f)
                    sum = leaky(sum, slope);
                if (p->residual)
                    sum = _mm256_add_ps(sum, _mm256_loadu_ps(p->residual + at));
            }
            _mm256_storeu_ps(p->y + at, sum);
        }
}

KERNEL static void six(const product *p, int64_t row) { tile(6, 2, p, row); }
KERNEL static void five(const product *p, int64_t row) { tile(5, 2, p, row); }
KERNEL static void four(const product *p, int64_t row) { tile(4, 2, p, row); }
KERNEL static void three(const product *p, int64_t row) { tile(3, 2, p, row); }
KERNEL static void two(const product *p, int64_t row) { tile(2, 2, p, row); }
KERNEL static void one(const product *p, int64_t row) { tile(1, 2, p, row); }
KERNEL static void four_wide(const product *p, int64_t row) { tile(4, 3, p, row); }
KERNEL static void three_wide(const product *p, int64_t row) { tile(3, 3, p, row); }
KERNEL static void two_wide(const product *p, int64_t row) { tile(2, 3, p, row); }
KERNEL static void one_wide(const product *p, int64_t row) { tile(1, 3, p, row); }

/* All rows of a panel, in tiles as even as they can be; the weights of the next one come into the cache meanwhile. */
KERNEL static void multiply(product *p, int64_t rows, int panel) {
    static void (*const narrow[])(const product *, int64_t) = {NULL, one, two, three, four, five, six};
    static void (*const wide[])(const product *, int64_t) = {NULL, one_wide, two_wide, three_wide, four_wide};
    int most = panel == PANEL ? 6 : 4;
    int64_t tiles = (rows + most - 1) / most;
    const float *next_weights = p->b + (int64_t)p->taps * p->inputs * panel;
    p->ahead_step = (4 * panel + tiles - 1) / tiles;
    for (int64_t i = 0, row = 0; i < tiles; i++) {
        int64_t next = rows * (i + 1) / tiles;
        p->ahead = next_weights + i * p->taps * p->inputs / 4 * p->ahead_step;
        (panel == PANEL ? narrow : wide)[next - row](p, row);
        row = next;
    }
}

/* -- maps ----------------------------------------------------------------------------------------------------- */

/* Points are 0, then pairs a and -a, then infinity where their number is even. What a and -a make of the even inputs is
   the same, and of the odd ones the opposite. */
INLINE void enter_tile(const int points, const int reads, const float *const *from, int channel, const float *map,
                       const int activated, float slope_in, float *to, int64_t to_point) {
    __m256 x[READS_MAX], slope = _mm256_set1_ps(slope_in);
    UNROLL for (int j = 0; j < reads; j++) {
        x[j] = _mm256_loadu_ps(from[j] + channel);
        if (activated)
            x[j] = leaky(x[j], slope);
    }
    __m256 sum = _mm256_mul_ps(x[0], _mm256_loadu_ps(map));
    UNROLL for (int j = 2; j < reads; j += 2)
        sum = _mm256_fmadd_ps(x[j], _mm256_loadu_ps(map + 8 * j), sum);
    _mm256_storeu_ps(to, sum);
    UNROLL for (int point = 1; point + 1 < points; point += 2) {
        const float *row = map + point * reads * 8;
        __m256 even = _mm256_mul_ps(x[0], _mm256_loadu_ps(row));
        __m256 odd = _mm256_mul_ps(x[1], _mm256_loadu_ps(row + 8));
        UNROLL for (int j = 2; j < reads; j += 2)
            even = _mm256_fmadd_ps(x[j], _mm256_loadu_ps(row + 8 * j), even);
        UNROLL for (int j = 3; j < reads; j += 2)
            odd = _mm256_fmadd_ps(x[j], _mm256_loadu_ps(row + 8 * j), odd);
        _mm256_storeu_ps(to + point * to_point, _mm256_add_ps(even, odd));
        _mm256_storeu_ps(to + (point + 1) * to_point, _mm256_sub_ps(even, odd));
    }
    if (points % 2 == 0) {
        const float *row = map + (points - 1) * reads * 8;
        sum = _mm256_mul_ps(x[1], _mm256_loadu_ps(row + 8));
        UNROLL for (int j = 3; j < reads; j += 2)
            sum = _mm256_fmadd_ps(x[j], _mm256_loadu_ps(row + 8 * j), sum);
        _mm256_storeu_ps(to + (points - 1) * to_point, sum);
    }
}

INLINE void leave_tile(const int points, const int made, const float *from, int64_t from_point, const float *map,
                       __m256 *y) {
    __m256 first = _mm256_loadu_ps(from), last = _mm256_setzero_ps();
    UNROLL for (int i = 0; i < made; i++)
        y[i] = _mm256_setzero_ps();
    UNROLL for (int point = 1; point + 1 < points; point += 2) {
        __m256 plus = _mm256_loadu_ps(from + point * from_point);
        __m256 minus = _mm256_loadu_ps(from + (point + 1) * from_point);
        __m256 even = _mm256_add_ps(plus, minus), odd = _mm256_sub_ps(plus, minus);
        UNROLL for (int i = 0; i < made; i++)
            y[i] = _mm256_fmadd_ps(i % 2 ? odd : even, _mm256_loadu_ps(map + (i * points + point) * 8), y[i]);
    }
    y[0] = _mm256_fmadd_ps(first, _mm256_loadu_ps(map), y[0]);
    if (points % 2 == 0) {
        last = _mm256_loadu_ps(from + (points - 1) * from_point);
        y[made - 1] = _mm256_fmadd_ps(last, _mm256_loadu_ps(map + ((made - 1) * points + points - 1) * 8), y[made - 1]);
    }
}

/* -- strips --------------------------------------------------------------------------------------------------- */

/* Tile i begins at output i / dilation * made * dilation + i % dilation and makes every dilation-th from there. */
INLINE int64_t tile_start(int64_t tile, int made, int dilation) {
    return tile / dilation * made * dilation + tile % dilation;
}

INLINE void enter_strip(const int points, const int reads, const int activated, const pass *p, const float *map,
                        int made, int64_t begin, int64_t end, float *to, int64_t to_point) {
    static const float silence[1024] = {0};
    const convolution *layer = p->layer;
    for (int64_t t = begin; t < end; t++) {
        const float *from[READS_MAX];
        int64_t start = tile_start(t, made, layer->dilation);
        for (int j = 0; j < reads; j++) {
            int64_t row = start + (int64_t)j * layer->dilation;
            from[j] = row < p->rows ? p->x + row * layer->inputs : silence;
        }
        for (int channel = 0; channel < layer->inputs; channel += 8)
            enter_tile(points, reads, from, channel, map, activated, p->slope_in, to + channel, to_point);
        to += layer->inputs;
    }
}

KERNEL static void enter(const pass *p, const float *map, int64_t begin, int64_t end, float *to, int64_t to_point) {
    int activated = p->slope_in != 1.0f;
    switch (p->layer->method * 2 + activated) {
    case FAST_3 * 2: enter_strip(8, 8, 0, p, map, 6, begin, end, to, to_point); break;
    case FAST_3 * 2 + 1: enter_strip(8, 8, 1, p, map, 6, begin, end, to, to_point); break;
    case FAST_7 * 2: enter_strip(10, 10, 0, p, map, 4, begin, end, to, to_point); break;
    case FAST_7 * 2 + 1: enter_strip(10, 10, 1, p, map, 4, begin, end, to, to_point); break;
    case FAST_11 * 2: enter_strip(11, 11, 0, p, map, 6, begin, end, to, to_point); break;
    default: enter_strip(11, 11, 1, p, map, 6, begin, end, to, to_point);
    }
}

INLINE void leave_strip(const int points, const int made, const int panel, const pass *p, const float *map, int first,
                        int64_t begin, int64_t end, const float *from, int64_t from_point) {
    const convolution *layer = p->layer;
    int64_t rows = p->rows - (int64_t)(layer->taps - 1) * layer->dilation;
    __m256 slope = _mm256_set1_ps(p->slope_out);
    for (int64_t t = begin; t < end; t++, from += panel) {
        int64_t start = tile_start(t, made, layer->dilation);
        for (int v = 0; v < panel; v += 8) {
            __m256 y[6], bias = _mm256_loadu_ps(layer->bias + first + v);
            leave_tile(points, made, from + v, from_point, map, y);
            UNROLL for (int i = 0; i < made; i++) {
                int64_t row = start + (int64_t)i * layer->dilation, at = row * layer->outputs + first + v;
                if (row >= rows)
                    break;
                __m256 sum = _mm256_add_ps(y[i], bias);
                if (p->slope_out != 1.0f)
                    sum = leaky(sum, slope);
                if (p->residual)
                    sum = _mm256_add_ps(sum, _mm256_loadu_ps(p->residual + at));
                _mm256_storeu_ps(p->y + at, sum);
            }
        }
    }
}

KERNEL static void leave(const pass *p, const float *map, int panel, int first, int64_t begin, int64_t end,
                         const float *from, int64_t from_point) {
    switch (p->layer->method * 2 + (panel == PANEL)) {
    case FAST_3 * 2: leave_strip(8, 6, WIDE_PANEL, p, map, first, begin, end, from, from_point); break;
    case FAST_3 * 2 + 1: leave_strip(8, 6, PANEL, p, map, first, begin, end, from, from_point); break;
    case FAST_7 * 2: leave_strip(10, 4, WIDE_PANEL, p, map, first, begin, end, from, from_point); break;
    case FAST_7 * 2 + 1: leave_strip(10, 4, PANEL, p, map, first, begin, end, from, from_point); break;
    case FAST_11 * 2: leave_strip(11, 6, WIDE_PANEL, p, map, first, begin, end, from, from_point); break;
    default: leave_strip(11, 6, PANEL, p, map, first, begin, end, from, from_point);
    }
}

/* Panels `panel_begin` to `panel_end` of the tiles begin .. end, whose inputs are mapped already. */
KERNEL static void multiply_fast(const pass *p, const point_maps *all, const float *mapped, int64_t mapped_point,
                                 int64_t begin, int64_t end, int panel, int panel_begin, int panel_end, float *sums) {
    const convolution *layer = p->layer;
    const shape s = SHAPES[layer->method];
    int64_t sums_point = (end - begin) * panel + SPACE, weights_point = (int64_t)s.blocks * layer->inputs * panel;
    for (int i = panel_begin; i < panel_end; i++) {
        for (int point = 0; point < s.points; point++) {
            product task = {
                .a = mapped + point * mapped_point, .a_row = layer->inputs,
                .a_tap = (int64_t)layer->dilation * layer->inputs, .taps = s.blocks, .inputs = layer->inputs,
                .b = layer->weights + (i * s.points + point) * weights_point,
                .y = sums + point * sums_point, .y_row = panel,
            };
            multiply(&task, end - begin, panel);
        }
        leave(p, all->leave[layer->method], panel, i * panel, begin, end, sums, sums_point);
    }
}

static void convolve_fast(const pass *p, const point_maps *all, float *own, float *shared, int member, int members) {
    const convolution *layer = p->layer;
    const shape s = SHAPES[layer->method];
    int64_t rows = p->rows - (int64_t)(layer->taps - 1) * layer->dilation;
    int64_t group = (int64_t)s.made * layer->dilation, groups = (rows + group - 1) / group;
    int panel = layer->outputs % PANEL ? WIDE_PANEL : PANEL, panels = layer->outputs / panel;
    int together = layer->inputs >= SHARED_FROM;
    const float *map = all->enter[layer->method];
    int halo = (s.blocks - 1) * layer->dilation; /* tiles behind a strip that its last ones look at */
    /* What is mapped has to fit into the scratch, and the sums of a panel behind it. */
    int64_t room = together ? SHARED_FLOATS : MEMBER_FLOATS - (int64_t)POINTS_MAX * (STRIP_TILES * WIDE_PANEL + SPACE);
    int64_t most = (room / s.points - SPACE) / layer->inputs - halo;
    int64_t wanted = together ? SHARED_TILES : STRIP_TILES;
    most = (most < wanted ? most : wanted) / layer->dilation; /* groups a strip */
    int64_t strips = (groups + most - 1) / most;
    if (!together && strips < members)
        strips = groups < members ? groups : members;
    if (together) {
        for (int64_t strip = 0; strip < strips; strip++) {
            int64_t begin = groups * strip / strips * layer->dilation;
            int64_t end = groups * (strip + 1) / strips * layer->dilation;
            int64_t count = end - begin + halo, point = count * layer->inputs + SPACE;
            int64_t from = count * member / members, to = count * (member + 1) / members;
            enter(p, map, begin + from, begin + to, shared + from * layer->inputs, point);
            team_barrier(members);
            multiply_fast(p, all, shared, point, begin, end, panel, panels * member / members,
                          panels * (member + 1) / members, own);
            if (strip + 1 < strips)
                team_barrier(members);
        }
        return;
    }
    for (int64_t strip = strips * member / members; strip < strips * (member + 1) / members; strip++) {
        int64_t begin = groups * strip / strips * layer->dilation;
        int64_t end = groups * (strip + 1) / strips * layer->dilation;
        int64_t point = (end - begin + halo) * layer->inputs + SPACE;
        enter(p, map, begin, end + halo, own, point);
        multiply_fast(p, all, own, point, begin, end, panel, 0, panels, own + point * s.points);
    }
}

/* y rows begin .. end of the given panels. */
KERNEL static void multiply_plain(const pass *p, const float *x, int64_t begin, int64_t end, int panel, int panel_begin,
                                  int panel_end) {
    const convolution *layer = p->layer;
    for (int i = panel_begin; i < panel_end; i++) {
        int64_t at = begin * layer->outputs + i * panel;
        product task = {
            .a = x, .a_row = layer->inputs, .a_tap = (int64_t)layer->dilation * layer->inputs,
            .taps = layer->taps, .inputs = layer->inputs,
            .b = layer->weights + (int64_t)i * layer->taps * layer->inputs * panel,
            .y = p->y + at, .y_row = layer->outputs, .bias = layer->bias + i * panel,
            .residual = p->residual ? p->residual + at : NULL, .slope = p->slope_out,
        };
        multiply(&task, end - begin, panel);
    }
}

KERNEL static void activate(const float *x, int64_t count, float slope_in, float *out) {
    __m256 slope = _mm256_set1_ps(slope_in);
    for (int64_t i = 0; i < count; i += 8)
        _mm256_storeu_ps(out + i, leaky(_mm256_loadu_ps(x + i), slope));
}

static void convolve_plain(const pass *p, float *own, int member, int members) {
    const convolution *layer = p->layer;
    int64_t context = (int64_t)(layer->taps - 1) * layer->dilation, rows = p->rows - context;
    int panel = layer->outputs % PANEL ? WIDE_PANEL : PANEL, panels = layer->outputs / panel;
    if (layer->inputs >= SHARED_FROM && p->slope_in == 1.0f) {
        multiply_plain(p, p->x, 0, rows, panel, panels * member / members, panels * (member + 1) / members);
        return;
    }
    int64_t most = MEMBER_FLOATS / layer->inputs - context;
    most = most < STRIP_ROWS ? most : STRIP_ROWS;
    int64_t strips = (rows + most - 1) / most;
    if (strips < members)
        strips = members;
    for (int64_t strip = strips * member / members; strip < strips * (member + 1) / members; strip++) {
        int64_t begin = rows * strip / strips, end = rows * (strip + 1) / strips;
        const float *x = p->x + begin * layer->inputs;
        if (p->slope_in != 1.0f) {
            activate(x, (end - begin + context) * layer->inputs, p->slope_in, own);
            x = own;
        }
        multiply_plain(p, x, begin, end, panel, 0, panels);
    }
}

void convolve(const pass *p, const point_maps *all, float *own, float *shared, int member, int members) {
    if (p->rows <= (int64_t)(p->layer->taps - 1) * p->layer->dilation)
        return;
    if (p->layer->method == PLAIN_TAPS)
        convolve_plain(p, own, member, members);
    else
        convolve_fast(p, all, own, shared, member, members);
}

/* -- the rest ------------------------------------------------------------------------------------------------- */

KERNEL void convolve_to_one(const pass *p, int member, int members) {
    const convolution *layer = p->layer;
    int64_t rows = p->rows - (layer->taps - 1);
    if (rows <= 0)
        return;
    int length = layer->taps * layer->inputs;
    for (int64_t row = rows * member / members; row < rows * (member + 1) / members; row++) {
        const float *x = p->x + row * layer->inputs;
        __m256 even = _mm256_setzero_ps(), odd = _mm256_setzero_ps();
        int i = 0;
        for (; i + 16 <= length; i += 16) {
            even = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(layer->weights + i), even);
            odd = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(layer->weights + i + 8), odd);
        }
        if (i < length)
            even = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(layer->weights + i), even);
        p->y[row] = sum_of(_mm256_add_ps(even, odd));
    }
}

KERNEL void mean_of_three(const float *const *x, int64_t count, float slope_out, float *out, int member, int members) {
    __m256 third = _mm256_set1_ps(1.0f / 3.0f), slope = _mm256_set1_ps(slope_out);
    int64_t end = count / 8 * (member + 1) / members * 8;
    for (int64_t i = count / 8 * member / members * 8; i < end; i += 8) {
        __m256 sum = _mm256_add_ps(_mm256_loadu_ps(x[0] + i), _mm256_loadu_ps(x[1] + i));
        sum = _mm256_mul_ps(_mm256_add_ps(sum, _mm256_loadu_ps(x[2] + i)), third);
        _mm256_storeu_ps(out + i, leaky(sum, slope));
    }
}

#else

int convolution_is_supported(void) { return 0; }

void convolve(const pass *p, const point_maps *all, float *own, float *shared, int member, int members) {
    (void)p, (void)all, (void)own, (void)shared, (void)member, (void)members;
}

void convolve_to_one(const pass *p, int member, int members) { (void)p, (void)member, (void)members; }

void mean_of_three(const float *const *x, int64_t count, float slope, float *out, int member, int members) {
    (void)x, (void)count, (void)slope, (void)out, (void)member, (void)members;
}

#endif
