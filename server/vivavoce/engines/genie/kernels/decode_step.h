/* One token further through the text-to-semantic transformer, for several streams in one pass over the weights. */

#ifndef VIVAVOCE_DECODE_STEP_H
#define VIVAVOCE_DECODE_STEP_H

#include <stdint.h>

/* The model; see text_to_semantic_graphs.py. */
enum {
    LAYERS = 24,
    WIDTH = 512,
    HEADS = 16,
    HEAD = 32,
    INNER = 2048,
    LOGITS = 1025,
    PLACES_MAX = 4096, /* of one row of the cache */
    ROWS_MAX = 32,
    PANEL = 16, /* outputs whose weights lie side by side */
};

/* The float16 of a matrix [outputs, inputs] as [outputs / PANEL, inputs, PANEL], zeros in the places left over. */
#define MATRIX(name, outputs, inputs) uint16_t name[((outputs) + PANEL - 1) / PANEL * PANEL * (inputs)]

/* A file of weights, as kernel_step.py writes it. */
typedef struct {
    MATRIX(qkv, 3 * WIDTH, WIDTH);
    float qkv_bias[3 * WIDTH];
    MATRIX(out, WIDTH, WIDTH);
    float out_bias[WIDTH], norm1_weight[WIDTH], norm1_shift[WIDTH];
    MATRIX(up, INNER, WIDTH);
    float up_bias[INNER];
    MATRIX(down, WIDTH, INNER);
    float down_bias[WIDTH], norm2_weight[WIDTH], norm2_shift[WIDTH];
} layer_weights;

typedef struct {
    layer_weights layers[LAYERS];
    MATRIX(predict, LOGITS, WIDTH);
} decoder_weights;

typedef struct {
    const decoder_weights *weights;
    float *keys[LAYERS]; /* float32 [rows of the cache, HEADS, places, HEAD] */
    float *values[LAYERS];
    int64_t places;
} decoder;

/* 1 where the processor has what the kernel is made of. */
int decode_step_is_supported(void);

/* sizeof(decoder_weights): a caller that counts otherwise has another version of this file. */
int64_t decode_step_weights_bytes(void);

/* Args:
       rows: streams, at most ROWS_MAX.
       cache_rows: the row of the cache of each, all different.
       lengths: places of that row that are filled; the step fills the next one.
       hidden: [rows, WIDTH], embedded tokens with their positions; overwritten.
       logits: [rows, LOGITS], out.
       threads: at most; the result does not depend on it, nor on the other rows, not in the last bit.
   Returns 0, or -1 where a number is out of range; nothing is written then. */
int decode_step(const decoder *model, int rows, const int32_t *cache_rows, const int32_t *lengths, float *hidden,
                float *logits, int threads);

#endif
