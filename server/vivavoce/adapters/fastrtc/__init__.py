"""Viva Voce inside FastRTC: its voices as a `TTSModel`, its recognizer as an `STTModel`, its assistant as a handler.

Needs the extra `[fastrtc]`, which brings Gradio; nothing in this package imports this one unless it is asked for.

    from vivavoce.adapters.fastrtc import HearingModel, SpeechModel  # ears and voice of a ReplyOnPause handler
    from vivavoce.adapters.fastrtc import ConversationHandler, OwnAssistant  # a whole conversation as a handler

    vivavoce serve --fastrtc                          # FastRTC's own browser snippets, under /fastrtc
"""

from vivavoce.adapters.fastrtc.conversation_handler import ConversationHandler as ConversationHandler
from vivavoce.adapters.fastrtc.hearing_model import HearingModel as HearingModel
from vivavoce.adapters.fastrtc.mounting import mount as mount
from vivavoce.adapters.fastrtc.mounting import mount_conversation as mount_conversation
from vivavoce.adapters.fastrtc.own_assistant import OwnAssistant as OwnAssistant
from vivavoce.adapters.fastrtc.speech_handler import SpeechHandler as SpeechHandler
from vivavoce.adapters.fastrtc.speech_model import SpeechModel as SpeechModel
from vivavoce.adapters.fastrtc.speech_model import SpeechModelOptions as SpeechModelOptions
