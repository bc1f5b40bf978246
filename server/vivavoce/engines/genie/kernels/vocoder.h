/* The HiFiGAN decoder of one voice: latent frames -> samples, each frame once, in chunks of any size. */

#ifndef VIVAVOCE_VOCODER_H
#define VIVAVOCE_VOCODER_H

#include "convolution.h"

enum { LEVELS = 5, BRANCHES = 3, PAIRS = 3, LATENT = 192 };

typedef struct {
    convolution pre, post, ups[LEVELS];                /* of ups, outputs are [stride][width] and taps inputs */
    convolution first[LEVELS][BRANCHES][PAIRS];        /* the dilated one of each pair; the widest branch is the last */
    convolution second[LEVELS][BRANCHES][PAIRS];
    int32_t strides[LEVELS], paddings[LEVELS];
    point_maps maps;
} vocoder;

/* 1 where the processor has what the kernel is made of. */
int vocoder_is_supported(void);

/* sizeof(vocoder), so that both sides can agree. */
int64_t vocoder_bytes(void);

/* Numbers (float32) of a stream's state and of the scratch of one call; -1 where the model is none. */
int64_t vocoder_state_floats(const vocoder *model);
int64_t vocoder_scratch_floats(const vocoder *model, int threads);

/* Args:
       frames: [n, LATENT].
       condition: [outputs of conv_pre], of the speaker.
       state: [state floats], what the last call left, zeros before the first one; not changed.
       seen: frames that came before.
       next: [state floats], out; where it says how to go on.
       flush: no frame will follow.
       samples: [room], out, before the tanh.
       scratch: [scratch floats], 64-byte aligned or not.
       threads: at most; the result does not depend on it, not in the last bit.
   Returns how many samples there are, or -1 where something is out of range; nothing is written then. */
int64_t vocode(const vocoder *model, const float *frames, int64_t n, const float *condition, const float *state,
               int64_t seen, float *next, int flush, float *samples, int64_t room, float *scratch, int threads);

#endif
