"""The numbers of GPT-SoVITS's models, each written once: what runs, what prepares and what reads text count with them.

Source: GPT-SoVITS v2 and v2ProPlus as genie-tts publishes them; checked when a voice is prepared, since graphs of
another shape do not fit. Knows nothing else, so that reading a number loads no library.
"""

from __future__ import annotations

# -- time: 1 token = 2 frames = 1280 samples = 40 ms
SAMPLE_RATE_HZ = 32_000
TOKENS_PER_SECOND = 25
FRAMES_PER_TOKEN = 2
FRAME_S = 0.02
SAMPLES_PER_FRAME = 640

# -- text
BERT_WIDTH = 1024  # features of a Chinese character

# -- text to semantic tokens: post-norm transformer layers, all of one width
LAYERS, WIDTH, HEADS, HEAD = 24, 512, 16, 32
INNER = 2048  # of the feed-forward part
VOCABULARY = 1025  # 1024 codes and END_OF_SPEECH
END_OF_SPEECH = 1024
MAX_POSITIONS = 2048  # rows of the position table: prompt and generated tokens, or reference and target phonemes
MIN_TOKENS = 11  # end of speech cannot come before. Source: GPT-SoVITS, t2s_model.py, infer_panel_naive

# -- semantic tokens to latent frames
LATENT_WIDTH = 192
NOISE_SCALE = 0.5  # of the latent's noise; what the models were released with
COUPLINGS = (6, 4, 2, 0)  # layers of the flow in the order they run (flipped in between)
FLOW_CONDITIONS = tuple(f"flow_{index}" for index in COUPLINGS)  # inputs of the flow, outputs of the condition graph
FLOW_CONTEXT_FRAMES = 32  # the flow's receptive field on each side: 4 couplings of 4 layers of kernel 5

# -- latent frames to samples
LEVELS, BRANCHES = 5, 3  # upsampling steps, and residual blocks side by side in each
DILATIONS = (1, 3, 5)  # of the convolution pairs of a residual block
LAG_FRAMES = 11  # frames the decoder holds back until it is flushed
FIRST_FRAMES = LAG_FRAMES + 1  # with fewer and no flush some layer would have nothing to work on
