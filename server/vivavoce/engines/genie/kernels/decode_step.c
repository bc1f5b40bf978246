/* Memory decides the speed of a step: every weight is read once and used once a row. So the weights stay in the 16
   bits they were published in, a float32 exactly half as long, and become float32 in the register that multiplies.

   Every sum runs over its terms in one order, whatever the number of rows or threads: a stream's tokens are the same
   alone and in company. Each member does a share of the panels, of the heads and of the rows, and waits for the others
   where the next part reads what they made. */

#include "decode_step.h"

#include "team.h"

#include <string.h>

int64_t decode_step_weights_bytes(void) { return sizeof(decoder_weights); }

#if defined(__x86_64__)

#include "simd.h"

typedef struct {
    const decoder *model;
    int rows;
    const int32_t *cache_rows, *lengths;
    float *hidden, *logits;
    float qkv[ROWS_MAX][3 * WIDTH];
    float attended[ROWS_MAX][WIDTH];
    float inner[ROWS_MAX][INNER];
    float made[ROWS_MAX][WIDTH];
    float padded[ROWS_MAX][(LOGITS + PANEL - 1) / PANEL * PANEL];
} step;

typedef enum { PLAIN, RELU } activation;

int decode_step_is_supported(void) { return simd_is_supported(); }

/* -- matrices ------------------------------------------------------------------------------------------------- */

/* `rows` rows times `panels` neighbouring panels, rows * panels at most 6. */
INLINE void tile(const int rows, const int panels, const float *x, int inputs, const uint16_t *weights,
                 const float *bias, activation act, float *y, int y_stride) {
    __m256 sums[6][2];
    for (int i = 0; i < rows * panels; i++)
        sums[i][0] = sums[i][1] = _mm256_setzero_ps();
    for (int k = 0; k < inputs; k++) {
        for (int p = 0; p < panels; p++) {
            const uint16_t *place = weights + ((int64_t)p * inputs + k) * PANEL;
            _mm_prefetch((const char *)(place + 32 * PANEL), _MM_HINT_T0);
            __m256 low = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)place));
            __m256 high = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(place + 8)));
            for (int r = 0; r < rows; r++) {
                __m256 input = _mm256_broadcast_ss(x + (int64_t)r * inputs + k);
                sums[r * panels + p][0] = _mm256_fmadd_ps(input, low, sums[r * panels + p][0]);
                sums[r * panels + p][1] = _mm256_fmadd_ps(input, high, sums[r * panels + p][1]);
            }
        }
    }
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < panels; p++)
            for (int half = 0; half < 2; half++) {
                __m256 sum = sums[r * panels + p][half];
                int at = p * PANEL + half * 8;
                if (bias)
                    sum = _mm256_add_ps(sum, _mm256_loadu_ps(bias + at));
                if (act == RELU)
                    sum = _mm256_max_ps(sum, _mm256_setzero_ps());
                _mm256_storeu_ps(y + (int64_t)r * y_stride + at, sum);
            }
}

/* Rows to take at once where that many are left: none is left alone at the end but where there is one. */
static int rows_at_once(int left, int panels) {
    static const int narrow[] = {0, 1, 2, 3, 4, 5, 6, 4, 4};
    if (panels == 4)
        return 1;
    if (panels == 2)
        return left == 3 ? 3 : 2;
    return left > 8 ? 6 : narrow[left];
}

/* A case of the table of tiles. Inlined, since calls through pointers cost a tenth of the step. */
#define TILE(rows, panels) \
    case panels * 8 + rows: tile(rows, panels, from, inputs, here, shift, act, to, y_stride); break;

