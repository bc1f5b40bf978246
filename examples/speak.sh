#!/bin/sh
# One text over HTTP, heard while it downloads: examples/speak.sh "Hello there." | ffplay -nodisp -autoexit -
exec curl -sN "${VIVAVOCE_URL:-http://127.0.0.1:7860}/v1/audio/speech" -H 'Content-Type: application/json' \
  -d "{\"input\": \"$1\", \"response_format\": \"mp3\"}"
