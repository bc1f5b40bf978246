/* One convolution along time, float32 in and out: a plain one, or one with about a third of the multiplications. */

#ifndef VIVAVOCE_CONVOLUTION_H
#define VIVAVOCE_CONVOLUTION_H

#include <stdint.h>

/* How it is computed. The fast ones take `blocks` times `taps` taps for `made` outputs at once, as the product of two
   polynomials at `points` points (Toom-Cook); see decoder_weights.py. */
typedef enum { PLAIN_TAPS, FAST_3, FAST_7, FAST_11, METHODS } method;

enum {
    PANEL = 16,       /* outputs whose weights lie side by side, */
    WIDE_PANEL = 24,  /* or that many, where a convolution has 24 outputs */
    MEMBER_FLOATS = 1 << 18, /* of each member's own scratch */
    SHARED_FLOATS = 1 << 20, /* of the scratch all members share */
    SHARED_FROM = 192, /* inputs from which on all members work on one strip, so that each reads half of the weights */
};

typedef struct {
    const float *weights; /* [outputs / panel][points][blocks or taps][inputs][panel] */
    const float *bias;    /* [outputs] */
    int32_t inputs, outputs, taps, dilation;
    int32_t method;
} convolution;

/* The maps in and out, every number 8 times. */
typedef struct {
    const float *enter[METHODS]; /* [points][reads][8] */
    const float *leave[METHODS]; /* [made][points][8] */
} point_maps;

/* What is to be done with a convolution. */
typedef struct {
    const convolution *layer;
    const float *x;        /* [rows, inputs] */
    int64_t rows;
    float slope_in;        /* of the leaky ReLU before it; 1 for none */
    float *y;              /* [rows - (taps - 1) * dilation, outputs] */
    const float *residual; /* as y, added to it; NULL for none */
    float slope_out;       /* of the leaky ReLU behind it; 1 for none */
} pass;

/* A member's share of it. Barriers: between what comes before and this, and after it, are the caller's; inside are
   its own. `own` is [MEMBER_FLOATS] of this member, `shared` is [SHARED_FLOATS]. The result does not depend on the
   number of members, not in the last bit. */
void convolve(const pass *p, const point_maps *all, float *own, float *shared, int member, int members);

/* The convolution of some channels to one: y [rows - taps + 1]. */
void convolve_to_one(const pass *p, int member, int members);

/* out = leaky ReLU of the mean of three, a share for each member. */
void mean_of_three(const float *const *x, int64_t count, float slope, float *out, int member, int members);

/* 1 where the processor has what all this is made of. */
int convolution_is_supported(void);

#endif