/* y[rows, outputs] = act(x[rows, inputs] @ weights + bias), a share of the panels for each member. */
KERNEL static void multiply(const float *x, int rows, int inputs, const uint16_t *weights, int outputs, const float *bias,
                            activation act, float *y, int member, int members) {
    int panels = (outputs + PANEL - 1) / PANEL, y_stride = panels * PANEL;
    int end = panels * (member + 1) / members;
    for (int p = panels * member / members; p < end;) {
        const uint16_t *here = weights + (int64_t)p * inputs * PANEL;
        const float *shift = bias ? bias + p * PANEL : NULL;
        /* One row alone keeps few sums, so it takes several panels at once to hide how long an addition takes. */
        int together = rows == 1 ? 4 : rows <= 3 ? 2 : 1;
        if (together > end - p)
            together = 1;
        for (int row = 0, done; row < rows; row += done) {
            done = rows_at_once(rows - row, together);
            const float *from = x + (int64_t)row * inputs;
            float *to = y + (int64_t)row * y_stride + p * PANEL;
            switch (together * 8 + done) { /* at most 6 sums of two registers each fit */
                TILE(1, 1)
                TILE(2, 1)
                TILE(3, 1)
                TILE(4, 1)
                TILE(5, 1)
                TILE(6, 1)
                TILE(2, 2)
                TILE(3, 2)
                TILE(1, 4)
            }
        }
        p += together;
    }
}

/* -- between them --------------------------------------------------------------------------------------------- */

/* One row of the normalisation behind attention and behind the feed-forward. */
KERNEL static void normalise(float *hidden, const float *made, const float *bias, const float *weight,
                             const float *shift) {
    __m256 total = _mm256_setzero_ps(), squares = _mm256_setzero_ps();
    for (int i = 0; i < WIDTH; i += 8) {
        __m256 v = _mm256_add_ps(_mm256_loadu_ps(made + i), _mm256_loadu_ps(hidden + i));
        v = _mm256_add_ps(v, _mm256_loadu_ps(bias + i));
        _mm256_storeu_ps(hidden + i, v);
        total = _mm256_add_ps(total, v);
    }
    __m256 mean = _mm256_set1_ps(sum_of(total) / WIDTH);
    for (int i = 0; i < WIDTH; i += 8) {
        __m256 v = _mm256_sub_ps(_mm256_loadu_ps(hidden + i), mean);
        squares = _mm256_fmadd_ps(v, v, squares);
    }
    float deviation = __builtin_sqrtf(sum_of(squares) / WIDTH + 1e-5f);
    __m256 scale = _mm256_set1_ps(1.0f / deviation);
    for (int i = 0; i < WIDTH; i += 8) {
        __m256 v = _mm256_mul_ps(_mm256_sub_ps(_mm256_loadu_ps(hidden + i), mean), scale);
        v = _mm256_fmadd_ps(v, _mm256_loadu_ps(weight + i), _mm256_loadu_ps(shift + i));
        _mm256_storeu_ps(hidden + i, v);
    }
}

