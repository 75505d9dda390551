"""Translation between OpenAI chat completions and Anthropic messages: pure functions on decoded JSON, and streams."""

from tenbin.upstream.translate.answers import completion_to_message, message_to_completion
from tenbin.upstream.translate.chat_to_messages import chat_to_messages
from tenbin.upstream.translate.error_bodies import error_body, translate_error, translate_status
from tenbin.upstream.translate.fields import DROPPED
from tenbin.upstream.translate.messages_to_chat import messages_to_chat
from tenbin.upstream.translate.provider_state import (
    is_mid_tool_loop,
    opens_without_thinking,
    state_in,
    strip_state,
    without_thinking_edits,
    without_unsigned,
)
from tenbin.upstream.translate.to_chat_stream import MessagesToChatStream
from tenbin.upstream.translate.to_messages_stream import ChatToMessagesStream
from tenbin.upstream.translate.translated_stream import TranslatedStream
from tenbin.upstream.translate.untranslatable import untranslatable

__all__ = [
    "DROPPED",
    "ChatToMessagesStream",
    "MessagesToChatStream",
    "TranslatedStream",
    "chat_to_messages",
    "completion_to_message",
    "error_body",
    "is_mid_tool_loop",
    "message_to_completion",
    "messages_to_chat",
    "opens_without_thinking",
    "state_in",
    "strip_state",
    "translate_error",
    "translate_status",
    "untranslatable",
    "without_thinking_edits",
    "without_unsigned",
]
