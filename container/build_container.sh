#!/usr/bin/env bash
# Builds an image, as `autoexp container build` does; its options are the same.
exec autoexp container build "$@"
