#!/usr/bin/env bash
# Builds an image without fakeroot, as `autoexp container build --user` does; its options are the same.
exec autoexp container build --user "$@"