/* e^x for x <= 0, relative error below 3e-7. Source: Cephes, expf. */
INLINE __m256 exponential(__m256 x) {
    x = _mm256_max_ps(x, _mm256_set1_ps(-87.0f));
    __m256 power = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    x = _mm256_fnmadd_ps(power, _mm256_set1_ps(0.693359375f), x);
    x = _mm256_fnmadd_ps(power, _mm256_set1_ps(-2.12194440e-4f), x);
    static const float terms[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                  4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
    __m256 series = _mm256_set1_ps(terms[0]);
    for (int i = 1; i < 6; i++)
        series = _mm256_fmadd_ps(series, x, _mm256_set1_ps(terms[i]));
    series = _mm256_fmadd_ps(_mm256_mul_ps(series, x), x, _mm256_add_ps(x, _mm256_set1_ps(1.0f)));
    __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(power), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(series, _mm256_castsi256_ps(exponent));
}

/* Scores of 8 neighbouring places: their keys times the query. */
INLINE __m256 eight_scores(const __m256 *query, const float *keys) {
    __m256 parts[8];
    for (int i = 0; i < 8; i++) {
        parts[i] = _mm256_mul_ps(query[0], _mm256_loadu_ps(keys + i * HEAD));
        for (int j = 1; j < HEAD / 8; j++)
            parts[i] = _mm256_fmadd_ps(query[j], _mm256_loadu_ps(keys + i * HEAD + 8 * j), parts[i]);
    }
    __m256 low = _mm256_hadd_ps(_mm256_hadd_ps(parts[0], parts[1]), _mm256_hadd_ps(parts[2], parts[3]));
    __m256 high = _mm256_hadd_ps(_mm256_hadd_ps(parts[4], parts[5]), _mm256_hadd_ps(parts[6], parts[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
}

/* One head of one row: put the new key and value into their place and look at all places up to it. */
KERNEL static void attend(const float *qkv, float *keys, float *values, int places, float *out) {
    float scores[PLACES_MAX + 8];
    __m256 query[HEAD / 8], most = _mm256_set1_ps(-1e30f), total = _mm256_setzero_ps();
    memcpy(keys + (int64_t)places * HEAD, qkv + WIDTH, HEAD * sizeof(float));
    memcpy(values + (int64_t)places * HEAD, qkv + 2 * WIDTH, HEAD * sizeof(float));
    places++;
    for (int j = 0; j < HEAD / 8; j++)
        query[j] = _mm256_mul_ps(_mm256_loadu_ps(qkv + 8 * j), _mm256_set1_ps(0.17677669529663689f)); /* 1 / sqrt(HEAD) */
    int whole = places / 8 * 8;
    for (int i = 0; i < whole; i += 8) {
        __m256 eight = eight_scores(query, keys + (int64_t)i * HEAD);
        _mm256_storeu_ps(scores + i, eight);
        most = _mm256_max_ps(most, eight);
    }
    if (whole < places) { /* the last few, filled up with copies of the last one, which then count nothing */
        float last[8 * HEAD];
        for (int i = 0; i < 8; i++) {
            int at = whole + i < places ? whole + i : places - 1;
            memcpy(last + i * HEAD, keys + (int64_t)at * HEAD, HEAD * sizeof(float));
        }
        __m256 eight = eight_scores(query, last);
        most = _mm256_max_ps(most, eight);
        _mm256_storeu_ps(scores + whole, eight);
        for (int i = places; i < whole + 8; i++)
            scores[i] = -1e30f;
    }
    float peaks[8], peak;
    _mm256_storeu_ps(peaks, most);
    peak = peaks[0];
    for (int i = 1; i < 8; i++)
        peak = peaks[i] > peak ? peaks[i] : peak;
    for (int i = 0; i < places; i += 8) {
        __m256 eight = _mm256_loadu_ps(scores + i);
        __m256 share = exponential(_mm256_sub_ps(eight, _mm256_set1_ps(peak)));
        share = _mm256_and_ps(share, _mm256_cmp_ps(eight, _mm256_set1_ps(-1e29f), _CMP_GT_OQ));
        _mm256_storeu_ps(scores + i, share);
        total = _mm256_add_ps(total, share);
    }
    __m256 even[HEAD / 8], odd[HEAD / 8];
    for (int j = 0; j < HEAD / 8; j++)
        even[j] = odd[j] = _mm256_setzero_ps();
    int i = 0;
    for (; i + 2 <= places; i += 2) {
        __m256 share = _mm256_broadcast_ss(scores + i), next = _mm256_broadcast_ss(scores + i + 1);
        const float *value = values + (int64_t)i * HEAD;
        for (int j = 0; j < HEAD / 8; j++) {
            even[j] = _mm256_fmadd_ps(share, _mm256_loadu_ps(value + 8 * j), even[j]);
            odd[j] = _mm256_fmadd_ps(next, _mm256_loadu_ps(value + HEAD + 8 * j), odd[j]);
        }
    }
    if (i < places)
        for (int j = 0; j < HEAD / 8; j++)
            even[j] = _mm256_fmadd_ps(_mm256_broadcast_ss(scores + i), _mm256_loadu_ps(values + (int64_t)i * HEAD + 8 * j), even[j]);
    __m256 scale = _mm256_set1_ps(1.0f / sum_of(total));
    for (int j = 0; j < HEAD / 8; j++)
        _mm256_storeu_ps(out + 8 * j, _mm256_mul_ps(_mm256_add_ps(even[j], odd[j]), scale));
}

/* -- the step ------------------------------------------------------------------------------------------------- */

static void attend_all(step *s, int layer, int member, int members) {
    int count = s->rows * HEADS;
    for (int i = count * member / members; i < count * (member + 1) / members; i++) {
        int row = i / HEADS, head = i % HEADS;
        int64_t at = ((int64_t)s->cache_rows[row] * HEADS + head) * s->model->places * HEAD;
        attend(s->qkv[row] + head * HEAD, s->model->keys[layer] + at, s->model->values[layer] + at, s->lengths[row],
               s->attended[row] + head * HEAD);
    }
}

/* hidden = layer normalisation of made + hidden + bias: rows, a share for each member. */
static void normalise_all(step *s, const float *bias, const float *weight, const float *shift, int member,
                          int members) {
    for (int row = s->rows * member / members; row < s->rows * (member + 1) / members; row++)
        normalise(s->hidden + (int64_t)row * WIDTH, s->made[row], bias, weight, shift);
}

static void run(void *argument, int member, int members) {
    step *s = argument;
    for (int layer = 0; layer < LAYERS; layer++) {
        const layer_weights *w = &s->model->weights->layers[layer];
        multiply(s->hidden, s->rows, WIDTH, w->qkv, 3 * WIDTH, w->qkv_bias, PLAIN, s->qkv[0], member, members);
        team_barrier(members);
        attend_all(s, layer, member, members);
        team_barrier(members);
        multiply(s->attended[0], s->rows, WIDTH, w->out, WIDTH, NULL, PLAIN, s->made[0], member, members);
        team_barrier(members);
        normalise_all(s, w->out_bias, w->norm1_weight, w->norm1_shift, member, members);
        team_barrier(members);
        multiply(s->hidden, s->rows, WIDTH, w->up, INNER, w->up_bias, RELU, s->inner[0], member, members);
        team_barrier(members);
        multiply(s->inner[0], s->rows, INNER, w->down, WIDTH, NULL, PLAIN, s->made[0], member, members);
        team_barrier(members);
        normalise_all(s, w->down_bias, w->norm2_weight, w->norm2_shift, member, members);
        team_barrier(members);
    }
    const uint16_t *predict = s->model->weights->predict;
    multiply(s->hidden, s->rows, WIDTH, predict, LOGITS, NULL, PLAIN, s->padded[0], member, members);
}

int decode_step(const decoder *model, int rows, const int32_t *cache_rows, const int32_t *lengths, float *hidden,
                float *logits, int threads) {
    if (rows < 1 || rows > ROWS_MAX || model->places > PLACES_MAX)
        return -1;
    for (int row = 0; row < rows; row++)
        if (lengths[row] < 0 || lengths[row] >= model->places || cache_rows[row] < 0)
            return -1;
    static _Thread_local step s; /* 0.7 MB, the caller's */
    s.model = model;
    s.rows = rows;
    s.cache_rows = cache_rows;
    s.lengths = lengths;
    s.hidden = hidden;
    team_run(run, &s, threads);
    for (int row = 0; row < rows; row++)
        memcpy(logits + (int64_t)row * LOGITS, s.padded[row], LOGITS * sizeof(float));
    return 0;
}

#else

int decode_step_is_supported(void) { return 0; }

int decode_step(const decoder *model, int rows, const int32_t *cache_rows, const int32_t *lengths, float *hidden,
                float *logits, int threads) {
    (void)model, (void)rows, (void)cache_rows, (void)lengths, (void)hidden, (void)logits, (void)threads;
    return -1;
}

#endif
