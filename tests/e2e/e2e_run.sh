#!/usr/bin/env bash
# The supervisor under a few stops and kills; campaign_run.sh has the hundreds.
HOSTS=1500 exec "$(dirname "$0")/campaign_run.sh" 8 16 "${1:-$RANDOM}"
